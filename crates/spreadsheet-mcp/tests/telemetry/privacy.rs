//! PRIVATE: canary values flow through every tool, in files, arguments and errors, and nothing that is emitted holds one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    metrics::page,
    program::{Place, Server, fork_of},
};
use components::{Collector, eventually, http};

/// Whatever is private begins so, in any case.
const CANARY: &str = "canary";
const FILE: &str = "Canary-file.xlsx";

fn write_canaries(place: &Place) {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("CanarySheet").expect("a name");
    sheet.write_string(0, 0, "CanaryHeader").expect("a cell");
    sheet.write_string(0, 1, "CanaryNumbers").expect("a cell");
    for row in 1..6 {
        sheet.write_string(row, 0, format!("canary text {row}")).expect("a cell");
        sheet.write_number(row, 1, f64::from(row)).expect("a cell");
    }
    sheet.write_formula(6, 1, "=SUM(B2:B6)&\"canary formula\"").expect("a formula");
    // What no engine computes, and what it says of it.
    sheet.write_formula(7, 1, "=CANARYFUNCTION(1,\"canary argument\")").expect("a formula");
    sheet.insert_note(0, 0, &rust_xlsxwriter::Note::new("canary note")).expect("a note");
    book.define_name("CanaryName", "=CanarySheet!$B$2").expect("a name");
    book.save(place.file(FILE)).expect("saved");
    std::fs::write(place.file("canary-broken.xlsx"), b"PK\x03\x04 canary bytes").expect("written");
}

/// Calls of every tool that come to an end, whatever that is.
fn calls(fork: &str) -> Vec<(&'static str, Value)> {
    let workbook = FILE;
    let sheet = "CanarySheet";
    vec![
        ("list_workbooks", json!({ "contains": "canary" })),
        ("describe_workbook", json!({ "workbook": workbook })),
        ("describe_workbook", json!({ "workbook": "canary-broken.xlsx" })),
        ("describe_workbook", json!({ "workbook": "canary-nowhere.xlsx" })),
        ("sheet_overview", json!({ "workbook": workbook, "sheet": sheet })),
        (
            "read_table",
            json!({ "workbook": workbook, "range": sheet,
            "filters": [{ "column": "CanaryHeader", "op": "contains", "value": "canary" }] }),
        ),
        (
            "read_table",
            json!({ "workbook": workbook, "range": "canary nothing", "canary_argument": "canary" }),
        ),
        (
            "read_range",
            json!({ "workbook": workbook, "ranges": ["A1:B8", "CanaryName"],
            "fields": ["value", "text", "formula", "style", "note"] }),
        ),
        ("table_profile", json!({ "workbook": workbook, "range": sheet })),
        ("find", json!({ "workbook": workbook, "text": "canary text" })),
        ("find", json!({ "workbook": workbook, "text": "canary(", "match": "regex" })),
        ("formula_map", json!({ "workbook": workbook, "range": sheet })),
        ("formula_trace", json!({ "workbook": workbook, "range": "CanarySheet!B7" })),
        ("styles", json!({ "workbook": workbook, "range": sheet })),
        ("screenshot_sheet", json!({ "workbook": workbook, "range": sheet, "renderer": "native" })),
        ("screenshot_sheet", json!({ "workbook": workbook, "range": sheet, "renderer": "libreoffice" })),
        ("vba", json!({ "workbook": workbook })),
        ("create_fork", json!({ "workbook": workbook, "label": "canary label" })),
        ("transfer_url", json!({ "workbook": workbook, "format": "csv", "range": "CanarySheet!A1" })),
        ("list_forks", json!({})),
        (
            "edit_cells",
            json!({ "workbook": fork, "ops": [
            { "op": "set", "range": "CanarySheet!D1", "values": [["canary value", "=\"canary\"&A1"]] }] }),
        ),
        (
            "edit_cells",
            json!({ "workbook": fork, "ops": [
            { "op": "set", "range": "CanarySheet!D1", "values": [["=CANARY(((\"canary\""]] }] }),
        ),
        (
            "edit_format",
            json!({ "workbook": fork, "ops": [
            { "op": "style", "range": "CanarySheet!D1", "format": { "number_format": "\"canary\"0" } }] }),
        ),
        (
            "edit_structure",
            json!({ "workbook": fork, "ops": [
            { "op": "rename_sheet", "sheet": sheet, "name": "CanarySheet2" }] }),
        ),
        ("checkpoint", json!({ "fork": fork, "action": "create", "name": "canary-point" })),
        ("recalculate", json!({ "workbook": fork })),
        ("recalculate", json!({ "workbook": fork, "engine": "ironcalc" })),
        ("recalculate", json!({ "workbook": fork, "engine": "libreoffice" })),
        ("recalculate", json!({ "workbook": fork, "engine": "verify" })),
        ("diff", json!({ "workbook": fork })),
        ("save_fork", json!({ "fork": fork, "path": "canary-saved.xlsx" })),
        ("save_fork", json!({ "fork": fork, "path": "../canary-outside.xlsx" })),
        ("discard_fork", json!({ "fork": fork })),
    ]
}

#[track_caller]
fn check_silent(what: &str, emitted: &str) {
    let told: Vec<&str> = emitted.lines().filter(|line| line.to_lowercase().contains(CANARY)).collect();
    assert!(told.is_empty(), "{what} tells what is private: {told:#?}");
}

/// What no tool is called by: resources, prompts, completions, and requests that make no sense.
fn ask_for_the_rest(server: &Server) {
    let requests = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/list", "params": {} }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": format!("workbook://{FILE}?sheet=CanarySheet") } }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": "canary://canary" } }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": { "name": "canary", "arguments": { "workbook": "canary" } } }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "canary_tool", "arguments": { "canary": 1 } } }),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "canary/method", "params": { "canary": 1 } }),
        json!({ "canary": "no request" }),
    ];
    let head = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
                MCP-Protocol-Version: 2025-11-25\r\nAuthorization: Bearer canary-token\r\nX-Api-Key: canary-key\r\n";
    let address = server.client().address;
    for request in requests {
        http("POST", &address, "/mcp", head, &request.to_string());
    }
    http("POST", &address, "/mcp", head, "{ \"canary\": ");
    http("CANARY", &address, "/mcp?canary", head, "");
    http("GET", &address, "/canary?token=canary", "Cookie: canary=canary\r\n", "");
}

#[test]
fn nothing_that_is_emitted_holds_what_is_private() {
    let collector = Collector::start();
    let place = Place::new();
    write_canaries(&place);
    let mut flags =
        vec!["--log", "trace", "--log-format", "json", "--vba-enabled", "--metrics-bind", "127.0.0.1:0"];
    if let Some(collector) = &collector {
        flags.extend(["--otlp-endpoint", &collector.grpc, "--trace-sample-ratio", "1"]);
    }
    let server = place.serve(&flags);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": FILE })));
    let mut called = BTreeSet::new();
    let mut succeeded = BTreeSet::new();
    for (tool, arguments) in calls(&fork) {
        called.insert(tool);
        if server.call(tool, &arguments).is_ok() {
            succeeded.insert(tool);
        }
    }
    let known: BTreeSet<&str> = server::tools::names().into_iter().collect();
    assert_eq!(called, known, "every tool is called");
    assert_eq!(succeeded, known, "every tool has answered");
    ask_for_the_rest(&server);
    for accept in ["", "Accept: application/openmetrics-text\r\n"] {
        check_silent("a metric", &page(&server, accept).1);
    }
    eventually("the last call is not logged", || server.log().contains("discard_fork").then_some(()));
    let log = server.end();
    assert!(log.contains("\"tool\":\"read_table\""), "{log}");
    check_silent("the log", &log);
    if let Some(collector) = &collector {
        check_silent("a span", &collector.told(|said| said.contains("tools/call discard_fork")));
    }
}
