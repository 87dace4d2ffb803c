//! What files may say, and what a picture may cost: sizes, texts, merges and ranges beyond all measure.

mod support;

use std::cell::Cell;

use grid::{CellRange, CellRef};
use picture::{Fonts, PictureError, PictureOptions, Size, Tiles, View, draw, size, tiles};
use proptest::prelude::*;
use rust_xlsxwriter::{Format, FormatAlign};
use support::{pixels, sheet, written};
use workbook::{ColumnSpan, Limits, RowProps, Sheet, StyleId, Workbook};

fn empty() -> Workbook {
    written(|workbook| {
        workbook.add_worksheet();
        Ok(())
    })
}

/// A sheet with a few cells, and what a test makes of it.
fn changed(change: impl FnOnce(&mut Sheet)) -> (Workbook, Sheet) {
    let book = written(|workbook| {
        let sheet = workbook.add_worksheet();
        for row in 0..30 {
            sheet.write_number(row, 0, row)?.write_string(row, 1, format!("Row {row}"))?;
        }
        Ok(())
    });
    let mut sheet = (*sheet(&book, "")).clone();
    change(&mut sheet);
    (book, sheet)
}

fn row(row: u32, height: f32) -> RowProps {
    RowProps { row, height: Some(height), hidden: false, outline_level: 0, style: None }
}

fn column(col: u32, width: f32) -> ColumnSpan {
    ColumnSpan { first: col, last: col, width: Some(width), hidden: false, outline_level: 0, style: None }
}

/// Runs a function over a view with the embedded fonts.
fn with<T>(
    book: &Workbook,
    sheet: &Sheet,
    range: &str,
    options: &PictureOptions,
    run: impl FnOnce(&View<'_>) -> T,
) -> T {
    let fonts = Fonts::embedded();
    let range: CellRange = range.parse().expect("a range");
    run(&View { book, sheet, range, fonts: &fonts, options })
}

fn never() -> bool {
    false
}

#[test]
fn a_sheet_without_cells_is_a_grid() {
    let book = empty();
    let sheet = sheet(&book, "");
    with(&book, &sheet, "A1:C3", &PictureOptions::default(), |view| {
        let png = draw(view, &never).expect("a picture");
        let shown = pixels(&png);
        let size = size(view);
        assert_eq!((shown.width, shown.height), (size.width, size.height));
        assert_eq!((size.width, size.height), (26 + 3 * 64, 20 + 3 * 20));
        assert_eq!(draw(view, &never).as_ref(), Ok(&png), "the same input gives the same bytes");
    });
}

#[test]
fn declared_sizes_are_clamped() {
    let (book, sheet) = changed(|sheet| {
        sheet.rows = vec![row(0, 1e9), row(1, f32::NAN), row(2, -4.0), row(3, 0.0)];
        sheet.column_spans = vec![column(0, 1e9), column(1, f32::INFINITY), column(2, -1.0)];
        sheet.default_row_height = Some(f32::NEG_INFINITY);
        sheet.default_column_width = Some(1e30);
    });
    with(&book, &sheet, "A1:C4", &PictureOptions::default(), |view| {
        assert_eq!(size(view), Size { width: 26 + 1785 + 56, height: 20 + 546 + 20 });
        draw(view, &never).expect("a picture");
    });
    for scale in [0.0, -3.0, f32::NAN, f32::INFINITY, 1e30] {
        let options = PictureOptions { scale, ..PictureOptions::default() };
        with(&book, &sheet, "A1:E9", &options, |view| drop((size(view), draw(view, &never))));
    }
}

#[test]
fn long_texts_and_control_characters_are_drawn_as_far_as_they_are_seen() {
    let long = "wrapped \u{7}words, \0 and é漢字 ".repeat(1_150);
    assert!(long.chars().count() < 32_767);
    let book = written(|workbook| {
        let sheet = workbook.add_worksheet();
        let formats = [
            Format::new(),
            Format::new().set_text_wrap(),
            Format::new().set_align(FormatAlign::Right),
            Format::new().set_align(FormatAlign::Center),
            Format::new().set_rotation(45),
            Format::new().set_rotation(90).set_text_wrap(),
            Format::new().set_rotation(270),
            Format::new().set_shrink(),
            Format::new().set_align(FormatAlign::Fill),
            Format::new().set_num_format("@* @").set_font_size(409),
        ];
        for (row, format) in (0..).zip(&formats) {
            for col in 0..6 {
                sheet.write_string_with_format(row, col, &long, format)?;
            }
        }
        Ok(())
    });
    let sheet = sheet(&book, "");
    let options = PictureOptions { max_dimension_px: 8000, max_area_px: 40_000_000, ..Default::default() };
    with(&book, &sheet, "A1:F10", &options, |view| draw(view, &never).expect("a picture"));
    with(&book, &sheet, "F1:Z10", &options, |view| draw(view, &never).expect("a picture"));
}

#[test]
fn merges_that_overlap_cost_no_more_than_others() {
    let (book, sheet) = changed(|sheet| {
        let merge = |n: u32| CellRange::from_bounds(n % 100, n % 50, 300 + n % 100, 150 + n % 50);
        sheet.merges = (0..50_000).filter_map(merge).collect();
    });
    with(&book, &sheet, "A1:Z200", &PictureOptions::default(), |view| draw(view, &never).expect("a picture"));
}

#[test]
fn a_range_that_is_too_large_is_refused_with_what_to_do() {
    let (book, sheet) = changed(|_| {});
    with(&book, &sheet, "A1:XFD1048576", &PictureOptions::default(), |view| {
        let error = draw(view, &never).expect_err("it is too large");
        let PictureError::TooLarge { size: told, .. } = error else { panic!("{error}") };
        assert_eq!(told, size(view));
        assert_eq!(told.height, 20 + 1_048_576 * 20);
        assert!(error.to_string().contains("ask for fewer cells"), "{error}");
        let Tiles { ranges, is_complete } = tiles(view, 40);
        assert!(!is_complete && ranges.len() <= 40);
    });
}

#[test]
fn cells_of_one_pixel_are_counted() {
    let (book, sheet) = changed(|sheet| {
        sheet.default_row_height = Some(0.75);
        sheet.default_column_width = Some(0.15);
        sheet.rows = (0..30).map(|at| row(at, 0.75)).collect();
    });
    let options = PictureOptions { max_dimension_px: 20_000, max_area_px: u64::MAX, ..Default::default() };
    with(&book, &sheet, "A1:BZZ4000", &options, |view| {
        assert_eq!(size(view).height, 20 + 4000);
        assert!(matches!(draw(view, &never), Err(PictureError::TooLarge { cells: 8_216_000, .. })));
        let cut = tiles(view, 100);
        assert!(cut.is_complete && cut.ranges.iter().all(|tile| tile.area() <= 1_000_000), "{cut:?}");
    });
}

#[test]
fn hidden_ranges_say_so() {
    let (book, sheet) = changed(|sheet| {
        sheet.column_spans = vec![ColumnSpan { hidden: true, last: 3, ..column(0, 9.0) }];
        sheet.rows = (2..6).map(|at| RowProps { hidden: true, ..row(at, 15.0) }).collect();
    });
    let options = PictureOptions::default();
    for range in ["A1:D9", "E3:G6"] {
        with(&book, &sheet, range, &options, |view| {
            let error = draw(view, &never).expect_err("nothing is visible");
            assert_eq!(error, PictureError::NothingVisible { range: view.range });
        });
    }
    with(&book, &sheet, "A1:E9", &options, |view| draw(view, &never).expect("a picture"));
}

#[test]
fn drawing_can_be_cancelled_at_any_time() {
    let (book, sheet) = changed(|_| {});
    with(&book, &sheet, "A1:C30", &PictureOptions::default(), |view| {
        let asked = Cell::new(0u32);
        let count = || {
            asked.set(asked.get() + 1);
            false
        };
        draw(view, &count).expect("a picture");
        assert!(asked.get() >= 30);
        for at in 0..asked.get() {
            let left = Cell::new(at);
            let stop = || left.replace(left.get().saturating_sub(1)) == 0;
            assert_eq!(draw(view, &stop), Err(PictureError::Cancelled));
        }
    });
}

#[test]
fn styles_and_merges_that_point_nowhere_are_drawn_plainly() {
    let (book, sheet) = changed(|sheet| {
        sheet.rows = vec![RowProps { style: Some(StyleId(9_999)), ..row(1, 15.0) }];
        sheet.column_spans = vec![ColumnSpan { style: Some(StyleId(u32::MAX)), ..column(1, 9.0) }];
        let corner = CellRef::clamped(u32::MAX, u32::MAX);
        sheet.merges = vec![CellRange::cell(CellRef::A1), CellRange::new(CellRef::clamped(2, 1), corner)];
    });
    with(&book, &sheet, "A1:D9", &PictureOptions::default(), |view| draw(view, &never).expect("a picture"));
}

#[test]
fn generated_hostile_files_do_not_stop_it() {
    for file in fixtures::hostile::all().expect("the files") {
        let opened = Workbook::open(file.bytes.into(), file.name, &Limits::default(), &());
        let Ok(book) = opened else { continue };
        for id in book.sheet_ids().take(3) {
            let Ok(sheet) = book.sheet(id, &()) else { continue };
            with(&book, &sheet, "A1:Z60", &PictureOptions::default(), |view| drop(draw(view, &never)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    /// Tiles fit the limits, do not overlap, and are the range; each is drawn in the size that was told before.
    #[test]
    fn tiles_are_the_range(
        first in (0u32..40, 0u32..20),
        extent in (0u32..120, 0u32..40),
        side in 300u32..900,
        area in 100_000u64..400_000,
        headings: bool,
        scale in prop::sample::select(vec![0.5f32, 1.0, 1.5]),
        hidden in prop::collection::vec(0u32..160, 0..12),
        heights in prop::collection::vec((0u32..160, 0f32..80.0), 0..12),
        widths in prop::collection::vec((0u32..60, 0f32..12.0), 0..8),
    ) {
        let (book, sheet) = changed(|sheet| {
            for (at, height) in heights {
                sheet.rows.push(row(at, height));
            }
            for at in hidden {
                sheet.rows.push(RowProps { hidden: true, ..row(at, 15.0) });
            }
            sheet.rows.sort_by_key(|props| props.row);
            sheet.rows.dedup_by_key(|props| props.row);
            sheet.column_spans = widths.into_iter().map(|(col, width)| column(col, width)).collect();
            sheet.column_spans.sort_by_key(|span| span.first);
            sheet.column_spans.dedup_by_key(|span| span.first);
        });
        let options =
            PictureOptions { scale, headings, gridlines: true, max_dimension_px: side, max_area_px: area };
        let fonts = Fonts::embedded();
        let range = CellRange::from_bounds(first.0, first.1, first.0 + extent.0, first.1 + extent.1).unwrap();
        let view = View { book: &book, sheet: &sheet, range, fonts: &fonts, options: &options };
        let cut = tiles(&view, 10_000);
        prop_assert!(cut.is_complete);
        prop_assert_eq!(cut.ranges.iter().map(|tile| tile.area()).sum::<u64>(), range.area());
        for (index, tile) in cut.ranges.iter().enumerate() {
            prop_assert!(range.contains_range(*tile));
            prop_assert!(cut.ranges[..index].iter().all(|other| other.intersect(*tile).is_none()));
            let view = View { range: *tile, ..view };
            match draw(&view, &never) {
                Ok(png) => {
                    let (shown, told) = (pixels(&png), size(&view));
                    prop_assert_eq!((shown.width, shown.height), (told.width, told.height));
                }
                Err(PictureError::NothingVisible { .. }) => {}
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
    }
}
