//! `checklist show` and `checklist explain`.

use std::{fmt::Write as _, io::IsTerminal as _};

use checklist::{
    assessment::Assessed,
    ledger::Ledger,
    report,
    spec::{Check, Placed},
    status::Status,
    verdict::{self, Ruling},
};
use serde_json::json;

use super::{
    Refusal,
    arguments::{ExplainArguments, ShowArguments},
    place::{find, known},
};
use crate::{cli::Format, render::print};

/// Shows the last run, and what was stated, waived and signed since.
pub(super) fn show(arguments: &ShowArguments) -> Result<Ruling, Refusal> {
    let ledger = Ledger::read(&arguments.place.ledger_folder())?;
    let known = known(&arguments.place, None, arguments.environment.as_deref(), &ledger)?;
    let judgement = verdict::judge(&known.assessment, &known.assessment.subject);
    let Some(wanted) = &arguments.status else {
        let format = match arguments.format {
            Format::Json => report::Format::Json,
            Format::Text => report::Format::Terminal,
        };
        let colour = std::io::stdout().is_terminal();
        print(report::render(format, &known.assessment, &judgement, &known.loaded, colour).trim_end());
        return Ok(Ruling::Ship);
    };
    let status = Status::ALL.into_iter().find(|status| status.as_str() == wanted).ok_or_else(|| {
        let names: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
        Refusal::other(format!("{wanted} is no status: there are {}", names.join(", ")))
    })?;
    let boxes = known.assessment.boxes.iter().filter(|found| !found.is_group() && found.status == status);
    match arguments.format {
        Format::Json => print(&json!({ "boxes": boxes.collect::<Vec<_>>() }).to_string()),
        Format::Text => {
            let line = |found: &Assessed| format!("{}  {}", found.id, found.summary);
            let lines: Vec<String> = boxes.map(line).collect();
            print(&if lines.is_empty() { format!("no box is {status}") } else { lines.join("\n") })
        }
    };
    Ok(Ruling::Ship)
}

/// Says what a box is about.
pub(super) fn explain(arguments: &ExplainArguments) -> Result<Ruling, Refusal> {
    let loaded = arguments.place.load()?;
    let placed = find(&loaded, &arguments.id)?;
    let mut text = described(&placed);
    if placed.item.is_group() {
        for below in &placed.item.items {
            let _ = writeln!(text, "  {}  {}", below.id, below.title);
        }
    }
    let ledger = Ledger::read(&arguments.place.ledger_folder())?;
    if let Ok(known) = known(&arguments.place, None, None, &ledger)
        && let Some(assessed) = known.assessment.boxes.iter().find(|found| found.id == placed.item.id)
    {
        let _ = writeln!(
            text,
            "\nIn the last run ({}): {}",
            known.record.began.format("%Y-%m-%d %H:%M UTC"),
            assessed.status
        );
        let _ = writeln!(text, "  {}", assessed.summary);
        for line in &assessed.evidence {
            let _ = writeln!(text, "  | {line}");
        }
    }
    print(text.trim_end());
    Ok(Ruling::Ship)
}

fn described(placed: &Placed<'_>) -> String {
    let item = placed.item;
    let mut text = format!("{}\n{}\n\n", item.id, item.title);
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("section", placed.section.title.clone());
    if let Some(group) = placed.group {
        line("group", group.title.clone());
    }
    line("owner", placed.owner().to_owned());
    line("severity", item.severity.as_str().to_owned());
    let conditions: Vec<String> = placed.conditions().map(ToString::to_string).collect();
    if !conditions.is_empty() {
        line("applies", format!("when {}", conditions.join(" and ")));
    }
    if let Some(check) = &item.check {
        let lifetime = checklist::spec::Period(placed.lifetime());
        line("counts for", lifetime.to_string());
        line("waivable", if item.waivable { "yes" } else { "no" }.to_owned());
        line("known by", known_by(check));
    }
    if !item.remedy.is_empty() {
        let _ = writeln!(text, "\nWhat to do: {}", item.remedy);
    }
    if let Some(Check::Attestation(check)) = &item.check {
        let _ = writeln!(text, "\nWhat is stated: {}", check.statement);
        let _ = writeln!(
            text,
            "  spreadsheet-mcp checklist attest {} --person NAME --role {}",
            item.id,
            check.role.as_deref().unwrap_or(placed.owner())
        );
    }
    text
}

fn known_by(check: &Check) -> String {
    let what = match check {
        Check::Builtin(check) => format!("the probe {}", check.probe),
        Check::Http(check) => format!("{} {} of the endpoint {}", check.method, check.path, check.endpoint),
        Check::Promql(check) => format!("Prometheus: {}", check.query),
        Check::Command(check) => format!("the command {}", check.run.join(" ")),
        Check::Manifest(check) => format!("rules over {}", check.files.join(", ")),
        Check::File(check) => format!("the file {}", check.path.display()),
        Check::Attestation(_) => return "the word of a person".to_owned(),
        Check::SignOff(check) => return format!("the signature of {}", check.role),
    };
    // As the checklist has it, for who wants to know exactly.
    let exactly = serde_json::to_string(check).unwrap_or_default();
    format!("{what}\n           {exactly}")
}
