//! What IronCalc makes of our model.

use grid::{CellRef, ErrorValue};
use recalc::ironcalc::IronCalc;
use recalc::{Computed, Engine, Moment, Refusal, Source};
use workbook::edit::{Draft, Edit, ExplicitPlaces};
use workbook::{Limits, SheetId, Workbook};

const MOMENT: Moment = Moment { local_millis: 1_767_225_600_000, seed: 1 };

/// A workbook of one sheet, `Data`, and edits.
fn book(edits: &[&str]) -> Workbook {
    let blank = workbook::edit::blank_workbook(&["Data"]).expect("a blank workbook");
    let limits = Limits::default();
    let book = Workbook::open(blank.into(), "blank.xlsx", &limits, &()).expect("opens");
    let mut draft = Draft::new(&book, &limits).expect("a draft");
    let parsed = |edit: &&str| serde_json::from_str::<Edit>(edit).expect("an edit");
    draft.apply(&edits.iter().map(parsed).collect::<Vec<_>>(), &ExplicitPlaces).expect("applies");
    draft.book().clone()
}

fn engine(book: &Workbook) -> IronCalc {
    let sheets = book.sheets(1, &()).expect("loads");
    let mut engine = IronCalc::load(Source { book, sheets: &sheets }).expect("loads");
    engine.calculate(MOMENT, &|| false).expect("calculates");
    engine
}

#[track_caller]
fn check(edits: &[&str], at: &str, expected: Computed) {
    let engine = engine(&book(edits));
    assert_eq!(engine.refused(), []);
    assert_eq!(engine.value(SheetId(0), at.parse::<CellRef>().expect("a cell")), expected);
}

#[test]
fn formulas_read_cells_names_and_sheets() {
    let data = r#"{"op": "set", "range": "Data!A1:B2", "values": [[1, 2], [3, 4]]}"#;
    check(
        &[data, r#"{"op": "set", "range": "Data!C1", "values": [["=SUM(A1:B2)"]]}"#],
        "C1",
        Computed::Number(10.0),
    );
    check(
        &[
            data,
            r#"{"op": "define_name", "name": "Rate", "refers_to": "=Data!$A$1*10"}"#,
            r#"{"op": "set", "range": "Data!C1", "values": [["=Rate+B2"]]}"#,
        ],
        "C1",
        Computed::Number(14.0),
    );
    check(
        &[
            data,
            r#"{"op": "add_sheet", "name": "Other one"}"#,
            r#"{"op": "set", "range": "'Other one'!A1", "values": [[5]]}"#,
            r#"{"op": "set", "range": "Data!C1", "values": [["='Other one'!A1*A1&\"x\""]]}"#,
        ],
        "C1",
        Computed::Text("5x".into()),
    );
    check(
        &[r#"{"op": "set", "range": "Data!C1", "values": [["=1/0"]]}"#],
        "C1",
        Computed::Error(ErrorValue::Div0),
    );
}

#[test]
fn volatile_functions_see_the_moment() {
    check(
        &[r#"{"op": "set", "range": "Data!C1", "values": [["=TODAY()"]]}"#],
        "C1",
        Computed::Number(46023.0),
    );
}

#[test]
fn arrays_spill() {
    let edits = [r#"{"op": "set", "range": "Data!C1", "values": [["=SEQUENCE(3)"]]}"#];
    let engine = engine(&book(&edits));
    assert_eq!(engine.value(SheetId(0), "C3".parse().unwrap()), Computed::Number(3.0));
    assert_eq!(engine.spills(), [(SheetId(0), "C1:C3".parse().unwrap())]);
}

#[test]
fn what_is_not_computed_is_refused() {
    let edits = [
        r#"{"op": "set", "range": "Data!A1:A4", "values": [["=GETPIVOTDATA(\"Sum\",A9)"], ["=A3+1"], ["=A2+1"], ["=[1]Book!A1"]]}"#,
    ];
    let engine = engine(&book(&edits));
    let refused: Vec<(String, Refusal)> =
        engine.refused().iter().map(|refused| (refused.at.to_string(), refused.why)).collect();
    assert_eq!(
        refused,
        [
            ("A1".to_owned(), Refusal::UnknownFunction),
            ("A4".to_owned(), Refusal::Outside),
            ("A2".to_owned(), Refusal::Circular),
            ("A3".to_owned(), Refusal::Circular)
        ]
    );
}

#[test]
fn rows_of_tables_have_their_own_results() {
    let book = book(&[
        r#"{"op": "set", "range": "Data!A1:C4", "values": [["q", "p", "total"], [1, 2, null], [3, 4, null], [5, 6, null]]}"#,
        r#"{"op": "create_table", "range": "Data!A1:C4", "name": "Sales"}"#,
        r#"{"op": "set", "range": "Data!C2:C4", "values": [["=[@q]*[@p]"], ["=[@q]*[@p]"], ["=Sales[[#This Row],[q]]*[@p]"]]}"#,
        r#"{"op": "set", "range": "Data!E1", "values": [["=SUM(Sales[total])"]]}"#,
    ]);
    let engine = engine(&book);
    assert_eq!(engine.refused(), []);
    for (at, expected) in [("C2", 2.0), ("C3", 12.0), ("C4", 30.0), ("E1", 44.0)] {
        assert_eq!(engine.value(SheetId(0), at.parse().unwrap()), Computed::Number(expected), "{at}");
    }
}

#[test]
fn conditions_are_about_single_cells() {
    let formulas = [
        ("=COUNTIF(A1,\\\">0\\\")", 1.0),
        ("=SUMIF(A1:A1,\\\">0\\\")", 5.0),
        ("=SUMIFS(A1,$A$1,\\\">0\\\")", 5.0),
        ("=1+AVERAGEIFS(A1,Data!A1,\\\">0\\\")", 6.0),
        ("=SUM(SUMIF(A1:B1,A1:B1))", 11.0),
        ("=COUNTIFS(A1:A1,\\\">0\\\",A1,5)", 1.0),
    ];
    for (formula, expected) in formulas {
        let five = r#"{"op": "set", "range": "Data!A1:B1", "values": [[5, 6]]}"#;
        let set = format!(r#"{{"op": "set", "range": "Data!C3", "values": [["{formula}"]]}}"#);
        check(&[five, &set], "C3", Computed::Number(expected));
    }
}

#[test]
fn what_goes_through_sheets_is_refused() {
    let edits = [
        r#"{"op": "add_sheet", "name": "Next"}"#,
        r#"{"op": "set", "range": "Data!A1", "values": [["=SUM(Data:Next!B1)"]]}"#,
    ];
    let engine = engine(&book(&edits));
    assert_eq!(
        engine.refused().iter().map(|refused| refused.why).collect::<Vec<_>>(),
        [Refusal::Unsupported]
    );
}

#[test]
fn dates_from_1904_are_not_taken() {
    let mut book = book(&[]);
    book.date_system = grid::DateSystem::Date1904;
    let sheets = book.sheets(1, &()).expect("loads");
    let error = IronCalc::load(Source { book: &book, sheets: &sheets }).err();
    assert!(error.expect("an error").to_string().contains("1904"));
}

#[test]
fn texts_end_somewhere() {
    let long = r#"{"op": "set", "range": "Data!A1", "values": [["=REPT(\"x\",20000)"]]}"#;
    let twice = r#"{"op": "set", "range": "Data!A2", "values": [["=A1&A1"]]}"#;
    check(&[long, twice], "A2", Computed::Error(ErrorValue::Value));
}
