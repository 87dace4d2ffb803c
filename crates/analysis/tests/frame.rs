//! Queries over small tables.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use analysis::frame::{Condition, Filter, Query, QueryError, Rows, Sample, SortKey, TableView, run};
use support::{book, grid, sheet};
use workbook::{RowProps, Sheet, SheetId, Workbook};

const LEDGER: &str = "
    Day                 | Region | Amount | Paid  | Code
    2026-01-30          | North  | 10     | TRUE  | text 12
    2026-01-31          | south  | -2.5   | FALSE | 12
    2026-01-31T08:30    | North  | 30     |       | #N/A
                        | East   |        | TRUE  | x12y
    2026-02-01          | NORTH  | 7      | FALSE | 0
    soon                | West   | 10     | FALSE |
";

fn ledger() -> (Workbook, Sheet, TableView) {
    let (book, sheet) = (book(&[]), sheet("Data", &grid(LEDGER)));
    let view = TableView::of_range(&book, SheetId(0), &sheet, "A1:E7".parse().unwrap(), 1);
    (book, sheet, view)
}

/// The rows of an answer, as the sheet numbers them.
#[track_caller]
fn check(query: &Query, expected: &[u32]) {
    let (book, sheet, view) = ledger();
    let answer = run(&book, &sheet, &view, query, &|| false).unwrap();
    let rows: Vec<u32> = answer.rows.iter().map(|row| row + 1).collect();
    assert_eq!(rows, expected, "{query:?}");
}

#[track_caller]
fn check_filter(column: &str, condition: Condition, expected: &[u32]) {
    let filters = vec![Filter { column: column.to_owned(), condition }];
    check(&Query { filters, ..Query::default() }, expected);
}

#[test]
fn numbers() {
    check_filter("amount", Condition::Eq(10.0.into()), &[2, 7]);
    check_filter("Amount", Condition::Eq("10".into()), &[2, 7]);
    check_filter("Amount", Condition::Ne(10.0.into()), &[3, 4, 5, 6]);
    check_filter("Amount", Condition::Lt(7.0.into()), &[3]);
    check_filter("Amount", Condition::Le(7.0.into()), &[3, 6]);
    check_filter("Amount", Condition::Gt(7.0.into()), &[2, 4, 7]);
    check_filter("Amount", Condition::Between(7.0.into(), 10.0.into()), &[2, 6, 7]);
    check_filter("Amount", Condition::In(vec![30.0.into(), (-2.5).into()]), &[3, 4]);
    check_filter("Amount", Condition::NotIn(vec![30.0.into(), (-2.5).into()]), &[2, 5, 6, 7]);
    check_filter("C", Condition::Ge(10.0.into()), &[2, 4, 7]);
}

#[test]
fn dates() {
    check_filter("Day", Condition::Eq("2026-01-31".into()), &[3, 4]);
    check_filter("Day", Condition::Eq("2026-01-31 08:30".into()), &[4]);
    check_filter("Day", Condition::Lt("2026-01-31".into()), &[2]);
    check_filter("Day", Condition::Le("2026-01-31".into()), &[2, 3, 4]);
    check_filter("Day", Condition::Gt("2026-01-31".into()), &[6]);
    check_filter("Day", Condition::Between("2026-01-31".into(), "2026-02-01".into()), &[3, 4, 6]);
    check_filter("Day", Condition::Eq(46053.0.into()), &[3]);
    // A number in another format is no date.
    check_filter("Amount", Condition::Gt("1900-01-01".into()), &[]);
}

#[test]
fn texts_booleans_and_errors() {
    check_filter("Region", Condition::Eq("north".into()), &[2, 4, 6]);
    check_filter("Region", Condition::Contains("ST".to_owned()), &[5, 7]);
    check_filter("Region", Condition::NotContains("st".to_owned()), &[2, 3, 4, 6]);
    check_filter("Region", Condition::StartsWith("s".to_owned()), &[3]);
    check_filter("Region", Condition::EndsWith("H".to_owned()), &[2, 3, 4, 6]);
    check_filter("Region", Condition::Lt("north".into()), &[5]);
    check_filter("Paid", Condition::Eq(true.into()), &[2, 5]);
    check_filter("Paid", Condition::Ne(true.into()), &[3, 4, 6, 7]);
    check_filter("Code", Condition::Eq("#n/a".into()), &[4]);
    check_filter("Code", Condition::Eq("12".into()), &[2, 3]);
    check_filter("Code", Condition::Eq(12.0.into()), &[3]);
    check_filter("Paid", Condition::IsNull, &[4]);
    check_filter("Paid", Condition::NotNull, &[2, 3, 5, 6, 7]);
}

fn sorted(keys: &[(&str, bool)]) -> Query {
    let key = |(column, descending): &(&str, bool)| SortKey {
        column: (*column).to_owned(),
        descending: *descending,
    };
    Query { sort: keys.iter().map(key).collect(), ..Query::default() }
}

#[test]
fn order() {
    check(&sorted(&[("Amount", false)]), &[3, 6, 2, 7, 4, 5]);
    check(&sorted(&[("Amount", true)]), &[4, 2, 7, 6, 3, 5]);
    check(&sorted(&[("Region", false), ("Amount", true)]), &[5, 4, 2, 6, 3, 7]);
    // Numbers, texts, booleans, errors, blanks.
    check(&sorted(&[("Code", false)]), &[6, 3, 2, 5, 4, 7]);
    check(&sorted(&[("Code", true)]), &[4, 5, 2, 3, 6, 7]);
    check(&Query { limit: Some(2), offset: 1, ..sorted(&[("Amount", false)]) }, &[6, 2]);
}

#[test]
fn pages_and_samples() {
    let (book, sheet, view) = ledger();
    let ask = |query: &Query| {
        let answer: Rows<'_> = run(&book, &sheet, &view, query, &|| false).unwrap();
        (answer.rows.clone(), answer.matching, answer.next_offset)
    };
    let page = |offset, limit| Query { offset, limit: Some(limit), ..Query::default() };
    assert_eq!(ask(&page(0, 4)), (vec![1, 2, 3, 4], 6, Some(4)));
    assert_eq!(ask(&page(4, 4)), (vec![5, 6], 6, None));
    assert_eq!(ask(&page(9, 4)), (vec![], 6, None));
    assert_eq!(ask(&page(u64::MAX, 4)), (vec![], 6, None));
    let sample = |sample| Query { sample, limit: Some(3), ..Query::default() };
    assert_eq!(ask(&sample(Sample::Last)), (vec![4, 5, 6], 6, None));
    assert_eq!(ask(&sample(Sample::Even)), (vec![1, 3, 6], 6, None));
    let random = ask(&sample(Sample::Random { seed: 7 }));
    assert_eq!(random.0.len(), 3);
    assert!(random.0.is_sorted_by(|a, b| a < b), "{random:?}");
    assert_eq!(random, ask(&sample(Sample::Random { seed: 7 })));
    let filters = vec![Filter { column: "Paid".to_owned(), condition: Condition::NotNull }];
    assert_eq!(ask(&Query { filters, ..sample(Sample::Last) }), (vec![4, 5, 6], 5, None));
}

#[test]
fn values_of_chosen_columns() {
    let (book, sheet, view) = ledger();
    let query =
        Query { columns: vec!["Region".to_owned(), "A".to_owned()], limit: Some(2), ..Query::default() };
    let answer = run(&book, &sheet, &view, &query, &|| false).unwrap();
    assert_eq!(answer.columns, [1, 0]);
    let regions: Vec<_> = answer.cells(0).map(|cell| cell.value.as_text().unwrap()).collect();
    assert_eq!(regions, ["North", "south"]);
    let days: Vec<_> = answer.cells(1).map(|cell| cell.value.as_number().unwrap()).collect();
    assert_eq!(days, [46052.0, 46053.0]);
}

#[test]
fn hidden_rows_are_told_or_skipped() {
    let (book, mut sheet, view) = ledger();
    let hide = |row| RowProps { row, height: None, hidden: true, outline_level: 0, style: None };
    sheet.rows = vec![hide(0), hide(2), hide(3), hide(99)];
    let all = run(&book, &sheet, &view, &Query::default(), &|| false).unwrap();
    assert_eq!((all.matching, all.is_hidden(2), all.is_hidden(4)), (6, true, false));
    let query = Query { skip_hidden: true, ..Query::default() };
    assert_eq!(run(&book, &sheet, &view, &query, &|| false).unwrap().rows, [1, 4, 5, 6]);
}

#[test]
fn refused() {
    let (book, sheet, view) = ledger();
    let query = Query { columns: vec!["Regoin".to_owned()], ..Query::default() };
    let error = run(&book, &sheet, &view, &query, &|| false).err().unwrap();
    assert_eq!(error.to_string(), "there is no column \"Regoin\"; there are Region");
    let filters = vec![Filter { column: "Paid".to_owned(), condition: Condition::NotNull }];
    let query = Query { filters, ..Query::default() };
    assert!(matches!(run(&book, &sheet, &view, &query, &|| true), Err(QueryError::Cancelled(_))));
}

#[test]
fn names_of_columns() {
    let book = book(&[]);
    let mut sheet =
        sheet("Data", &grid("2024 | | 2025 | | |\nQ1 | Q2 | Q1 | Q1 | | 2026-01-31\n1 | 2 | 3 | 4 | 5 | 6"));
    sheet.merges = vec!["A1:B1".parse().unwrap(), "C1:D1".parse().unwrap()];
    let names = |range: &str, header_rows| {
        let view = TableView::of_range(&book, SheetId(0), &sheet, range.parse().unwrap(), header_rows);
        (view.columns.into_iter().map(|column| column.name).collect::<Vec<_>>(), view.rows)
    };
    let double = ["2024 / Q1", "2024 / Q2", "2025 / Q1", "2025 / Q1 (2)", "E", "2026-01-31"];
    assert_eq!(names("A1:F3", 2), (double.map(str::to_owned).to_vec(), 2..3));
    assert_eq!(names("B2:C3", 0), (vec!["B".to_owned(), "C".to_owned()], 1..3));
    assert_eq!(names("A:B", 9).1, 3..3);
    assert_eq!(names("H:J", 1).1, 1..3);
}
