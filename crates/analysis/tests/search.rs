//! Searches over a small sheet.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use analysis::search::{Matching, Pattern, SearchIn, near_texts, neighbours, search};
use grid::{CellRange, DateSystem};
use support::{book, sheet};
use workbook::{Comment, Sheet};

const SHEET: &str = "
    A1 Budget 2026
    A3 Revenue:
    C3 1234.5
    A4 Growth
    B4 percent 0.12
    A5 As of
    B5 date 46053
    A6 Approved
    B6 TRUE
    A7 Ratio
    B7 =C3/0 -> #DIV/0!
    A8:A9 shared =$C$3*ROW()
    A10 revenue net
    B11 text 1234.5
    A5000 Growth
    XFD1048576 1234.5
";

fn budget() -> Sheet {
    let mut sheet = sheet("Budget", SHEET);
    sheet.comments = vec![Comment {
        cell: "C3".parse().unwrap(),
        author: "Ann".to_owned(),
        text: "Growth assumed".to_owned(),
        created: None,
        threaded: false,
        resolved: false,
        replies: Vec::new(),
    }];
    sheet
}

#[track_caller]
fn check_in(target: SearchIn, matching: Matching, range: &str, text: &str, expected: &str) {
    let (book, sheet) = (book(&[]), budget());
    let pattern = Pattern::new(text, matching, false, DateSystem::Date1900).unwrap();
    let range = range.parse::<CellRange>().unwrap();
    let mut found = Vec::new();
    search(&book, &sheet, range, target, &pattern, &mut |at| found.push(at.to_string()), &|| false).unwrap();
    assert_eq!(found.join(" "), expected, "{text:?}");
}

#[track_caller]
fn check(matching: Matching, text: &str, expected: &str) {
    check_in(SearchIn::Values, matching, "A1:XFD1048576", text, expected);
}

#[test]
fn values_are_found_whatever_their_type() {
    check(Matching::Contains, "revenue", "A3 A10");
    check(Matching::Exact, "Revenue", "A3");
    check(Matching::Contains, "growth", "A4 A5000");
    check(Matching::Contains, "1,234.50", "C3 XFD1048576");
    check(Matching::Contains, "1234.5", "C3 B11 XFD1048576");
    check(Matching::Contains, "12%", "B4");
    check(Matching::Contains, "2026-01-31", "B5");
    check(Matching::Contains, "true", "B6");
    check(Matching::Contains, "#DIV/0!", "B7");
    check(Matching::Regex, "^(growth|ratio)$", "A4 A7 A5000");
    check(Matching::Contains, "absent", "");
}

#[test]
fn ranges_bound_the_search() {
    check_in(SearchIn::Values, Matching::Contains, "B:C", "1234.5", "C3 B11");
    check_in(SearchIn::Values, Matching::Contains, "A4:B4", "growth", "A4");
    check_in(SearchIn::Values, Matching::Contains, "A4097:A1048576", "growth", "A5000");
}

#[test]
fn labels_formulas_and_notes() {
    check_in(SearchIn::Labels, Matching::Contains, "A:C", "1234.5", "B11");
    check_in(SearchIn::Formulas, Matching::Contains, "A:C", "row()", "A8 A9");
    check_in(SearchIn::Formulas, Matching::Regex, "A:C", r"^=\$?C", "B7 A8 A9");
    check_in(SearchIn::Notes, Matching::Contains, "A:C", "assumed", "C3");
    check_in(SearchIn::Notes, Matching::Contains, "A1:B9", "assumed", "");
}

#[test]
fn a_label_has_its_value_beside_or_below() {
    let sheet = budget();
    let of = |at: &str| {
        let found = neighbours(&sheet, at.parse().unwrap());
        [found.right, found.below].map(|at| at.map_or_else(|| "-".to_owned(), |at| at.to_string())).join(" ")
    };
    assert_eq!(of("A3"), "C3 A4");
    assert_eq!(of("A4"), "B4 A5");
    assert_eq!(of("A1"), "- A3");
    assert_eq!(of("XFD1048576"), "- -");
}

#[test]
fn what_was_not_found_may_be_misspelled() {
    assert_eq!(near_texts(&[Arc::new(budget())], "Revenu net"), ["revenue net", "Revenue:"]);
    assert!(near_texts(&[Arc::new(budget())], "zzz").is_empty());
}
