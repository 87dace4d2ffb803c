//! Spans, at a real collector: children of the caller's, from the request down to the engine and the store.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Place, fork_of, set};
use components::{Collector, eventually, free_port, http};

/// A span, as the collector prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    name: String,
    trace: String,
    id: String,
    parent: String,
}

fn spans(collector: &Collector) -> Vec<Span> {
    let said = collector.said();
    let field = |lines: &[&str], name: &str| {
        let line = lines.iter().find(|line| line.trim_start().starts_with(name));
        let value = line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value);
        value.trim().to_owned()
    };
    let mut spans = Vec::new();
    for told in said.split("\nSpan #").skip(1) {
        let lines: Vec<&str> = told.lines().collect();
        spans.push(Span {
            name: field(&lines, "Name"),
            trace: field(&lines, "Trace ID"),
            id: field(&lines, "ID"),
            parent: field(&lines, "Parent ID"),
        });
    }
    spans
}

/// The span of that name, once it was told.
fn span(collector: &Collector, trace: &str, name: &str) -> Span {
    eventually(&format!("no span {name} of {trace}"), || {
        spans(collector).into_iter().find(|span| span.trace == trace && span.name == name)
    })
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// Calls `recalculate` of a fork with a new formula, as a child of a span of ours.
fn recalculated(place: &Place, flags: &[&str], engine: &str, headers: &str, meta: &Value) -> Option<Value> {
    let server = place.serve(flags);
    let fork = fork_of(server.call("create_fork", &json!({ "sheets": ["Data"] })));
    server.call("edit_cells", &set(&fork, "Data!A1", "=6*7")).expect("edited");
    let request = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "recalculate", "arguments": { "workbook": fork, "engine": engine }, "_meta": meta
        }
    });
    let head = format!(
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         MCP-Protocol-Version: 2025-11-25\r\n{headers}"
    );
    let (status, _, body) = http("POST", &server.client().address, "/mcp", &head, &request.to_string());
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).expect("json");
    let result = answer["result"]["structuredContent"].clone();
    if result["error"]["code"] == "libreoffice_unavailable" {
        eprintln!("SKIPPED: LibreOffice is not installed (make setup)");
        return None;
    }
    assert_eq!(result["changed_cells"], 1, "{answer}");
    // The last spans are sent at the end.
    server.end();
    Some(result)
}

#[test]
fn a_recalculation_is_a_child_of_the_callers_span_over_grpc() {
    let Some(collector) = Collector::start() else { return };
    let place = Place::new();
    let flags = ["--metrics-bind", "off", "--otlp-endpoint", &collector.grpc, "--trace-sample-ratio", "0"];
    let header = format!("traceparent: 00-{TRACE}-{CALLER}-01\r\n");
    recalculated(&place, &flags, "auto", &header, &json!({}));
    let request = span(&collector, TRACE, "POST /mcp");
    assert_eq!(request.parent, CALLER);
    let call = span(&collector, TRACE, "tools/call recalculate");
    assert_eq!(call.parent, request.id);
    assert_eq!(span(&collector, TRACE, "calculate").parent, call.id);
    assert_eq!(span(&collector, TRACE, "store").parent, call.id);
    // The calls before it had no parent, and none of those is kept.
    assert!(spans(&collector).iter().all(|span| span.trace == TRACE), "{:?}", spans(&collector));
}

#[test]
fn a_caller_is_heeded_in_meta_and_spans_go_over_http_down_to_libreoffice() {
    let Some(collector) = Collector::start() else { return };
    let place = Place::new();
    let flags = [
        "--metrics-bind",
        "off",
        "--otlp-endpoint",
        &collector.http,
        "--otlp-protocol",
        "http",
        "--trace-sample-ratio",
        "0",
    ];
    let meta = json!({ "traceparent": format!("00-{TRACE}-{CALLER}-01") });
    if recalculated(&place, &flags, "libreoffice", "", &meta).is_none() {
        return;
    }
    let call = span(&collector, TRACE, "tools/call recalculate");
    assert_eq!(call.parent, CALLER);
    let calculation = span(&collector, TRACE, "calculate");
    assert_eq!(calculation.parent, call.id);
    assert_eq!(span(&collector, TRACE, "libreoffice").parent, calculation.id);
}

#[test]
fn a_collector_that_is_not_there_is_logged_and_holds_nothing_up() {
    let place = Place::new();
    let endpoint = format!("http://127.0.0.1:{}", free_port());
    let server =
        place.serve(&["--metrics-bind", "off", "--otlp-endpoint", &endpoint, "--trace-sample-ratio", "1"]);
    server.call("list_workbooks", &json!({})).expect("listed");
    let begun = Instant::now();
    let log = server.end();
    assert!(begun.elapsed() < Duration::from_secs(20), "{log}");
    assert!(log.contains("WARN") || log.contains("ERROR"), "{log}");
}

#[test]
fn what_the_caller_does_not_keep_is_not_kept() {
    let Some(collector) = Collector::start() else { return };
    let place = Place::new();
    let flags = ["--metrics-bind", "off", "--otlp-endpoint", &collector.grpc, "--trace-sample-ratio", "1"];
    let header = format!("traceparent: 00-{TRACE}-{CALLER}-00\r\n");
    recalculated(&place, &flags, "auto", &header, &json!({}));
    let kept = eventually("nothing was kept", || Some(spans(&collector)).filter(|spans| !spans.is_empty()));
    assert!(kept.iter().all(|span| span.trace != TRACE), "{kept:?}");
    assert!(kept.iter().any(|span| span.name == "tools/call create_fork"), "{kept:?}");
}
