//! `spreadsheet-mcp audit`: is the trail what was written, and what does it tell.

use std::{cmp::Reverse, path::Path, process::ExitCode};

use ::audit::{Abandoned, AuditError, Named, Outcome, Query, Record, Retention};
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
        AuditCommand::Purge(_) => purge(folder, config.fixed.access.audit_keep_days),
    };
    done.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &AuditError) -> ExitCode {
    eprintln!("spreadsheet-mcp: {error}");
    ExitCode::from(exit::CALL_FAILED)
}

/// Checks the trail of the folder, or that of each replica.
fn verify(folder: &Path) -> Result<ExitCode, AuditError> {
    let trails = ::audit::trails(folder)?;
    let ([] | [Named { name: None, .. }]) = trails.as_slice() else { return Ok(verify_each(&trails)) };
    Ok(print(&render::as_text(&verified(folder)?)))
}

/// All of them are looked at, however many are broken.
fn verify_each(trails: &[Named]) -> ExitCode {
    let mut sound = Vec::new();
    let mut broken = None;
    for trail in trails {
        match verified(&trail.folder) {
            Ok(mut told) => {
                told["trail"] = json!(trail.name.as_deref().unwrap_or("."));
                sound.push(told);
            }
            Err(error) => broken = Some(failed(&error)),
        }
    }
    let printed = print(&render::as_text(&Value::Array(sound)));
    broken.unwrap_or(printed)
}

fn verified(folder: &Path) -> Result<Value, AuditError> {
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
    Ok(told)
}

fn purge(folder: &Path, keep_days: u32) -> Result<ExitCode, AuditError> {
    let retention = Retention { keep: TimeDelta::days(keep_days.into()) };
    let (mut gone, mut refused) = (Vec::new(), None);
    ::audit::purge_abandoned(folder, retention, Utc::now(), |went| match went {
        Ok(Abandoned { name, records }) => gone.push(json!({ "trail": name, "records": records })),
        Err(error) => refused = Some(failed(&error)),
    })?;
    let printed = match gone.is_empty() {
        true => print(&format!(
            "there is no trail whose records are all older than {keep_days} days and that nobody writes"
        )),
        false => print(&render::as_text(&json!({ "purged": gone }))),
    };
    Ok(refused.unwrap_or(printed))
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
    let mut found: Vec<(Option<String>, Record)> = Vec::new();
    for trail in ::audit::trails(folder)? {
        let records = ::audit::find(&trail.folder, &query)?;
        found.extend(records.into_iter().map(|record| (trail.name.clone(), record)));
    }
    // Stable: of one time, and of one trail, they stay in their order.
    found.sort_by_key(|(_, record)| Reverse(record.time));
    found.truncate(query.limit);
    Ok(match arguments.format {
        Format::Json => {
            let records = found.iter().map(|(trail, record)| of_trail(trail.as_ref(), json!(record)));
            print(&json!({ "records": records.collect::<Vec<Value>>() }).to_string())
        }
        Format::Text => {
            let shown = found.iter().map(|(trail, record)| {
                let entry = &record.entry;
                let told = json!({
                    "seq": record.seq, "time": record.time.format("%F %T").to_string(), "who": entry.principal,
                    "role": entry.role, "tenant": entry.tenant, "action": entry.action,
                    "fork": entry.fork, "workbook": entry.workbook, "outcome": entry.outcome, "code": entry.code,
                });
                of_trail(trail.as_ref(), told)
            });
            print(&render::as_text(&Value::Array(shown.collect())))
        }
    })
}

/// Numbers are those of a trail: where there are several, it is named.
fn of_trail(trail: Option<&String>, mut told: Value) -> Value {
    if let Some(name) = trail {
        told["trail"] = json!(name);
    }
    told
}
