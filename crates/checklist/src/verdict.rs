//! Whether it ships.

use std::{fs, io, path::Path};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    assessment::{Assessment, WaiverUse, check_signature},
    digest::Digest,
    keys::Keyring,
    ledger::{Head, SignOff},
    record::Subject,
    status::Status,
};

/// What the gate says; the numbers are exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ruling {
    /// Every box is checked off, and who has to has signed.
    Ship = 0,
    /// Nothing was judged.
    ToolError = 1,
    /// The specification is wrong.
    BadSpec = 2,
    /// Something is not as it has to be.
    Fail = 3,
    /// Something is not known, stated or signed yet.
    Incomplete = 4,
    /// Something was right, for a time that is over, or of something else.
    Expired = 5,
    /// The ledger is not what was written.
    Tampered = 6,
}

impl Ruling {
    /// The exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// That in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Ruling::Ship => "ship",
            Ruling::ToolError => "error",
            Ruling::BadSpec => "bad-spec",
            Ruling::Fail => "fail",
            Ruling::Incomplete => "incomplete",
            Ruling::Expired => "expired",
            Ruling::Tampered => "tampered",
        }
    }
}

/// What the gate says, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What it says.
    pub ruling: Ruling,
    /// Everything that keeps it from shipping.
    pub reasons: Vec<String>,
}

/// Judges what is known. `current` is what would ship now; a run of something else is over.
pub fn judge(assessment: &Assessment, current: &Subject) -> Judgement {
    let mut reasons: Vec<(Ruling, String)> = Vec::new();
    if assessment.executed == 0 {
        let reason = "no check was made by a machine: that is no run".to_owned();
        return Judgement { ruling: Ruling::ToolError, reasons: vec![reason] };
    }
    if assessment.subject.configuration.is_none() {
        let reason =
            "the configuration could not be read when it was run: mend it, and run it again".to_owned();
        reasons.push((Ruling::Incomplete, reason));
    }
    // Clocks of machines differ a little.
    if assessment.began > assessment.at + TimeDelta::minutes(5) {
        let began = assessment.began.format("%Y-%m-%d %H:%M UTC");
        reasons
            .push((Ruling::Expired, format!("it was run at {began}, which is not yet: look at the clocks")));
    }
    reasons.extend(differences(&assessment.subject, current).map(|what| (Ruling::Expired, what)));
    for assessed in assessment.boxes.iter().filter(|assessed| assessed.blocks()) {
        let ruling = match assessed.status {
            Status::Fail => Ruling::Fail,
            Status::Expired | Status::Stale => Ruling::Expired,
            _ => Ruling::Incomplete,
        };
        reasons.push((ruling, assessed.reason()));
    }
    for waiver in &assessment.waivers {
        let id = &waiver.waiver.id;
        match waiver.use_ {
            WaiverUse::Unused => {
                reasons.push((
                    Ruling::Fail,
                    format!("the waiver of {id} is not needed: take it back (waive {id} --withdraw)"),
                ));
            }
            WaiverUse::Refused => reasons.push((Ruling::Fail, format!("{id} cannot be waived like that"))),
            WaiverUse::Used | WaiverUse::Expired => {}
        }
    }
    for sign_off in &assessment.sign_offs {
        reasons.extend(sign_off.reason().map(|reason| (Ruling::Incomplete, reason)));
    }
    let gravest = [Ruling::Fail, Ruling::Expired, Ruling::Incomplete]
        .into_iter()
        .find(|ruling| reasons.iter().any(|(of, _)| of == ruling));
    reasons.sort_by_key(|(ruling, _)| match ruling {
        Ruling::Fail => 0,
        Ruling::Expired => 1,
        _ => 2,
    });
    Judgement {
        ruling: gravest.unwrap_or(Ruling::Ship),
        reasons: reasons.into_iter().map(|(_, reason)| reason).collect(),
    }
}

/// What is another than when it was judged.
pub fn differences<'a>(judged: &'a Subject, current: &'a Subject) -> impl Iterator<Item = String> + 'a {
    let digest = |digest: &Option<Digest>| digest.map_or_else(|| "none".to_owned(), |digest| digest.short());
    let of = |what: &str, was: String, is: String| {
        (was != is).then(|| {
            format!("the {what} is not the one that was judged: it was {was} and is {is}: run it again")
        })
    };
    [
        of("checklist", judged.checklist.short(), current.checklist.short()),
        of("profile", judged.profile.clone(), current.profile.clone()),
        of("environment", judged.environment.clone(), current.environment.clone()),
        of("program", digest(&judged.program), digest(&current.program)),
        of("image", digest(&judged.image), digest(&current.image)),
        of("configuration", digest(&judged.configuration), digest(&current.configuration)),
        (judged.facts != current.facts)
            .then(|| "facts are not those that were judged: run it again".to_owned()),
    ]
    .into_iter()
    .flatten()
}

/// The file by which servers may start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Verdict {
    /// The version of this format: 1.
    pub format: u32,
    /// What ships.
    pub subject: Subject,
    /// The record of the run.
    pub record: Digest,
    /// The state that was signed.
    pub state: Digest,
    /// The ledger.
    pub head: Head,
    /// When the gate was asked.
    pub issued: DateTime<Utc>,
    /// Who signed: what makes it more than a file.
    pub sign_offs: Vec<SignOff>,
}

/// Why a server does not start by a verdict.
#[derive(Debug, thiserror::Error)]
pub enum VerdictError {
    /// It cannot be read.
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
    /// It is none.
    #[error("it is no verdict: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is of something else, over, or not signed by whom it has to be.
    #[error("{}", .0.join("; "))]
    Refused(Vec<String>),
}

impl Verdict {
    /// That of an assessment that ships.
    pub fn of(assessment: &Assessment) -> Verdict {
        Verdict {
            format: 1,
            subject: assessment.subject.clone(),
            record: assessment.record,
            state: assessment.state,
            head: assessment.head,
            issued: assessment.at,
            sign_offs: assessment.sign_offs.iter().filter_map(|sign_off| sign_off.sign_off.clone()).collect(),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Verdict, VerdictError> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }

    /// Whether a server of this program and configuration may start by it: each of the roles has to have signed with a key that is
    /// trusted.
    ///
    /// # Errors
    /// Everything that speaks against it.
    pub fn check(
        &self,
        program: Digest,
        configuration: Digest,
        roles: &[String],
        keyring: &Keyring,
        now: DateTime<Utc>,
    ) -> Result<(), VerdictError> {
        let mut problems = Vec::new();
        if self.format != 1 {
            problems.push(format!("its format is {}, and this program knows 1", self.format));
        }
        let mut bind = |what: &str, judged: Option<Digest>, is: Digest| {
            if judged != Some(is) {
                let judged = judged.map_or_else(|| "none".to_owned(), |digest| digest.short());
                problems.push(format!("it is for the {what} {judged}, and this is {}", is.short()));
            }
        };
        bind("program", self.subject.program, program);
        bind("configuration", self.subject.configuration, configuration);
        for sign_off in &self.sign_offs {
            let signed = &sign_off.signed;
            if signed.subject != self.subject || signed.record != self.record || signed.state != self.state {
                problems.push(format!("{} signed something else", signed.person));
            } else if let Err(problem) = check_signature(sign_off, keyring) {
                problems.push(problem);
            } else if signed.expires <= now {
                problems.push(format!("the signature of {} counted until {}", signed.person, signed.expires));
            }
        }
        for role in roles {
            if !self.sign_offs.iter().any(|sign_off| sign_off.signed.role == *role) {
                problems.push(format!("nobody of {role} has signed it"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(VerdictError::Refused(problems)) }
    }
}
