//! `/metrics`: complete, well formed, and under labels from closed sets only.

use std::{
    collections::{HashMap, HashSet},
    io::Write,
    process::{Command, Stdio},
};

use serde_json::json;
use server::metrics::Metrics;

use crate::program::{Place, Server, code, fork_of, set};
use components::{eventually, http, installed};

/// A server that has done a little of everything.
fn used(place: &Place) -> Server {
    place.write_workbook("a.xlsx");
    let server = place.serve(&["--metrics-bind", "127.0.0.1:0"]);
    let read = json!({ "workbook": "a.xlsx", "ranges": ["Data!A1:B2"] });
    server.call("read_range", &read).expect("read");
    server.call("read_range", &read).expect("read");
    assert_eq!(
        code(server.call("read_range", &json!({ "workbook": "b.xlsx", "ranges": ["A1"] }))),
        "workbook_not_found"
    );
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "a.xlsx" })));
    server.call("edit_cells", &set(&fork, "Data!B1", 2)).expect("edited");
    server.call("edit_cells", &set(&fork, "Data!B2", "=B1*21")).expect("edited");
    server.call("recalculate", &json!({ "workbook": fork })).expect("computed");
    server.call("save_fork", &json!({ "fork": fork, "path": "b.xlsx" })).expect("saved");
    server
}

pub(crate) fn page(server: &Server, headers: &str) -> (String, String) {
    let (status, head, page) = http("GET", &server.metrics().address, "/metrics", headers, "");
    assert_eq!(status, 200, "{page}");
    (head, page)
}

/// The samples of a page: name and labels, and the value.
fn samples(page: &str) -> HashMap<String, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().expect("a number")))
    };
    lines.filter_map(sample).collect()
}

#[track_caller]
fn check(samples: &HashMap<String, f64>, name: &str, expected: f64) {
    let found = samples.get(name).unwrap_or_else(|| panic!("there is no {name} in {samples:#?}"));
    assert!((found - expected).abs() < f64::EPSILON, "{name} is {found}, not {expected}");
}

#[test]
fn what_was_done_is_counted() {
    let place = Place::new();
    let server = used(&place);
    let (head, page) = page(&server, "");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    let samples = samples(&page);
    let prefix = "spreadsheet_mcp";
    for (name, expected) in [
        ("requests_total{tool=\"read_range\",status=\"ok\",role=\"local\"}", 2.0),
        ("requests_total{tool=\"read_range\",status=\"workbook_not_found\",role=\"local\"}", 1.0),
        ("request_duration_seconds_count{tool=\"edit_cells\"}", 2.0),
        ("requests_in_flight", 0.0),
        ("requests_waiting", 0.0),
        ("cells_read_total", 2.0),
        ("edits_applied_total", 2.0),
        ("cache_hits_total", 2.0),
        ("cache_misses_total", 1.0),
        ("cache_entries", 1.0),
        ("workbook_loads_total{format=\"xlsx\",outcome=\"completed\"}", 1.0),
        ("fork_events_total{event=\"created\"}", 1.0),
        ("fork_events_total{event=\"saved\"}", 1.0),
        ("fork_events_total{event=\"expired\"}", 0.0),
        ("forks_open", 1.0),
        ("recalcs_total{engine=\"formualizer\",outcome=\"completed\"}", 1.0),
        ("store_operation_duration_seconds_count{operation=\"append\"}", 3.0),
        ("libreoffice_workers{state=\"busy\"}", 0.0),
    ] {
        check(&samples, &format!("{prefix}_{name}"), expected);
    }
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"] {
        assert!(samples[name] > 0.0, "{name}");
    }
    assert!(samples["spreadsheet_mcp_response_tokens_estimated_total"] > 10.0);
    assert!(page.contains("spreadsheet_mcp_build_info{version="));
}

/// CARDINALITY, at run time: whatever is exposed is in the catalogue, with values from its sets.
#[test]
fn only_what_the_reference_names_is_exposed() {
    let place = Place::new();
    let server = used(&place);
    let (_, page) = page(&server, "");
    let metrics = Metrics::default();
    let mut seen = HashSet::new();
    for name in samples(&page).keys() {
        let (metric, labels) = name.split_once('{').unwrap_or((name, ""));
        let told = metrics.described().iter().find(|told| {
            let rest = metric.strip_prefix(told.name.as_str());
            rest == Some("")
                || told.kind == "histogram"
                    && rest.is_some_and(|rest| ["_bucket", "_sum", "_count"].contains(&rest))
        });
        let told = told.unwrap_or_else(|| panic!("{metric} is not in the reference"));
        seen.insert(told.name.clone());
        for (label, value) in
            labels.trim_end_matches('}').split(',').filter_map(|label| label.split_once('='))
        {
            if label == "le" {
                continue;
            }
            let set =
                told.labels.iter().find(|set| set.name == label).unwrap_or_else(|| panic!("{name}: {label}"));
            let value = value.trim_matches('"');
            assert!(
                set.values.is_empty() || set.values.contains(&value),
                "{name}: {label} may not be {value}"
            );
        }
    }
    assert!(seen.len() > 25, "{seen:?}");
}

#[test]
fn scrapers_choose_the_format() {
    let place = Place::new();
    let server = place.serve(&["--metrics-bind", "127.0.0.1:0"]);
    server.call("list_workbooks", &json!({})).expect("listed");
    let accept = "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3\r\n";
    let (head, page) = page(&server, accept);
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(page.ends_with("# EOF\n"), "{page}");
    assert!(page.contains("# TYPE spreadsheet_mcp_requests counter\n"), "{page}");
}

#[test]
fn promtool_finds_nothing_to_say() {
    let Some(promtool) = installed("promtool") else { return };
    let place = Place::new();
    let server = used(&place);
    let (_, page) = page(&server, "");
    let mut checking = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    checking.stdin.take().expect("its input").write_all(page.as_bytes()).expect("written");
    let checked = checking.wait_with_output().expect("it ends");
    let said =
        String::from_utf8_lossy(&checked.stderr).into_owned() + &String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && said.is_empty(), "{said}");
}

#[test]
fn requests_that_are_turned_away_are_counted() {
    let place = Place::new();
    let server = place.serve(&["--metrics-bind", "127.0.0.1:0"]);
    let foreign = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nOrigin: http://evil.example\r\n";
    let (status, ..) = http("POST", &server.client().address, "/mcp", foreign, "{}");
    assert_eq!(status, 403);
    let (_, page) = page(&server, "");
    check(&samples(&page), "spreadsheet_mcp_rejections_total{reason=\"forbidden_origin\"}", 1.0);
}

#[test]
fn a_port_that_was_asked_for_has_to_be_free() {
    let place = Place::new();
    let server = place.serve(&["--metrics-bind", "127.0.0.1:0"]);
    let ran = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
        .args(["serve", "--bind", "127.0.0.1:0", "--metrics-bind", &server.metrics().address, "--workspace"])
        .arg(&place.workspace)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(71), "{said}");
    assert!(said.contains("--metrics-bind 127.0.0.1:"), "{said}");
}

#[test]
fn metrics_are_told_while_calls_drain() {
    let place = Place::new();
    place.write_slow_workbook("slow.xlsx");
    let server = place.serve(&["--metrics-bind", "127.0.0.1:0", "--tool-timeout-ms", "5000"]);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "slow.xlsx" })));
    let client = server.client();
    let slow = std::thread::spawn(move || client.call("recalculate", &json!({ "workbook": fork })));
    let in_flight = || samples(&page(&server, "").1)["spreadsheet_mcp_requests_in_flight"];
    eventually("the call does not start", || (in_flight() > 0.0).then_some(()));
    let id = server.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
    eventually("it does not drain", || server.log().contains("draining").then_some(()));
    assert!(in_flight() > 0.0, "the call has ended already");
    assert_eq!(code(slow.join().expect("answered")), "timeout");
}
