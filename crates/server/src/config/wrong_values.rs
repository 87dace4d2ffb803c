//! What is wrong with values beyond their types: folders that are not there, tools that do not exist.

use super::{Settings, ToolsConfig, WorkspaceConfig, options::suggest};
use crate::{tls, tools};

/// A value that is of its type and yet wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongValue {
    /// The option, by its key.
    pub key: &'static str,
    /// What is wrong, and what to do.
    pub what: String,
}

impl WrongValue {
    pub(crate) fn new(key: &'static str, what: String) -> WrongValue {
        WrongValue { key, what }
    }
}

impl Settings {
    /// Everything that is wrong with the values beyond their types and least values.
    pub fn wrong_values(&self) -> Vec<WrongValue> {
        let mut wrong = self.config.fixed.workspace.wrong_values();
        wrong.extend(self.config.live.tools.wrong_values(&tools::names()));
        wrong.extend(self.tls.wrong_values());
        wrong.extend(self.metrics.wrong_job().map(|what| WrongValue::new("metrics_push_job", what)));
        wrong.extend(self.tracing.wrong_ratio().map(|what| WrongValue::new("trace_sample_ratio", what)));
        wrong.extend(self.tracing.wrong_headers().map(|what| WrongValue::new("otlp_endpoint", what)));
        wrong.extend(self.config.fixed.oidc.wrong_values(&self.listen));
        let store = self.config.fixed.objects.options().err();
        wrong.extend(store.map(|what| WrongValue::new("object_store_file", what)));
        let access = &self.config.fixed.access;
        let state = &self.config.fixed.state;
        wrong.extend(state.wrong_values());
        let secrets = [("keys_file", &access.keys_file), ("state_password_file", &state.state_password_file)];
        let in_vault = secrets
            .into_iter()
            .find(|(_, source)| source.as_ref().is_some_and(|source| source.vault().is_some()))
            .map(|(key, _)| key);
        wrong.extend(self.config.fixed.vault.wrong_values(in_vault));
        wrong.extend(self.config.fixed.gate.wrong_verdict());
        let endpoint = self.tracing.endpoint().err();
        wrong
            .extend(endpoint.map(|what| {
                WrongValue::new("otlp_endpoint", format!("OTEL_EXPORTER_OTLP_ENDPOINT: {what}"))
            }));
        wrong
    }

    /// What is wrong with files that only a server reads.
    pub fn wrong_files(&self) -> Vec<WrongValue> {
        let mut wrong = tls::check(&self.tls).err().unwrap_or_default();
        let password = self.config.fixed.state.wrong_password_file();
        wrong.extend(password.map(|what| WrongValue::new("state_password_file", what)));
        wrong
    }
}

impl WorkspaceConfig {
    fn wrong_values(&self) -> Vec<WrongValue> {
        let mut wrong = Vec::new();
        if let Some(folder) = self.workspace.folder() {
            let shown = folder.display();
            if !folder.is_dir() {
                wrong.push(WrongValue::new(
                    "workspace",
                    format!("\"{shown}\" is not a folder that can be read"),
                ));
            } else if let Some(workbook) = &self.workbook
                && !folder.join(workbook).is_file()
            {
                wrong.push(WrongValue::new(
                    "workbook",
                    format!("there is no file \"{workbook}\" in \"{shown}\""),
                ));
            }
        }
        if self.extensions.iter().all(|extension| extension.trim().is_empty()) {
            wrong.push(WrongValue::new("extensions", "name at least one extension".to_owned()));
        }
        wrong
    }
}

impl ToolsConfig {
    fn wrong_values(&self, known_tools: &[&str]) -> Vec<WrongValue> {
        let unknown = self.tools.iter().filter(|tool| !known_tools.contains(&tool.as_str()));
        let wrong = unknown.map(|tool| {
            let meant = suggest(tool, known_tools.iter().copied());
            WrongValue::new("tools", format!("there is no tool \"{tool}\"{meant}"))
        });
        wrong.collect()
    }
}
