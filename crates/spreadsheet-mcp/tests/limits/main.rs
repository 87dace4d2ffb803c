//! What the server takes of the machine, and what it says when that is all it may: memory, files, disk, calls. A refusal is quick,
//! says what to do, and is counted.

mod audit;
mod calls;
mod disk;
mod files;
mod memory;
#[path = "../recalculate/processes.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod processes;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
mod replicas;

use std::io::{Read as _, Write as _};

use serde_json::Value;

use program::{Server, Told};

/// The value of a metric.
#[track_caller]
fn metric(server: &Server, name: &str) -> f64 {
    let address = server.metrics().address;
    let mut stream = std::net::TcpStream::connect(&address).expect("it listens");
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("a page");
    let line = page.lines().find(|line| line.split(' ').next() == Some(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in {page}")).rsplit(' ').next().expect("a value");
    value.parse().expect("a number")
}

/// The error of a call that was refused, which says what to do and when to come again.
#[track_caller]
fn refused_for_now(told: Told) -> Value {
    let error = told.expect_err("it is refused");
    assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{error}");
    assert!(
        error["retry_after_seconds"].as_u64().is_some_and(|seconds| (1..=60).contains(&seconds)),
        "{error}"
    );
    error
}
