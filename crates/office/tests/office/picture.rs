//! Pictures: their sizes, and some of what is on them.

use std::io::Cursor;

use office::{Document, OfficeError, PictureRequest};
use rust_xlsxwriter::{Chart, ChartType, Color, Format, Workbook};

use crate::support::{Pool, check_works};

/// Two sheets with rows of 20 pixels at 96 dpi, and columns of 64 where there is Calibri, of up to 80 with other fonts.
fn sheet_with(change: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("Picture").unwrap();
    change(sheet);
    workbook.add_worksheet().set_name("Other").unwrap().write(0, 0, "not drawn").unwrap();
    workbook.save_to_buffer().unwrap()
}

fn a1_to_d10() -> PictureRequest {
    PictureRequest {
        sheet: "Picture".to_owned(),
        first_row: 0,
        first_column: 0,
        last_row: 9,
        last_column: 3,
        dpi: 96,
        headings: false,
        gridlines: false,
        max_dimension_px: 4000,
        max_area_px: 8_000_000,
    }
}

/// A picture as width, height and pixels of three bytes.
struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let start = (y * self.width + x) as usize * 3;
        [self.pixels[start], self.pixels[start + 1], self.pixels[start + 2]]
    }

    fn share_of(&self, is_meant: impl Fn([u8; 3]) -> bool) -> f64 {
        let count = self.pixels.as_chunks::<3>().0.iter().filter(|pixel| is_meant(**pixel)).count();
        count as f64 / f64::from(self.width * self.height)
    }
}

fn draw(pool: &Pool, bytes: &[u8], request: &PictureRequest) -> Result<Picture, OfficeError> {
    let png = pool.office().picture(&Document { bytes, extension: "xlsx" }, request, &|| false)?;
    if let Some(folder) = std::env::var_os("OFFICE_TEST_PICTURES") {
        let name = std::thread::current().name().unwrap_or("picture").replace("::", "-");
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}-{}.png", png.len())), &png)
            .unwrap();
    }
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    Ok(Picture { width: info.width, height: info.height, pixels })
}

#[track_caller]
fn assert_columns(width: u32, columns: u32) {
    assert!((columns * 62..=columns * 84).contains(&width), "{width} is not {columns} columns");
}

#[track_caller]
fn assert_about(actual: u32, expected: u32) {
    assert!(actual.abs_diff(expected) * 100 <= expected * 4 + 300, "{actual} is not about {expected}");
}

fn is_blue(pixel: [u8; 3]) -> bool {
    pixel[0] < 60 && pixel[1] < 60 && pixel[2] > 200
}

fn is_red(pixel: [u8; 3]) -> bool {
    pixel[0] > 200 && pixel[1] < 60 && pixel[2] < 60
}

/// Red cells in the corners of a range that is drawn, and some text.
fn red_corners(sheet: &mut rust_xlsxwriter::Worksheet, last_row: u32, last_column: u16) {
    let red = Format::new().set_background_color(Color::Red);
    for (row, column) in [(0, 0), (last_row, last_column)] {
        sheet.write_with_format(row, column, "x", &red).unwrap();
    }
    sheet.write(1, 1, "text").unwrap();
}

#[test]
fn a_range_is_drawn_at_its_size() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let workbook = sheet_with(|sheet| red_corners(sheet, 9, 3));
    let picture = draw(&pool, &workbook, &a1_to_d10()).unwrap();
    assert_columns(picture.width, 4);
    assert_about(picture.height, 200);
    assert!(is_red(picture.at(5, 5)));
    assert!(is_red(picture.at(picture.width - 8, picture.height - 8)));
    assert!((0.03..0.08).contains(&picture.share_of(is_red)));

    let double = PictureRequest { dpi: 192, ..a1_to_d10() };
    let doubled = draw(&pool, &workbook, &double).unwrap();
    assert_about(doubled.width, picture.width * 2);
    assert_about(doubled.height, 400);
    pool.end();
}

#[test]
fn a_picture_is_cropped_to_what_is_drawn() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let workbook = sheet_with(|sheet| red_corners(sheet, 3, 1));
    let picture = draw(&pool, &workbook, &a1_to_d10()).unwrap();
    assert_columns(picture.width, 2);
    assert_about(picture.height, 80);
    pool.end();
}

#[test]
fn headings_and_gridlines_are_drawn_when_asked_for() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let workbook = sheet_with(|sheet| red_corners(sheet, 3, 1));
    let request = PictureRequest { headings: true, gridlines: true, ..a1_to_d10() };
    let picture = draw(&pool, &workbook, &request).unwrap();
    assert_columns(picture.width - 40, 4);
    assert!(picture.height > 205 && picture.height < 240, "{}", picture.height);
    pool.end();
}

#[test]
fn charts_are_drawn() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let workbook = sheet_with(|sheet| {
        for row in 0..5 {
            sheet.write(row, 0, row + 1).unwrap();
        }
        let mut chart = Chart::new(ChartType::Column);
        chart.add_series().set_values("Picture!$A$1:$A$5").set_format(
            rust_xlsxwriter::ChartFormat::new()
                .set_solid_fill(rust_xlsxwriter::ChartSolidFill::new().set_color(Color::Red)),
        );
        sheet.insert_chart(0, 1, &chart).unwrap();
    });
    let request = PictureRequest { last_row: 15, last_column: 9, ..a1_to_d10() };
    let picture = draw(&pool, &workbook, &request).unwrap();
    assert!(picture.share_of(is_red) > 0.03, "{}", picture.share_of(is_red));
    pool.end();
}

/// A blue sheet of several pages before one with red corners, on which a chart has a red column.
fn second_sheet_with(change: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let first = workbook.add_worksheet();
    first.set_name("First").unwrap();
    let blue = Format::new().set_background_color(Color::Blue);
    for row in 0..200 {
        first.write_with_format(row, 0, 3, &blue).unwrap();
    }
    first.set_print_area(0, 0, 199, 0).unwrap();
    let second = workbook.add_worksheet();
    second.set_name("Picture").unwrap();
    red_corners(second, 9, 3);
    change(second);
    workbook.save_to_buffer().unwrap()
}

#[track_caller]
fn assert_is_second_sheet(picture: &Picture) {
    assert_columns(picture.width, 4);
    assert_about(picture.height, 200);
    assert!(is_red(picture.at(5, 5)) && is_red(picture.at(picture.width - 8, picture.height - 8)));
    assert!(picture.share_of(is_blue) == 0.0, "{}", picture.share_of(is_blue));
}

#[test]
fn a_sheet_after_others_is_drawn() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let workbook = second_sheet_with(|_| ());
    assert_is_second_sheet(&draw(&pool, &workbook, &a1_to_d10()).unwrap());
    let first = PictureRequest { sheet: "First".to_owned(), ..a1_to_d10() };
    let picture = draw(&pool, &workbook, &first).unwrap();
    assert!(picture.share_of(is_blue) > 0.7 && picture.share_of(is_red) == 0.0);
    pool.end();
}

#[test]
fn a_hidden_sheet_is_drawn() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let hidden = second_sheet_with(|sheet| {
        sheet.set_hidden(true);
    });
    assert_is_second_sheet(&draw(&pool, &hidden, &a1_to_d10()).unwrap());
    let very_hidden = second_sheet_with(|sheet| {
        sheet.set_very_hidden(true);
    });
    assert_is_second_sheet(&draw(&pool, &very_hidden, &a1_to_d10()).unwrap());
    pool.end();
}

#[test]
fn a_chart_on_a_later_sheet_shows_cells_of_another() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let workbook = second_sheet_with(|sheet| {
        let mut chart = Chart::new(ChartType::Column);
        chart.add_series().set_values("First!$A$1:$A$5").set_format(
            rust_xlsxwriter::ChartFormat::new()
                .set_solid_fill(rust_xlsxwriter::ChartSolidFill::new().set_color(Color::Red)),
        );
        sheet.insert_chart(0, 5, &chart).unwrap();
    });
    let request = PictureRequest { first_column: 5, last_row: 15, last_column: 13, ..a1_to_d10() };
    let picture = draw(&pool, &workbook, &request).unwrap();
    assert!(picture.share_of(is_red) > 0.03, "{}", picture.share_of(is_red));
    assert!(picture.share_of(is_blue) == 0.0);
    pool.end();
}

#[test]
fn a_range_that_is_hidden_is_no_picture() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let workbook = sheet_with(|sheet| {
        red_corners(sheet, 9, 3);
        sheet.set_column_hidden(1).unwrap().set_column_hidden(2).unwrap();
        sheet.set_row_hidden(4).unwrap();
    });
    for hidden in [
        PictureRequest { first_column: 1, last_column: 2, ..a1_to_d10() },
        PictureRequest { first_row: 4, last_row: 4, headings: true, ..a1_to_d10() },
    ] {
        let error = draw(&pool, &workbook, &hidden).err().unwrap();
        assert!(matches!(error, OfficeError::NothingVisible), "{error:?}");
    }
    check_works(pool.office());
    pool.end();
}

#[test]
fn long_and_wide_ranges_are_drawn_on_one_page() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let large = PictureRequest { max_dimension_px: 50_000, max_area_px: 50_000_000, ..a1_to_d10() };
    let long = sheet_with(|sheet| red_corners(sheet, 769, 3));
    let picture = draw(&pool, &long, &PictureRequest { last_row: 769, ..large.clone() }).unwrap();
    assert_columns(picture.width, 4);
    assert_about(picture.height, 15_400);
    assert!(is_red(picture.at(picture.width - 8, picture.height - 8)));
    let wide = sheet_with(|sheet| red_corners(sheet, 9, 179));
    let picture = draw(&pool, &wide, &PictureRequest { last_column: 179, ..large.clone() }).unwrap();
    assert_columns(picture.width, 180);
    assert_about(picture.height, 200);
    assert!(is_red(picture.at(picture.width - 8, picture.height - 8)));
    // What would come out incomplete is refused.
    let result = draw(&pool, &long, &PictureRequest { last_row: 1999, ..large });
    assert!(matches!(result, Err(OfficeError::PictureTooLarge { .. })));
    pool.end();
}

#[test]
fn what_is_not_visible_elsewhere_is_not_drawn() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let workbook = sheet_with(|sheet| {
        red_corners(sheet, 9, 3);
        // Beyond the range, and settings of a page that belong to printing.
        sheet.write(10, 4, "outside").unwrap();
        sheet.set_header("&Cheader").set_landscape().set_print_scale(40);
        sheet.set_print_area(5, 5, 20, 20).unwrap();
        sheet.set_repeat_rows(0, 1).unwrap();
        sheet.set_row_hidden(4).unwrap();
    });
    let picture = draw(&pool, &workbook, &a1_to_d10()).unwrap();
    assert_columns(picture.width, 4);
    assert_about(picture.height, 180);
    pool.end();
}

#[test]
fn too_large_a_picture_is_refused_before_it_is_drawn() {
    let Some(pool) = Pool::start(|_| ()) else { return };
    let workbook = sheet_with(|sheet| red_corners(sheet, 9, 3));
    let whole = PictureRequest { last_row: 1_048_575, last_column: 16_383, ..a1_to_d10() };
    match draw(&pool, &workbook, &whole).err().unwrap() {
        OfficeError::PictureTooLarge { width_px, height_px } => {
            assert!(width_px > 1_000_000 && height_px > 20_000_000, "{width_px} x {height_px}");
        }
        other => panic!("{other:?}"),
    }
    let by_area = PictureRequest { max_area_px: 50_000, ..a1_to_d10() };
    let error = draw(&pool, &workbook, &by_area).err().unwrap();
    assert!(matches!(error, OfficeError::PictureTooLarge { .. }), "{error:?}");
    let nowhere = PictureRequest { sheet: "Nowhere".to_owned(), ..a1_to_d10() };
    let error = draw(&pool, &workbook, &nowhere).err().unwrap();
    assert!(matches!(error, OfficeError::NoSuchSheet), "{error:?}");
    let backwards = PictureRequest { first_row: 10, ..a1_to_d10() };
    let error = draw(&pool, &workbook, &backwards).err().unwrap();
    assert!(matches!(error, OfficeError::InvalidRequest { .. }), "{error:?}");
    check_works(pool.office());
    assert_eq!(pool.office().counts().starts, 1);
    pool.end();
}
