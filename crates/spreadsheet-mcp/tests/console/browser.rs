//! The page in Chromium: light and dark, wide and narrow, read by rules of accessibility, and signed with a key file.

use std::{path::Path, process::Command};

use serde_json::json;

use crate::deployed::Deployed;

#[test]
fn people_sign_in_a_browser() {
    let Some(chromium) = components::installed("chromium") else { return };
    let Some((node, packages)) = components::node(&["playwright-core", "axe-core"]) else { return };
    let deployed = Deployed::new();
    let disturb = [
        &[env!("CARGO_BIN_EXE_spreadsheet-mcp"), "checklist", "attest", "care.drill"][..],
        &["--person", "grace", "--role", "support", "--checklist", "gate/release.yaml"],
    ]
    .concat();
    let told = json!({
        "packages": packages,
        "chromium": chromium,
        "url": format!("http://{}/console/checklist", deployed.server.address),
        "key": deployed.admin,
        "person": "mary",
        "role": "security",
        "title": "Security Team",
        "file": deployed.place.path("mary.pem"),
        "others": deployed.place.path("hedy.pem"),
        "disturb": disturb,
        "folder": deployed.place.path(""),
        "pictures": std::env::var_os("SPREADSHEET_TEST_PICTURES").map(std::path::PathBuf::from),
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/console.mjs");
    let ran = Command::new(node).arg(script).arg(told.to_string()).output().expect("it runs");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    println!("{said}");
    let known = deployed.known();
    let security =
        known.assessment.sign_offs.iter().find(|sign_off| sign_off.role == "security").expect("a role");
    assert_eq!(security.sign_off.as_ref().map(|signed| signed.signed.person.as_str()), Some("mary"));
    deployed.does(&["verify"]);
}
