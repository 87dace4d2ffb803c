//! Errors of forks as callers see them.

use forks::StoreError;
use workbook::edit::{EditError, SaveError};

use crate::error::{ErrorCode, ToolError};

/// An error of the store. Its message ends with the remedy. Where on the server it happened is nothing to callers: the log tells.
pub(crate) fn store_error(error: StoreError) -> ToolError {
    let code = match &error {
        StoreError::NotFound { what: "fork", .. } => ErrorCode::ForkNotFound,
        StoreError::NotFound { .. } | StoreError::NoSuchStep { .. } | StoreError::NotAnAncestor { .. } => {
            ErrorCode::NotFound
        }
        StoreError::Exists { .. } => ErrorCode::AlreadyExists,
        StoreError::Conflict { .. } => ErrorCode::Conflict,
        StoreError::IdempotencyMismatch { .. } => ErrorCode::InvalidArgument,
        StoreError::LimitReached { .. } => ErrorCode::LimitExceeded,
        StoreError::Full { .. } => ErrorCode::StorageFull,
        StoreError::Busy { .. } => ErrorCode::Busy,
        StoreError::Corrupt { .. }
        | StoreError::CorruptBlob { .. }
        | StoreError::NewerVersion { .. }
        | StoreError::ReadOnly { .. }
        | StoreError::Unavailable { .. }
        | StoreError::Away { .. }
        | StoreError::InDoubt { .. }
        | StoreError::Refused { .. }
        | StoreError::NotMigrated { .. }
        | StoreError::Bucket(_)
        | StoreError::Source(_) => ErrorCode::StateUnavailable,
    };
    let message = match &error {
        StoreError::Conflict { since, left_out, .. } => {
            let told: Vec<String> =
                since.iter().map(|entry| format!("{} {}", entry.seq, entry.summary)).collect();
            let more = if *left_out > 0 { format!(" and {left_out} before") } else { String::new() };
            let changes = if told.is_empty() { "its head was moved".to_owned() } else { told.join(", ") };
            let text = error.to_string();
            let (what, remedy) = text.rsplit_once("; ").unwrap_or((&text, ""));
            format!("{what} (since then: {changes}{more}); {remedy}")
        }
        other => other.to_string(),
    };
    let message = match error.without_place() {
        Some(elsewhere) => {
            if is_news(&error) {
                tracing::warn!(%error, "the state failed a call");
            }
            elsewhere
        }
        None => message,
    };
    let told = |what: &str| match error.retry_after() {
        Some(wait) => ToolError::new(code, what).retry_after(wait.as_secs().max(1)),
        None => ToolError::new(code, what),
    };
    match message.rsplit_once("; ") {
        Some((what, remedy)) => told(what).hint(remedy),
        None => told(&message),
    }
}

/// Whether the log does not tell of it otherwise: it says once of a database that it is away.
fn is_news(error: &StoreError) -> bool {
    !matches!(
        error,
        StoreError::Busy { .. }
            | StoreError::Away { .. }
            | StoreError::InDoubt { .. }
            | StoreError::Refused { .. }
            | StoreError::NotMigrated { .. }
    )
}

/// An edit that was refused.
pub(crate) fn edit_error(error: EditError) -> ToolError {
    let location = match (error.index, &error.place) {
        (Some(index), Some(place)) => format!("ops[{index}] {place}"),
        (Some(index), None) => format!("ops[{index}]"),
        (None, Some(place)) => place.clone(),
        (None, None) => "workbook".to_owned(),
    };
    let nothing = if error.index.is_some() { ": nothing was applied" } else { "" };
    let message = match error.op.as_str() {
        "" => error.problem,
        op => format!("{op}: {}{nothing}", error.problem),
    };
    let told = ToolError::new(ErrorCode::EditRefused, message).at(location);
    if error.remedy.is_empty() { told } else { told.hint(error.remedy) }
}

/// A save that failed.
pub(crate) fn save_error(error: SaveError) -> ToolError {
    match error {
        SaveError::Signed => ToolError::new(
            ErrorCode::SignatureWouldBreak,
            "the workbook is digitally signed and a changed copy cannot keep that",
        )
        .at("drop_signature")
        .hint("pass drop_signature: true to save it without the signature"),
        SaveError::Part(error) => ToolError::from(error),
        SaveError::Package(error) => {
            let code = match &error {
                ooxml::SaveError::Write(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                    ErrorCode::StorageFull
                }
                _ => ErrorCode::FileUnreadable,
            };
            ToolError::new(code, error.to_string()).hint("nothing was replaced; check the disk and try again")
        }
    }
}

#[cfg(test)]
mod tests {
    use forks::{Blobs, SqliteStore};

    use super::*;

    /// What a caller is told, as it goes over the wire.
    fn told(error: StoreError) -> String {
        store_error(error).to_body().to_string()
    }

    #[test]
    fn callers_are_not_told_where_the_state_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("text");
        let database = folder.path().join("forks.sqlite");
        let blobs = Blobs::open(&folder.path().join("blobs")).expect("opens");
        let digest = blobs.put(b"abc", 1).expect("is put");
        let name = digest.to_string();
        std::fs::write(folder.path().join("blobs").join(&name[..2]).join(&name), "abd").expect("damaged");
        let damaged = blobs.read(&digest, 1).expect_err("is damaged");
        std::fs::write(&database, [7; 5_000]).expect("written");
        let no_database = SqliteStore::open(&database).map(drop).expect_err("is none");
        let below = Blobs::open(&database.join("blobs")).map(drop).expect_err("a file is no folder");
        let place = || database.display().to_string();
        for error in [
            damaged,
            no_database,
            below,
            StoreError::Full { place: place() },
            StoreError::ReadOnly { place: place(), problem: "Permission denied (os error 13)".to_owned() },
            StoreError::Unavailable {
                place: place(),
                problem: format!("unable to open database file: {}", place()),
            },
            StoreError::NewerVersion { place: place(), found: 9, known: 4 },
            StoreError::Busy { place: place() },
        ] {
            let log = error.to_string();
            assert!(log.contains(path), "{log}");
            let told = told(error);
            assert!(!told.contains(path) && told.contains("the state"), "{told}");
        }
        let full = told(StoreError::Full { place: place() });
        assert_eq!(
            full,
            r#"{"error":{"code":"storage_full","message":"the disk of the state is full","hint":"nothing was changed: free some space, then repeat the call"}}"#
        );
        let busy = told(StoreError::Busy { place: "fork-abc".to_owned() });
        assert!(busy.contains("fork-abc is busy"), "{busy}");
    }
}
