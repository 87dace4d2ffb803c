//! Reports: what is known and what the gate says, for people and for other programs.
//!
//! **Invariants.** A report is made of nothing but its input, so the same input gives the same bytes. What checks and people wrote is data:
//! each format escapes it, and no control character gets through. No report looks greener than the ruling.

pub mod html;
mod json;
mod junit;
mod markdown;
mod sarif;
mod terminal;
mod text;
mod vsa;

use std::{fmt, str::FromStr};

use crate::{
    assessment::{Assessed, AssessedSignOff, AssessedWaiver, Assessment, WaiverUse},
    spec::Loaded,
    status::Status,
    verdict::{Judgement, Ruling},
};

/// For whom a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a person at a terminal: what blocks, at a glance.
    Terminal,
    /// For programs: everything that is known.
    Json,
    /// For CI: sections are suites, and boxes cases.
    Junit,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For reviews: the document of the checklist, filled in.
    Markdown,
    /// For browsers: one page that needs nothing else.
    Html,
    /// For admission control: an in-toto statement with a SLSA verification summary, to be signed by whoever passes it on.
    Vsa,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 7] = [
        Format::Terminal,
        Format::Json,
        Format::Junit,
        Format::Sarif,
        Format::Markdown,
        Format::Html,
        Format::Vsa,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Terminal => "terminal",
            Format::Json => "json",
            Format::Junit => "junit",
            Format::Sarif => "sarif",
            Format::Markdown => "markdown",
            Format::Html => "html",
            Format::Vsa => "vsa",
        }
    }

    /// What the name of its file ends with, without the dot. No two are the same.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Terminal => "txt",
            Format::Json => "json",
            Format::Junit => "xml",
            Format::Sarif => "sarif",
            Format::Markdown => "md",
            Format::Html => "html",
            Format::Vsa => "vsa.json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Format, String> {
        Format::ALL.into_iter().find(|format| format.as_str() == name).ok_or_else(|| {
            let names = Format::ALL.map(Format::as_str).join(", ");
            format!("there is no format {name:?}: there are {names}")
        })
    }
}

/// Makes a report. `checklist` is the one that was assessed; only [`Format::Terminal`] has colours.
pub fn render(
    format: Format,
    assessment: &Assessment,
    judgement: &Judgement,
    checklist: &Loaded,
    colour: bool,
) -> String {
    match format {
        Format::Terminal => terminal::render(assessment, judgement, colour),
        Format::Json => json::render(assessment, judgement),
        Format::Junit => junit::render(assessment, judgement),
        Format::Sarif => sarif::render(assessment, judgement, checklist),
        Format::Markdown => markdown::render(assessment, judgement, checklist),
        Format::Html => html::page(assessment, judgement).into_string(),
        Format::Vsa => vsa::render(assessment, judgement),
    }
}

/// A section of the checklist, with what is known of its boxes.
struct Part<'a> {
    id: &'a str,
    title: &'a str,
    /// In order, groups before what is in them; there is at least one.
    boxes: &'a [Assessed],
}

impl Part<'_> {
    fn checked(&self) -> usize {
        self.boxes.iter().filter(|assessed| assessed.status.is_checked()).count()
    }

    /// How many boxes are not checked off, groups apart, as `1 fail, 2 pending`.
    fn open(&self) -> String {
        tally(self.boxes.iter().filter(|assessed| !assessed.is_group() && !assessed.status.is_checked()))
    }
}

/// The sections, in order.
fn parts(assessment: &Assessment) -> impl Iterator<Item = Part<'_>> {
    assessment.boxes.chunk_by(|a, b| a.section == b.section).map(|boxes| Part {
        id: &boxes[0].section,
        title: &boxes[0].section_title,
        boxes,
    })
}

/// How many boxes are of which status, the worst first: `1 fail, 2 pending`.
fn tally<'a>(boxes: impl Iterator<Item = &'a Assessed>) -> String {
    let statuses: Vec<Status> = boxes.map(|assessed| assessed.status).collect();
    let told = Status::ALL.iter().rev().filter_map(|status| {
        let count = statuses.iter().filter(|of| *of == status).count();
        (count > 0).then(|| format!("{count} {status}"))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// The boxes that keep it from shipping. Those that wait for a signature are told with the signatures.
fn blocking(assessment: &Assessment) -> impl Iterator<Item = &Assessed> {
    let waits_for_signature =
        |assessed: &Assessed| assessed.kind == "sign-off" && assessed.status == Status::Pending;
    assessment.boxes.iter().filter(move |assessed| assessed.blocks() && !waits_for_signature(assessed))
}

/// What is not as it should be, and stops nothing.
fn warnings(assessment: &Assessment) -> impl Iterator<Item = &Assessed> {
    assessment.boxes.iter().filter(|assessed| {
        let is_open = assessed.status == Status::Warn || !assessed.status.is_checked();
        is_open && !assessed.is_group() && !assessed.blocks()
    })
}

/// The waivers that boxes rest on, the one that runs out first before the others.
fn waivers_in_use(assessment: &Assessment) -> Vec<&AssessedWaiver> {
    let mut waivers: Vec<&AssessedWaiver> =
        assessment.waivers.iter().filter(|waiver| waiver.use_ == WaiverUse::Used).collect();
    waivers.sort_by_key(|waiver| waiver.waiver.expires);
    waivers
}

/// How long a waiver still holds: `3 days left`.
fn left(waiver: &AssessedWaiver, assessment: &Assessment) -> String {
    let left = waiver.waiver.expires - assessment.at;
    match (left.num_days(), left.num_hours()) {
        (0, hours) => count(hours, "hour") + " left",
        (days, _) => count(days, "day") + " left",
    }
}

/// Whether a waiver has to be seen to soon.
fn runs_out(waiver: &AssessedWaiver, assessment: &Assessment) -> bool {
    waiver.waiver.expires - assessment.at < chrono::TimeDelta::days(7)
}

fn missing_signatures(assessment: &Assessment) -> impl Iterator<Item = &AssessedSignOff> {
    assessment.sign_offs.iter().filter(|sign_off| sign_off.sign_off.is_none())
}

/// The reasons that are neither a box nor a missing signature: that something else would ship, or a waiver that must not be.
fn other_reasons<'a>(assessment: &Assessment, judgement: &'a Judgement) -> Vec<&'a str> {
    let of_boxes = assessment.boxes.iter().map(Assessed::reason);
    let of_signatures = assessment.sign_offs.iter().filter_map(AssessedSignOff::reason);
    let told: Vec<String> = of_boxes.chain(of_signatures).collect();
    judgement.reasons.iter().filter(|reason| !told.contains(reason)).map(String::as_str).collect()
}

/// What the gate says, in three words at most.
fn ruling(judgement: &Judgement) -> &'static str {
    if judgement.ruling == Ruling::Ship { "SHIP" } else { "DO NOT SHIP" }
}

/// How many of what keep it from shipping: `1 fail, 2 pending, 1 signature missing`; nothing, if it ships.
fn why(assessment: &Assessment, judgement: &Judgement) -> String {
    if judgement.ruling == Ruling::Ship {
        return String::new();
    }
    let others = other_reasons(assessment, judgement);
    if judgement.ruling == Ruling::ToolError {
        return others.join(", ");
    }
    let missing = missing_signatures(assessment).count();
    let boxes = tally(blocking(assessment));
    let signatures = (missing > 0).then(|| count(missing, "signature") + " missing");
    let others = (!others.is_empty()).then(|| count(others.len(), "other reason"));
    [Some(boxes).filter(|boxes| !boxes.is_empty()), signatures, others]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

/// `1 day`, `2 days`.
fn count(number: impl fmt::Display, what: &str) -> String {
    let number = number.to_string();
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// The digests that it is bound to, by name; what is not known is not among them.
fn bound_to(assessment: &Assessment) -> Vec<(&'static str, crate::digest::Digest)> {
    let subject = &assessment.subject;
    let known = [
        ("image", subject.image),
        ("program", subject.program),
        ("configuration", subject.configuration),
        ("checklist", Some(subject.checklist)),
    ];
    known.into_iter().filter_map(|(name, digest)| Some((name, digest?))).collect()
}
