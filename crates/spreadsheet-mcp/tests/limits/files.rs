//! Open files: the limit is raised as far as the system lets it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::program::Place;

struct Limited(Child);

impl Drop for Limited {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _status = self.0.wait();
    }
}

/// What a server says that starts with these limits, until it has said what it found, and its soft limit then.
fn start(soft: u64, hard: u64) -> (Vec<String>, u64) {
    let place = Place::new();
    let script = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$@\"");
    let child = Command::new("sh")
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_spreadsheet-mcp"), "serve", "--bind", "127.0.0.1:0"])
        .args(["--metrics-bind", "127.0.0.1:0", "--workspace"])
        .arg(&place.workspace)
        .arg("--state-dir")
        .arg(&place.state)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut child = Limited(child);
    let mut said = Vec::new();
    // The last thing that it says before it serves.
    for line in BufReader::new(child.0.stderr.take().expect("standard error")).lines() {
        said.push(line.expect("text"));
        if said.last().is_some_and(|line| line.contains("serving metrics on")) {
            break;
        }
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.0.id())).expect("it runs");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("a limit");
    (said, line.split_whitespace().next().expect("soft").parse().expect("a number"))
}

#[test]
fn the_limit_is_raised_and_too_low_a_one_told() {
    let (said, soft) = start(256, 2_000);
    assert_eq!(soft, 2_000);
    let warning = said.iter().find(|line| line.contains("few files may be open")).expect("it is told");
    assert!(warning.contains("WARN") && warning.contains("LimitNOFILE"), "{warning}");
}

#[test]
fn where_the_system_lets_it_the_limit_is_what_a_busy_server_needs() {
    const WANTED: u64 = 65_536;
    let script = format!("ulimit -Sn 256 && ulimit -Hn {WANTED}");
    if !Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status().is_ok_and(|ran| ran.success())
    {
        eprintln!("skipped: the hard limit here is below {WANTED}");
        return;
    }
    let (said, soft) = start(256, WANTED);
    assert_eq!(soft, WANTED);
    assert!(!said.iter().any(|line| line.contains("files may be open")), "{said:?}");
}
