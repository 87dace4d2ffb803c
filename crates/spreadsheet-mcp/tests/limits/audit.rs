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
