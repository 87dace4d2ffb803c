//! Running a checklist: finding out what machines can, several boxes at a time.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use chrono::Utc;

use crate::{
    checks,
    context::{Conclusion, Context, Finding},
    record::{Found, RunRecord, Subject},
    spec::{Check, Condition, Loaded, Placed, Profile, Severity, Spec, is_below},
    status::Status,
};

/// What a run is for.
pub struct Order<'a> {
    /// The checklist.
    pub checklist: &'a Loaded,
    /// What it is bound to, with the facts and the profile.
    pub subject: Subject,
    /// The configuration that is judged, without secrets.
    pub configuration: Option<serde_json::Value>,
    /// Who runs it.
    pub author: String,
    /// Only boxes whose ids begin with one of these; all without it.
    pub only: Vec<String>,
    /// Only checks of these kinds; all without it.
    pub kinds: Vec<String>,
    /// How many checks run at a time.
    pub parallel: usize,
}

/// The facts of a run: those that are given, those that the profile takes for granted, the defaults.
///
/// # Errors
/// With what is wrong with the ones that are given.
pub fn facts(
    spec: &Spec,
    profile: &Profile,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    for (name, value) in given {
        let known = spec.facts.get(name).ok_or_else(|| {
            let names: Vec<&str> = spec.facts.keys().map(String::as_str).collect();
            format!("there is no fact {name}: there are {}", names.join(", "))
        })?;
        if !known.can_be(value) {
            return Err(format!("{name} is never {value}, but one of {}", known.values.join(", ")));
        }
    }
    let value = |name: &String, default: &String| {
        given.get(name).or_else(|| profile.facts.get(name)).unwrap_or(default).clone()
    };
    Ok(spec.facts.iter().map(|(name, fact)| (name.clone(), value(name, &fact.default))).collect())
}

/// Finds out what machines can. `on_found` is told of each box, in the order in which they are found out.
pub fn run(order: Order<'_>, context: &Context<'_>, on_found: &(dyn Fn(&Found) + Sync)) -> RunRecord {
    let spec = &order.checklist.spec;
    let began = Utc::now();
    let profile = spec.profiles.get(&order.subject.profile);
    let boxes: Vec<Placed<'_>> = spec.placed().filter(|placed| !placed.item.is_group()).collect();
    let findings: Vec<Mutex<Option<Found>>> = boxes.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..order.parallel.clamp(1, boxes.len().max(1)) {
            scope.spawn(|| {
                while let Some((placed, slot)) = take(&next, &boxes, &findings) {
                    let found = find(placed, profile, &order, context);
                    on_found(&found);
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                }
            });
        }
    });
    let findings = findings
        .into_iter()
        .filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect();
    RunRecord {
        format: 1,
        title: spec.title.clone(),
        service: spec.service.clone(),
        subject: order.subject,
        configuration: order.configuration,
        author: order.author,
        began,
        ended: Utc::now(),
        findings,
    }
}

fn take<'a, B, S>(next: &AtomicUsize, boxes: &'a [B], slots: &'a [S]) -> Option<(&'a B, &'a S)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    boxes.get(at).zip(slots.get(at))
}

fn find(placed: &Placed<'_>, profile: Option<&Profile>, order: &Order<'_>, context: &Context<'_>) -> Found {
    let (began, at) = (Instant::now(), Utc::now());
    let (status, finding) = found(placed, profile, order, context);
    let kept = |text: String| without_secrets(&text, context);
    Found {
        id: placed.item.id.clone(),
        status,
        summary: kept(finding.summary),
        evidence: finding.evidence.into_iter().map(kept).collect(),
        at,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

fn found(
    placed: &Placed<'_>,
    profile: Option<&Profile>,
    order: &Order<'_>,
    context: &Context<'_>,
) -> (Status, Finding) {
    let item = placed.item;
    let id = item.id.as_str();
    if let Some(reason) = profile.and_then(|profile| left_out(id, profile, &order.subject.profile)) {
        return (Status::NotApplicable, Finding::not_applicable(reason));
    }
    if let Some(condition) = placed.conditions().find(|condition| !holds(condition, &order.subject.facts)) {
        let is = order.subject.facts.get(&condition.fact).map_or("unknown", String::as_str);
        let why = format!("it is for {condition}, and {} is {is}", condition.fact);
        return (Status::NotApplicable, Finding::not_applicable(why));
    }
    let Some(check) = &item.check else { return (Status::NotRun, Finding::not_run("it has no check")) };
    let is_asked =
        |profile: &Profile| profile.kinds.is_empty() || profile.kinds.iter().any(|kind| kind == check.kind());
    if check.is_by_machine() && !profile.is_none_or(is_asked) {
        let why =
            format!("the profile {} asks for nothing of the kind {}", order.subject.profile, check.kind());
        return (Status::NotApplicable, Finding::not_applicable(why));
    }
    if !check.is_by_machine() {
        return by_people(check, placed, profile);
    }
    let is_chosen = order.only.is_empty() || order.only.iter().any(|prefix| is_below(id, prefix));
    let is_of_kind = order.kinds.is_empty() || order.kinds.iter().any(|kind| kind == check.kind());
    if !is_chosen || !is_of_kind {
        return (Status::NotRun, Finding::not_run("the run was told to leave it out"));
    }
    // A panic of a probe is a box that could not be checked, not the end of the run.
    let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| checks::find(check, context)));
    let finding = match looked {
        Ok(Some(finding)) => finding,
        Ok(None) => Finding::not_run("nobody looks at it"),
        Err(_) => Finding::error("the check ended with a panic"),
    };
    let status = match (finding.conclusion, item.severity) {
        (Conclusion::Pass, _) => Status::Pass,
        (Conclusion::Warn, _) | (Conclusion::Fail, Severity::Minor) => Status::Warn,
        (Conclusion::Fail, _) => Status::Fail,
        (Conclusion::Error, _) => Status::Error,
        (Conclusion::NotRun, _) => Status::NotRun,
        (Conclusion::NotApplicable, _) => Status::NotApplicable,
    };
    (status, finding)
}

/// A text as it may be kept: without the credentials of the run, which a server may echo, and without what a terminal obeys.
fn without_secrets(text: &str, context: &Context<'_>) -> String {
    let mut kept = text.to_owned();
    if let Some(whole) = &context.authorization {
        let secret = whole.rsplit(' ').next().unwrap_or(whole);
        if !secret.is_empty() {
            kept = kept.replace(secret, "[redacted]");
        }
    }
    kept.replace(|letter: char| letter.is_control() || is_direction(letter), " ")
}

/// Letters that change in which direction others are shown (Unicode, UAX 9).
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What only people know is pending until they say so.
fn by_people(check: &Check, placed: &Placed<'_>, profile: Option<&Profile>) -> (Status, Finding) {
    let is_asked = match check {
        Check::SignOff(_) => profile.is_none_or(|profile| profile.sign_offs),
        _ => profile.is_none_or(|profile| profile.attestations),
    };
    if !is_asked {
        return (
            Status::NotApplicable,
            Finding::not_applicable("this profile asks for nothing that only people know"),
        );
    }
    let what = match check {
        Check::SignOff(check) => format!("{} has not signed yet", check.role),
        _ => format!("{} has not stated it yet", placed.owner()),
    };
    (Status::Pending, Finding::not_run(what))
}

fn left_out(id: &str, profile: &Profile, name: &str) -> Option<String> {
    let is_in = profile.only.is_empty() || profile.only.iter().any(|prefix| is_below(id, prefix));
    let is_out = profile.without.iter().any(|prefix| is_below(id, prefix));
    (!is_in || is_out).then(|| format!("the profile {name} does not ask for it"))
}

fn holds(condition: &Condition, facts: &BTreeMap<String, String>) -> bool {
    let has = facts.get(&condition.fact).is_some_and(|value| *value == condition.value);
    has == condition.holds
}
