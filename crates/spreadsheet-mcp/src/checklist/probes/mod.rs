//! Probes of the deployment gate: what has to be known of this service and neither files nor Prometheus tell.
//!
//! A probe is a row of [`PROBES`] and a function of the room that it is about. It says what it found and what is wanted, in a
//! sentence; what it shows of that holds no secret. Each problem of the configuration is told by one of them: by the one that is
//! about it, or else by `configuration-valid`.

mod configuration;
mod fonts;
mod libreoffice;
mod mcp;
mod metrics;
mod page;
mod places;
mod question;
mod secrets;
mod tls;
mod traces;

use std::{collections::BTreeMap, sync::OnceLock};

use checklist::context::{Context, Finding, Probes};
use serde_json::Value;
use server::config::{
    Settings,
    layers::{Problem, Resolved, Sources},
    reference,
};

use question::{Found, Question};

/// How a probe finds out.
type Probe = fn(&ServiceProbes, &Question<'_>) -> Found;

/// Every probe there is.
const PROBES: [(&str, Probe); 18] = [
    ("configuration", configuration::rules),
    ("configuration-valid", configuration::valid),
    ("options-documented", configuration::documented),
    ("unknown-variables", configuration::unknown_variables),
    ("secrets-in-files", secrets::in_files),
    ("private-files", secrets::private_files),
    ("workspace", places::workspace),
    ("writable", places::writable),
    ("metric", metrics::metric),
    ("metrics-documented", metrics::documented),
    ("cardinality", metrics::cardinality),
    ("labels-closed", metrics::labels_closed),
    ("trace-endpoint", traces::endpoint),
    ("certificate", tls::certificate),
    ("mcp-call", mcp::call),
    ("mcp-refused", mcp::refused),
    ("libreoffice", libreoffice::find),
    ("fonts", fonts::find),
];

/// The probes, and the configuration that they judge.
pub(crate) struct ServiceProbes {
    /// Where values come from.
    sources: Sources,
    /// The configuration, as far as it can be understood.
    resolved: Result<Resolved, Problem>,
    /// What is wrong with the rest of it.
    problems: Vec<Problem>,
    /// The configuration by sections and keys.
    document: Value,
    /// What was seen of LibreOffice, which several probes ask for.
    office: OnceLock<libreoffice::Seen>,
}

impl ServiceProbes {
    /// Probes that judge the configuration of these sources, right or wrong.
    pub(crate) fn new(sources: &Sources) -> ServiceProbes {
        let (resolved, problems) = sources.understood();
        let values = resolved.as_ref().map(|resolved| resolved.values.as_slice()).unwrap_or_default();
        ServiceProbes {
            sources: sources.clone(),
            document: reference::in_force_by_section(values),
            resolved,
            problems,
            office: OnceLock::new(),
        }
    }

    /// The configuration by sections and keys, without secrets: what rules are held against.
    pub(crate) fn configuration(&self) -> &Value {
        &self.document
    }

    fn resolved(&self) -> Result<&Resolved, Finding> {
        let not_understood = |problem| Finding::error(format!("the configuration can't be read: {problem}"));
        self.resolved.as_ref().map_err(not_understood)
    }

    fn settings(&self) -> Result<&Settings, Finding> {
        self.resolved().map(|resolved| &resolved.settings)
    }
}

impl Probes for ServiceProbes {
    fn names(&self) -> Vec<&'static str> {
        PROBES.iter().map(|(name, _)| *name).collect()
    }

    fn probe(&self, name: &str, with: &BTreeMap<String, Value>, context: &Context<'_>) -> Finding {
        let Some((name, probe)) = PROBES.iter().find(|(known, _)| *known == name) else {
            return Finding::error(format!(
                "there is no probe {name}: there are {}",
                self.names().join(", ")
            ));
        };
        probe(self, &Question { name, with, context }).unwrap_or_else(|finding| finding)
    }
}

#[cfg(test)]
mod tests;
