//! Recalculation, as clients use it: what is stale, what is computed, what is not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use server::error::ErrorCode;
use support::desk::Desk;

/// A desk with a fork of a new workbook with these cells on its sheet `Data`, computed.
fn computed(cells: &[(&str, Value)]) -> (Desk, Value) {
    // Also what no engine computes.
    let desk = Desk::new(&["--allow-external-formulas"]);
    let fork = desk.ask("create_fork", json!({ "sheets": ["Data"] }))["fork"].clone();
    for (cell, value) in cells {
        desk.set(&fork, &format!("Data!{cell}"), value.clone());
    }
    desk.ask("recalculate", json!({ "workbook": fork }));
    (desk, fork)
}

fn stale(desk: &Desk, fork: &Value, range: &str) -> Value {
    let answer = desk.ask("read_range", json!({ "workbook": fork, "ranges": [range] }));
    answer.get("stale").cloned().unwrap_or(Value::Null)
}

fn chain() -> (Desk, Value) {
    computed(&[("A1", json!(2)), ("B1", json!("=A1*10")), ("C1", json!("=B1+1")), ("D1", json!("=\"x\"&7"))])
}

#[test]
fn what_reads_an_edit_is_stale_until_it_is_computed() {
    let (desk, fork) = chain();
    let id = fork.as_str().unwrap();
    assert_eq!(
        (desk.read(id, "Data!B1"), desk.read(id, "Data!C1"), desk.read(id, "Data!D1")),
        (json!(20), json!(21), json!("x7"))
    );
    assert_eq!(stale(&desk, &fork, "Data!A1:D1"), Value::Null);
    desk.set(&fork, "Data!A1", json!(3));
    assert_eq!(stale(&desk, &fork, "Data!A1:D1"), json!(["Data!B1:C1"]));
    assert_eq!(stale(&desk, &fork, "Data!D1"), Value::Null);
    assert_eq!(desk.ask("diff", json!({ "workbook": fork }))["stale"], json!(true));
    let overview = || desk.ask("sheet_overview", json!({ "workbook": fork, "sheet": "Data" }));
    assert_eq!(overview()["stale"], json!(["Data!B1:C1"]));
    let notices = || desk.ask("describe_workbook", json!({ "workbook": fork }))["notices"].to_string();
    assert!(notices().contains("older than their inputs"), "{}", notices());
    let answer = desk.ask("recalculate", json!({ "workbook": fork }));
    assert_eq!((&answer["changed_cells"], &answer["incremental"]), (&json!(2), &json!(true)), "{answer}");
    assert_eq!(answer["cells"][0], json!({ "cell": "Data!B1", "old": 20, "new": 30 }));
    assert_eq!(stale(&desk, &fork, "Data!A1:D1"), Value::Null);
    assert_eq!(overview().get("stale"), None);
    assert!(!notices().contains("older than their inputs"), "{}", notices());
    assert_eq!(desk.read(id, "Data!C1"), json!(31));
    // It is a step like any other.
    desk.ask("checkpoint", json!({ "fork": fork, "action": "undo" }));
    assert_eq!((desk.read(id, "Data!C1"), stale(&desk, &fork, "Data!C1")), (json!(21), json!(["Data!C1"])));
}

#[test]
fn targets_are_computed_with_what_they_need() {
    let (desk, fork) =
        computed(&[("A1", json!(1)), ("B1", json!("=A1+1")), ("C1", json!("=B1+1")), ("E1", json!("=A1*5"))]);
    desk.set(&fork, "Data!A1", json!(10));
    let answer = desk.ask("recalculate", json!({ "workbook": fork, "targets": ["Data!B1"] }));
    assert_eq!((&answer["changed_cells"], &answer["formulas"]), (&json!(1), &json!(1)), "{answer}");
    assert_eq!(stale(&desk, &fork, "Data!A1:E1"), json!(["Data!C1", "Data!E1"]));
    let answer = desk.ask("recalculate", json!({ "workbook": fork, "targets": ["Data!C1"] }));
    assert_eq!(answer["changed_cells"], json!(1));
    assert_eq!(stale(&desk, &fork, "Data!A1:E1"), json!(["Data!E1"]));
}

#[test]
fn new_errors_tell_their_cause_and_what_is_not_computed_why() {
    let (desk, fork) = computed(&[("A1", json!(2)), ("B1", json!("=10/A1")), ("C1", json!("=B1+1"))]);
    desk.set(&fork, "Data!A1", json!(0));
    desk.set(&fork, "Data!F1", json!("=WEBSERVICE(\"http://127.0.0.1:9/\")"));
    desk.set(&fork, "Data!G1", json!("=F1&\"!\""));
    desk.set(&fork, "Data!H1", json!("=GETPIVOTDATA(\"Sum\",A1)"));
    let answer = desk.ask("recalculate", json!({ "workbook": fork }));
    assert_eq!(
        answer["new_errors"],
        json!([{ "cell": "Data!B1", "error": "#DIV/0!" }, { "cell": "Data!C1", "error": "#DIV/0!", "cause": "Data!B1" }])
    );
    let refused = answer["not_computed"].as_array().unwrap();
    let functions: Vec<&str> = refused.iter().map(|one| one["function"].as_str().unwrap()).collect();
    assert_eq!(functions, ["GETPIVOTDATA", "WEBSERVICE"], "{answer}");
    assert_eq!(stale(&desk, &fork, "Data!A1:H1"), json!(["Data!F1:H1"]), "{answer}");
}

#[test]
fn arrays_spill_and_shrink() {
    let (desk, fork) =
        computed(&[("A1", json!(3)), ("B1", json!("=SEQUENCE(A1)")), ("D1", json!("=SUM(B1#)"))]);
    let id = fork.as_str().unwrap();
    assert_eq!((desk.read(id, "Data!B3"), desk.read(id, "Data!D1")), (json!(3), json!(6)));
    desk.set(&fork, "Data!A1", json!(2));
    desk.ask("recalculate", json!({ "workbook": fork }));
    assert_eq!((desk.read(id, "Data!B3"), desk.read(id, "Data!D1")), (Value::Null, json!(3)));
    desk.ask("save_fork", json!({ "fork": fork, "path": "spilled.xlsx" }));
    assert_eq!(
        (desk.read("spilled.xlsx", "Data!B2"), desk.read("spilled.xlsx", "Data!D1")),
        (json!(2), json!(3))
    );
    assert_eq!(stale(&desk, &json!("spilled.xlsx"), "Data!A1:D4"), Value::Null);
}

#[test]
fn formulas_compute_with_arrays_as_they_are_typed() {
    let (desk, fork) = computed(&[
        ("A1", json!(2)),
        ("A2", json!(2)),
        ("A3", json!(2)),
        ("B1", json!("=A1:A3*10")),
        ("D1", json!("=SUM(A1:A3*A1:A3)")),
        ("E1", json!("=TRANSPOSE(A1:A3)")),
        ("E3", json!("=SUMPRODUCT(A1:A3*A1:A3)")),
    ]);
    let id = fork.as_str().unwrap();
    let read = |of: &str| ["Data!B3", "Data!D1", "Data!G1", "Data!E3"].map(|cell| desk.read(of, cell));
    let expected = [json!(20), json!(12), json!(2), json!(12)];
    assert_eq!(read(id), expected);
    desk.ask("save_fork", json!({ "fork": fork, "path": "arrays.xlsx" }));
    assert_eq!(read("arrays.xlsx"), expected);
    assert_eq!(stale(&desk, &json!("arrays.xlsx"), "Data!A1:G4"), Value::Null);
}

#[test]
fn pictures_show_the_results_that_there_are() {
    let (desk, fork) = computed(&[("A1", json!("=SEQUENCE(2)")), ("C1", json!("=XLOOKUP(2,A1:A2,A1:A2)"))]);
    let picture = desk.ask("screenshot_sheet", json!({ "workbook": fork }));
    // LibreOffice may know none of these functions, and would show #NAME? for them.
    assert_eq!(picture["renderer"], "native", "{picture}");
    assert!(picture["notices"].to_string().contains("drawn natively"), "{picture}");
}

#[test]
fn what_is_spilled_goes_along_with_rows_and_never_stays_behind() {
    let (desk, fork) = computed(&[
        ("A1", json!(1)),
        ("A2", json!(2)),
        ("A3", json!(3)),
        ("D1", json!("=A1:A3*10")),
        ("F1", json!("=SEQUENCE(3)")),
    ]);
    let id = fork.as_str().unwrap();
    let change = |op: &str, range: &str| {
        desk.ask("edit_structure", json!({ "workbook": fork, "ops": [{ "op": op, "range": range }] }));
        desk.ask("recalculate", json!({ "workbook": fork }));
        ["D1", "D2", "D3", "D4", "D5", "F3", "F4"].map(|cell| desk.read(id, &format!("Data!{cell}")))
    };
    let (none, number) = (Value::Null, |number: i32| json!(number));
    let inserted = change("insert_rows", "Data!3:3");
    let d = [number(10), number(20), number(0), number(30), none.clone()];
    assert_eq!(inserted, [d.as_slice(), &[number(3), none.clone()]].concat().as_slice());
    let deleted = change("delete_rows", "Data!2:3");
    let d = [number(10), number(30), none.clone(), none.clone(), none.clone()];
    assert_eq!(deleted, [d.as_slice(), &[number(3), none.clone()]].concat().as_slice());
    // The formula itself goes.
    let gone = change("delete_rows", "Data!1:1");
    assert_eq!(gone, [const { Value::Null }; 7]);
}

#[test]
fn what_if_leaves_the_fork_as_it_is() {
    let (desk, fork) = chain();
    let before = desk.ask("list_forks", json!({}))["forks"][0]["head"].clone();
    let sets = json!([{ "Data!A1": 5 }, { "Data!A1": 6, "Data!D1": "=1+1" }, {}]);
    let answer = desk
        .ask("recalculate", json!({ "workbook": fork, "targets": ["Data!C1", "Data!D1"], "what_if": sets }));
    assert_eq!(answer["what_if"]["targets"], json!(["Data!C1", "Data!D1"]));
    assert_eq!(answer["what_if"]["base"], json!([21, "x7"]));
    assert_eq!(answer["what_if"]["rows"], json!([[51, "x7"], [61, 2], [21, "x7"]]));
    assert_eq!(desk.ask("list_forks", json!({}))["forks"][0]["head"], before);
    assert_eq!(desk.read(fork.as_str().unwrap(), "Data!A1"), json!(2));
    let (code, told) =
        desk.refused("recalculate", json!({ "workbook": fork, "what_if": [{ "Data!A1": 1 }] }));
    assert_eq!(code, ErrorCode::InvalidArgument, "{told}");
}

#[test]
fn saving_computes_first_unless_told_not_to() {
    let (desk, fork) = chain();
    desk.set(&fork, "Data!A1", json!(4));
    desk.ask("save_fork", json!({ "fork": fork, "path": "old.xlsx", "recalculate": "never" }));
    assert_eq!(
        (desk.read("old.xlsx", "Data!C1"), stale(&desk, &json!("old.xlsx"), "Data!C1")),
        (json!(21), json!(["Data!C1"]))
    );
    desk.ask("save_fork", json!({ "fork": fork, "path": "new.xlsx" }));
    assert_eq!(
        (desk.read("new.xlsx", "Data!C1"), stale(&desk, &json!("new.xlsx"), "Data!C1")),
        (json!(41), Value::Null)
    );
}

#[test]
fn results_cannot_be_written() {
    let (desk, fork) = chain();
    let ops = json!([{ "op": "results", "engine": "me", "sheets": [{ "sheet": "Data", "runs": [{ "cell": "C1", "values": [7] }] }] }]);
    let (code, told) = desk.refused("edit_cells", json!({ "workbook": fork, "ops": ops }));
    assert_eq!(code, ErrorCode::InvalidArgument, "{told}");
    let (code, told) = desk.refused("recalculate", json!({ "workbook": "ledger.xlsx" }));
    assert!(code == ErrorCode::InvalidArgument && told.contains("create_fork"), "{told}");
}

#[test]
fn engines_are_compared() {
    let (desk, fork) = chain();
    let answer = desk.ask("recalculate", json!({ "workbook": fork, "engine": "verify" }));
    let verified = &answer["verified"];
    assert_eq!(verified["not_compared"], json!(0), "{answer}");
    assert_eq!((&verified["agree"], &verified["differ"]), (&json!(3), &json!(0)), "{answer}");
    let engines = verified["engines"].as_array().unwrap();
    assert!(engines.contains(&json!("formualizer")) && engines.contains(&json!("ironcalc")), "{answer}");
    if verified.get("without").is_none() {
        let answer = desk.ask("recalculate", json!({ "workbook": fork, "engine": "libreoffice" }));
        assert_eq!(
            (&answer["engine"], &answer["changed_cells"]),
            (&json!("libreoffice"), &json!(0)),
            "{answer}"
        );
    } else {
        eprintln!("skipped: LibreOffice is not installed");
    }
    // What one engine computes at most is not said to agree.
    desk.set(&fork, "Data!F1", json!("=GETPIVOTDATA(\"Sum\",A1)"));
    let compared = desk.ask("recalculate", json!({ "workbook": fork, "engine": "verify" }));
    let verified_anew = &compared["verified"];
    assert_eq!(
        (&verified_anew["agree"], &verified_anew["not_compared"]),
        (&json!(3), &json!(1)),
        "{compared}"
    );
}

#[test]
fn pictures_are_taken_and_told() {
    let desk = Desk::new(&[]);
    let answer = desk.ask(
        "screenshot_sheet",
        json!({ "workbook": "ledger.xlsx", "range": "Summary", "renderer": "native" }),
    );
    assert!(
        answer["width"].as_u64().unwrap() > 100
            && answer["uri"].as_str().unwrap().starts_with("screenshot://"),
        "{answer}"
    );
    let png = std::fs::read(answer["file"].as_str().unwrap()).unwrap();
    assert_eq!(&png[1..4], b"PNG");
    let (code, told) = desk.refused(
        "screenshot_sheet",
        json!({ "workbook": "ledger.xlsx", "range": "Ledger!A1:H400", "renderer": "native", "scale": 4 }),
    );
    assert_eq!(code, ErrorCode::LimitExceeded, "{told}");
    // However it is drawn, what is too large is told with the bounds of pictures.
    for renderer in ["auto", "libreoffice"] {
        let (code, told) = desk.refused(
            "screenshot_sheet",
            json!({ "workbook": "ledger.xlsx", "range": "Ledger!A1:H4000", "renderer": renderer }),
        );
        if code != ErrorCode::LibreofficeUnavailable {
            assert_eq!(code, ErrorCode::LimitExceeded, "{told}");
            assert!(told.contains("SPREADSHEET_MCP_MAX_PNG_DIM_PX"), "{told}");
        }
    }
    for scale in [9.0, 0.1] {
        let (code, told) =
            desk.refused("screenshot_sheet", json!({ "workbook": "ledger.xlsx", "scale": scale }));
        assert_eq!(code, ErrorCode::InvalidArgument, "{told}");
    }
}

#[test]
fn the_examples_hold_what_their_formulas_yield() {
    let desk = Desk::new(&[]);
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/workspace");
    for (example, formulas) in
        [("sales-ledger.xlsx", 500), (support::PLAN, 20), ("operations/site-report.xlsx", 1)]
    {
        std::fs::copy(examples.join(example), desk.file("example.xlsx")).unwrap();
        let fork = desk.ask("create_fork", json!({ "workbook": "example.xlsx" }))["fork"].clone();
        let answer = desk.ask("recalculate", json!({ "workbook": fork }));
        assert!(answer["formulas"].as_u64().unwrap() >= formulas, "{example}: {answer}");
        assert_eq!(
            (&answer["changed_cells"], answer.get("not_computed")),
            (&json!(0), None),
            "{example}: {answer}"
        );
    }
}

#[test]
fn formulas_read_the_copies_of_other_workbooks() {
    let desk = Desk::new(&[]);
    std::fs::write(desk.file("linked.xlsx"), fixtures::linked::workbook().unwrap()).unwrap();
    let fork = desk.ask("create_fork", json!({ "workbook": "linked.xlsx" }))["fork"].clone();
    let answer = desk.ask("recalculate", json!({ "workbook": fork }));
    assert_eq!(answer["copies_of"], json!(["file:///rates.xlsx"]), "{answer}");
    assert_eq!(desk.read(fork.as_str().unwrap(), "Sheet1!A1"), json!(3), "{answer}");
    assert_eq!(answer["not_computed"][0]["first"], json!("Sheet1!A2"), "{answer}");
}
