//! A server that starts only by a verdict.

use std::process::ExitCode;

use checklist::{digest::Digest, keys::Keyring, verdict::Verdict};
use chrono::Utc;
use server::config::{GateConfig, layers::Effective};

use super::binding;
use crate::exit;

/// Whether the server may start; otherwise it has ended with what speaks against it.
pub(crate) fn may_start(gate: &GateConfig, values: &[Effective]) -> Result<(), ExitCode> {
    let Some(path) = &gate.require_verdict else { return Ok(()) };
    check(gate, values).map_err(|why| {
        let advice = "`spreadsheet-mcp checklist gate --output FILE` gives one";
        exit::not_let_go(&format!("the verdict in {} does not let it: {why} ({advice})", path.display()))
    })
}

fn check(gate: &GateConfig, values: &[Effective]) -> Result<(), String> {
    let (Some(verdict), Some(keys)) = (&gate.require_verdict, &gate.checklist_keys) else {
        return Err("no keys are trusted: name them by --checklist-keys".to_owned());
    };
    let verdict = Verdict::read(verdict).map_err(|error| error.to_string())?;
    let keyring = Keyring::read(keys).map_err(|error| error.to_string())?;
    let now = Utc::now();
    let mut roles: Vec<String> =
        keyring.keys.iter().filter(|key| key.is_in_force(now)).map(|key| key.role.clone()).collect();
    roles.sort();
    roles.dedup();
    if roles.is_empty() {
        return Err(format!("{} trusts no key", keys.display()));
    }
    let program = binding::program().map_err(|error| format!("this program can't be read: {error}"))?;
    let configuration = Digest::of_value(&binding::configuration(values));
    verdict.check(program, configuration, &roles, &keyring, now).map_err(|error| error.to_string())
}
