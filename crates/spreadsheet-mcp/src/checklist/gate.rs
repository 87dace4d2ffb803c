//! `checklist gate`, `report`, `diff` and `verify`.

use std::{fmt::Write as _, fs, io::IsTerminal as _, path::Path};

use checklist::{
    digest::Digest,
    ledger::{self, Act, Ledger},
    report,
    verdict::{self, Ruling, Verdict},
};
use chrono::Utc;
use serde_json::json;
use server::config::layers::{Problem, Sources};

use super::{
    Refusal,
    arguments::{DiffArguments, GateArguments, ReportArguments, VerifyArguments},
    place::known,
    run::subject,
};
use crate::{cli::Format, render::print};

/// Says whether it ships.
pub(super) fn gate(arguments: &GateArguments, sources: &Sources) -> Result<Ruling, Refusal> {
    let loaded = arguments.place.load()?;
    let resolved = sources.resolve_for_serving();
    if let Err(problems) = &resolved {
        return Err(wrong_configuration(problems));
    }
    let current = subject(&loaded, &arguments.judged, &resolved)?;
    let folder = arguments.place.ledger_folder();
    let mut ledger = Ledger::open(&folder)?;
    if let Some(tampering) = ledger::verify(&folder, None)?.first() {
        eprintln!("spreadsheet-mcp: the ledger is not what was written: {tampering}");
        return Ok(Ruling::Tampered);
    }
    let known = known(&arguments.place, Some(&current.profile), Some(&current.environment), &ledger)?;
    let judgement = verdict::judge(&known.assessment, &current);
    for reason in &judgement.reasons {
        eprintln!("{reason}");
    }
    let verdict = (judgement.ruling == Ruling::Ship).then(|| Verdict::of(&known.assessment));
    let text = verdict.as_ref().map(|verdict| format!("{:#}\n", json!(verdict)));
    let act = Act::Gate {
        record: known.assessment.record,
        code: judgement.ruling.code(),
        verdict: text.as_ref().map(|text| Digest::of(text.as_bytes())),
    };
    ledger.add(act, known.assessment.at)?;
    match (&text, &arguments.output) {
        (Some(text), Some(path)) => write(path, text.as_bytes())?,
        (None, Some(path)) if path.exists() => {
            eprintln!(
                "spreadsheet-mcp: {} is left as it was: it is the verdict of an earlier time",
                path.display()
            );
        }
        _ => {}
    }
    let told = match judgement.ruling {
        Ruling::Ship => format!(
            "ship: run {}{}; the ledger is at {}",
            known.assessment.record.short(),
            if known.assessment.sign_offs.is_empty() {
                ", whose profile asks for no signatures"
            } else {
                " is signed"
            },
            ledger.head()
        ),
        other => format!("do not ship: {}; the ledger is at {}", other.as_str(), ledger.head()),
    };
    print(&told);
    Ok(judgement.ruling)
}

/// What ships is not known where its configuration cannot be read.
fn wrong_configuration(problems: &[Problem]) -> Refusal {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Refusal::other(format!("the configuration that ships is wrong:\n  {}", problems.join("\n  ")))
}

/// Writes a report.
pub(super) fn report(arguments: &ReportArguments) -> Result<Ruling, Refusal> {
    let mut ledger = match arguments.output {
        Some(_) => Ledger::open(&arguments.place.ledger_folder())?,
        None => Ledger::read(&arguments.place.ledger_folder())?,
    };
    let known = known(&arguments.place, None, arguments.environment.as_deref(), &ledger)?;
    let judgement = verdict::judge(&known.assessment, &known.assessment.subject);
    let colour = arguments.output.is_none() && std::io::stdout().is_terminal();
    let text = report::render(arguments.format, &known.assessment, &judgement, &known.loaded, colour);
    let Some(path) = &arguments.output else {
        print(text.trim_end());
        return Ok(Ruling::Ship);
    };
    write(path, text.as_bytes())?;
    let act = Act::Report {
        digest: Digest::of(text.as_bytes()),
        format: arguments.format.as_str().to_owned(),
        record: known.assessment.record,
    };
    ledger.add(act, Utc::now())?;
    print(&format!("{} is written; the ledger is at {}", path.display(), ledger.head()));
    Ok(Ruling::Ship)
}

/// Says what is different between two runs.
pub(super) fn diff(arguments: &DiffArguments) -> Result<Ruling, Refusal> {
    let ledger = Ledger::read(&arguments.place.ledger_folder())?;
    let (old, new) = (run_of(&ledger, &arguments.old)?, run_of(&ledger, &arguments.new)?);
    let difference = checklist::diff(&ledger.record(old)?, &ledger.record(new)?);
    if arguments.format == Format::Json {
        print(&json!(difference).to_string());
        return Ok(Ruling::Ship);
    }
    let mut text = format!("{} -> {}\n", old.short(), new.short());
    for cause in &difference.causes {
        let _ = writeln!(text, "  {cause}");
    }
    for change in &difference.changes {
        let name = |status: Option<checklist::status::Status>| status.map_or("-", |status| status.as_str());
        let _ = writeln!(text, "{}: {} -> {}", change.id, name(change.was), name(change.is));
        let _ = writeln!(text, "  was: {}\n  is:  {}", change.before, change.now);
    }
    if difference.causes.is_empty() && difference.changes.is_empty() {
        text.push_str("nothing is different\n");
    }
    print(text.trim_end());
    Ok(Ruling::Ship)
}

/// A run by the beginning of its digest, or counted back.
fn run_of(ledger: &Ledger, name: &str) -> Result<Digest, Refusal> {
    let runs: Vec<Digest> = ledger
        .entries()
        .iter()
        .filter_map(|entry| match &entry.act {
            Act::Run { record, .. } => Some(*record),
            _ => None,
        })
        .collect();
    if let Some(back) = name.parse::<usize>().ok().filter(|back| *back < 10_000) {
        return runs.iter().rev().nth(back.saturating_sub(1)).copied().ok_or_else(|| {
            Refusal::other(format!("the ledger has {} runs, and {back} back is none of them", runs.len()))
        });
    }
    let wanted = name.trim_start_matches("sha256:");
    let mut found: Vec<Digest> = runs.into_iter().filter(|run| run.hex().starts_with(wanted)).collect();
    found.dedup();
    match found.as_slice() {
        [run] => Ok(*run),
        [] => Err(Refusal::other(format!("the ledger has no run {name}"))),
        _ => Err(Refusal::other(format!("several runs begin with {name}"))),
    }
}

/// Says whether everything is what was written.
pub(super) fn verify(arguments: &VerifyArguments) -> Result<Ruling, Refusal> {
    let folder = arguments.place.ledger_folder();
    let mut found: Vec<String> =
        ledger::verify(&folder, arguments.head)?.iter().map(ToString::to_string).collect();
    if found.is_empty() {
        let ledger = Ledger::read(&folder)?;
        if ledger.entries().is_empty() {
            return Err(Refusal::other(format!("there is no ledger in {}", folder.display())));
        }
        let known: Vec<Digest> = ledger
            .entries()
            .iter()
            .filter_map(|entry| match &entry.act {
                Act::Report { digest, .. } => Some(*digest),
                Act::Gate { verdict, .. } => *verdict,
                _ => None,
            })
            .collect();
        for path in &arguments.reports {
            let bytes =
                fs::read(path).map_err(|error| Refusal::other(format!("{}: {error}", path.display())))?;
            if !known.contains(&Digest::of(&bytes)) {
                found.push(format!("{}: it is not what was written", path.display()));
            }
        }
        if found.is_empty() {
            print(&format!("everything is what was written; the ledger is at {}", ledger.head()));
            return Ok(Ruling::Ship);
        }
    }
    for tampering in found {
        eprintln!("{tampering}");
    }
    Err(Refusal::Ruled(Ruling::Tampered))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    fs::write(path, bytes).map_err(|error| Refusal::other(format!("{}: {error}", path.display())))
}
