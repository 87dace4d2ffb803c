//! How each kind of check finds out.

mod command;
mod file;
mod http;
mod links;
mod manifest;
mod promql;

use std::io::Read as _;

use crate::{
    context::{Context, Finding},
    rule::{Pattern, Rule},
    spec::Check,
};

/// What a check comes to. Of what only people know nothing is found.
pub(crate) fn find(check: &Check, context: &Context<'_>) -> Option<Finding> {
    let found = match check {
        Check::Builtin(check) => Ok(context.probes.probe(&check.probe, &check.with, context)),
        Check::Http(check) => http::find(check, context),
        Check::Promql(check) => promql::find(check, context),
        Check::Command(check) => command::find(check, context),
        Check::Manifest(check) => manifest::find(check, context),
        Check::File(check) => file::find(check, context),
        Check::Attestation(_) | Check::SignOff(_) => return None,
    };
    Some(found.unwrap_or_else(|finding| finding))
}

/// A check that can end early with what it found.
type Found = Result<Finding, Finding>;

/// What a text has to hold and must not.
fn check_text(text: &str, holds: &[Pattern], lacks: &[Pattern], what: &str) -> Result<(), Finding> {
    if let Some(missing) = holds.iter().find(|pattern| !pattern.is_in(text)) {
        return Err(Finding::fail(format!("{what} lacks {missing}")));
    }
    for pattern in lacks {
        if let Some(found) = pattern.first_in(text) {
            return Err(Finding::fail(format!("{what} holds {found:?}, and must not")));
        }
    }
    Ok(())
}

/// A document against all rules.
fn check_rules(document: &serde_json::Value, rules: &[Rule], what: &str) -> Result<(), Finding> {
    rules
        .iter()
        .try_for_each(|rule| rule.check(document))
        .map_err(|breach| Finding::fail(format!("{what}{breach}")))
}

/// The body of an answer, within bounds: a server that goes on for ever is none that can be judged.
fn body(answer: reqwest::blocking::Response, asked: &str) -> Result<Vec<u8>, Finding> {
    const LARGEST: u64 = 16 << 20;
    let mut bytes = Vec::new();
    let read = answer.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| Finding::fail(format!("{asked}: the answer breaks off: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Finding::error(format!(
            "{asked}: the answer has more than {LARGEST} bytes, which are not read"
        )));
    }
    Ok(bytes)
}

/// The first lines of a text, short enough to keep.
fn excerpt(text: &str) -> Vec<String> {
    const LINES: usize = 12;
    const LONGEST: usize = 200;
    let short = |line: &str| line.chars().take(LONGEST).collect::<String>();
    text.lines().filter(|line| !line.trim().is_empty()).take(LINES).map(short).collect()
}
