//! What people do: state, waive, sign; and the keys that they sign with.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use checklist::{
    keys::{Keyring, PrivateKey, PublicKey, TrustedKey},
    ledger::{Act, Attestation, Ledger, SignOff, Waiver},
    signing,
    spec::Check,
    status::Status,
    verdict::{self, Ruling},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Refusal,
    arguments::{
        AttestArguments, ChecklistKeysCommand, CreateSigningKeyArguments, ListSigningKeysArguments, Place,
        SignArguments, WaiveArguments,
    },
    place::{find, known},
};
use crate::{
    cli::Format,
    render::{self, print},
};

/// No file that shows something is larger.
const LARGEST_EVIDENCE: u64 = 32 << 20;

/// Writes down what somebody states.
pub(super) fn attest(arguments: &AttestArguments) -> Result<Ruling, Refusal> {
    let loaded = arguments.place.load()?;
    let placed = find(&loaded, &arguments.id)?;
    let id = &placed.item.id;
    let Some(Check::Attestation(check)) = &placed.item.check else {
        let how = placed.item.check.as_ref().map_or("by the boxes below it", |check| match check {
            Check::SignOff(_) => "by a signature: `checklist sign`",
            _ => "by machine: `checklist run`",
        });
        return Err(Refusal::other(format!("{id} is not stated by people: it is known {how}")));
    };
    let wanted = check.role.as_deref().unwrap_or(placed.owner());
    let role = arguments.role.as_deref().unwrap_or(wanted);
    if role != wanted {
        return Err(Refusal::other(format!("{id} is stated by {wanted}, not {role}")));
    }
    let person = person_named(&arguments.person)?;
    let lifetime = placed.lifetime();
    let expires = arguments.expires.map_or(lifetime, |given| (*given).min(lifetime));
    let bytes = arguments.evidence.as_deref().map(|path| {
        let told = |error: &dyn std::fmt::Display| Refusal::other(format!("{}: {error}", path.display()));
        let metadata = fs::metadata(path).map_err(|error| told(&error))?;
        if !metadata.is_file() {
            return Err(told(&"it is no file that can be kept"));
        }
        let length = metadata.len();
        if length > LARGEST_EVIDENCE {
            return Err(told(&format!("{length} bytes, and {LARGEST_EVIDENCE} are kept at most")));
        }
        fs::read(path).map_err(|error| told(&error))
    });
    let bytes = bytes.transpose()?;
    if bytes.is_none() && check.evidence == checklist::spec::Evidence::Required {
        return Err(Refusal::other(format!("{id} takes a file that shows it: --evidence FILE")));
    }
    let mut ledger = Ledger::open(&arguments.place.ledger_folder())?;
    let environment = environment(arguments.environment.as_deref(), &ledger)?;
    let evidence = bytes.map(|bytes| ledger.keep_evidence(&bytes)).transpose()?;
    let now = Utc::now();
    let attestation = Attestation {
        id: id.clone(),
        environment,
        statement: named(arguments.statement.as_deref().unwrap_or(&check.statement), "statement")?,
        person,
        role: role.to_owned(),
        evidence,
        evidence_name: arguments
            .evidence
            .as_deref()
            .and_then(|path| path.file_name())
            .map(|name| name.to_string_lossy().into_owned()),
        expires: after(now, expires),
    };
    let until = attestation.expires;
    ledger.add(Act::Attest(attestation), now)?;
    print(&format!("{id} is stated until {}; the ledger is at {}", day(until), ledger.head()));
    Ok(Ruling::Ship)
}

/// Writes down that somebody takes a risk, or no more.
pub(super) fn waive(arguments: &WaiveArguments) -> Result<Ruling, Refusal> {
    let loaded = arguments.place.load()?;
    let placed = find(&loaded, &arguments.id)?;
    let id = &placed.item.id;
    let mut ledger = Ledger::open(&arguments.place.ledger_folder())?;
    let environment = environment(arguments.environment.as_deref(), &ledger)?;
    let now = Utc::now();
    let owner = person_named(&arguments.owner)?;
    if arguments.withdraw {
        if !ledger.is_waived(id, &environment) {
            return Err(Refusal::other(format!("{id} is not waived in {environment}")));
        }
        ledger.add(Act::Withdraw { id: id.clone(), environment, person: owner }, now)?;
        print(&format!("{id} is waived no more; the ledger is at {}", ledger.head()));
        return Ok(Ruling::Ship);
    }
    if placed.item.is_group() {
        return Err(Refusal::other(format!("{id} is the sum of its boxes: waive those")));
    }
    if !placed.item.waivable {
        return Err(Refusal::other(format!("{id} cannot be waived: set it right. {}", placed.item.remedy)));
    }
    let (Some(approver), Some(risk), Some(control), Some(ticket), Some(expires)) =
        (&arguments.approver, &arguments.risk, &arguments.control, &arguments.ticket, arguments.expires)
    else {
        return Err(Refusal::other("a waiver has an approver, a risk, a control, a ticket and an end"));
    };
    let approver = person_named(approver)?;
    if signing::is_same_person(&approver, &owner) {
        return Err(Refusal::other(format!(
            "{owner} cannot approve what {owner} owns: the approver is somebody else"
        )));
    }
    if expires.is_zero() {
        return Err(Refusal::other("a waiver that holds for no time is none"));
    }
    let longest = loaded.spec.waivers.longest;
    if *expires > longest.0 {
        return Err(Refusal::other(format!("a waiver holds for {longest} at most")));
    }
    let waiver = Waiver {
        id: id.clone(),
        environment,
        owner,
        approver,
        risk: named(risk, "risk")?,
        control: named(control, "control")?,
        ticket: named(ticket, "ticket")?,
        expires: after(now, *expires),
    };
    let until = waiver.expires;
    ledger.add(Act::Waive(waiver), now)?;
    print(&format!("{id} is waived until {}; the ledger is at {}", day(until), ledger.head()));
    Ok(Ruling::Ship)
}

/// Signs everything, for a role.
pub(super) fn sign(arguments: &SignArguments) -> Result<Ruling, Refusal> {
    let key = PrivateKey::read(&arguments.key).map_err(Refusal::other)?;
    let mut ledger = Ledger::open(&arguments.place.ledger_folder())?;
    let known = known(&arguments.place, None, arguments.environment.as_deref(), &ledger)?;
    let role = &arguments.role;
    let now = Utc::now();
    let signed = signing::to_sign(&known, &arguments.person, role, now)?;
    let person = signed.person.clone();
    // What stops the gate stops a signature, but for the other signatures.
    let judgement = verdict::judge(&known.assessment, &known.assessment.subject);
    let failing: Vec<&str> = known
        .assessment
        .boxes
        .iter()
        .filter(|found| found.blocks() && found.kind != "sign-off")
        .filter(|found| found.status == Status::Fail || found.owner == *role)
        .map(|found| found.id.as_str())
        .collect();
    if !failing.is_empty() {
        eprintln!(
            "spreadsheet-mcp: warning: it does not ship ({}) because of {}",
            judgement.ruling.as_str(),
            failing.join(", ")
        );
    }
    let signature = key.sign(signed.message().as_bytes());
    let head = signing::add(&mut ledger, &known, SignOff { signed, key: key.public(), signature }, now)?;
    print(&format!(
        "{person} has signed run {} for {role}; the ledger is at {head}",
        known.assessment.record.short(),
    ));
    Ok(Ruling::Ship)
}

/// Makes, lists and revokes keys.
pub(super) fn keys(command: &ChecklistKeysCommand) -> Result<Ruling, Refusal> {
    match command {
        ChecklistKeysCommand::Create(arguments) => create(arguments),
        ChecklistKeysCommand::Trust(arguments) => {
            let public = PublicKey::try_from(arguments.public.clone()).map_err(Refusal::other)?;
            trust(&arguments.place, &arguments.person, &arguments.role, public)
        }
        ChecklistKeysCommand::List(arguments) => list(arguments),
        ChecklistKeysCommand::Revoke(arguments) => change(&arguments.place, |keyring| {
            keyring.revoke(&arguments.person, arguments.compromised, Utc::now()).map_err(Refusal::other)
        }),
    }
}

fn create(arguments: &CreateSigningKeyArguments) -> Result<Ruling, Refusal> {
    signing::check_signs(&arguments.place.load()?.spec, &arguments.role)?;
    let text = PrivateKey::generate().map_err(Refusal::other)?;
    let public =
        PrivateKey::parse(&text).ok_or_else(|| Refusal::other("the new key can't be read"))?.public();
    // Trusted first: a key that nobody trusts opens nothing.
    let path = &arguments.output;
    let told = |error: std::io::Error| Refusal::other(format!("{}: {error}", path.display()));
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(told)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(told)?;
    if let Err(refusal) = trust(&arguments.place, &arguments.person, &arguments.role, public) {
        let _gone = fs::remove_file(path);
        return Err(refusal);
    }
    eprintln!(
        "spreadsheet-mcp: the private half is in {}: it stays with {}",
        path.display(),
        arguments.person
    );
    Ok(Ruling::Ship)
}

fn trust(place: &Place, person: &str, role: &str, public: PublicKey) -> Result<Ruling, Refusal> {
    signing::check_signs(&place.load()?.spec, role)?;
    let person = person_named(person)?;
    let shown = String::from(public.clone());
    let key = TrustedKey {
        person,
        role: role.to_owned(),
        public,
        since: Utc::now(),
        revoked: None,
        compromised: false,
    };
    let done = change(place, |keyring| keyring.add(key).map_err(Refusal::other))?;
    print(&shown);
    Ok(done)
}

fn change(
    place: &Place,
    change: impl FnOnce(&mut Keyring) -> Result<(), Refusal>,
) -> Result<Ruling, Refusal> {
    // One after the other: a change that is lost may be a key that was revoked.
    let folder = place
        .keys_file()
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .map_or(".".into(), Path::to_owned);
    let told = |error: std::io::Error| Refusal::other(format!("{}: {error}", folder.display()));
    let lock = fs::File::open(&folder).map_err(told)?;
    lock.lock().map_err(told)?;
    let mut keyring = place.keyring()?;
    change(&mut keyring)?;
    keyring.write(&place.keys_file()).map_err(Refusal::other)?;
    Ok(Ruling::Ship)
}

fn list(arguments: &ListSigningKeysArguments) -> Result<Ruling, Refusal> {
    let keyring = arguments.place.keyring()?;
    let keys: Vec<Value> = keyring
        .keys
        .iter()
        .map(|key| {
            let status = if key.revoked.is_some() { "revoked" } else { "trusted" };
            json!({
                "person": key.person, "role": key.role, "status": status, "fingerprint": key.public.fingerprint(),
                "since": key.since, "public": key.public,
            })
        })
        .collect();
    match arguments.format {
        Format::Json => print(&json!({ "keys": keys }).to_string()),
        Format::Text if keys.is_empty() => {
            print("no key is trusted yet; make one with `spreadsheet-mcp checklist keys create`")
        }
        Format::Text => print(&render::as_text(&Value::Array(keys))),
    };
    Ok(Ruling::Ship)
}

/// The environment that is given, or that of the last run.
fn environment(given: Option<&str>, ledger: &Ledger) -> Result<String, Refusal> {
    match given {
        Some(given) => Ok(given.to_owned()),
        None => Ok(ledger.last_run(None, None)?.1.subject.environment),
    }
}

fn person_named(text: &str) -> Result<String, Refusal> {
    signing::person(text).map(str::to_owned).ok_or_else(|| {
        Refusal::other(format!(
            "{text:?} is no name of a person here: letters a-z, digits, blanks and . _ - @ +, 100 at most"
        ))
    })
}

fn named(text: &str, what: &str) -> Result<String, Refusal> {
    signing::readable(text)
        .map(str::to_owned)
        .ok_or_else(|| Refusal::other(format!("the {what} is empty, or has characters that can't be read")))
}

fn after(now: DateTime<Utc>, time: std::time::Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(time).unwrap_or(TimeDelta::days(36_500)).min(TimeDelta::days(36_500))
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
