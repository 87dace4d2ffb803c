//! The audit trail keeps what it has to, and no more.

use std::process::Command;

use audit::{Entry, Trail};
use chrono::{TimeDelta, Utc};
use serde_json::json;

use crate::{processes::wait_for, program::Place};

fn listed(place: &Place) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
        .args(["audit", "list", "--audit-dir"])
        .arg(place.file("audit"))
        .arg("--workspace")
        .arg(&place.workspace)
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn records_go_when_their_time_has_passed() {
    let place = Place::new();
    let folder = place.file("audit");
    let trail = Trail::open(&folder).expect("a trail");
    for _ in 0..3 {
        let entry = Entry { action: "long_ago".to_owned(), principal: "ada".to_owned(), ..Entry::default() };
        trail.append(entry, Utc::now() - TimeDelta::days(40)).expect("told");
    }
    drop(trail);
    assert_eq!(listed(&place).matches("long_ago").count(), 3);
    let audited = ["--audit-dir", folder.to_str().expect("text"), "--audit-keep-days"];
    // What has to be kept is.
    place.serve(&[&audited[..], &["60"]].concat()).end();
    assert_eq!(listed(&place).matches("long_ago").count(), 3);
    let server = place.serve(&[&audited[..], &["30"]].concat());
    wait_for("they stay", || !listed(&place).contains("long_ago"));
    server.call("list_workbooks", &json!({})).expect("listed");
    server.end();
    assert!(listed(&place).contains("list_workbooks"));
    let verified = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
        .args(["audit", "verify", "--audit-dir"])
        .arg(&folder)
        .arg("--workspace")
        .arg(&place.workspace)
        .output()
        .expect("it runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// Of replicas that are gone, nobody purges a trail but the command; it leaves what has to be kept, and what somebody writes.
#[test]
fn trails_of_replicas_that_are_gone_go_when_their_time_has_passed() {
    let place = Place::new();
    let folder = place.state.join("audit");
    let write = |name: &str, days: i64| {
        let trail = Trail::open(&folder.join(name)).expect("a trail");
        trail.append(Entry::default(), Utc::now() - TimeDelta::days(days)).expect("told");
        trail.sync().expect("on the disk");
        // As if its writer had ended then.
        let head = std::fs::File::options().write(true).open(folder.join(name).join("head.json"));
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days as u64 * 86_400);
        head.expect("a head").set_modified(then).expect("a time");
        trail
    };
    let idle = write("idle", 40);
    let run = |keep: &str| {
        let ran = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
            .args(["audit", "purge", "--audit-keep-days", keep, "--audit-dir"])
            .arg(&folder)
            .output()
            .expect("it runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    drop(write("gone", 40));
    // Its writer told its end just now, when it was dropped: as that of a replica that wrote nothing for long.
    assert!(run("30").contains("there is no trail"));
    let head = std::fs::File::options().write(true).open(folder.join("gone/head.json")).expect("a head");
    head.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(40 * 86_400))
        .expect("aged");
    assert!(run("60").contains("there is no trail"), "within its retention");
    assert!(folder.join("gone").exists());
    assert!(run("30").contains("gone"));
    assert!(!folder.join("gone").exists() && folder.join("idle").exists());
    drop(idle);
}
