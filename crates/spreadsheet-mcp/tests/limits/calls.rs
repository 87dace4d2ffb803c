//! Calls that are too many: each refusal comes at once, says when to come again, and is counted by its reason.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    metric,
    processes::{below, wait_for},
    program::{Client, Place, Server, fork_of, set},
    refused_for_now,
};

const ENDLESS: &str = "=REDUCE(0,SEQUENCE(100000),LAMBDA(a,b,a+SUM(SEQUENCE(100000))))";

fn endless(server: &Server) -> Value {
    let fork = fork_of(server.call("create_fork", &json!({ "sheets": ["Data"] })));
    server.call("edit_cells", &set(&fork, "Data!A1", ENDLESS)).expect("edited");
    json!({ "workbook": fork, "engine": "ironcalc" })
}

#[track_caller]
fn check_refused_at_once(server: &Server, code: &str, reason: &str) {
    let begun = Instant::now();
    let error = refused_for_now(server.call("list_workbooks", &json!({})));
    assert_eq!(error["code"], code, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(metric(server, &format!("spreadsheet_mcp_rejections_total{{reason=\"{reason}\"}}")) >= 1.0);
    assert_eq!(server.client().get("/health/ready").0, 200, "who is overloaded is ready for the next moment");
}

/// Runs while so many calls run or wait that do not end by themselves.
fn while_busy(server: &Server, calls: usize, check: impl FnOnce()) {
    let arguments = endless(server);
    let (sender, end) = std::sync::mpsc::channel::<()>();
    let end = std::sync::Mutex::new(end);
    std::thread::scope(|scope| {
        let (end, arguments) = (&end, &arguments);
        for _ in 0..calls {
            let client: Client = server.client();
            scope.spawn(move || client.hang_up_when("recalculate", arguments, &end.lock().expect("the end")));
            if calls == 1 {
                wait_for("nothing is computed", || !below(server.id()).is_empty());
            }
        }
        check();
        drop(sender);
    });
}

#[test]
fn too_many_calls_within_a_minute() {
    let place = Place::new();
    let server = place.serve(&["--max-calls-per-minute", "2", "--metrics-bind", "127.0.0.1:0"]);
    for _ in 0..2 {
        server.call("list_workbooks", &json!({})).expect("answered");
    }
    check_refused_at_once(&server, "rate_limited", "rate_limited");
}

#[test]
fn too_many_calls_of_a_caller_at_the_same_time() {
    let place = Place::new();
    let server = place.serve(&["--max-concurrent-calls-per-caller", "1", "--metrics-bind", "127.0.0.1:0"]);
    while_busy(&server, 1, || check_refused_at_once(&server, "rate_limited", "too_many_of_caller"));
}

#[test]
fn too_many_calls_that_wait() {
    let place = Place::new();
    let flags =
        ["--max-concurrent-calls", "1", "--tool-timeout-ms", "55000", "--metrics-bind", "127.0.0.1:0"];
    let server = place.serve(&flags);
    let arguments = endless(&server);
    // One runs, four wait.
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let (client, arguments) = (server.client(), arguments.clone());
            std::thread::spawn(move || client.try_call("recalculate", &arguments))
        })
        .collect();
    wait_for("they do not wait", || metric(&server, "spreadsheet_mcp_requests_waiting") >= 4.0);
    check_refused_at_once(&server, "busy", "queue_full");
    server.kill();
    for call in calls {
        let _cut_off = call.join().expect("no panic");
    }
}
