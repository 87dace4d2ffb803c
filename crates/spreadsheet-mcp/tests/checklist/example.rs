//! The gate knows no service: another checklist is another file.

use std::process::Command;

use serde_json::Value;

use crate::tree::repository;

#[test]
fn the_checklist_of_another_service_is_run_as_it_is() {
    let ledger = tempfile::tempdir().expect("a folder");
    let run = |profile: &str| {
        let folder = repository().join("examples/checklist");
        let ran = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
            .args([
                "checklist",
                "run",
                "--author",
                "ada",
                "--format",
                "json",
                "--profile",
                profile,
                "--checklist",
            ])
            .arg(folder.join("web-shop.yaml"))
            .arg("--repository")
            .arg(&folder)
            .arg("--ledger")
            .arg(ledger.path())
            .output()
            .expect("it runs");
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        let report: Value =
            serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
        let status = |id: &str| {
            let found = report["boxes"].as_array().expect("boxes").iter().find(|found| found["id"] == id);
            found.unwrap_or_else(|| panic!("no {id}"))["status"].as_str().expect("a status").to_owned()
        };
        let ids =
            ["build.container", "build.handbook", "ops.tools", "ops.health", "ops.payments", "ops.signed"];
        (ran.status.code(), ids.map(status).join(" "))
    };
    let development = "pass pass pass not-applicable not-applicable not-applicable";
    assert_eq!(run("development"), (Some(0), development.to_owned()));
    // Nobody said where it answers.
    assert_eq!(run("production"), (Some(4), "pass pass pass not-run pending pending".to_owned()));
}
