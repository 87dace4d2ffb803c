//! Forks saved as text files.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;

use serde_json::{Value, json};
use server::error::ErrorCode;
use support::desk::Desk;

/// A fork of a new workbook with a small table on its first sheet and a note on its second.
fn plan(desk: &Desk) -> Value {
    let fork = desk.ask("create_fork", json!({ "sheets": ["Plan", "Notes", "Q1"] }))["fork"].clone();
    let rows = json!([
        ["Item", "Amount", "Due"],
        [{ "text": "=1+1 is text" }, -5, { "date": "2026-01-31" }],
        ["a, b", 0.1, null],
    ]);
    desk.ask(
        "edit_cells",
        json!({ "workbook": fork, "ops": [{ "op": "set", "range": "Plan!B2", "values": rows }] }),
    );
    fork
}

fn save(fork: &Value, path: &str, more: Value) -> Value {
    let mut arguments = json!({ "fork": fork, "path": path });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

#[track_caller]
fn check(desk: &Desk, arguments: Value, expected: &str) -> Value {
    let answer = desk.ask("save_fork", arguments);
    let path = desk.file(answer["path"].as_str().unwrap());
    let written = fs::read_to_string(path).unwrap();
    assert_eq!(written, expected);
    assert_eq!(answer["bytes"], written.len());
    answer
}

#[test]
fn the_extension_says_the_format() {
    let desk = Desk::new(&[]);
    let fork = plan(&desk);
    let csv = "Item,Amount,Due\r\n'=1+1 is text,-5,2026-01-31\r\n\"a, b\",0.1,\r\n";
    let answer = check(&desk, save(&fork, "a.csv", json!({})), csv);
    assert_eq!(answer["exported"], json!({ "range": "Plan!B2:D4", "rows": 3, "columns": 3, "escaped": 1 }));
    check(&desk, save(&fork, "a.tsv", json!({})), &csv.replace(',', "\t").replace("\"a\t b\"", "a, b"));
    let json_text =
        "[\n[\"Item\",\"Amount\",\"Due\"],\n[\"=1+1 is text\",-5,\"2026-01-31\"],\n[\"a, b\",0.1,null]\n]\n";
    check(&desk, save(&fork, "a.json", json!({})), json_text);
    check(
        &desk,
        save(&fork, "b.json", json!({ "format": "json_records", "range": "Plan!B2:D3" })),
        "[\n{\"Item\":\"=1+1 is text\",\"Amount\":-5,\"Due\":\"2026-01-31\"}\n]\n",
    );
    let lines = "Amount,Due\r\n-5,2026-01-31\r\n";
    check(&desk, save(&fork, "a.txt", json!({ "format": "csv", "range": "Plan!C2:D3" })), lines);
}

#[test]
fn a_sheet_is_chosen_where_there_are_several() {
    let desk = Desk::new(&[]);
    let fork = plan(&desk);
    desk.set(&fork, "'Q1'!A1", json!("x"));
    let (code, told) = desk.refused("save_fork", save(&fork, "a.csv", json!({})));
    assert!(code == ErrorCode::InvalidArgument && told.contains("2 sheets have content"), "{told}");
    check(&desk, save(&fork, "q.csv", json!({ "range": "'Q1'" })), "x\r\n");
    check(&desk, save(&fork, "n.csv", json!({ "range": "Notes" })), "");
    let (code, _) = desk.refused("save_fork", save(&fork, "a.csv", json!({ "range": "Nots" })));
    assert_eq!(code, ErrorCode::NotFound);
}

#[test]
fn texts_that_look_like_formulas_are_escaped_kept_or_refused() {
    let desk = Desk::new(&[]);
    let fork = plan(&desk);
    let range = "Plan!B3";
    check(&desk, save(&fork, "a.csv", json!({ "range": range })), "'=1+1 is text\r\n");
    let keep = json!({ "range": range, "formula_injection": "keep" });
    check(&desk, save(&fork, "b.csv", keep), "=1+1 is text\r\n");
    let refuse = json!({ "range": range, "formula_injection": "refuse" });
    let (code, told) = desk.refused("save_fork", save(&fork, "c.csv", refuse.clone()));
    assert!(code == ErrorCode::InvalidArgument && told.contains("Plan!B3"), "{told}");
    assert!(!desk.file("c.csv").exists());
    let (code, _) = desk.refused("save_fork", save(&fork, "c.json", refuse));
    assert_eq!(code, ErrorCode::InvalidArgument);
}

#[test]
fn a_table_is_exported_with_its_header() {
    let desk = Desk::new(&[]);
    let fork = desk.fork();
    let table = desk.ask("read_table", json!({ "workbook": fork, "range": "Sales", "limit": 1 }));
    let answer = desk.ask("save_fork", save(&fork, "sales.csv", json!({ "range": "Sales" })));
    let (written, rows) = (fs::read_to_string(desk.file("sales.csv")).unwrap(), &answer["exported"]["rows"]);
    let columns: Vec<&str> =
        table["columns"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert_eq!(written.lines().next().unwrap(), columns.join(","));
    assert_eq!((rows, written.lines().count() as u64), (&table["total"], rows.as_u64().unwrap() + 1));
    assert_eq!(answer["exported"]["range"], table["range"]);
    // It reads as it was.
    let again = desk.ask("read_table", json!({ "workbook": "sales.csv", "range": "sales", "limit": 1 }));
    assert_eq!((&again["rows"], &again["total"]), (&table["rows"], &table["total"]));
}

#[test]
fn results_that_may_be_old_are_said() {
    let desk = Desk::new(&[]);
    let fork = plan(&desk);
    desk.set(&fork, "Plan!E3", json!("=C3*2"));
    let answer = desk.ask("save_fork", save(&fork, "a.csv", json!({ "dry_run": true })));
    assert!(!desk.file("a.csv").exists(), "a dry run writes nothing");
    assert_eq!((&answer["exported"]["columns"], &answer["bytes"]), (&json!(4), &Value::Null));
    let warnings = answer["warnings"].to_string();
    assert!(
        warnings.contains("may be older") && warnings.contains("1 formulas have no result"),
        "{warnings}"
    );
}

#[test]
fn an_export_replaces_a_file_under_the_same_rules() {
    let desk = Desk::new(&[]);
    let fork = plan(&desk);
    fs::write(desk.file("a.csv"), "old").unwrap();
    for (arguments, code) in [
        (save(&fork, "a.csv", json!({})), ErrorCode::AlreadyExists),
        (save(&fork, "a.csv", json!({ "overwrite": true })), ErrorCode::OverwriteNotAllowed),
        (save(&fork, "../a.csv", json!({})), ErrorCode::OutsideWorkspace),
        (save(&fork, ".a.csv", json!({})), ErrorCode::InvalidArgument),
        (save(&fork, "a.sh", json!({ "format": "csv" })), ErrorCode::InvalidArgument),
        (save(&fork, "a.xlsx", json!({ "range": "Plan" })), ErrorCode::InvalidArgument),
        (save(&fork, "b.csv", json!({ "range": "A1:B2,C3" })), ErrorCode::InvalidAddress),
    ] {
        assert_eq!(desk.refused("save_fork", arguments.clone()).0, code, "{arguments}");
    }
    assert_eq!(fs::read(desk.file("a.csv")).unwrap(), b"old");
    // One cell far away makes a large file.
    let small = Desk::new(&["--max-file-bytes", "10000"]);
    let fork = small.ask("create_fork", json!({}))["fork"].clone();
    small.set(&fork, "A1", json!(1));
    small.set(&fork, "XFD1", json!(1));
    let (code, _) = small.refused("save_fork", save(&fork, "far.csv", json!({})));
    assert_eq!(code, ErrorCode::LimitExceeded);
    assert_eq!(fs::read_dir(small.file("")).unwrap().count(), 1, "nothing half written is left");
}
