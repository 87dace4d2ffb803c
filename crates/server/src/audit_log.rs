//! What is told of what callers do: a record of every call and of everybody who was not let in, never of content.

use access::Denied;
use audit::{AuditError, Entry, Outcome, Retention, Trail};
use chrono::{TimeDelta, Utc};
use serde_json::Value;

use crate::{
    config::AccessConfig,
    error::{ErrorCode, ToolError},
    principal::Principal,
};

/// Characters of a path or an id that are told at most.
const MAX_NAME: usize = 300;

/// The audit trail of a server; none where it has none.
#[derive(Debug)]
pub(crate) struct AuditLog {
    trail: Option<Trail>,
    retention: Retention,
}

impl AuditLog {
    /// Goes on with the trail of the configuration.
    ///
    /// # Errors
    /// When it can't be written, or is not what was written.
    pub(crate) fn open(config: &AccessConfig) -> Result<AuditLog, AuditError> {
        let trail = config.audit_dir.as_deref().map(Trail::open).transpose()?;
        let keep = TimeDelta::days(i64::from(config.audit_keep_days));
        Ok(AuditLog { trail, retention: Retention { keep } })
    }

    /// Tells nobody.
    pub(crate) fn none() -> AuditLog {
        AuditLog { trail: None, retention: Retention { keep: TimeDelta::MAX } }
    }

    /// Tells of a call once it has ended, also where nobody waits for its end.
    pub(crate) fn call(&self, principal: &Principal, tool: &str, arguments: &Value) -> Recording<'_> {
        let argument = |name: &str| {
            let text = arguments.get(name)?.as_str()?;
            Some(text.chars().take(MAX_NAME).collect::<String>())
        };
        let is_fork = |name: &String| name.starts_with("fork-");
        let named = argument("workbook");
        let entry = Entry {
            fork: argument("fork").or_else(|| named.clone().filter(is_fork)),
            workbook: named.filter(|name| !is_fork(name)).or_else(|| argument("path")),
            outcome: Outcome::Failed,
            code: Some(ErrorCode::Cancelled.as_str().to_owned()),
            principal: principal.id().to_owned(),
            role: principal.role().to_string(),
            tenant: principal.tenant().map(ToString::to_string),
            action: tool.to_owned(),
            trace: None,
        };
        Recording { trail: self.trail.as_ref(), entry }
    }

    /// Tells of a request whose sender was not let in, by name where a secret or a signature proves it.
    pub(crate) fn denied(&self, denied: &Denied) {
        let Some(trail) = &self.trail else { return };
        let entry = Entry {
            principal: denied.principal().map_or_else(|| "unknown".to_owned(), ToString::to_string),
            role: "none".to_owned(),
            action: "connect".to_owned(),
            outcome: Outcome::Denied,
            code: Some(denied.reason().to_owned()),
            ..Entry::default()
        };
        append(trail, entry);
    }

    /// Makes what was told outlive the machine, and takes away what need not be kept any more.
    pub(crate) fn purge(&self) {
        let Some(trail) = &self.trail else { return };
        match trail.sync().and_then(|()| trail.purge(self.retention, Utc::now())) {
            Ok(0) => {}
            Ok(records) => tracing::info!(records, "purged the audit trail"),
            Err(error) => tracing::error!(%error, "the audit trail can't be purged"),
        }
    }

    /// Makes what was told outlive the machine.
    pub(crate) fn sync(&self) {
        if let Some(Err(error)) = self.trail.as_ref().map(Trail::sync) {
            tracing::error!(%error, "the audit trail may not be on the disk yet");
        }
    }
}

/// A call that has not ended yet.
pub(crate) struct Recording<'a> {
    trail: Option<&'a Trail>,
    entry: Entry,
}

impl Recording<'_> {
    /// How it ended.
    pub(crate) fn ended(mut self, failed: Option<&ToolError>) {
        self.entry.outcome = match failed.map(|error| error.code) {
            None => Outcome::Ok,
            Some(ErrorCode::Forbidden | ErrorCode::Unauthorized | ErrorCode::OutsideWorkspace) => {
                Outcome::Denied
            }
            Some(_) => Outcome::Failed,
        };
        self.entry.code = failed.map(|error| error.code.as_str().to_owned());
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        if let Some(trail) = self.trail {
            append(trail, std::mem::take(&mut self.entry));
        }
    }
}

fn append(trail: &Trail, entry: Entry) {
    if let Err(error) = trail.append(entry, Utc::now()) {
        tracing::error!(%error, "the audit trail can't be written");
    }
}
