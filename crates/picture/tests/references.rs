//! Pictures of small workbooks against references that somebody has looked at.
//!
//! `UPDATE_REFERENCES=1 cargo test -p picture` writes them anew: look at every one that changed before it is committed.

mod support;

use picture::PictureOptions;
use rust_xlsxwriter::{
    Chart, ChartType, Color, Format, FormatAlign, FormatBorder, FormatPattern, FormatScript, FormatUnderline,
    Image, Note, Shape, Table, TableStyle, XlsxError,
};
use support::{check, open, written};

fn plain() -> PictureOptions {
    PictureOptions::default()
}

#[test]
fn number_formats_and_alignment() -> Result<(), XlsxError> {
    let book = written(|workbook| {
        let sheet = workbook.add_worksheet();
        sheet.set_column_width(0, 16)?.set_column_width(1, 14)?.set_column_width(2, 14)?;
        let formats = [
            (1234.5, "General"),
            (-1234.5, "#,##0.00;[Red]-#,##0.00"),
            (0.1234, "0.0%"),
            (46053.75, "yyyy-mm-dd"),
            (46053.75, "d mmm hh:mm"),
            (1234.5, "_($* #,##0.00_);_($* (#,##0.00);_($* \"-\"??_);_(@_)"),
            (-99.0, "_($* #,##0.00_);_($* (#,##0.00);_($* \"-\"??_);_(@_)"),
            (0.00001234, "0.00E+00"),
            (1.25, "# ?/?"),
            (7.0, "[Blue]0 \"units\""),
        ];
        for (row, (number, code)) in (0..).zip(formats) {
            sheet.write_string(row, 0, code)?;
            sheet.write_number_with_format(row, 1, number, &Format::new().set_num_format(code))?;
        }
        sheet.write_string(0, 2, "text")?.write_boolean(1, 2, true)?;
        sheet.write_formula(2, 2, rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!"))?;
        let aligned = |align| Format::new().set_align(align);
        sheet.write_string_with_format(3, 2, "right", &aligned(FormatAlign::Right))?;
        sheet.write_string_with_format(4, 2, "centre", &aligned(FormatAlign::Center))?;
        sheet.write_number_with_format(5, 2, 5, &aligned(FormatAlign::Left))?;
        sheet.write_string_with_format(6, 2, "indented", &Format::new().set_indent(2))?;
        sheet.write_string_with_format(7, 2, "ab", &aligned(FormatAlign::Fill))?;
        sheet.set_row_height(8, 40)?;
        sheet.write_string_with_format(8, 0, "top", &aligned(FormatAlign::Top))?;
        sheet.write_number_with_format(8, 1, 1.25, &aligned(FormatAlign::VerticalCenter))?;
        sheet.write_string_with_format(8, 2, "bottom", &aligned(FormatAlign::Bottom))?;
        let shrunk = Format::new().set_shrink();
        sheet.write_string_with_format(9, 2, "shrunk until it fits", &shrunk)?;
        Ok(())
    });
    check("number-formats", &book, "", "A1:C10", &plain());
    Ok(())
}

#[test]
fn fills_borders_and_fonts() {
    let book = written(|workbook| {
        let sheet = workbook.add_worksheet();
        let borders = [
            ("thin", FormatBorder::Thin),
            ("medium", FormatBorder::Medium),
            ("thick", FormatBorder::Thick),
            ("double", FormatBorder::Double),
            ("dashed", FormatBorder::Dashed),
            ("dotted", FormatBorder::Dotted),
            ("hair", FormatBorder::Hair),
            ("dash dot", FormatBorder::DashDot),
            ("medium dashed", FormatBorder::MediumDashed),
        ];
        sheet.set_column_width(0, 2)?.set_column_width(1, 14)?.set_column_width(2, 2)?;
        for (row, (name, border)) in (0..).zip(borders) {
            let format = Format::new().set_border(border).set_border_color(Color::RGB(0x1F4E79));
            sheet.write_string_with_format(row * 2 + 1, 1, name, &format)?;
        }
        let fonts = [
            ("bold", Format::new().set_bold()),
            ("italic", Format::new().set_italic()),
            ("bold italic", Format::new().set_bold().set_italic()),
            ("underlined", Format::new().set_underline(FormatUnderline::Single)),
            ("double", Format::new().set_underline(FormatUnderline::Double)),
            ("struck", Format::new().set_font_strikethrough()),
            ("red", Format::new().set_font_color(Color::Red)),
            ("accent, lighter", Format::new().set_font_color(Color::Theme(4, 3))),
            ("18 points", Format::new().set_font_size(18)),
            ("Arial", Format::new().set_font_name("Arial")),
            ("Courier New", Format::new().set_font_name("Courier New")),
            ("Times New Roman", Format::new().set_font_name("Times New Roman")),
            ("raised", Format::new().set_font_script(FormatScript::Superscript)),
        ];
        sheet.set_column_width(3, 18)?.set_column_width(4, 2)?.set_column_width(5, 16)?;
        for (row, (text, format)) in (0..).zip(fonts) {
            sheet.write_string_with_format(row, 3, text, &format)?;
        }
        let patterns = [
            FormatPattern::Solid,
            FormatPattern::DarkGray,
            FormatPattern::MediumGray,
            FormatPattern::LightGray,
            FormatPattern::Gray125,
            FormatPattern::Gray0625,
            FormatPattern::DarkHorizontal,
            FormatPattern::DarkVertical,
            FormatPattern::DarkDown,
            FormatPattern::DarkUp,
            FormatPattern::DarkGrid,
            FormatPattern::DarkTrellis,
            FormatPattern::LightHorizontal,
            FormatPattern::LightVertical,
            FormatPattern::LightDown,
            FormatPattern::LightUp,
            FormatPattern::LightGrid,
            FormatPattern::LightTrellis,
        ];
        for (row, pattern) in (0..).zip(patterns) {
            let format = Format::new()
                .set_pattern(pattern)
                .set_background_color(Color::RGB(0xFFF2CC))
                .set_foreground_color(Color::RGB(0x7F6000));
            sheet.write_blank(row, 5, &format)?;
        }
        Ok(())
    });
    check("fills-borders-fonts", &book, "", "A1:F19", &plain());
}

#[test]
fn merges_wraps_and_rotations() {
    let book = written(|workbook| {
        let sheet = workbook.add_worksheet();
        let title = Format::new()
            .set_bold()
            .set_font_size(16)
            .set_align(FormatAlign::Center)
            .set_align(FormatAlign::VerticalCenter)
            .set_background_color(Color::RGB(0xDDEBF7))
            .set_border(FormatBorder::Thin);
        sheet.merge_range(0, 0, 1, 4, "A title over five columns", &title)?;
        let turned = |degrees| Format::new().set_rotation(degrees).set_align(FormatAlign::Center);
        sheet.write_string_with_format(2, 0, "Quarter", &turned(90))?;
        sheet.write_string_with_format(2, 1, "Quarter", &turned(-90))?;
        sheet.write_string_with_format(2, 2, "Slanted", &turned(45))?;
        sheet.write_string_with_format(2, 3, "Falling", &turned(-45))?;
        sheet.write_string_with_format(2, 4, "Stack", &turned(270))?;
        let wrapped = Format::new().set_text_wrap();
        let long = "A longer text that needs several lines, with a\nline break of its own";
        sheet.write_string_with_format(3, 0, long, &wrapped)?;
        sheet.write_string_with_format(3, 1, "Unbreakablewordthatistoolong", &wrapped)?;
        sheet.write_string_with_format(3, 2, "top", &wrapped.clone().set_align(FormatAlign::Top))?;
        let centered = wrapped.clone().set_align(FormatAlign::Center).set_align(FormatAlign::VerticalCenter);
        sheet.write_string_with_format(3, 3, "centred on two lines", &centered)?;
        sheet.set_row_height(4, 20)?;
        sheet.write_string_with_format(4, 0, "Wrapped in a row that is too low for it", &wrapped)?;
        let tall = Format::new().set_rotation(90).set_align(FormatAlign::VerticalCenter).set_text_wrap();
        sheet.merge_range(5, 0, 9, 0, "Tall merged text", &tall)?;
        sheet.merge_range(5, 2, 7, 3, "", &Format::new())?;
        sheet.write_number(5, 2, 12345.678)?;
        let across = Format::new().set_align(FormatAlign::CenterAcross);
        sheet.write_string_with_format(9, 1, "across three", &across)?;
        sheet.write_blank(9, 2, &across)?.write_blank(9, 3, &across)?;
        Ok(())
    });
    check("merges-wraps-rotations", &book, "", "A1:E10", &plain());
}

#[test]
fn overflow_and_hashes() {
    let book = written(|workbook| {
        let sheet = workbook.add_worksheet();
        let right = Format::new().set_align(FormatAlign::Right);
        let center = Format::new().set_align(FormatAlign::Center);
        let money = Format::new().set_num_format("#,##0.00");
        let date = Format::new().set_num_format("yyyy-mm-dd");
        let filled = Format::new().set_background_color(Color::RGB(0xE2EFDA));
        sheet.write_string(0, 1, "This text flows over its empty neighbours")?;
        sheet.write_string(1, 1, "This text is cut by the next cell")?.write_number(1, 2, 1)?;
        sheet.write_string_with_format(2, 3, "Flowing to the left of it", &right)?;
        sheet.write_string_with_format(3, 2, "Flowing to both sides of it", &center)?;
        sheet.write_number_with_format(4, 1, 123456789.125, &money)?;
        sheet.write_number_with_format(5, 1, 46053, &date)?;
        sheet.write_number(6, 1, std::f64::consts::PI * 1000.0)?.write_number(6, 2, 1234567890123.0)?;
        sheet.write_string(7, 1, "Over a filled neighbour")?.write_blank(7, 2, &filled)?;
        sheet.write_boolean(8, 5, true)?.write_number(8, 6, 0.000123456)?;
        sheet.write_string(9, 0, "Flows in from the left of the picture, far")?;
        sheet.write_string_with_format(10, 1, "Two\nlines, not wrapped", &Format::new())?;
        sheet.set_column_width(5, 3)?.set_column_width(6, 6)?;
        Ok(())
    });
    check("overflow-hashes", &book, "", "B1:G11", &plain());
}

#[test]
fn hidden_rows_columns_and_headings() {
    let book = written(|workbook| {
        let sheet = workbook.add_worksheet();
        for row in 0..12 {
            for col in 0..6u16 {
                sheet.write_number(row, col, row * 10 + u32::from(col))?;
            }
        }
        sheet.set_column_hidden(1)?.set_column_hidden(2)?;
        sheet.set_row_hidden(3)?.set_row_hidden(4)?.set_row_hidden(11)?;
        sheet.set_freeze_panes(1, 1)?;
        sheet.insert_note(5, 3, &Note::new("Checked twice").set_author("Ana"))?;
        Ok(())
    });
    check("hidden-headings", &book, "", "A1:F12", &plain());
    let bare = PictureOptions { headings: false, gridlines: false, ..plain() };
    check("bare", &book, "", "A1:F12", &bare);
    let twice = PictureOptions { scale: 2.0, ..plain() };
    check("twice-as-large", &book, "", "D5:F8", &twice);
}

#[test]
fn tables_and_a_sheet_without_gridlines() {
    let book = written(|workbook| {
        let sheet = workbook.add_worksheet();
        sheet.set_screen_gridlines(false);
        for (first, style) in [(0, TableStyle::Medium2), (4, TableStyle::Light9), (8, TableStyle::Light1)] {
            sheet.add_table(1, first, 6, first + 2, &Table::new().set_style(style).set_total_row(true))?;
            for row in 2..6 {
                for col in first..first + 3 {
                    sheet.write_number(row, col, row * u32::from(col))?;
                }
            }
        }
        Ok(())
    });
    check("tables", &book, "", "A1:L8", &plain());
}

#[test]
fn charts_shapes_and_images() {
    let book = written(|workbook| {
        let sheet = workbook.add_worksheet();
        for row in 0..4 {
            sheet.write_number(row, 0, row + 1)?;
        }
        let mut chart = Chart::new(ChartType::Column);
        chart.add_series().set_values("Sheet1!$A$1:$A$4");
        chart.title().set_name("Revenue by region");
        chart.set_width(256).set_height(140);
        sheet.insert_chart(1, 2, &chart)?;
        let text = Shape::textbox().set_text("A note in a box").set_width(128).set_height(40);
        sheet.insert_shape(10, 0, &text)?;
        let image = Image::new_from_buffer(&stripes())?;
        sheet.insert_image(10, 4, &image)?;
        Ok(())
    });
    check("objects", &book, "", "A1:H14", &plain());
}

/// A PNG of 90 x 60 pixels: three stripes, the last one half transparent.
fn stripes() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 90, 60);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().expect("a header");
    let stripes = [[0xC0, 0, 0, 0xFF], [0, 0x80, 0, 0xFF], [0, 0, 0xC0, 0x80]];
    let pixels: Vec<u8> = (0..60).flat_map(|_| (0..90).flat_map(|x| stripes[x / 30])).collect();
    writer.write_image_data(&pixels).expect("pixels");
    writer.finish().expect("an end");
    bytes
}

#[test]
fn the_example_workspace() {
    let pictures = [
        ("sales-ledger.xlsx", "", "A1:J24", "sales-ledger"),
        ("finance/three-year-plan.xlsx", "", "A1:K30", "three-year-plan"),
        ("operations/site-report.xlsx", "", "A1:K30", "site-report"),
        ("operations/inventory-2019.ods", "", "A1:H20", "inventory"),
    ];
    let examples = fixtures::examples::all().expect("the examples");
    for (path, sheet, range, name) in pictures {
        let example = examples.iter().find(|example| example.path == path).expect("the example exists");
        let book = open(example.bytes.clone(), path);
        check(name, &book, sheet, range, &plain());
    }
}
