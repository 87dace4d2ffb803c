//! A release goes through the gate, from the first run to a server that starts by its verdict; and nobody gets past it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use checklist::ledger;
use serde_json::Value;

use crate::{
    document::production,
    live::{Deployed, looking},
    program::Server,
    proofs,
    series::Prometheus,
    tree::Tree,
};

/// Who signs for which role; grace runs the checklist.
const PEOPLE: [(&str, &str); 4] =
    [("ada", "development"), ("barbara", "operations"), ("hedy", "security"), ("mary", "product-owner")];

struct Rehearsal {
    deployed: Deployed,
    tree: Tree,
    server: Server,
    prometheus: Prometheus,
}

impl Rehearsal {
    fn new() -> Option<Rehearsal> {
        let prometheus = Prometheus::start(&[].into())?;
        let (deployed, tree) = (Deployed::new(), Tree::new());
        let server = deployed.serve(&[].into());
        Some(Rehearsal { deployed, tree, server, prometheus })
    }

    fn checklist(&self) -> PathBuf {
        self.tree.repository().join("checklist/production.yaml")
    }

    fn ledger(&self) -> PathBuf {
        self.tree.repository().join("checklist/ledger")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.deployed.place.program();
        command.arg("checklist").args(arguments).arg("--checklist").arg(self.checklist());
        command
    }

    /// What a command comes to, and says.
    fn told(&self, arguments: &[&str]) -> (Option<i32>, String) {
        told(&self.command(arguments).output().expect("it runs"))
    }

    #[track_caller]
    fn does(&self, arguments: &[&str]) -> String {
        let (code, told) = self.told(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {told}");
        told
    }

    fn run(&self) -> Value {
        let ran = looking(&self.deployed, &self.tree, &self.server)
            .args(["--profile", "production", "--prometheus", &self.prometheus.url, "--author", "grace"])
            .args(["--format", "json", "--timeout", "60s"])
            .output()
            .expect("it runs");
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {told}"))
    }

    fn gate(&self, more: &[&str]) -> (Option<i32>, String) {
        let arguments = ["gate", "--profile", "production", "--config", self.deployed.config()];
        self.told(&[&arguments, more].concat())
    }

    fn sign(&self, person: &str, role: &str) -> (Option<i32>, String) {
        let key = self.deployed.place.temporary.join(format!("{person}.pem"));
        self.told(&["sign", "--person", person, "--role", role, "--key", key.to_str().expect("a path")])
    }
}

fn told(ran: &Output) -> (Option<i32>, String) {
    let text = [ran.stdout.as_slice(), &ran.stderr].concat();
    (ran.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn ids(report: &Value, statuses: &[&str]) -> Vec<String> {
    let boxes = report["boxes"].as_array().expect("boxes").iter();
    let found = boxes.filter(|found| {
        found["kind"] != "group" && statuses.contains(&found["status"].as_str().expect("a status"))
    });
    found.map(|found| found["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn a_release_goes_through_the_gate_and_nobody_gets_past_it() {
    let Some(rehearsal) = Rehearsal::new() else { return };
    // One thing is not as it has to be.
    let id = "scale.load.sustained";
    let fault = proofs::faults().into_iter().find(|fault| fault.id == id).expect("a fault");
    let broken = proofs::break_files(&rehearsal.tree, &fault);
    let report = rehearsal.run();
    assert_eq!(ids(&report, &["fail", "error", "not-run"]), [id]);
    let (code, said) = rehearsal.gate(&[]);
    assert_eq!(code, Some(3), "{said}");

    // What people know is stated, and the one thing is waived.
    let loaded = production();
    let pending = ids(&report, &["pending"]);
    for id in &pending {
        let placed = loaded.spec.find(id).expect("a box");
        if let Some(checklist::spec::Check::Attestation(check)) = &placed.item.check {
            let mut arguments = vec!["attest", id.as_str(), "--person", "barbara"];
            let evidence = rehearsal.deployed.config.to_str().expect("a path");
            if check.evidence == checklist::spec::Evidence::Required || id == &pending[0] {
                arguments.extend(["--evidence", evidence]);
            }
            rehearsal.does(&arguments);
        }
    }
    let waiver = [
        "waive",
        id,
        "--owner",
        "ada",
        "--risk",
        "a leak shows after a day",
        "--control",
        "pods are restarted every night",
        "--ticket",
        "OPS-12",
        "--expires",
        "14d",
    ];
    let (code, said) = rehearsal.told(&[&waiver[..], &["--approver", "ada"]].concat());
    assert_eq!(code, Some(1), "who owns it does not approve it: {said}");
    rehearsal.does(&[&waiver[..], &["--approver", "hedy"]].concat());
    let (code, said) = rehearsal.gate(&[]);
    assert_eq!(code, Some(4), "nobody has signed: {said}");

    // Four signatures.
    for (person, role) in PEOPLE {
        let key = rehearsal.deployed.place.temporary.join(format!("{person}.pem"));
        rehearsal.does(&[
            "keys",
            "create",
            "--person",
            person,
            "--role",
            role,
            "--output",
            key.to_str().expect("a path"),
        ]);
    }
    let key = rehearsal.deployed.place.temporary.join("grace.pem");
    rehearsal.does(&[
        "keys",
        "create",
        "--person",
        "grace",
        "--role",
        "security",
        "--output",
        key.to_str().expect("a path"),
    ]);
    let (code, said) = rehearsal.sign("grace", "security");
    assert!(code == Some(1) && said.contains("somebody else has to sign"), "{said}");
    let (code, said) = rehearsal.sign("ada", "security");
    assert!(code == Some(1) && said.contains("trusts no key of ada for security"), "{said}");
    for (person, role) in PEOPLE {
        let (code, said) = rehearsal.sign(person, role);
        assert_eq!(code, Some(0), "{said}");
    }
    let verdict = rehearsal.deployed.place.temporary.join("verdict.json");
    let (code, said) = rehearsal.gate(&["--output", verdict.to_str().expect("a path")]);
    assert_eq!(code, Some(0), "{said}");

    a_server_starts_by_it(&rehearsal, &verdict);
    the_report_is_the_document_filled_in(&rehearsal);
    tampering_is_found(&rehearsal, &verdict);

    // A waiver that comes later is not what they signed.
    let other = [
        "waive",
        id,
        "--owner",
        "ada",
        "--approver",
        "mary",
        "--risk",
        "r",
        "--control",
        "c",
        "--ticket",
        "t",
        "--expires",
        "7d",
    ];
    rehearsal.does(&other);
    let (code, said) = rehearsal.gate(&[]);
    assert!(code == Some(4) && said.contains("sign again"), "{said}");

    // Another configuration is not what was judged.
    let text = fs::read_to_string(&rehearsal.deployed.config).expect("read");
    fs::write(&rehearsal.deployed.config, text.replace("cache_capacity = 50", "cache_capacity = 60"))
        .expect("written");
    let (code, said) = rehearsal.gate(&[]);
    assert!(code == Some(5) && said.contains("the configuration is not the one that was judged"), "{said}");
    rehearsal.run();
    let said = rehearsal.does(&["diff"]);
    assert!(said.contains("cache_capacity was 50 and is 60"), "{said}");

    // What is waived without need stops it, too.
    drop(broken);
    rehearsal.run();
    let (code, said) = rehearsal.gate(&[]);
    assert!(code == Some(3) && said.contains("is not needed: take it back"), "{said}");
    rehearsal.does(&["waive", id, "--owner", "ada", "--withdraw"]);
    let (code, said) = rehearsal.gate(&[]);
    assert_eq!(code, Some(4), "only signatures are missing: {said}");
}

fn a_server_starts_by_it(rehearsal: &Rehearsal, verdict: &Path) {
    let keys = rehearsal.tree.repository().join("checklist/keys.toml");
    let serve = || {
        let mut command = rehearsal.deployed.place.program();
        command.args(["serve", "--config", rehearsal.deployed.config(), "--require-verdict"]).arg(verdict);
        command.arg("--checklist-keys").arg(&keys);
        command
    };
    let refused = |command: &mut Command, why: &str| {
        let (code, said) = told(&command.output().expect("it runs"));
        assert!(code == Some(77) && said.contains(why), "{code:?}: {said}");
    };
    // grace has a key for security, too: one of each role is enough.
    let server = Server::start(&mut serve());
    assert_eq!(server.client().get("/health/live").0, 200);
    server.end();
    refused(serve().args(["--cache-capacity", "51"]), "it is for the configuration");
    let text = fs::read_to_string(verdict).expect("read");
    fs::write(verdict, text.replacen("hedy", "eve", 2)).expect("written");
    refused(&mut serve(), "eve");
    fs::write(verdict, "{").expect("written");
    refused(&mut serve(), "it is no verdict");
    fs::remove_file(verdict).expect("removed");
    refused(&mut serve(), "it can't be read");
    fs::write(verdict, text).expect("written");
    let server = Server::start(&mut serve());
    server.end();
}

/// Every line of the document is there, in order; every box is filled in, and has its evidence below it.
fn the_report_is_the_document_filled_in(rehearsal: &Rehearsal) {
    let path = rehearsal.deployed.place.temporary.join("report.md");
    rehearsal.does(&["report", "--format", "markdown", "--output", path.to_str().expect("a path")]);
    let report = fs::read_to_string(&path).expect("read");
    let document =
        fs::read_to_string(rehearsal.tree.repository().join("checklist/production.md")).expect("read");
    let mut lines = report.lines();
    let mut filled = 0;
    for line in document.lines() {
        let Some((before, words)) = line.split_once("- [ ] ") else {
            assert!(lines.by_ref().any(|told| told == line), "{line:?} is gone");
            continue;
        };
        // Names and dates take the place of what is to be filled in.
        let words = words.split(" _").next().expect("words");
        let box_is = lines.by_ref().find(|told| told.starts_with(&format!("{before}- [x] {words}")));
        assert!(box_is.is_some(), "{line:?} is not filled in");
        let evidence = lines.next().expect("evidence");
        assert!(evidence.trim_start().starts_with("- "), "{line:?} has no evidence: {evidence:?}");
        filled += 1;
    }
    println!("{filled} boxes are filled in, each with its evidence");
    assert_eq!(filled, 280);
}

fn tampering_is_found(rehearsal: &Rehearsal, verdict: &Path) {
    let folder = rehearsal.ledger();
    let is_sound = || ledger::verify(&folder, None).expect("read").is_empty();
    assert!(is_sound());
    let mut files: Vec<PathBuf> = ["ledger.jsonl", "head.json"].map(|name| folder.join(name)).to_vec();
    for below in ["runs", "evidence"] {
        files.extend(
            fs::read_dir(folder.join(below)).expect("files").map(|entry| entry.expect("an entry").path()),
        );
    }
    let mut tried = 0;
    for file in &files {
        let bytes = fs::read(file).expect("read");
        // All bytes of what is small, and of the rest so many that each kind of place is among them.
        let step = (bytes.len() / 200).max(1);
        for at in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(file, &changed).expect("written");
            assert!(!is_sound(), "byte {at} of {} was changed unseen", file.display());
            tried += 1;
        }
        fs::write(file, &bytes).expect("written");
        fs::remove_file(file).expect("removed");
        assert!(!is_sound(), "{} is gone unseen", file.display());
        fs::write(file, &bytes).expect("written");
    }
    // Lines that change places, or are cut off with the head made anew.
    let path = folder.join("ledger.jsonl");
    let text = fs::read_to_string(&path).expect("read");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(1, 2);
    fs::write(&path, lines.join("\n") + "\n").expect("written");
    assert!(!is_sound(), "lines changed places unseen");
    fs::write(&path, &text).expect("written");
    let head = fs::read(folder.join("head.json")).expect("read");
    let noted: ledger::Head = serde_json::from_slice(&head).expect("a head");
    let previous: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("json");
    let shorter = serde_json::json!({ "entries": noted.entries - 1, "digest": previous["previous"] });
    let kept: String = text
        .lines()
        .take(usize::try_from(noted.entries).expect("few") - 1)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&path, kept).expect("written");
    fs::write(folder.join("head.json"), shorter.to_string()).expect("written");
    assert!(is_sound(), "by itself it looks whole");
    let (code, said) = rehearsal.told(&["verify", "--head", &noted.to_string()]);
    assert!(code == Some(6) && said.contains("cut off"), "{said}");
    fs::write(&path, &text).expect("written");
    fs::write(folder.join("head.json"), head).expect("written");

    // Reports and the verdict.
    let report = rehearsal.deployed.place.temporary.join("report.md");
    for file in [report.as_path(), verdict] {
        let name = file.to_str().expect("a path");
        rehearsal.does(&["verify", name]);
        let bytes = fs::read(file).expect("read");
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(file, changed).expect("written");
            let (code, said) = rehearsal.told(&["verify", name]);
            assert!(code == Some(6) && said.contains("it is not what was written"), "{said}");
        }
        fs::write(file, bytes).expect("written");
    }
    // The gate does not go by it either.
    let mut changed = text.clone().into_bytes();
    changed[100] ^= 1;
    fs::write(&path, changed).expect("written");
    let (code, said) = rehearsal.gate(&[]);
    assert_eq!(code, Some(6), "{said}");
    fs::write(&path, text).expect("written");
    println!("{tried} changed bytes in {} files, and every other change, were found", files.len());
}
