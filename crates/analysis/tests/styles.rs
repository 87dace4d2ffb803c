//! Which formats are used where.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use analysis::formulas::{Area, Cancelled};
use analysis::styles::{FormatUse, census};
use expect_test::{Expect, expect};
use grid::CellRange;
use support::book;
use workbook::{SheetId, Workbook};

fn uses(book: &Workbook, range: CellRange, max_ranges: usize) -> Vec<FormatUse> {
    let sheets = book.sheets(1, &()).unwrap();
    let areas = sheets
        .iter()
        .enumerate()
        .map(|(index, sheet)| (Area { sheet: SheetId(index as u32), range }, sheet.as_ref()));
    census(&book.styles, areas, max_ranges, &|| false).unwrap()
}

fn check(lines: &str, range: &str, max_ranges: usize, expected: Expect) {
    let range = if range.is_empty() { CellRange::ALL } else { range.parse().unwrap() };
    let printed = |used: FormatUse| {
        let ranges: Vec<String> = used.ranges.items.iter().map(|area| area.range.to_string()).collect();
        format!("{} {} in {}: {}\n", used.number_format, used.cells, used.ranges.total, ranges.join(" "))
    };
    let uses = uses(&book(&[("Data", lines)]), range, max_ranges);
    expected.assert_eq(&uses.into_iter().map(printed).collect::<String>());
}

#[test]
fn equal_columns_become_one_rectangle() {
    check(
        "A1:C1 name\nA2:A9000 date 45000\nB2:C9000 percent 0.5\nD2:D9000 percent 0.5",
        "",
        5,
        expect![[r#"
            0% 26997 in 1: B2:D9000
            yyyy-mm-dd 8999 in 1: A2:A9000
            General 3 in 1: A1:C1
        "#]],
    );
}

#[test]
fn gaps_and_other_formats_end_a_rectangle() {
    check(
        "A1:B9 percent 1\nB4 7\nD1:D9 percent 1\nE1:E4 percent 1\nE6:E9 percent 1",
        "",
        9,
        expect![[r#"
            0% 34 in 6: A1:A9 B1:B3 B5:B9 D1:D9 E1:E4 E6:E9
            General 1 in 1: B4
        "#]],
    );
}

#[test]
fn the_largest_rectangles_are_named() {
    check(
        "A1 1\nA3:A9 1\nC1 1\nE2:F9 1\nH1 1",
        "",
        2,
        expect![[r#"
            General 26 in 5: A3:A9 E2:F9
        "#]],
    );
}

#[test]
fn only_the_wanted_cells_count() {
    check(
        "A1:C9000 1\nB5000:B5001 percent 1",
        "B4000:C5000",
        2,
        expect![[r#"
            General 2001 in 2: B4000:B4999 C4000:C5000
            0% 1 in 1: B5000
        "#]],
    );
}

#[test]
fn every_stored_cell_counts_once() {
    let lines: String =
        (1..400).map(|row| format!("A{row}:{}{row} percent {row}\n", ["A", "B", "D"][row % 3])).collect();
    let book = book(&[("A", &lines), ("B", "B2:Z99 date 1")]);
    let counted: u64 = uses(&book, CellRange::ALL, 1).iter().map(|used| used.cells).sum();
    let stored: u64 = book.sheets(1, &()).unwrap().iter().map(|sheet| sheet.cell_count()).sum();
    assert_eq!(counted, stored);
}

#[test]
fn a_census_stops_when_asked() {
    let book = book(&[("A", "A1:C9 1")]);
    let sheets = book.sheets(1, &()).unwrap();
    let area = Area { sheet: SheetId(0), range: CellRange::ALL };
    assert_eq!(census(&book.styles, [(area, sheets[0].as_ref())], 1, &|| true), Err(Cancelled));
}
