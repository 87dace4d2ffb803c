//! SIGTERM while the server starts: it ends, and has not opened a port.

use std::{
    fs,
    io::{BufRead, BufReader, Read as _},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use serde_json::json;

use crate::{
    processes::wait_for,
    program::{Place, fork_of, set},
};

fn start(place: &Place, flags: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
        .args(["serve", "--bind", "127.0.0.1:0", "--workspace"])
        .arg(&place.workspace)
        .arg("--state-dir")
        .arg(&place.state)
        .args(flags)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

fn terminate(child: &Child) {
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
}

/// Whether the signal would not end it without further ado (`SigCgt` of proc(5)).
fn catches_signals(child: &Child) -> bool {
    const SIGTERM_BIT: u64 = 1 << 14;
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & SIGTERM_BIT != 0)
}

/// Its exit code, and what it said.
fn ended(mut child: Child) -> (Option<i32>, String) {
    let mut said = String::new();
    child.stderr.take().expect("standard error").read_to_string(&mut said).expect("text");
    (child.wait().expect("ended").code(), said)
}

#[test]
fn a_start_that_hangs_is_ended() {
    let place = Place::new();
    // A file of keys that nobody ever writes: reading it takes for ever.
    let keys = place.file("keys.toml");
    assert!(Command::new("mkfifo").arg(&keys).status().expect("mkfifo runs").success());
    let child = start(&place, &["--keys-file", keys.to_str().expect("text")]);
    wait_for("it does not start", || catches_signals(&child));
    // It is about to read the file, or does already.
    std::thread::sleep(Duration::from_millis(200));
    let signalled = Instant::now();
    terminate(&child);
    let (code, said) = ended(child);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("serving"), "{said}");
    assert!(signalled.elapsed() < Duration::from_secs(20), "{:?}", signalled.elapsed());
}

#[test]
fn a_start_is_ended_at_any_moment_and_loses_nothing() {
    let place = Place::new();
    place.write_long_workbook("book.xlsx", 500);
    let audit = place.file("audit");
    let flags = ["--audit-dir", audit.to_str().expect("text")];
    let server = place.serve(&flags);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    for row in 1..=40 {
        server.call("edit_cells", &set(&fork, &format!("Data!B{row}"), row)).expect("edited");
    }
    server.kill();
    // What a crash leaves, to be recovered at each start.
    for step in 0..24 {
        let left = fs::File::create(place.file(".spreadsheet-mcp-left.xlsx")).expect("written");
        left.set_modified(SystemTime::now() - Duration::from_secs(2 * 86_400)).expect("it is old");
        let mut child = start(&place, &flags);
        if step % 3 == 0 {
            // Right after it has begun to recover.
            let mut lines = BufReader::new(child.stderr.as_mut().expect("standard error")).lines();
            assert!(lines.any(|line| line.expect("text").contains("serving MCP")), "it does not serve");
        } else {
            std::thread::sleep(Duration::from_millis(step * 4));
        }
        let is_caught = catches_signals(&child);
        terminate(&child);
        let (code, said) = ended(child);
        // Before it could say that it catches signals, nothing was begun either.
        assert!(code == Some(0) || (code.is_none() && !is_caught), "{code:?} after {} ms: {said}", step * 4);
    }
    let server = place.serve(&flags);
    let read = json!({ "workbook": fork, "ranges": ["Data!B40"] });
    let told = server.call("read_range", &read).expect("read");
    assert_eq!(told["ranges"][0]["values"], json!([[40]]));
    wait_for("files stay", || place.names() == ["audit", "book.xlsx"]);
    server.end();
    let verified = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
        .args(["audit", "verify", "--audit-dir"])
        .arg(&audit)
        .arg("--workspace")
        .arg(&place.workspace)
        .output()
        .expect("it runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
