//! Signing: what a person of a role signs, and what has to hold before a signature goes into the ledger. Whoever takes signatures, a
//! command or a page of a server, takes them here.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    keys::TrustedKey,
    ledger::{Act, Head, Ledger, LedgerError, SignOff, Signed},
    place::Known,
    spec::{Role, Spec},
};

/// No text of a person is longer, in bytes.
const LONGEST: usize = 2_000;

/// How far the time of a signature may be from the time at which it is taken, in minutes.
pub const PATIENCE: i64 = 5;

/// Why a signature is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The checklist knows no such role.
    #[error("there is no role {role}: who signs is {signing}")]
    UnknownRole {
        /// The role.
        role: String,
        /// Those that sign.
        signing: String,
    },
    /// The role has nothing to sign.
    #[error("{role} does not sign: who signs is {signing}")]
    DoesNotSign {
        /// The role.
        role: String,
        /// Those that sign.
        signing: String,
    },
    /// Nobody can read who signs.
    #[error("the person is empty, or has characters that can't be read")]
    Unnamed,
    /// The run is of another checklist.
    #[error("the checklist has changed since that run: run it again before anybody signs")]
    ChecklistChanged,
    /// Nobody signs their own run.
    #[error("the checklist was run by {0}, and somebody else has to sign it")]
    Author(String),
    /// The person has no key for the role.
    #[error("{} trusts no key of {person} for {role}: `checklist keys trust`", keys.display())]
    NoKey {
        /// The file of the keys.
        keys: PathBuf,
        /// Who signs.
        person: String,
        /// For whom.
        role: String,
    },
    /// The person has another one.
    #[error("that is not the key of {person} that is trusted for {role}")]
    OtherKey {
        /// Who signs.
        person: String,
        /// For whom.
        role: String,
    },
    /// There is a newer run.
    #[error("the checklist was run again since: look at that run before you sign it")]
    OtherRun,
    /// What was stated or waived is not what it was.
    #[error("something was stated, waived or taken back since: look at it before you sign it")]
    OtherState,
    /// Somebody has written into the ledger.
    #[error("the ledger has gone on since: sign again")]
    LedgerWentOn,
    /// The signature is too old, or of the future.
    #[error("it was signed at {signed}, and it is {now}: a signature is taken within {PATIENCE} minutes")]
    OtherTime {
        /// When it was signed.
        signed: DateTime<Utc>,
        /// When it came.
        now: DateTime<Utc>,
    },
    /// It is about something else in a way that nobody comes by without trying.
    #[error("what was signed is not what there is to sign")]
    SomethingElse,
    /// The key has not made it.
    #[error("the signature is not of that key")]
    NotOfKey,
    /// The ledger can't be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What a person signs for a role.
///
/// # Errors
/// When nobody may sign it, or they may not.
pub fn to_sign(known: &Known, person: &str, role: &str, at: DateTime<Utc>) -> Result<Signed, SigningError> {
    let (person, _) = signer(known, person, role, at)?;
    Ok(known.assessment.to_sign(person, role, at, known.loaded.spec.verdict_lifetime.0))
}

/// Adds a signature to a ledger, of which `known` is what is known now: it has to be about exactly that.
///
/// # Errors
/// When it is not, when it is none, when who made it may not sign, and when the ledger can't be written.
pub fn add(
    ledger: &mut Ledger,
    known: &Known,
    sign_off: SignOff,
    now: DateTime<Utc>,
) -> Result<Head, SigningError> {
    let signed = &sign_off.signed;
    let (person, trusted) = signer(known, &signed.person, &signed.role, now)?;
    if (now - signed.at).abs() > TimeDelta::minutes(PATIENCE) {
        return Err(SigningError::OtherTime { signed: signed.at, now });
    }
    let lifetime = known.loaded.spec.verdict_lifetime.0;
    let wanted = known.assessment.to_sign(person, &signed.role, signed.at, lifetime);
    if *signed != wanted {
        return Err(difference(signed, &wanted));
    }
    if trusted.public != sign_off.key {
        return Err(SigningError::OtherKey { person: person.to_owned(), role: signed.role.clone() });
    }
    if !sign_off.key.has_signed(signed.message().as_bytes(), &sign_off.signature) {
        return Err(SigningError::NotOfKey);
    }
    ledger.add(Act::SignOff(Box::new(sign_off)), now)?;
    Ok(ledger.head())
}

/// What is different, the most telling first.
fn difference(signed: &Signed, wanted: &Signed) -> SigningError {
    if signed.record != wanted.record {
        return SigningError::OtherRun;
    }
    if signed.state != wanted.state {
        return SigningError::OtherState;
    }
    if *signed == (Signed { head: signed.head, ..wanted.clone() }) {
        return SigningError::LedgerWentOn;
    }
    SigningError::SomethingElse
}

/// Who signs, by name, and their key.
fn signer<'a>(
    known: &'a Known,
    person: &'a str,
    role: &str,
    at: DateTime<Utc>,
) -> Result<(&'a str, &'a TrustedKey), SigningError> {
    check_signs(&known.loaded.spec, role)?;
    let person = readable(person).ok_or(SigningError::Unnamed)?;
    if known.record.subject.checklist != known.loaded.digest {
        return Err(SigningError::ChecklistChanged);
    }
    if is_same_person(person, &known.record.author) {
        return Err(SigningError::Author(person.to_owned()));
    }
    let trusted = known.keyring.find(person, role, at).ok_or_else(|| SigningError::NoKey {
        keys: known.keys.clone(),
        person: person.to_owned(),
        role: role.to_owned(),
    })?;
    Ok((person, trusted))
}

/// The role of a name.
///
/// # Errors
/// When the checklist knows none.
pub fn role<'a>(spec: &'a Spec, name: &str) -> Result<&'a Role, SigningError> {
    spec.roles
        .get(name)
        .ok_or_else(|| SigningError::UnknownRole { role: name.to_owned(), signing: signing(spec) })
}

/// That a role signs.
///
/// # Errors
/// When it does not, or the checklist knows none of that name.
pub fn check_signs(spec: &Spec, name: &str) -> Result<(), SigningError> {
    match role(spec, name)?.signs {
        true => Ok(()),
        false => Err(SigningError::DoesNotSign { role: name.to_owned(), signing: signing(spec) }),
    }
}

fn signing(spec: &Spec) -> String {
    let signing = spec.roles.iter().filter(|(_, role)| role.signs);
    signing.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether two names are of one person: ADA and ada, `Ada L.` and `ada-l`.
pub fn is_same_person(one: &str, other: &str) -> bool {
    let bare = |name: &str| -> String {
        name.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect()
    };
    bare(one) == bare(other)
}

/// The name of a person, without the blanks around it: of letters that look like no others, so that one can be told from another.
pub fn person(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '.' | '_' | '-' | '@' | '+');
    let is_named = text.chars().any(|letter| letter.is_ascii_alphanumeric());
    (is_named && text.len() <= 100 && text.chars().all(is_plain)).then_some(text)
}

/// A text that somebody is to read, without the blanks around it; `None` where nobody can.
pub fn readable(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_short = text.len() <= LONGEST;
    (!text.is_empty() && is_short && !text.chars().any(char::is_control)).then_some(text)
}
