//! Which results are old after which edits.

use analysis::formulas::{DependencyIndex, Places, Stale};
use workbook::edit::{Draft, Edit, ExplicitPlaces};
use workbook::{Limits, Workbook};

/// A draft of a blank workbook with a sheet `Data`, whose formulas count as computed, and which is edited then.
fn draft(setup: &[&str], edits: &[&str]) -> Draft {
    let blank = workbook::edit::blank_workbook(&["Data"]).expect("a blank workbook");
    let limits = Limits::default();
    let book = Workbook::open(blank.into(), "blank.xlsx", &limits, &()).expect("opens");
    let mut draft = Draft::new(&book, &limits).expect("a draft");
    let parsed = |edit: &&str| serde_json::from_str::<Edit>(edit).expect("an edit");
    let computed = [r#"{"op": "results", "engine": "test", "sheets": []}"#];
    for edits in [setup, &computed, edits] {
        draft.apply(&edits.iter().map(parsed).collect::<Vec<_>>(), &ExplicitPlaces).expect("applies");
    }
    draft
}

fn stale(draft: &Draft) -> Stale {
    let sheets = draft.book().sheets(1, &()).expect("loads");
    let places = Places::new(draft.book(), &sheets);
    let index = DependencyIndex::build(&places, &|| false).expect("builds");
    Stale::since(&index, &draft.pending(), &|| false).expect("is found")
}

#[track_caller]
fn check(setup: &[&str], edits: &[&str], expected: &str) {
    let draft = draft(setup, edits);
    let sheets = draft.book().sheets(1, &()).expect("loads");
    let places = Places::new(draft.book(), &sheets);
    let stale = stale(&draft);
    let told = match stale.is_everything() {
        true => "everything".to_owned(),
        false => stale.areas().map(|area| places.address(area)).collect::<Vec<_>>().join(" "),
    };
    assert_eq!(told, expected);
}

#[test]
fn what_reads_a_changed_cell_is_stale() {
    let setup = [
        r#"{"op": "set", "range": "Data!A1:A3", "values": [[1], [2], [3]]}"#,
        r#"{"op": "set", "range": "Data!B1:B3", "values": [["=A1*2"]]}"#,
        r#"{"op": "set", "range": "Data!D1:D3", "values": [["=SUM(B1:B2)"], ["=D1+1"], ["=ROW(A2)"]]}"#,
    ];
    check(&setup, &[], "");
    check(&setup, &[r#"{"op": "set", "range": "Data!A2", "values": [[5]]}"#], "Data!B2 Data!D1 Data!D2");
    check(&setup, &[r#"{"op": "set", "range": "Data!A3", "values": [[5]]}"#], "Data!B3");
    check(&setup, &[r#"{"op": "set", "range": "Data!C9", "values": [[5]]}"#], "");
    check(&setup, &[r#"{"op": "set", "range": "Data!D1", "values": [["=A3"]]}"#], "Data!D1 Data!D2");
    check(&setup, &[r#"{"op": "style", "range": "Data!A1:A3", "format": {"font": {"bold": true}}}"#], "");
}

#[test]
fn names_and_sheets_lead_on() {
    let setup = [
        r#"{"op": "add_sheet", "name": "Sum"}"#,
        r#"{"op": "define_name", "name": "Rate", "refers_to": "=Data!$A$1"}"#,
        r#"{"op": "set", "range": "Sum!A1:A2", "values": [["=Rate*2"], ["=Data!B1"]]}"#,
    ];
    check(&setup, &[r#"{"op": "set", "range": "Data!A1", "values": [[5]]}"#], "Sum!A1");
    check(&setup, &[r#"{"op": "define_name", "name": "Rate", "refers_to": "=Data!$A$2"}"#], "everything");
    check(&setup, &[r#"{"op": "insert_rows", "range": "Data!1:1"}"#], "Sum!A1 Sum!A2");
    check(&setup, &[r#"{"op": "rename_sheet", "sheet": "Data", "name": "Facts"}"#], "");
}

#[test]
fn what_no_text_tells_is_stale_with_any_change() {
    let setup = [r#"{"op": "set", "range": "Data!B1:B2", "values": [["=INDIRECT(\"A\"&1)"], ["=B1"]]}"#];
    check(&setup, &[r#"{"op": "set", "range": "Data!Z9", "values": [[5]]}"#], "Data!B1 Data!B2");
}

#[test]
fn long_chains_are_followed_without_walking_them() {
    let setup = [
        r#"{"op": "set", "range": "Data!A1", "values": [[1]]}"#,
        r#"{"op": "set", "range": "Data!A2:A100000", "values": [["=A1+1"]]}"#,
    ];
    let stale = stale(&draft(&setup, &[r#"{"op": "set", "range": "Data!A50000", "values": [[7]]}"#]));
    let covered: u64 = stale.areas().map(|area| area.range.area()).sum();
    assert_eq!((covered, stale.areas().next().map(|area| area.range.start().row())), (50_000, Some(50_000)));
}

#[test]
fn partial_results_leave_the_rest_stale() {
    let setup = [
        r#"{"op": "set", "range": "Data!A1", "values": [[1]]}"#,
        r#"{"op": "set", "range": "Data!B1:B2", "values": [["=A1"], ["=A1+1"]]}"#,
    ];
    let change = r#"{"op": "set", "range": "Data!A1", "values": [[5]]}"#;
    let some = r#"{"op": "results", "engine": "test", "pending": ["Data!B2"], "sheets": [{"sheet": "Data", "runs": [{"cell": "B1", "values": [5]}]}]}"#;
    check(&setup, &[change], "Data!B1 Data!B2");
    check(&setup, &[change, some], "Data!B2");
}
