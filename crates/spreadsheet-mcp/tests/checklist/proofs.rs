//! Every machine check can go red: for each one a seeded fault turns exactly it to fail, and without the fault it passes again.
//!
//! `faults.yaml` is the table: a box, and what is wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use checklist::{
    context::{Context, NoProbes},
    digest::Digest,
    record::{RunRecord, Subject},
    run::{self, Order},
    spec::{Check, Loaded},
    status::Status,
};
use regex::Regex;
use serde::Deserialize;

use crate::{document::production, live, series, tree::Tree};

/// Something that is wrong, and the box that has to see it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Fault {
    pub(crate) id: String,
    /// In a file of the repository.
    pub(crate) repository: Option<Edit>,
    /// In a file of the evidence.
    pub(crate) evidence: Option<Edit>,
    /// In the configuration of the server, by the keys of options.
    pub(crate) server: Option<ServerFault>,
    /// In what somebody between the server and who asks answers.
    pub(crate) answer: Option<AnswerFault>,
    /// In what Prometheus knows.
    pub(crate) metrics: Option<SeriesFault>,
    /// In the environment of the run.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// A program that is not there.
    pub(crate) path: Option<PathFault>,
    /// The facts of the run.
    #[serde(default)]
    pub(crate) facts: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Edit {
    file: PathBuf,
    replace: Option<String>,
    with: Option<String>,
    /// Every occurrence, not only the first.
    #[serde(default)]
    all: bool,
    remove_line: Option<String>,
    #[serde(default)]
    delete: bool,
    age: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerFault {
    pub(crate) options: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerFault {
    pub(crate) endpoint: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    /// Only to those who send no credentials.
    #[serde(default)]
    pub(crate) anonymous: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesFault {
    pub(crate) series: String,
    pub(crate) value: serde_json::Value,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathFault {
    pub(crate) without: String,
}

/// The table.
pub(crate) fn faults() -> Vec<Fault> {
    serde_saphyr::from_str(include_str!("faults.yaml")).unwrap_or_else(|error| panic!("faults.yaml: {error}"))
}

/// Makes a file wrong; the value sets it right again.
struct Broken {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Broken {
    fn make(folder: &Path, edit: &Edit) -> Broken {
        let path = folder.join(&edit.file);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", edit.file.display()));
        let text = String::from_utf8(bytes.clone()).expect("text");
        let broken = Broken { path: path.clone(), bytes };
        if edit.delete {
            fs::remove_file(&path).expect("removed");
            return broken;
        }
        if let Some(age) = &edit.age {
            let age = humantime::parse_duration(age).expect("a time");
            let file = fs::File::options().write(true).open(&path).expect("opened");
            file.set_modified(SystemTime::now() - age).expect("set");
            return broken;
        }
        let changed = if let Some(pattern) = &edit.remove_line {
            let pattern = Regex::new(pattern).expect("sound");
            let kept = text.lines().filter(|line| !pattern.is_match(line)).map(|line| format!("{line}\n"));
            kept.collect::<String>()
        } else {
            let (from, to) =
                (edit.replace.as_deref().expect("what"), edit.with.as_deref().expect("with what"));
            if edit.all { text.replace(from, to) } else { text.replacen(from, to, 1) }
        };
        assert_ne!(text, changed, "{} is not changed by {edit:?}", edit.file.display());
        fs::write(&path, changed).expect("written");
        broken
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        // Young again, too.
        fs::write(&self.path, &self.bytes).expect("written");
    }
}

/// Makes the files of a fault wrong; the values set them right again.
pub(crate) fn break_files(tree: &Tree, fault: &Fault) -> Vec<impl Drop + use<>> {
    let repository = fault.repository.as_ref().map(|edit| Broken::make(&tree.repository(), edit));
    let evidence = fault.evidence.as_ref().map(|edit| Broken::make(&tree.evidence(), edit));
    repository.into_iter().chain(evidence).collect::<Vec<Broken>>()
}

/// What checks of these kinds find in a tree.
fn look(tree: &Tree, loaded: &Loaded, kinds: &[&str]) -> RunRecord {
    look_with(tree.repository(), tree.evidence(), None, &BTreeMap::new(), loaded, kinds)
}

/// The boxes that are red by what a Prometheus knows.
pub(crate) fn look_at_prometheus(
    loaded: &Loaded,
    url: &str,
    facts: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    red(&look_with(PathBuf::new(), PathBuf::new(), Some(url), facts, loaded, &["promql"]))
}

fn look_with(
    repository: PathBuf,
    evidence: PathBuf,
    prometheus: Option<&str>,
    given: &BTreeMap<String, String>,
    loaded: &Loaded,
    kinds: &[&str],
) -> RunRecord {
    server::outbound::install_crypto();
    let facts = run::facts(&loaded.spec, &loaded.spec.profiles["complete"], given).expect("facts");
    let context = Context {
        repository,
        evidence,
        endpoints: BTreeMap::new(),
        prometheus: prometheus.map(|url| url.parse().expect("a URL")),
        authorization: None,
        program: Some(env!("CARGO_BIN_EXE_spreadsheet-mcp").into()),
        facts: facts.clone(),
        timeout: Duration::from_secs(60),
        client: reqwest::blocking::Client::new(),
        probes: &NoProbes,
    };
    let subject = Subject {
        checklist: Digest::START,
        profile: "complete".to_owned(),
        environment: "test".to_owned(),
        program: None,
        image: None,
        configuration: None,
        facts,
    };
    let order = Order {
        checklist: loaded,
        subject,
        configuration: None,
        author: "test".to_owned(),
        only: Vec::new(),
        kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        parallel: 4,
    };
    run::run(order, &context, &|_| ())
}

/// The boxes of a run that are red; those that warn are as red as their severity lets them be.
pub(crate) fn red(record: &RunRecord) -> BTreeMap<String, String> {
    let is_red = |status: Status| matches!(status, Status::Fail | Status::Warn | Status::Error);
    let found = record.findings.iter().filter(|found| is_red(found.status));
    found.map(|found| (found.id.to_string(), format!("{}: {}", found.status, found.summary))).collect()
}

fn kind_of<'a>(loaded: &'a Loaded, id: &str) -> &'a Check {
    let placed = loaded.spec.find(id).unwrap_or_else(|| panic!("there is no box {id}"));
    placed.item.check.as_ref().unwrap_or_else(|| panic!("{id} is a group"))
}

/// Why a fault proves nothing, if so.
pub(crate) fn unproven(
    fault: &Fault,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Option<String> {
    let new: BTreeSet<&String> = after.keys().filter(|id| !before.contains_key(*id)).collect();
    if before.contains_key(&fault.id) {
        return Some(format!("{} is red without its fault: {}", fault.id, before[&fault.id]));
    }
    if new.iter().map(|id| id.as_str()).eq([fault.id.as_str()]) {
        let told = &after[&fault.id];
        return told.starts_with("error").then(|| format!("{} could not be found out: {told}", fault.id));
    }
    let new: Vec<String> = new.into_iter().map(|id| format!("{id} ({})", after[id])).collect();
    Some(format!("the fault of {} turns red: [{}]", fault.id, new.join(", ")))
}

/// Everything that is in files, and programs that read them.
#[test]
fn faults_of_files_are_seen_by_their_boxes_alone() {
    let loaded = production();
    let tree = Tree::new();
    let of_files: Vec<Fault> = faults()
        .into_iter()
        .filter(|fault| fault.repository.is_some() || fault.evidence.is_some())
        .filter(|fault| !matches!(kind_of(&loaded, &fault.id), Check::Builtin(_)))
        .collect();
    let (still, programs) = (["file", "manifest"], ["file", "manifest", "command"]);
    let before = red(&look(&tree, &loaded, &programs));
    let mut problems = Vec::new();
    for fault in &of_files {
        // Programs take their time, and read little: they are asked where a fault may concern them.
        let touches_programs = matches!(kind_of(&loaded, &fault.id), Check::Command(_));
        let kinds: &[&str] = if touches_programs { &programs } else { &still };
        let broken = break_files(&tree, fault);
        problems.extend(unproven(fault, &before, &red(&look(&tree, &loaded, kinds))));
        drop(broken);
    }
    let after = red(&look(&tree, &loaded, &programs));
    assert_eq!(before, after, "without faults all is as before");
    println!(
        "{} of {} faults of files are seen by exactly their boxes",
        of_files.len() - problems.len(),
        of_files.len()
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What the program's probes and servers tell.
#[test]
fn faults_of_a_server_are_seen_by_their_boxes_alone() {
    let loaded = production();
    let of_server: Vec<Fault> = faults()
        .into_iter()
        .filter(|fault| matches!(kind_of(&loaded, &fault.id), Check::Builtin(_) | Check::Http(_)))
        .collect();
    let problems = live::prove(&of_server);
    println!(
        "{} of {} faults of a server are seen by exactly their boxes",
        of_server.len() - problems.len(),
        of_server.len()
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What Prometheus tells.
#[test]
fn faults_of_metrics_are_seen_by_their_boxes_alone() {
    let of_metrics: Vec<Fault> = faults().into_iter().filter(|fault| fault.metrics.is_some()).collect();
    let Some(problems) = series::prove(&of_metrics) else { return };
    println!(
        "{} of {} faults of metrics are seen by exactly their boxes",
        of_metrics.len() - problems.len(),
        of_metrics.len()
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_machine_check_has_a_fault_that_proves_it() {
    let loaded = production();
    let proven: BTreeSet<String> = faults().into_iter().map(|fault| fault.id).collect();
    let machine: BTreeSet<String> = loaded
        .spec
        .placed()
        .filter(|placed| placed.item.check.as_ref().is_some_and(Check::is_by_machine))
        .map(|placed| placed.item.id.to_string())
        .collect();
    let unproven: Vec<&String> = machine.difference(&proven).collect();
    println!("{} of {} machine checks have a fault", machine.len() - unproven.len(), machine.len());
    assert!(unproven.is_empty(), "{unproven:?}");
    let strangers: Vec<&String> = proven.difference(&machine).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

/// The tree that the checks look at, for the other tests.
pub(crate) fn look_at_files(tree: &Tree) -> BTreeMap<String, String> {
    red(&look(tree, &production(), &["file", "manifest"]))
}

#[test]
fn the_repository_is_as_its_own_gate_wants_it() {
    let red = look_at_files(&Tree::new());
    assert!(red.is_empty(), "{red:#?}");
}
