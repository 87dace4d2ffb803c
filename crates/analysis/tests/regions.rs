//! Regions of small sheets.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use analysis::regions::{Options, Region, detect};
use support::{book, grid, sheet};

/// The regions of a text grid, one a line: range, kind, and what there is of headers and totals.
#[track_caller]
fn check(rows: &str, expected: &[&str]) {
    let (book, sheet) = (book(&[]), sheet("Data", &grid(rows)));
    let found = detect(&book, &sheet, &Options::default(), &|| false).unwrap();
    let lines: Vec<String> = found.regions.iter().map(line).collect();
    assert_eq!(lines, expected);
}

fn line(region: &Region) -> String {
    let mut line = format!("{} {} {:?}", region.id, region.range, region.kind);
    for (count, what) in [(region.header_rows, "header"), (region.total_rows, "total")] {
        if count > 0 {
            line.push_str(&format!(", {count} {what}"));
        }
    }
    line
}

#[test]
fn side_by_side() {
    check(
        "
        Day        | Amount | | Region | Share
        2026-01-30 | 10     | | North  | 0.5
        2026-01-31 | 12     | | South  | 0.5
        Total      | 22     | |        |
        ",
        &["region1 A1:B4 Table, 1 header, 1 total", "region2 D1:E3 Table, 1 header"],
    );
}

#[test]
fn no_header_is_made_up() {
    check(
        "
        North | 10 | 3
        South | 12 | 4
        West  | 9  | 2
        ",
        &["region1 A1:C3 Data"],
    );
}

#[test]
fn nothing() {
    check("", &[]);
}
