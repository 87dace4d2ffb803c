//! What a run knows of what it judges.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde_json::Value;
use url::Url;

use crate::spec::Folder;

/// What a run knows of what it judges: handed in, so that the same checklist is run on a laptop, in CI and in a cluster.
pub struct Context<'a> {
    /// Where the source tree, or a copy of what matters of it, is.
    pub repository: PathBuf,
    /// Where tests, benches and scanners write what they found.
    pub evidence: PathBuf,
    /// Servers by name.
    pub endpoints: BTreeMap<String, Url>,
    /// Prometheus.
    pub prometheus: Option<Url>,
    /// What is sent as `Authorization` where a check asks for it.
    pub authorization: Option<String>,
    /// The program that is judged, for commands.
    pub program: Option<PathBuf>,
    /// The facts that were given, or are the defaults.
    pub facts: BTreeMap<String, String>,
    /// How long a check may take, when it says nothing else.
    pub timeout: Duration,
    /// What asks servers over HTTP.
    pub client: reqwest::blocking::Client,
    /// The probes of the program.
    pub probes: &'a dyn Probes,
}

/// Probes that a program brings with it.
pub trait Probes: Sync {
    /// The names of all of them.
    fn names(&self) -> Vec<&'static str>;

    /// What one of them finds. It ends within `context.timeout`, as far as it can.
    fn probe(&self, name: &str, with: &BTreeMap<String, Value>, context: &Context<'_>) -> Finding;
}

/// No probes at all.
pub struct NoProbes;

impl Probes for NoProbes {
    fn names(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn probe(&self, name: &str, _: &BTreeMap<String, Value>, _: &Context<'_>) -> Finding {
        Finding::error(format!("this program has no probe {name}"))
    }
}

/// What a check comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub conclusion: Conclusion,
    /// That in a sentence.
    pub summary: String,
    /// What shows it: some lines of what was looked at, without secrets.
    pub evidence: Vec<String>,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// As it has to be.
    Pass,
    /// As it may be, but better would be better.
    Warn,
    /// Not as it has to be.
    Fail,
    /// It could not be found out.
    Error,
    /// The run was not given what it takes.
    NotRun,
    /// There is nothing of the kind here.
    NotApplicable,
}

impl Finding {
    fn new(conclusion: Conclusion, summary: impl Into<String>) -> Finding {
        Finding { conclusion, summary: summary.into(), evidence: Vec::new() }
    }

    /// It is as it has to be.
    pub fn pass(summary: impl Into<String>) -> Finding {
        Finding::new(Conclusion::Pass, summary)
    }

    /// It is as it may be, but better would be better.
    pub fn warn(summary: impl Into<String>) -> Finding {
        Finding::new(Conclusion::Warn, summary)
    }

    /// It is not as it has to be.
    pub fn fail(summary: impl Into<String>) -> Finding {
        Finding::new(Conclusion::Fail, summary)
    }

    /// It could not be found out.
    pub fn error(summary: impl Into<String>) -> Finding {
        Finding::new(Conclusion::Error, summary)
    }

    /// The run was not given what it takes.
    pub fn not_run(summary: impl Into<String>) -> Finding {
        Finding::new(Conclusion::NotRun, summary)
    }

    /// There is nothing of the kind here.
    pub fn not_applicable(summary: impl Into<String>) -> Finding {
        Finding::new(Conclusion::NotApplicable, summary)
    }

    /// A server that does not answer is not as it has to be.
    pub fn unanswered(asked: &str, error: &reqwest::Error) -> Finding {
        let mut reason: &dyn std::error::Error = error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        Finding::fail(format!("{asked}: no answer: {reason}"))
    }

    /// With lines that show it.
    pub fn with(mut self, evidence: impl IntoIterator<Item = impl Into<String>>) -> Finding {
        self.evidence.extend(evidence.into_iter().map(Into::into));
        self
    }
}

impl Context<'_> {
    /// Where a folder is.
    pub fn folder(&self, folder: Folder) -> &std::path::Path {
        match folder {
            Folder::Repository => &self.repository,
            Folder::Evidence => &self.evidence,
        }
    }

    /// A text in which `{{name}}` is what the run knows by that name.
    ///
    /// # Errors
    /// With the finding that something of it is not known.
    pub fn filled(&self, text: &str) -> Result<String, Finding> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else { break };
            filled.push_str(before);
            filled.push_str(&self.named(name.trim())?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn named(&self, name: &str) -> Result<String, Finding> {
        let not_given = |what: &str| Finding::not_run(format!("the run was not given {what}"));
        match name {
            "repository" => Ok(self.repository.display().to_string()),
            "evidence" => Ok(self.evidence.display().to_string()),
            "prometheus" => self
                .prometheus
                .as_ref()
                .map(|url| url.as_str().trim_end_matches('/').to_owned())
                .ok_or_else(|| not_given("a Prometheus")),
            "program" => self
                .program
                .as_ref()
                .map(|path| path.display().to_string())
                .ok_or_else(|| not_given("a program")),
            _ => match (self.facts.get(name), self.endpoints.get(name)) {
                (Some(value), _) => Ok(value.clone()),
                (None, Some(url)) => Ok(url.as_str().trim_end_matches('/').to_owned()),
                (None, None) => Err(not_given(name)),
            },
        }
    }
}
