//! `spreadsheet-mcp audit`: is the trail what was written, and what does it tell.

use std::{path::Path, process::ExitCode};

use ::audit::{AuditError, Outcome, Query};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use server::config::Config;

use crate::{
    cli::{AuditCommand, Format, ListRecordsArguments},
    exit,
    render::{self, print},
};

/// Checks or reads the trail.
pub(crate) fn run(command: AuditCommand, config: &Config) -> ExitCode {
    let Some(folder) = config.fixed.access.audit_dir.as_deref() else {
        eprintln!(
            "spreadsheet-mcp: say where the audit trail is: --audit-dir DIR, or SPREADSHEET_MCP_AUDIT_DIR"
        );
        return ExitCode::from(exit::BAD_CONFIGURATION);
    };
    let done = match command {
        AuditCommand::Verify(_) => verify(folder),
        AuditCommand::List(arguments) => list(folder, arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("spreadsheet-mcp: {error}");
        ExitCode::from(exit::CALL_FAILED)
    })
}

fn verify(folder: &Path) -> Result<ExitCode, AuditError> {
    let found = ::audit::verify(folder)?;
    let mut told = json!({
        "records": found.records, "first": found.first, "last": found.last, "digest": found.digest,
    });
    if let Some((first, last)) = found.times {
        told["from"] = json!(first);
        told["to"] = json!(last);
    }
    if found.is_torn {
        told["note"] = json!("the last line is not whole: its writer is at it, or was stopped");
    }
    Ok(print(&render::as_text(&told)))
}

fn list(folder: &Path, arguments: ListRecordsArguments) -> Result<ExitCode, AuditError> {
    let last = |time: humantime::Duration| {
        TimeDelta::from_std(*time).ok().and_then(|time| Utc::now().checked_sub_signed(time))
    };
    let query = Query {
        principal: arguments.principal,
        tenant: arguments.tenant,
        action: arguments.action,
        about: arguments.about,
        outcome: arguments.denied.then_some(Outcome::Denied),
        since: arguments.last.and_then(last),
        before: None,
        limit: arguments.limit,
    };
    let records = ::audit::find(folder, &query)?;
    Ok(match arguments.format {
        Format::Json => print(&json!({ "records": records }).to_string()),
        Format::Text => {
            let shown = records.iter().map(|record| {
                let entry = &record.entry;
                json!({
                    "seq": record.seq, "time": record.time.format("%F %T").to_string(), "who": entry.principal,
                    "role": entry.role, "tenant": entry.tenant, "action": entry.action,
                    "fork": entry.fork, "workbook": entry.workbook, "outcome": entry.outcome, "code": entry.code,
                })
            });
            print(&render::as_text(&Value::Array(shown.collect())))
        }
    })
}
