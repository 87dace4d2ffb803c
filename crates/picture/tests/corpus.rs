//! Pictures of real files: every sheet can be drawn, in the size that was told before.

mod support;

use std::sync::Arc;

use fixtures::corpus;
use grid::{CellRange, CellRef};
use picture::{Fonts, PictureError, PictureOptions, View, draw, size};
use support::pixels;
use workbook::{Limits, Workbook};

/// The sheets of a file that are drawn; some have thousands.
const SHEETS: usize = 12;

#[test]
fn real_sheets_are_drawn() {
    let Some(folder) = corpus::folder() else { return };
    let files = corpus::files(&folder, &["xlsx", "xlsm", "xls", "xlsb", "ods", "csv"]).expect("the corpus");
    let (fonts, options) = (Fonts::embedded(), PictureOptions::default());
    let mut drawn = 0;
    for path in files {
        let name = path.display().to_string();
        let bytes = std::fs::read(&path).expect("a file");
        let Ok(book) = Workbook::open(Arc::from(bytes), &name, &Limits::default(), &()) else { continue };
        for id in book.sheet_ids().take(SHEETS) {
            let Ok(sheet) = book.sheet(id, &()) else { continue };
            let start = sheet.used_range().map_or(CellRef::A1, CellRange::start);
            let end = start.offset(39, 19).unwrap_or(start);
            let view = View {
                book: &book,
                sheet: &sheet,
                range: CellRange::new(start, end),
                fonts: &fonts,
                options: &options,
            };
            match draw(&view, &|| false) {
                Ok(png) => {
                    let (shown, told) = (pixels(&png), size(&view));
                    assert_eq!(
                        (shown.width, shown.height),
                        (told.width, told.height),
                        "{name} {}",
                        sheet.name
                    );
                    drawn += 1;
                }
                Err(PictureError::TooLarge { .. } | PictureError::NothingVisible { .. }) => {}
                Err(error) => panic!("{name} {}: {error}", sheet.name),
            }
        }
    }
    corpus::say(&format!("{drawn} sheets drawn"));
}
