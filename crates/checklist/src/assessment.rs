//! What is known at a moment: a run, and what people have stated, taken on and signed since.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::{
    digest::{Digest, canonical},
    keys::Keyring,
    ledger::{Act, Attestation, Entry, Head, SignOff, Signed, Waiver},
    record::{RunRecord, Subject},
    signing::is_same_person,
    spec::{Check, Evidence, ItemId, Loaded, Placed, Severity},
    status::Status,
};

/// What is known at a moment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Assessment {
    /// What the checklist is called.
    pub title: String,
    /// The service.
    pub service: String,
    /// The moment.
    pub at: DateTime<Utc>,
    /// What is judged.
    pub subject: Subject,
    /// The record of the run.
    pub record: Digest,
    /// The run, and what was stated and waived: what signatures are about.
    pub state: Digest,
    /// The ledger.
    pub head: Head,
    /// Who ran it.
    pub author: String,
    /// When the run began and how long it took, in milliseconds.
    pub began: DateTime<Utc>,
    /// How long the run took, in milliseconds.
    pub took_ms: i64,
    /// Every box, in order, groups before what is in them.
    pub boxes: Vec<Assessed>,
    /// Every waiver that is not taken back.
    pub waivers: Vec<AssessedWaiver>,
    /// Who has to sign, and has.
    pub sign_offs: Vec<AssessedSignOff>,
    /// How many checks machines made.
    pub executed: usize,
}

/// What is known of a box.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Assessed {
    /// Its name.
    pub id: ItemId,
    /// Its words.
    pub title: String,
    /// The name of its section.
    pub section: String,
    /// The heading of its section.
    pub section_title: String,
    /// The group that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<ItemId>,
    /// The role that answers for it.
    pub owner: String,
    /// What it means when it is not checked off.
    pub severity: Severity,
    /// How it is known: the kind of its check, or `group`.
    pub kind: &'static str,
    /// What is known.
    pub status: Status,
    /// That in a sentence.
    pub summary: String,
    /// What shows it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Since when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<DateTime<Utc>>,
    /// Until when it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
    /// How long it took to find out, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// What to do, where it is not checked off.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Assessed {
    /// Whether nothing ships because of it.
    pub fn blocks(&self) -> bool {
        !self.is_group() && !self.status.is_checked() && self.severity != Severity::Minor
    }

    /// Whether it is the sum of others.
    pub fn is_group(&self) -> bool {
        self.kind == "group"
    }

    /// What is said of it where it blocks.
    pub(crate) fn reason(&self) -> String {
        format!("{} {}: {}", self.status, self.id, self.summary)
    }
}

/// A waiver, and whether it does anything.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AssessedWaiver {
    /// What was written.
    #[serde(flatten)]
    pub waiver: Waiver,
    /// Whether it is what keeps a box from stopping the gate, or why not.
    #[serde(rename = "use")]
    pub use_: WaiverUse,
}

/// Whether a waiver does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverUse {
    /// The box is not as it has to be, and it stands for it.
    Used,
    /// The box is as it has to be: it has to be taken back.
    Unused,
    /// Its time is over.
    Expired,
    /// Nobody may take the risk of that box, or the waiver goes further than it may.
    Refused,
}

/// Whether somebody has signed for a role.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AssessedSignOff {
    /// The role.
    pub role: String,
    /// What it is called.
    pub title: String,
    /// Who signed, and what, if it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_off: Option<SignOff>,
    /// Why it does not count, or that nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl AssessedSignOff {
    /// What is said of it where it is missing.
    pub(crate) fn reason(&self) -> Option<String> {
        self.problem.as_ref().map(|problem| format!("{}: {problem}", self.title))
    }
}

/// The acts in force for an environment: the last of each box.
struct Acts<'a> {
    attestations: BTreeMap<&'a ItemId, &'a Entry>,
    waivers: BTreeMap<&'a ItemId, &'a Entry>,
}

impl<'a> Acts<'a> {
    fn of(entries: &'a [Entry], environment: &str) -> Acts<'a> {
        let mut acts = Acts { attestations: BTreeMap::new(), waivers: BTreeMap::new() };
        for entry in entries {
            match &entry.act {
                Act::Attest(attestation) if attestation.environment == environment => {
                    acts.attestations.insert(&attestation.id, entry);
                }
                Act::Waive(waiver) if waiver.environment == environment => {
                    acts.waivers.insert(&waiver.id, entry);
                }
                Act::Withdraw { id, environment: at, .. } if at == environment => {
                    acts.waivers.remove(id);
                }
                _ => {}
            }
        }
        acts
    }

    fn attestation(&self, id: &ItemId) -> Option<&'a Attestation> {
        match &self.attestations.get(id)?.act {
            Act::Attest(attestation) => Some(attestation),
            _ => None,
        }
    }

    fn waiver(&self, id: &ItemId) -> Option<&'a Waiver> {
        match &self.waivers.get(id)?.act {
            Act::Waive(waiver) => Some(waiver),
            _ => None,
        }
    }

    /// What signatures are about, with the run.
    fn state(&self, record: Digest) -> Digest {
        let acts = self.attestations.values().chain(self.waivers.values());
        let acts: BTreeSet<Digest> = acts.map(|entry| Digest::of(canonical(*entry).as_bytes())).collect();
        Digest::of_value(&(record, acts))
    }
}

/// Puts together what is known at a moment. `record` is a run of this checklist.
pub fn assess(
    checklist: &Loaded,
    record: &RunRecord,
    entries: &[Entry],
    head: Head,
    keyring: &Keyring,
    at: DateTime<Utc>,
) -> Assessment {
    let spec = &checklist.spec;
    let digest = record.digest();
    let acts = Acts::of(entries, &record.subject.environment);
    let state = acts.state(digest);
    let judge =
        Judge { record, acts: &acts, entries, keyring, at, digest, state, longest: spec.waivers.longest.0 };

    let mut waivers: BTreeMap<&ItemId, WaiverUse> = BTreeMap::new();
    let mut boxes: Vec<Assessed> = Vec::new();
    for placed in spec.placed() {
        let mut assessed = judge.assess(&placed);
        if let Some(waiver) = acts.waiver(&placed.item.id) {
            waivers.insert(&waiver.id, judge.waive(&placed, waiver, &mut assessed));
        }
        boxes.push(assessed);
    }
    sum_up(&mut boxes);

    let profile = spec.profiles.get(&record.subject.profile);
    let sign_offs = spec
        .roles
        .iter()
        .filter(|(_, role)| role.signs && profile.is_none_or(|profile| profile.sign_offs))
        .map(|(name, role)| {
            let (sign_off, problem) = match judge.sign_off(name) {
                Ok(sign_off) => (Some(sign_off.clone()), None),
                Err(problem) => (None, Some(problem)),
            };
            AssessedSignOff { role: name.clone(), title: role.title.clone(), sign_off, problem }
        })
        .collect();
    let in_force = acts.waivers.keys().filter_map(|id| acts.waiver(id));
    Assessment {
        title: record.title.clone(),
        service: record.service.clone(),
        at,
        subject: record.subject.clone(),
        record: digest,
        state,
        head,
        author: record.author.clone(),
        began: record.began,
        took_ms: (record.ended - record.began).num_milliseconds(),
        boxes,
        waivers: in_force
            .map(|waiver| AssessedWaiver {
                // A waiver of a box that is not there stands for nothing.
                use_: waivers.get(&waiver.id).copied().unwrap_or(WaiverUse::Unused),
                waiver: waiver.clone(),
            })
            .collect(),
        sign_offs,
        executed: record.executed(),
    }
}

/// Gives groups what their boxes come to.
fn sum_up(boxes: &mut [Assessed]) {
    for at in 0..boxes.len() {
        if !boxes[at].is_group() {
            continue;
        }
        let below: Vec<&Assessed> =
            boxes.iter().filter(|below| below.group.as_ref() == Some(&boxes[at].id)).collect();
        let status = Status::of_group(below.iter().map(|below| below.status));
        let checked = below.iter().filter(|below| below.status.is_checked()).count();
        let summary = format!("{checked} of {} are checked off", below.len());
        (boxes[at].status, boxes[at].summary) = (status, summary);
    }
}

struct Judge<'a> {
    record: &'a RunRecord,
    acts: &'a Acts<'a>,
    entries: &'a [Entry],
    keyring: &'a Keyring,
    at: DateTime<Utc>,
    digest: Digest,
    state: Digest,
    longest: std::time::Duration,
}

impl Judge<'_> {
    fn assess(&self, placed: &Placed<'_>) -> Assessed {
        let item = placed.item;
        let mut assessed = Assessed {
            id: item.id.clone(),
            title: item.title.clone(),
            section: placed.section.id.clone(),
            section_title: placed.section.title.clone(),
            group: placed.group.map(|group| group.id.clone()),
            owner: placed.owner().to_owned(),
            severity: item.severity,
            kind: item.check.as_ref().map_or("group", Check::kind),
            status: Status::NotRun,
            summary: "the run knows nothing of it".to_owned(),
            evidence: Vec::new(),
            known: None,
            expires: None,
            took_ms: None,
            remedy: item.remedy.clone(),
        };
        let Some(check) = &item.check else { return assessed };
        let Some(found) = self.record.find(&item.id) else { return assessed };
        assessed.status = found.status;
        assessed.summary.clone_from(&found.summary);
        assessed.evidence.clone_from(&found.evidence);
        match check {
            _ if found.status == Status::NotApplicable => {}
            Check::Attestation(check) => {
                let role = check.role.as_deref().unwrap_or(placed.owner());
                self.attested(&mut assessed, check.evidence, role);
            }
            Check::SignOff(check) => match self.sign_off(&check.role) {
                Ok(sign_off) => {
                    assessed.status = Status::Pass;
                    assessed.summary = format!("signed off by {}", sign_off.signed.person);
                    assessed.known = Some(sign_off.signed.at);
                    assessed.evidence = vec![format!("key {}", sign_off.key.fingerprint())];
                }
                Err(problem) => (assessed.status, assessed.summary) = (Status::Pending, problem),
            },
            _ => {
                assessed.took_ms = Some(found.took_ms);
                assessed.known = Some(found.at);
                let expires = found.at + time(placed.lifetime());
                assessed.expires = Some(expires);
                if expires <= self.at && matches!(found.status, Status::Pass | Status::Warn) {
                    assessed.status = Status::Stale;
                    assessed.summary =
                        format!("it was right until {}: run it again", expires.format("%Y-%m-%d %H:%M UTC"));
                }
            }
        }
        assessed
    }

    fn attested(&self, assessed: &mut Assessed, evidence: Evidence, role: &str) {
        let Some(attestation) = self.acts.attestation(&assessed.id) else { return };
        assessed.known = self.acts.attestations.get(&assessed.id).map(|entry| entry.at);
        assessed.expires = Some(attestation.expires);
        assessed.evidence = attestation
            .evidence
            .iter()
            .map(|digest| format!("{} {digest}", attestation.evidence_name.as_deref().unwrap_or("evidence")))
            .collect();
        let (status, summary) = if attestation.role != role {
            (
                Status::Pending,
                format!("{} stated it for {}, and {role} has to", attestation.person, attestation.role),
            )
        } else if evidence == Evidence::Required && attestation.evidence.is_none() {
            (Status::Pending, format!("{} stated it without the evidence that it takes", attestation.person))
        } else if attestation.expires <= self.at {
            let until = attestation.expires.format("%Y-%m-%d");
            (Status::Expired, format!("{} stated it, which counted until {until}", attestation.person))
        } else {
            (Status::Pass, format!("{}: {}", attestation.person, attestation.statement))
        };
        (assessed.status, assessed.summary) = (status, summary);
    }

    /// What a waiver does to a box.
    fn waive(&self, placed: &Placed<'_>, waiver: &Waiver, assessed: &mut Assessed) -> WaiverUse {
        let given = self.acts.waivers.get(&waiver.id).map_or(self.at, |entry| entry.at);
        let is_too_long = waiver.expires - given > time(self.longest) + TimeDelta::minutes(1);
        if !placed.item.waivable
            || placed.item.is_group()
            || is_too_long
            || is_same_person(&waiver.owner, &waiver.approver)
        {
            return WaiverUse::Refused;
        }
        if assessed.status.is_checked() {
            return if waiver.expires <= self.at { WaiverUse::Expired } else { WaiverUse::Unused };
        }
        let was = format!("{}: {}", assessed.status, assessed.summary);
        assessed.expires = Some(waiver.expires);
        assessed.evidence.insert(0, was);
        let until = waiver.expires.format("%Y-%m-%d");
        if waiver.expires <= self.at {
            assessed.status = Status::Expired;
            assessed.summary = format!("{} took the risk until {until} ({})", waiver.approver, waiver.ticket);
            return WaiverUse::Expired;
        }
        assessed.status = Status::Waived;
        assessed.summary =
            format!("{} takes the risk until {until}: {} ({})", waiver.approver, waiver.risk, waiver.ticket);
        WaiverUse::Used
    }

    /// The signature of a role under this very state, or why there is none.
    fn sign_off(&self, role: &str) -> Result<&SignOff, String> {
        let mut problem = format!("nobody has signed for {role}");
        let sign_offs = self.entries.iter().rev().filter_map(|entry| match &entry.act {
            Act::SignOff(sign_off) if sign_off.signed.role == role => Some(&**sign_off),
            _ => None,
        });
        for sign_off in sign_offs {
            match self.judge_signature(sign_off) {
                Ok(()) => return Ok(sign_off),
                // That of the newest one is the one to tell.
                Err(why) if problem.starts_with("nobody") => problem = why,
                Err(_) => {}
            }
        }
        Err(problem)
    }

    fn judge_signature(&self, sign_off: &SignOff) -> Result<(), String> {
        let signed = &sign_off.signed;
        let person = &signed.person;
        check_signature(sign_off, self.keyring)?;
        if signed.record != self.digest {
            return Err(format!("{person} signed another run"));
        }
        if signed.state != self.state || signed.subject != self.record.subject {
            return Err(format!(
                "{person} signed before something was stated, waived or taken back: sign again"
            ));
        }
        if is_same_person(person, &self.record.author) {
            return Err(format!("{person} ran the checklist, and somebody else has to sign"));
        }
        Ok(())
    }
}

/// Whether a signature is one, of a key that is trusted for the role.
///
/// # Errors
/// Why not.
pub fn check_signature(sign_off: &SignOff, keyring: &Keyring) -> Result<(), String> {
    let signed = &sign_off.signed;
    let person = &signed.person;
    if signed.purpose != Signed::PURPOSE {
        return Err(format!("the signature of {person} is about something else"));
    }
    let trusted = keyring.of(&sign_off.key, signed.at);
    if !trusted.is_some_and(|key| key.person == *person && key.role == signed.role) {
        return Err(format!("the key of {person} is not trusted for {}", signed.role));
    }
    if !sign_off.key.has_signed(signed.message().as_bytes(), &sign_off.signature) {
        return Err(format!("the signature of {person} is not of that key"));
    }
    Ok(())
}

fn time(duration: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::days(36_500))
}

impl Assessment {
    /// How many boxes there are of each status, groups included.
    pub fn counts(&self) -> BTreeMap<Status, usize> {
        let mut counts = BTreeMap::new();
        for assessed in &self.boxes {
            *counts.entry(assessed.status).or_default() += 1;
        }
        counts
    }

    /// What a person of a role would sign.
    pub fn to_sign(
        &self,
        person: &str,
        role: &str,
        at: DateTime<Utc>,
        lifetime: std::time::Duration,
    ) -> Signed {
        Signed {
            purpose: Signed::PURPOSE.to_owned(),
            subject: self.subject.clone(),
            record: self.record,
            state: self.state,
            head: self.head,
            person: person.to_owned(),
            role: role.to_owned(),
            at,
            expires: at + time(lifetime),
        }
    }
}
