//! The log: one line per call, as text or JSON, and a level that changes while the server runs.

use serde_json::{Value, json};

use crate::program::{Place, Server};
use components::{eventually, http};

/// The line of the log of a call of a tool.
fn access_line(server: &Server, tool: &str) -> Value {
    eventually(&format!("{tool} is not logged: {}", server.log()), || {
        let log = server.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.into_iter().find(|line| line["message"] == "call" && line["tool"] == tool)
    })
}

#[test]
fn each_call_has_a_line() {
    let place = Place::new();
    place.write_workbook("a.xlsx");
    let server = place.serve(&["--log-format", "json", "--metrics-bind", "off"]);
    server.call("describe_workbook", &json!({ "workbook": "a.xlsx" })).expect("described");
    let line = access_line(&server, "describe_workbook");
    assert_eq!((&line["level"], &line["status"]), (&json!("INFO"), &json!("ok")), "{line}");
    assert!(line["milliseconds"].as_f64() > Some(0.0) && line["bytes"].as_u64() > Some(100), "{line}");
    assert_eq!(line["trace_id"].as_str().map(str::len), Some(32), "{line}");
    assert_eq!(line["span_id"].as_str().map(str::len), Some(16), "{line}");
    assert!(line.get("workbook").is_none(), "{line}");
    server.call("read_range", &json!({ "workbook": "a.xlsx", "ranges": [] })).expect_err("nothing to read");
    assert_eq!(access_line(&server, "read_range")["status"], "invalid_argument");
}

#[test]
fn files_are_named_where_the_operator_wants_it() {
    let place = Place::new();
    place.write_workbook("a.xlsx");
    let server = place.serve(&["--log-format", "json", "--log-file-names", "--metrics-bind", "off"]);
    server.call("describe_workbook", &json!({ "workbook": "a.xlsx" })).expect("described");
    assert_eq!(access_line(&server, "describe_workbook")["workbook"], "a.xlsx");
}

#[test]
fn the_level_changes_while_the_server_runs() {
    let place = Place::new();
    let server = place.serve(&[
        "--log",
        "warn,server::serve=info,server::metrics=info",
        "--metrics-bind",
        "127.0.0.1:0",
    ]);
    let address = server.metrics().address;
    let list = || server.call("list_workbooks", &json!({})).expect("listed");
    let change = |filter: &str| http("PUT", &address, "/admin/log-level", "", filter);
    list();
    let (status, _, body) = change("server::access=info");
    assert_eq!((status, body.as_str()), (200, r#"{"filter":"server::access=info"}"#));
    list();
    eventually("the call is not logged", || server.log().contains("tool=\"list_workbooks\"").then_some(()));
    assert_eq!(server.log().matches("tool=\"list_workbooks\"").count(), 1, "{}", server.log());
    let (status, _, body) = change("server=loud");
    assert!(status == 400 && body.contains("hint"), "{body}");
    let (_, _, body) = http("GET", &address, "/admin/log-level", "", "");
    assert_eq!(body, r#"{"filter":"server::access=info"}"#);
    let (status, ..) = http("PUT", &address, "/admin/log-level", "Origin: http://localhost:1\r\n", "debug");
    assert_eq!(status, 403);
}
