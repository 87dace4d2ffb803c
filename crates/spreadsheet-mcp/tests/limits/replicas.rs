//! Calls a minute of a caller, at replicas that share a PostgreSQL: all of them together admit what one would.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use components::Postgres;
use serde_json::json;

use crate::program::{Place, Server};

const PER_MINUTE: u32 = 120;

/// Two replicas over one database.
fn replicas(place: &Place) -> [Server; 2] {
    let postgres = Postgres::shared();
    let url = postgres.url(&postgres.new_database());
    let migrated = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
        .args(["migrate", "--state-url", &url, "--workspace"])
        .arg(&place.workspace)
        .output()
        .expect("it runs");
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let limit = PER_MINUTE.to_string();
    [(); 2].map(|()| place.serve(&["--state-url", &url, "--max-calls-per-minute", &limit]))
}

/// How many calls a server admits within a while, of somebody who makes as many as they can.
fn admitted(server: &Server, time: Duration) -> u32 {
    let begun = Instant::now();
    let mut admitted = 0;
    while begun.elapsed() < time {
        match server.call("list_workbooks", &json!({})) {
            Ok(_) => admitted += 1,
            Err(error) => {
                assert_eq!(error["code"], "rate_limited", "{error}");
                assert!(error["retry_after_seconds"].as_u64().is_some_and(|seconds| seconds >= 1), "{error}");
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
    admitted
}

#[test]
fn all_replicas_together_admit_what_one_would() {
    let place = Place::new();
    let servers = replicas(&place);
    let begun = Instant::now();
    let both: u32 = thread::scope(|scope| {
        let callers: Vec<_> = servers
            .iter()
            .flat_map(|server| [server, server])
            .map(|server| scope.spawn(|| admitted(server, Duration::from_secs(8))))
            .collect();
        callers.into_iter().map(|caller| caller.join().expect("no panic")).sum()
    });
    let per_second = f64::from(PER_MINUTE) / 60.0;
    let most = f64::from(PER_MINUTE) + begun.elapsed().as_secs_f64() * per_second + 1.0;
    println!(
        "{both} calls admitted within {:.1} s by two replicas, of {most:.0} at most",
        begun.elapsed().as_secs_f64()
    );
    assert!(f64::from(both) <= most, "{both} of {most}");
    assert!(both >= PER_MINUTE, "{both}: some are lost");
    // One of them is quiet from now on, and keeps nothing from the other.
    thread::sleep(Duration::from_secs(3));
    let time = Duration::from_secs(8);
    let alone = admitted(&servers[0], time);
    let expected = time.as_secs_f64() * per_second;
    println!(
        "{alone} calls admitted within {time:?} by one of them, of about {expected:.0} that come back meanwhile"
    );
    assert!(f64::from(alone) >= expected * 0.8, "{alone}");
    for server in servers {
        server.end();
    }
}
