//! How long a picture takes: `cargo run --release -p picture --example speed [FILE [SHEET [RANGE [OUT.png]]]]`.
//!
//! Without a file, ranges of 50 x 20 and 200 x 30 filled cells.

use std::sync::Arc;
use std::time::Instant;

use picture::{Fonts, PictureOptions, View, draw, size};
use rust_xlsxwriter::{Color, Format, FormatBorder, XlsxError};
use workbook::{Limits, Workbook};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(path) = arguments.first() else {
        let bytes = filled(200, 30)?;
        for range in ["A1:T50", "A1:AD200"] {
            measure(&bytes, "filled.xlsx", None, range, None)?;
        }
        return Ok(());
    };
    let range = arguments.get(2).map_or("A1:T50", String::as_str);
    measure(&std::fs::read(path)?, path, arguments.get(1), range, arguments.get(3))
}

/// A sheet whose every cell has a value, a border, and one of several formats.
fn filled(rows: u32, cols: u16) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    let bordered = Format::new().set_border(FormatBorder::Thin);
    let formats = [
        bordered.clone().set_num_format("#,##0.00"),
        bordered.clone().set_num_format("0.0%").set_background_color(Color::RGB(0xFFF2CC)),
        bordered.clone().set_num_format("yyyy-mm-dd").set_bold(),
        bordered.set_font_color(Color::RGB(0x1F4E79)),
    ];
    for row in 0..rows {
        for col in 0..cols {
            let format = &formats[(row + u32::from(col)) as usize % formats.len()];
            if col % 3 == 0 {
                sheet.write_string_with_format(row, col, format!("Text {row} {col}"), format)?;
            } else {
                sheet.write_number_with_format(row, col, f64::from(row) * 17.25 + f64::from(col), format)?;
            }
        }
    }
    workbook.save_to_buffer()
}

fn measure(
    bytes: &[u8],
    name: &str,
    sheet: Option<&String>,
    range: &str,
    out: Option<&String>,
) -> Result<(), Box<dyn std::error::Error>> {
    let book = Workbook::open(Arc::from(bytes), name, &Limits::default(), &())?;
    let id = match sheet.filter(|name| !name.is_empty()) {
        Some(name) => book.sheet_id(name).ok_or("no such sheet")?,
        None => book.sheet_ids().next().ok_or("no sheet")?,
    };
    let sheet = book.sheet(id, &())?;
    let fonts = Fonts::embedded();
    let options = PictureOptions::default();
    let view = View { book: &book, sheet: &sheet, range: range.parse()?, fonts: &fonts, options: &options };
    let size = size(&view);
    let mut times = Vec::new();
    let mut png = Vec::new();
    for _ in 0..7 {
        let start = Instant::now();
        png = draw(&view, &|| false)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{name} {range}: {} x {} pixels, {:.1} ms (median of {}, best {:.1}), {} kB",
        size.width,
        size.height,
        times[times.len() / 2],
        times.len(),
        times[0],
        png.len() / 1024,
    );
    if let Some(out) = out {
        std::fs::write(out, &png)?;
    }
    Ok(())
}
