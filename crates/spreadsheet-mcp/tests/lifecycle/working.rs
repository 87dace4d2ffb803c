//! SIGTERM while the server works: at a calculation, in LibreOffice, at a save. And a second one, which does not wait.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    processes::{below, is_at_job, offices, wait_for, wait_for_glimpse},
    program::{Client, Place, Server, Told, code, fork_of, set, values},
};

/// Minutes of work for an engine that never asks whether to go on.
const ENDLESS: &str = "=REDUCE(0,SEQUENCE(100000),LAMBDA(a,b,a+SUM(SEQUENCE(100000))))";
/// Calls were given up.
const GIVEN_UP: Option<i32> = Some(75);

fn endless(server: &Server) -> Value {
    let fork = fork_of(server.call("create_fork", &json!({ "sheets": ["Data"] })));
    server.call("edit_cells", &set(&fork, "Data!A1", ENDLESS)).expect("edited");
    json!({ "workbook": fork, "engine": "ironcalc" })
}

/// The processes that calculate for a server. They outlive it for a moment at most.
fn evaluations(server: u32) -> Vec<u32> {
    let is_evaluation = |process: &crate::processes::Process| process.command.contains("evaluate-formulas");
    below(server).into_iter().filter(is_evaluation).map(|process| process.id).collect()
}

fn is_gone(id: u32) -> bool {
    crate::processes::process(id).is_none_or(|process| !process.command.contains("evaluate-formulas"))
}

/// The files below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let below = |entry: fs::DirEntry| match entry.path().is_dir() {
        true => walk(&entry.path()),
        false => vec![entry.path()],
    };
    entries.flat_map(below).collect()
}

/// Calls a tool, and has the server end once the work has begun.
fn call_and_end(
    server: Server,
    tool: &str,
    arguments: &Value,
    signals: usize,
    mut has_begun: impl FnMut() -> bool,
) -> (std::io::Result<Told>, (Option<i32>, String), Duration) {
    let client: Client = server.client();
    std::thread::scope(|scope| {
        let call = scope.spawn(move || client.try_call(tool, arguments));
        wait_for_glimpse("the work does not begin", &mut has_begun);
        let signalled = Instant::now();
        for _ in 0..signals {
            server.terminate();
            // Two signals at once are one for the kernel.
            std::thread::sleep(Duration::from_millis(300));
        }
        let ended = server.ended();
        (call.join().expect("no panic"), ended, signalled.elapsed())
    })
}

/// The log ends with what became of the calls that were in flight.
fn check_last_line(log: &str, calls: &str) {
    let last = log.trim_end().lines().next_back().unwrap_or_default();
    assert!(last.contains("stopped") && last.contains("milliseconds=") && last.contains(calls), "{log}");
}

#[test]
fn a_calculation_is_answered_before_the_end() {
    let place = Place::new();
    let server = place.serve(&["--tool-timeout-ms", "4000"]);
    let arguments = endless(&server);
    let (id, mut seen) = (server.id(), Vec::new());
    let (told, ended, _) = call_and_end(server, "recalculate", &arguments, 1, || {
        seen = evaluations(id);
        !seen.is_empty()
    });
    assert_eq!(code(told.expect("an answer")), "timeout");
    assert_eq!(ended.0, Some(0));
    check_last_line(&ended.1, "finished=1 given_up=0");
    wait_for("the calculation goes on", || seen.iter().all(|id| is_gone(*id)));
}

#[test]
fn a_calculation_that_takes_too_long_is_given_up_and_its_caller_told() {
    let place = Place::new();
    let server = place.serve(&["--drain-timeout-ms", "4000"]);
    let arguments = endless(&server);
    let (id, mut seen) = (server.id(), Vec::new());
    let (told, ended, took) = call_and_end(server, "recalculate", &arguments, 1, || {
        seen = evaluations(id);
        !seen.is_empty()
    });
    assert_eq!(code(told.expect("an answer")), "shutting_down");
    assert_eq!(ended.0, GIVEN_UP);
    assert!(ended.1.contains("finished=0 given_up=1"), "{}", ended.1);
    assert!(took < Duration::from_secs(20), "{took:?}");
    wait_for("the calculation goes on", || seen.iter().all(|id| is_gone(*id)));
    // The fork is as it was.
    let server = place.serve(&[]);
    let read =
        server.call("read_range", &json!({ "workbook": arguments["workbook"], "ranges": ["Data!A1"] }));
    assert_eq!(values(read), [[Value::Null]]);
}

#[test]
fn a_second_signal_does_not_wait() {
    let place = Place::new();
    let server = place.serve(&["--drain-timeout-ms", "600000", "--tool-timeout-ms", "600000"]);
    let arguments = endless(&server);
    let (id, mut seen) = (server.id(), Vec::new());
    let (told, ended, took) = call_and_end(server, "recalculate", &arguments, 2, || {
        seen = evaluations(id);
        !seen.is_empty()
    });
    assert!(told.is_err(), "{told:?}");
    assert_eq!(ended.0, GIVEN_UP);
    assert!(took < Duration::from_secs(30), "{took:?}");
    wait_for("the calculation goes on", || seen.iter().all(|id| is_gone(*id)));
}

#[test]
fn a_second_signal_ends_the_delay_of_a_server_that_rests() {
    let place = Place::new();
    let server = place.serve(&["--drain-delay-ms", "300000", "--drain-timeout-ms", "600000"]);
    let client = server.client();
    server.terminate();
    wait_for("it is ready still", || client.get("/health/ready").0 == 503);
    let (status, ready) = client.get("/health/ready");
    assert_eq!((status, &ready["reasons"]), (503, &json!(["phase: leaving"])));
    assert_eq!(client.get("/health/live").0, 200);
    client.call("list_workbooks", &json!({})).expect("calls are taken still");
    server.terminate();
    let (code, log) = server.ended();
    assert_eq!(code, Some(0), "{log}");
    check_last_line(&log, "finished=0 given_up=0");
}

#[test]
fn a_save_is_whole() {
    let place = Place::new();
    place.write_long_workbook("book.xlsx", 60_000);
    let server = place.serve(&["--allow-overwrite", "--tool-timeout-ms", "55000"]);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    server.call("edit_cells", &set(&fork, "Data!B2", 42)).expect("edited");
    let save = json!({ "fork": fork, "overwrite": true });
    let is_saving = || place.names().iter().any(|name| name.starts_with(".spreadsheet-mcp-"));
    let (told, ended, _) = call_and_end(server, "save_fork", &save, 1, is_saving);
    told.expect("an answer").expect("saved");
    assert_eq!(ended.0, Some(0));
    assert_eq!(place.names(), ["book.xlsx"], "nothing half written stays");
    let server = place.serve(&[]);
    let read = server.call("read_range", &json!({ "workbook": "book.xlsx", "ranges": ["Data!B2"] }));
    assert_eq!(values(read), [[json!(42)]]);
}

#[test]
fn a_save_that_nobody_waits_for_leaves_nothing() {
    let place = Place::new();
    place.write_long_workbook("book.xlsx", 60_000);
    let server = place.serve(&["--allow-overwrite"]);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    server.call("edit_cells", &set(&fork, "Data!B2", 42)).expect("edited");
    let before = fs::read(place.file("book.xlsx")).expect("read");
    // The client hangs up while its file is being written, and the server is ended at once.
    let client = server.client();
    let save = json!({ "fork": fork, "overwrite": true });
    let (sender, hung_up) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || client.hang_up_when("save_fork", &save, &hung_up));
        wait_for_glimpse("it does not save", || {
            place.names().iter().any(|name| name.starts_with(".spreadsheet-mcp-"))
        });
        drop(sender);
    });
    server.terminate();
    let (ended, log) = server.ended();
    assert_eq!(ended, Some(0), "{log}");
    assert_eq!(place.names(), ["book.xlsx"], "nothing half written stays");
    let server = place.serve(&[]);
    let read = values(server.call("read_range", &json!({ "workbook": "book.xlsx", "ranges": ["Data!B2"] })));
    let now = fs::read(place.file("book.xlsx")).expect("read");
    match read[0][0].is_null() {
        true => assert!(now == before, "the old file, byte for byte"),
        false => assert_eq!(read, [[json!(42)]]),
    }
}

/// A server that has LibreOffice at work on a document that takes it longer than any test; `None` where it is not installed.
fn at_work(place: &Place, flags: &[&str]) -> Option<(Server, Value)> {
    place.write_slow_workbook("slow.xlsx");
    let server = place.serve(flags);
    let client = server.client();
    let mut said = String::new();
    wait_for("it goes on looking", || {
        client.get("/health/ready").1["checks"]["libreoffice"].as_str().expect("told").clone_into(&mut said);
        said != "being looked for"
    });
    if said == "not installed" {
        eprintln!("skipped: LibreOffice is not installed (make setup)");
        return None;
    }
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "slow.xlsx" })));
    Some((server, json!({ "workbook": fork, "engine": "libreoffice" })))
}

#[track_caller]
fn check_libreoffice_ends(flags: &[&str], signals: usize, expected: Option<&str>, exit: Option<i32>) {
    let place = Place::new();
    let Some((server, arguments)) = at_work(&place, flags) else { return };
    let is_working = || offices(&place.temporary).iter().any(is_at_job);
    let (told, ended, took) = call_and_end(server, "recalculate", &arguments, signals, is_working);
    assert_eq!(told.ok().map(code).as_deref(), expected);
    assert_eq!(ended.0, exit, "after {took:?}");
    if signals == 1 {
        assert!(offices(&place.temporary).is_empty(), "it ends before the server does");
        assert!(walk(&place.temporary).is_empty(), "{:?}", walk(&place.temporary));
    }
    wait_for("LibreOffice stays", || offices(&place.temporary).is_empty());
    wait_for("files stay", || walk(&place.temporary).is_empty());
}

#[test]
fn libreoffice_goes_before_the_server() {
    check_libreoffice_ends(&["--tool-timeout-ms", "15000"], 1, Some("timeout"), Some(0));
}

#[test]
fn libreoffice_goes_with_a_call_that_is_given_up() {
    let flags = ["--tool-timeout-ms", "600000", "--drain-timeout-ms", "6000"];
    check_libreoffice_ends(&flags, 1, Some("shutting_down"), GIVEN_UP);
}

#[test]
fn libreoffice_goes_after_a_server_that_does_not_wait() {
    let flags = ["--tool-timeout-ms", "600000", "--drain-timeout-ms", "600000"];
    check_libreoffice_ends(&flags, 2, None, GIVEN_UP);
}
