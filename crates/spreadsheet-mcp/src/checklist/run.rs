//! `checklist run`: finding out what machines can.

use std::{collections::BTreeMap, fs, io::IsTerminal as _, path::PathBuf, time::Duration};

use checklist::{
    assessment::{Assessment, assess},
    context::Context,
    digest::Digest,
    ledger::Ledger,
    record::{Found, RunRecord, Subject},
    report,
    run::{self, Order},
    spec::{Check, Loaded, Profile},
    status::Status,
    verdict::{self, Ruling},
};
use chrono::Utc;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use server::config::layers::{Problem, Resolved, Sources};
use url::Url;

use super::{
    Refusal,
    arguments::{Judged, RunArguments},
    binding,
    probes::ServiceProbes,
};
use crate::render::print;

/// Runs the checklist, writes the run into the ledger, and shows what was found.
pub(super) fn run(arguments: &RunArguments, sources: &Sources) -> Result<Ruling, Refusal> {
    let loaded = arguments.place.load()?;
    let resolved = sources.resolve_for_serving();
    for problem in resolved.as_ref().err().into_iter().flatten() {
        eprintln!("spreadsheet-mcp: the configuration that is judged is wrong: {problem}");
    }
    let subject = subject(&loaded, &arguments.judged, &resolved)?;
    let record = find(arguments, &loaded, subject, &resolved, &ServiceProbes::new(sources))?;
    let (entries, head) = if arguments.no_ledger {
        let ledger = Ledger::read(&arguments.place.ledger_folder())?;
        (ledger.entries().to_vec(), ledger.head())
    } else {
        let mut ledger = Ledger::open(&arguments.place.ledger_folder())?;
        ledger.add_run(&record)?;
        (ledger.entries().to_vec(), ledger.head())
    };
    let assessment = assess(&loaded, &record, &entries, head, &arguments.place.keyring()?, Utc::now());
    let judgement = verdict::judge(&assessment, &assessment.subject);
    let colour = std::io::stdout().is_terminal();
    print(report::render(arguments.format, &assessment, &judgement, &loaded, colour).trim_end());
    Ok(ruling(&assessment))
}

/// What the machines' part comes to: what only people know is pending after each run.
fn ruling(assessment: &Assessment) -> Ruling {
    let by_machine = || {
        assessment.boxes.iter().filter(|found| !matches!(found.kind, "group" | "attestation" | "sign-off"))
    };
    let any =
        |statuses: &[Status]| by_machine().any(|found| found.blocks() && statuses.contains(&found.status));
    if assessment.executed == 0 {
        eprintln!("spreadsheet-mcp: no check was made: that is no run");
        Ruling::ToolError
    } else if any(&[Status::Fail]) {
        Ruling::Fail
    } else if any(&[Status::Expired, Status::Stale]) {
        Ruling::Expired
    } else if any(&[Status::Error, Status::NotRun]) || assessment.subject.configuration.is_none() {
        Ruling::Incomplete
    } else {
        Ruling::Ship
    }
}

/// What is judged.
pub(super) fn subject(
    loaded: &Loaded,
    judged: &Judged,
    resolved: &Result<Resolved, Vec<Problem>>,
) -> Result<Subject, Refusal> {
    let profile = profile(loaded, &judged.profile)?;
    let given: BTreeMap<String, String> = judged.facts.iter().cloned().collect();
    let facts = run::facts(&loaded.spec, profile, &given).map_err(Refusal::other)?;
    let program =
        binding::program().map_err(|error| Refusal::other(format!("this program can't be read: {error}")))?;
    let configuration =
        resolved.as_ref().ok().map(|resolved| Digest::of_value(&binding::configuration(&resolved.values)));
    Ok(Subject {
        checklist: loaded.digest,
        profile: judged.profile.clone(),
        environment: judged.environment.clone().unwrap_or_else(|| judged.profile.clone()),
        program: Some(program),
        image: judged.image,
        configuration,
        facts,
    })
}

fn profile<'a>(loaded: &'a Loaded, name: &str) -> Result<&'a Profile, Refusal> {
    loaded.spec.profiles.get(name).ok_or_else(|| {
        let names: Vec<&str> = loaded.spec.profiles.keys().map(String::as_str).collect();
        Refusal::other(format!("there is no profile {name}: there are {}", names.join(", ")))
    })
}

fn find(
    arguments: &RunArguments,
    loaded: &Loaded,
    subject: Subject,
    resolved: &Result<Resolved, Vec<Problem>>,
    probes: &ServiceProbes,
) -> Result<RunRecord, Refusal> {
    if let Some(unknown) = arguments.kinds.iter().find(|kind| !Check::KINDS.contains(&kind.as_str())) {
        return Err(Refusal::other(format!(
            "there is no kind {unknown}: there are {}",
            Check::KINDS.join(", ")
        )));
    }
    for prefix in &arguments.only {
        let is_known = loaded.spec.placed().any(|placed| {
            placed
                .item
                .id
                .as_str()
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        if !is_known {
            return Err(Refusal::other(format!("no box begins with {prefix}")));
        }
    }
    let context = context(arguments, &subject, probes)?;
    let order = Order {
        checklist: loaded,
        subject,
        configuration: resolved.as_ref().ok().map(|resolved| binding::configuration(&resolved.values)),
        author: author(arguments.author.as_deref())?,
        only: arguments.only.clone(),
        kinds: arguments.kinds.clone(),
        parallel: arguments.parallel,
    };
    let boxes = loaded.spec.placed().filter(|placed| !placed.item.is_group()).count();
    let bar = progress(boxes);
    let record = run::run(order, &context, &|found: &Found| {
        bar.set_message(found.id.to_string());
        bar.inc(1);
    });
    bar.finish_and_clear();
    Ok(record)
}

/// On a terminal, how far it is.
fn progress(boxes: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(boxes as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn context<'a>(
    arguments: &RunArguments,
    subject: &Subject,
    probes: &'a ServiceProbes,
) -> Result<Context<'a>, Refusal> {
    let above = arguments.place.whole().folder().join("..");
    let repository = arguments.repository.clone().unwrap_or(above);
    let repository = fs::canonicalize(&repository)
        .map_err(|error| Refusal::other(format!("{}: {error}", repository.display())))?;
    let evidence: PathBuf = arguments.evidence.clone().unwrap_or_else(|| repository.join("target/evidence"));
    // Commands work in the repository.
    let evidence = std::path::absolute(&evidence).unwrap_or(evidence);
    let authorization = match &arguments.api_key_file {
        Some(path) => {
            let key = fs::read_to_string(path)
                .map_err(|error| Refusal::other(format!("{}: {error}", path.display())))?;
            Some(format!("Bearer {}", key.trim()))
        }
        None => None,
    };
    let mut endpoints = BTreeMap::new();
    if let Some(target) = &arguments.target {
        endpoints.insert("mcp".to_owned(), target.clone());
    }
    if let Some(metrics) = arguments.metrics_target.clone().or_else(|| metrics_of(arguments.target.as_ref()?))
    {
        endpoints.insert("metrics".to_owned(), metrics);
    }
    let client = reqwest::blocking::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| Refusal::other(format!("nothing can be asked over HTTP: {error}")))?;
    Ok(Context {
        repository,
        evidence,
        endpoints,
        prometheus: arguments.prometheus.clone(),
        authorization,
        program: std::env::current_exe().ok(),
        facts: subject.facts.clone(),
        timeout: *arguments.timeout,
        client,
        probes,
    })
}

/// The port that metrics are told at, on the machine of the target.
fn metrics_of(target: &Url) -> Option<Url> {
    let mut metrics = target.clone();
    metrics.set_port(Some(9090)).ok()?;
    metrics.set_path("");
    Some(metrics)
}

/// Who runs it.
fn author(given: Option<&str>) -> Result<String, Refusal> {
    let of_system = || ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    given
        .map(str::to_owned)
        .or_else(of_system)
        .filter(|author| !author.is_empty())
        .ok_or_else(|| Refusal::other("who runs it? Say so by --author: who signs has to be somebody else"))
}
