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
        r#"{"op": "set", "range": "Data!A1:A4", "values": [["=MyFunction(1)"], ["=A3+1"], ["=A2+1"], ["=[1]Book!A1"]]}"#,
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
