//! Workbooks opened from bytes, and pictures compared with the ones that somebody looked at.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use picture::{Fonts, PictureOptions, View, draw};
use workbook::{Limits, Sheet, Workbook};

/// Set to write the references instead of comparing with them.
const UPDATE: &str = "UPDATE_REFERENCES";
/// How far a channel may be off, and how many pixels of a thousand may be further.
const TOLERANCE: u8 = 24;
const STRAY_PIXELS_PER_MILLE: usize = 2;

/// A workbook from its bytes.
pub(crate) fn open(bytes: Vec<u8>, name: &str) -> Workbook {
    Workbook::open(Arc::from(bytes), name, &Limits::default(), &()).expect("a workbook")
}

/// A workbook that a function writes.
pub(crate) fn written(
    write: impl FnOnce(&mut rust_xlsxwriter::Workbook) -> Result<(), rust_xlsxwriter::XlsxError>,
) -> Workbook {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    write(&mut workbook).expect("a valid workbook");
    open(workbook.save_to_buffer().expect("bytes"), "test.xlsx")
}

/// A sheet by name; the first one for an empty name.
pub(crate) fn sheet(book: &Workbook, name: &str) -> Arc<Sheet> {
    let id = if name.is_empty() { book.sheet_ids().next() } else { book.sheet_id(name) };
    book.sheet(id.expect("the sheet exists"), &()).expect("a sheet")
}

/// Draws a range and compares it with `tests/references/NAME.png`.
#[track_caller]
pub(crate) fn check(name: &str, book: &Workbook, sheet_name: &str, range: &str, options: &PictureOptions) {
    let (sheet, fonts) = (sheet(book, sheet_name), Fonts::embedded());
    let range = range.parse().expect("a range");
    let view = View { book, sheet: &sheet, range, fonts: &fonts, options };
    let png = draw(&view, &|| false).expect("a picture");
    let reference =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references").join(format!("{name}.png"));
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&reference, &png).expect("the references can be written");
        return;
    }
    let expected = std::fs::read(&reference).unwrap_or_else(|error| {
        panic!("{}: {error}; run with {UPDATE}=1, and look at what it wrote", reference.display())
    });
    let Err(difference) = compare(&pixels(&png), &pixels(&expected)) else { return };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let actual = folder.join(format!("{name}.actual.png"));
    std::fs::write(&actual, &png).expect("the target folder can be written");
    let mut shown = String::new();
    if let Some(marked) = difference.marked {
        let path = folder.join(format!("{name}.diff.png"));
        std::fs::write(&path, marked).expect("the target folder can be written");
        shown = format!(", difference in {}", path.display());
    }
    panic!("{name}: {}; actual picture in {}{shown}", difference.what, actual.display());
}

/// A decoded picture.
pub(crate) struct Pixels {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgb: Vec<u8>,
}

/// Decodes a picture that [`draw`] made.
pub(crate) fn pixels(png: &[u8]) -> Pixels {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut rgb = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut rgb).expect("pixels");
    assert_eq!(info.color_type, png::ColorType::Rgb);
    Pixels { width: info.width, height: info.height, rgb }
}

struct Difference {
    what: String,
    /// The expected picture, pale, with the pixels that differ in red.
    marked: Option<Vec<u8>>,
}

fn compare(actual: &Pixels, expected: &Pixels) -> Result<(), Difference> {
    if (actual.width, actual.height) != (expected.width, expected.height) {
        let what = format!(
            "{} x {} pixels instead of {} x {}",
            actual.width, actual.height, expected.width, expected.height
        );
        return Err(Difference { what, marked: None });
    }
    let differs = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > TOLERANCE);
    let pairs = || actual.rgb.chunks_exact(3).zip(expected.rgb.chunks_exact(3));
    let stray = pairs().filter(|pair| differs(*pair)).count();
    if stray * 1000 <= actual.rgb.len() / 3 * STRAY_PIXELS_PER_MILLE {
        return Ok(());
    }
    let mark = |pair: (&[u8], &[u8])| {
        if differs(pair) { [255, 0, 0] } else { [0, 1, 2].map(|channel| 192 + pair.1[channel] / 4) }
    };
    let marked: Vec<u8> = pairs().flat_map(mark).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, actual.width, actual.height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&marked).expect("pixels");
    writer.finish().expect("an end");
    Err(Difference { what: format!("{stray} pixels differ"), marked: Some(bytes) })
}
