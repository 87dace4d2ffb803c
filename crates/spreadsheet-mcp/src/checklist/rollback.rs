//! `checklist rollback`: the rollback plan, step by step and against the clock.

use std::{
    fmt::Write as _,
    fs,
    io::{self, BufRead as _, IsTerminal as _},
    time::{Duration, Instant},
};

use checklist::{
    spec::{Item, Loaded, Phase},
    verdict::Ruling,
};
use chrono::Utc;

use super::{Refusal, arguments::RollbackArguments};
use crate::render::print;

/// Guides through the plan.
pub(super) fn rollback(arguments: &RollbackArguments) -> Result<Ruling, Refusal> {
    let loaded = arguments.place.load()?;
    if loaded.spec.rollback.is_empty() {
        return Err(Refusal::other(format!("{} has no rollback plan", loaded.path.display())));
    }
    if !arguments.dry_run && !io::stdin().is_terminal() {
        return Err(Refusal::other(
            "nobody is there to do the steps: --dry-run says them, deploy/rollback.sh does them",
        ));
    }
    let began = Instant::now();
    let mut timeline = format!(
        "# Rollback of {}, begun {}\n\n",
        loaded.spec.service,
        Utc::now().format("%Y-%m-%d %H:%M:%S UTC")
    );
    let mut is_late = false;
    for phase in &loaded.spec.rollback {
        is_late |= guide(&loaded, phase, arguments.dry_run, began, &mut timeline)?;
    }
    let _ = writeln!(timeline, "\nEnded after {}.", elapsed(began));
    if let Some(path) = &arguments.record {
        fs::write(path, &timeline).map_err(|error| Refusal::other(format!("{}: {error}", path.display())))?;
        print(&format!("the timeline is in {}", path.display()));
    }
    Ok(if is_late { Ruling::Expired } else { Ruling::Ship })
}

/// One phase; whether it took longer than it may.
fn guide(
    loaded: &Loaded,
    phase: &Phase,
    dry_run: bool,
    began: Instant,
    timeline: &mut String,
) -> Result<bool, Refusal> {
    let section = loaded.spec.sections.iter().find(|section| section.id == phase.section);
    let Some(section) = section else { return Ok(false) };
    print(&format!("\n{} (until {})", section.title, phase.within));
    for item in &section.items {
        let step = phase.steps.get(&item.id).map_or("", String::as_str);
        print(&format!("  [{}] {}", elapsed(began), item.title));
        for line in step.lines() {
            print(&format!("      {line}"));
        }
        let answer = if dry_run { "not done: a dry run".to_owned() } else { ask()? };
        note(timeline, began, item, &answer);
    }
    let is_late = !dry_run && began.elapsed() > phase.within.0;
    if is_late {
        print(&format!(
            "  {} took longer than {}: say so to the incident commander",
            section.title, phase.within
        ));
    }
    Ok(is_late)
}

fn note(timeline: &mut String, began: Instant, item: &Item, answer: &str) {
    let _ = writeln!(timeline, "- {} {}: {answer}", elapsed(began), item.title);
}

/// What the person who does it says: done, or what else is to be written down.
fn ask() -> Result<String, Refusal> {
    eprint!("      Enter when it is done, or a note for the timeline: ");
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) => Err(Refusal::other("given up")),
        Ok(_) => Ok(Some(line.trim()).filter(|line| !line.is_empty()).unwrap_or("done").to_owned()),
        Err(error) => Err(Refusal::other(error)),
    }
}

fn elapsed(began: Instant) -> String {
    let elapsed: Duration = began.elapsed();
    format!("{:02}:{:02}", elapsed.as_secs() / 60, elapsed.as_secs() % 60)
}
