//! Recalculation by the program: evaluations that do not end by themselves are ended, and leave nothing behind.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Runs `call` over a folder with a state directory in it.
fn call(folder: &Path, tool: &str, arguments: &Value, flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
        .args(["call", tool, &arguments.to_string(), "--workspace"])
        .arg(folder)
        .arg("--state-dir")
        .arg(folder.join(".state"))
        .args(flags)
        .output()
        .unwrap()
}

#[track_caller]
fn answer(folder: &Path, tool: &str, arguments: &Value) -> Value {
    let output = call(folder, tool, arguments, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A fork of a new workbook with these formulas below each other, and a mark by which its processes are known.
fn fork(folder: &Path, formulas: &[&str]) -> Value {
    let fork = answer(folder, "create_fork", &json!({ "sheets": ["Data"] }))["fork"].clone();
    let values: Vec<Vec<&str>> = formulas.iter().map(|formula| vec![*formula]).collect();
    let ops = json!([{ "op": "set", "range": "Data!A1", "values": values }]);
    answer(folder, "edit_cells", &json!({ "workbook": fork, "ops": ops }));
    fork
}

/// Processes that evaluate and were started from a folder's calls: they run in the folder that their parents ran in.
fn evaluating() -> Vec<u32> {
    let is_evaluating = |id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let program = env!("CARGO_BIN_EXE_spreadsheet-mcp").as_bytes();
        line.starts_with(program) && line.ends_with(b"\0evaluate-formulas\0")
    };
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_evaluating).collect()
}

#[test]
fn an_evaluation_in_a_process_of_its_own_gives_its_results() {
    let folder = tempfile::tempdir().unwrap();
    let fork = fork(folder.path(), &["=SUM(MAKEARRAY(20,20,LAMBDA(r,c,r*c)))", "=ROMAN(1999)"]);
    let computed = answer(folder.path(), "recalculate", &json!({ "workbook": fork }));
    assert_eq!((&computed["changed_cells"], computed.get("not_computed")), (&json!(2), None), "{computed}");
    let read = answer(folder.path(), "read_range", &json!({ "workbook": fork, "ranges": ["Data!A1:A2"] }));
    assert_eq!(read["ranges"][0]["values"], json!([[44_100], ["MCMXCIX"]]));
    assert_eq!(read.get("stale"), None);
}

#[test]
fn an_evaluation_that_does_not_end_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let endless = "=SUM(MAKEARRAY(4000,4000,LAMBDA(r,c,SUM(SEQUENCE(200))+r*c)))";
    let fork = fork(folder.path(), &[endless]);
    let started = Instant::now();
    let output =
        call(folder.path(), "recalculate", &json!({ "workbook": fork }), &["--tool-timeout-ms", "1500"]);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let deadline = Instant::now() + Duration::from_secs(5);
    while !evaluating().is_empty() {
        assert!(Instant::now() < deadline, "an evaluation goes on");
        std::thread::sleep(Duration::from_millis(50));
    }
}
