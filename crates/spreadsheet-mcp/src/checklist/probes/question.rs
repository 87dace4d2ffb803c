//! What a probe is asked, and how it asks servers.

use std::collections::BTreeMap;

use checklist::{
    context::{Context, Finding},
    rule::Rule,
};
use reqwest::{Url, blocking::Response, header::ACCEPT};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// A probe can end early with what it found.
pub(super) type Found = Result<Finding, Finding>;

/// More is read of no answer.
pub(super) const LARGEST: usize = 16 << 20;

/// What a probe is asked.
pub(super) struct Question<'a> {
    /// The probe.
    pub(super) name: &'static str,
    /// What it is told.
    pub(super) with: &'a BTreeMap<String, Value>,
    /// What the run knows.
    pub(super) context: &'a Context<'a>,
}

/// A probe that is told nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Question<'_> {
    /// What the probe is told, as a type of its own. Who says anything else learns the keys.
    ///
    /// # Errors
    /// With the finding that it is told something that it does not understand.
    pub(super) fn told<T: DeserializeOwned>(&self, keys: &str) -> Result<T, Finding> {
        let told = self.with.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        serde_json::from_value(Value::Object(told))
            .map_err(|error| Finding::error(format!("the probe {} takes {keys}: {error}", self.name)))
    }

    /// That the probe is told nothing.
    ///
    /// # Errors
    /// With the finding that it is.
    pub(super) fn told_nothing(&self) -> Result<(), Finding> {
        self.told::<Nothing>("no keys").map(drop)
    }

    /// A server of the run.
    ///
    /// # Errors
    /// With the finding that the run does not know it.
    pub(super) fn endpoint(&self, name: &str) -> Result<&Url, Finding> {
        let not_given = || Finding::not_run(format!("the run was not given the endpoint {name}"));
        self.context.endpoints.get(name).ok_or_else(not_given)
    }

    /// A page of a server, as text.
    ///
    /// # Errors
    /// With the finding that it does not answer with one.
    pub(super) fn page(&self, endpoint: &str, path: &str) -> Result<String, Finding> {
        let url = below(self.endpoint(endpoint)?, path);
        let asked = format!("GET {path} of {endpoint}");
        let request = self.context.client.get(url).header(ACCEPT, "text/plain").timeout(self.context.timeout);
        let answer = request.send().map_err(|error| Finding::unanswered(&asked, &error))?;
        let status = answer.status();
        match status.is_success() {
            true => text(answer, &asked),
            false => Err(Finding::fail(format!("{asked} answers {status}, and has to answer 200"))),
        }
    }

    /// A file of the repository.
    ///
    /// # Errors
    /// With the finding that it can't be read.
    pub(super) fn document(&self, path: &str) -> Result<String, Finding> {
        std::fs::read_to_string(self.context.repository.join(path))
            .map_err(|error| Finding::fail(format!("{path} can't be read: {error}")))
    }
}

/// The body of an answer, as text.
///
/// # Errors
/// With the finding that it did not come.
pub(super) fn text(answer: Response, asked: &str) -> Result<String, Finding> {
    let bytes = answer.bytes().map_err(|error| Finding::unanswered(asked, &error))?;
    match bytes.len() > LARGEST {
        true => Err(Finding::error(format!("the answer to {asked} has {} bytes", bytes.len()))),
        false => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// A document against all rules.
///
/// # Errors
/// With the finding of the first one that it does not fulfil.
pub(super) fn check_rules(document: &Value, rules: &[Rule], what: &str) -> Result<(), Finding> {
    let broken = |breach| Finding::fail(format!("{what}: {breach}"));
    rules.iter().try_for_each(|rule| rule.check(document)).map_err(broken)
}

/// Below the path that the server has, if any, unless that is it already.
pub(super) fn below(base: &Url, path: &str) -> String {
    let base = base.as_str().trim_end_matches('/');
    if base.ends_with(path) { base.to_owned() } else { format!("{base}{path}") }
}
