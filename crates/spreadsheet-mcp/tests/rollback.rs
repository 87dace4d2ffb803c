//! `deploy/rollback.sh`: its order of steps, and that it changes nothing without approval. No Kubernetes runs here: a `kubectl`
//! that writes down what it is asked, and answers as one of a deployment with three replicas does, stands for it.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

struct Cluster {
    folder: TempDir,
}

impl Cluster {
    /// A cluster in which as many of three replicas become ready.
    fn new(ready: u32) -> Cluster {
        Cluster::that_hides("nothing at all", ready)
    }

    /// The same, which fails when it is asked for something.
    fn that_hides(what: &str, ready: u32) -> Cluster {
        let folder = tempfile::tempdir().expect("a folder");
        let kubectl = format!(
            "#!/bin/sh\necho \"$@\" >> '{}'\ncase \"$*\" in\n\
             *'{what}'*) echo forbidden >&2; exit 1 ;;\n\
             *'{{.spec.replicas}}'*) echo '3 {ready} 3 7 7' ;;\n\
             *restartCount*) echo 0 ;;\n\
             *'rollout status'*) [ {ready} = 3 ] ;;\n\
             *'config view'*) echo sheets ;;\n\
             *) echo ok ;;\nesac\n",
            folder.path().join("asked").display()
        );
        let path = folder.path().join("kubectl");
        fs::write(&path, kubectl).expect("is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("is set");
        Cluster { folder }
    }

    fn roll_back(&self, arguments: &[&str], answers: &str) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/rollback.sh");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut child = Command::new("bash")
            .arg(script)
            .args(arguments)
            .args(["--log", &self.log().to_string_lossy()])
            .env("PATH", format!("{}:{path}", self.folder.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("bash runs");
        child.stdin.take().expect("is piped").write_all(answers.as_bytes()).ok();
        child.wait_with_output().expect("ends")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("timeline.md")
    }

    /// What changes something, of what was asked of the cluster.
    fn changes(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default();
        let changes = ["rollout pause", "rollout resume", "rollout undo"];
        asked.lines().filter(|line| changes.iter().any(|it| line.contains(it))).map(str::to_owned).collect()
    }
}

const APPROVED: [&str; 7] = ["--yes", "--reason", "errors", "--commander", "ada", "--watch", "1"];

#[test]
fn the_four_phases_in_their_order() {
    let cluster = Cluster::new(3);
    let done = cluster.roll_back(&[&APPROVED[..], &["--to-revision", "6"]].concat(), "");
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&done.stderr));
    let deployment = "deployment/spreadsheet-mcp";
    assert_eq!(
        cluster.changes(),
        [
            format!("rollout pause {deployment}"),
            format!("rollout resume {deployment}"),
            format!("rollout undo {deployment} --to-revision 6"),
        ]
    );
    let timeline = fs::read_to_string(cluster.log()).expect("is written");
    let mut from = 0;
    for line in [
        "## 1. Immediate",
        "## 2. Rollback decision",
        "approved by ada: errors",
        "## 3. Execute",
        "stable",
        "## 4. Post",
    ] {
        let at = timeline[from..].find(line).unwrap_or_else(|| panic!("{line:?} after {from} in {timeline}"));
        from += at;
    }
}

#[test]
fn a_dry_run_asks_the_cluster_nothing() {
    let cluster = Cluster::new(3);
    let done = cluster.roll_back(&["--dry-run", "--namespace", "sheets"], "");
    assert_eq!(done.status.code(), Some(0));
    assert_eq!(cluster.changes(), [""; 0]);
    assert!(!cluster.log().exists());
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(told.contains("kubectl --namespace sheets rollout undo deployment/spreadsheet-mcp"), "{told}");
}

#[test]
fn nothing_is_rolled_back_without_approval() {
    let cluster = Cluster::new(3);
    let done = cluster.roll_back(&[], "errors\nada\nno\n");
    assert_eq!(done.status.code(), Some(2));
    // What was stopped goes on again.
    let changes = cluster.changes();
    assert!(changes.iter().all(|change| !change.contains("undo")), "{changes:?}");
    assert_eq!(changes.last().map(String::as_str), Some("rollout resume deployment/spreadsheet-mcp"));
    assert_eq!(Cluster::new(3).roll_back(&["--yes"], "").status.code(), Some(64));
    assert_eq!(Cluster::new(3).roll_back(&["--to-revision", "x"], "").status.code(), Some(64));
}

#[test]
fn what_cannot_be_seen_keeps_nobody_from_rolling_back() {
    for hidden in
        ["get events", "get pods --selector app=spreadsheet-mcp --output wide", "logs", "rollout history"]
    {
        let cluster = Cluster::that_hides(hidden, 3);
        let done = cluster.roll_back(&APPROVED, "");
        assert_eq!(done.status.code(), Some(0), "{hidden}: {}", String::from_utf8_lossy(&done.stdout));
        let timeline = fs::read_to_string(cluster.log()).expect("is written");
        assert!(timeline.contains("could not be read") && timeline.contains("forbidden"), "{timeline}");
    }
    let cluster = Cluster::that_hides("get deployment/spreadsheet-mcp --output wide", 3);
    assert_eq!(cluster.roll_back(&APPROVED, "").status.code(), Some(2));
    assert_eq!(cluster.changes(), [""; 0], "there is nothing to roll back");
}

#[test]
fn a_rollback_that_does_not_hold_is_told() {
    let cluster = Cluster::new(2);
    let done = cluster.roll_back(&APPROVED, "");
    assert_eq!(done.status.code(), Some(1), "{}", String::from_utf8_lossy(&done.stdout));
    assert!(fs::read_to_string(cluster.log()).expect("is written").contains("NOT rolled back"));
}
