//! What scanners of manifests find. Each check that is skipped has its reason here.

use std::process::Command;

use components::installed;
use serde_json::Value;

use crate::source::{place, said};

/// Checks of checkov that do not fit, and why.
const SKIPPED: [(&str, &str); 3] = [
    (
        "CKV_K8S_21",
        "the namespace is the one that is current when they are applied, as the command for it says",
    ),
    (
        "CKV_K8S_43",
        "images have versions; their digests are known to who builds and pushes them, and are set by an overlay",
    ),
    ("CKV_K8S_15", "versions do not change, so an image that is on the node need not be pulled again"),
];

#[test]
fn checkov_finds_nothing() {
    let Some(checkov) = installed("checkov") else { return };
    let skipped: Vec<&str> = SKIPPED.iter().map(|(check, _)| *check).collect();
    let told = said(
        &checkov,
        &[
            "--framework",
            "kubernetes",
            "--skip-download",
            "--compact",
            "--output",
            "json",
            "--skip-check",
            &skipped.join(","),
            "--directory",
            "kubernetes",
        ],
    );
    let told: Value = serde_json::from_str(&told).expect("json");
    assert_eq!(told["summary"]["failed"], 0, "{told}");
    assert!(told["summary"]["passed"].as_u64().is_some_and(|passed| passed > 100), "{told}");
    for (check, reason) in SKIPPED {
        println!("checkov skips {check}: {reason}");
    }
}

#[test]
fn trivy_finds_nothing() {
    let Some(trivy) = installed("trivy") else { return };
    let found = |folder: &std::path::Path| -> Vec<String> {
        let cache = tempfile::tempdir().expect("a folder");
        let ran = Command::new(&trivy)
            .args(["config", "--skip-check-update", "--quiet", "--format", "json", "--cache-dir"])
            .arg(cache.path())
            .arg(folder)
            .output()
            .expect("it runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let told: Value = serde_json::from_slice(&ran.stdout).expect("json");
        let results = told["Results"].as_array().cloned().unwrap_or_default();
        let failures = results
            .iter()
            .flat_map(|result| result["Misconfigurations"].as_array().cloned().unwrap_or_default());
        failures
            .map(|failure| format!("{} {} {}", failure["ID"], failure["Severity"], failure["Message"]))
            .collect()
    };
    let wrong = tempfile::tempdir().expect("a folder");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - {name: a, image: a, securityContext: {privileged: true}}\n";
    std::fs::write(wrong.path().join("pod.yaml"), pod).expect("written");
    assert!(!found(wrong.path()).is_empty(), "it finds nothing anywhere");
    let found = found(&place("kubernetes"));
    assert!(found.is_empty(), "{found:#?}");
}
