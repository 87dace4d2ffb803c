//! What small workbooks differ in.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use analysis::diff::{Options, SheetChange, diff};
use analysis::formulas::Places;
use expect_test::{Expect, expect};
use support::book;
use workbook::Workbook;

fn told(old: &Workbook, new: &Workbook) -> String {
    let (old_sheets, new_sheets) = (old.sheets(1, &()).unwrap(), new.sheets(1, &()).unwrap());
    let (from, to) = (Places::new(old, &old_sheets), Places::new(new, &new_sheets));
    let found = diff((old, &from), (new, &to), &Options::default(), &|| false).unwrap();
    let mut text = String::new();
    for sheet in &found.sheets {
        let name = sheet.new.map_or_else(|| from.sheet_name(sheet.old.unwrap()), |id| to.sheet_name(id));
        text += &format!("{name}\n");
        for change in &sheet.changes {
            text += &match change {
                SheetChange::Renamed { from } => format!("  renamed from {from}\n"),
                other => format!("  {other:?}\n"),
            };
        }
        for change in &sheet.lines {
            text += &format!("  {change}\n");
        }
        for group in &sheet.groups {
            text += &format!("  {:?} {}\n", group.kind, group.range);
        }
        assert_eq!(sheet.groups.iter().map(|group| group.range.area()).sum::<u64>(), sheet.counts.total());
    }
    text
}

fn check(old: &[(&str, &str)], new: &[(&str, &str)], expected: Expect) {
    let (old, new) = (book(old), book(new));
    assert_eq!(told(&old, &old), "");
    assert_eq!(told(&new, &new), "");
    expected.assert_eq(&told(&old, &new));
}

const DATA: &str = "A1 id\nB1 rate\nA2 1\nA3 2\nA4 3\nB2:B4 =A2*2 -> 7\nB5 =SUM(B2:B4) -> 21";

#[test]
fn aspects_are_told_apart() {
    check(
        &[("Data", "A1 1\nA2 1\nB1 =A1 -> 1\nB2 =A2 -> 1\nC1 1\nD1 x\nE1:F2 5")],
        &[("Data", "A1 2\nA2 1\nB1 =A1 -> 2\nB2 =A2+1 -> 1\nC1 percent 1\nD1 text x\nE1:F2 6")],
        expect![[r#"
            Data
              Value A1
              Result B1
              Format C1
              Value E1:F2
              Formula B2
        "#]],
    );
}

#[test]
fn an_inserted_row_is_one_change() {
    check(
        &[("Data", DATA), ("Out", "A1 =Data!B5 -> 21")],
        &[
            (
                "Data",
                "A1 id\nB1 rate\nA2 1\nA3 9\nA4 2\nA5 3\nB2 =A2*2 -> 7\nB3 =A3*2 -> 18\nB4:B5 =A4*2 -> 7\nB6 =SUM(B2:B5) -> 39",
            ),
            ("Out", "A1 =Data!B6 -> 39"),
        ],
        expect![[r#"
            Data
              rows inserted 3:3
              Result B6
            Out
              Result A1
        "#]],
    );
}

#[test]
fn rows_go_and_move() {
    check(
        &[("Data", "A1 a\nA2 b\nA3 c\nA4 d\nA5 e\nB1:B5 1")],
        &[("Data", "A1 a\nA2 c\nA3 d\nA4 e\nB1:B4 1")],
        expect![[r#"
            Data
              rows deleted 2:2
        "#]],
    );
    check(
        &[("Data", "A1 a\nA2 b\nA3 c\nA4 d\nA5 e\nB1:B5 1")],
        &[("Data", "A1 a\nA2 d\nA3 b\nA4 c\nA5 e\nB1:B5 1")],
        expect![[r#"
            Data
              rows moved 4:4 to 2:2
        "#]],
    );
}

#[test]
fn columns_come_with_their_cells() {
    check(
        &[("Data", "A1 id\nB1 rate\nC1 sum\nA2 1\nB2 2\nC2 =A2+B2 -> 3\nA3 4\nB3 5\nC3 =A3+B3 -> 9")],
        &[(
            "Data",
            "A1 id\nC1 rate\nD1 sum\nB1 new\nA2 1\nC2 2\nD2 =A2+C2 -> 3\nB2 77\nA3 4\nC3 6\nD3 =A3+C3 -> 9",
        )],
        expect![[r#"
            Data
              columns inserted B:B
              Value C3
        "#]],
    );
}

#[test]
fn sheets_come_go_and_get_other_names() {
    check(
        &[("Data", DATA), ("Out", "A1 =Data!B5 -> 21\nA2 total"), ("Old", "A1 gone")],
        &[("Out", "A1 ='Data 2'!B5 -> 21\nA2 total"), ("Data 2", DATA), ("New", "A1 here\nA2 too")],
        expect![[r#"
            Data 2
              renamed from Data
              Moved { from: 0 }
            New
              Added
            Old
              Removed
        "#]],
    );
}
