//! What SQLite's failures mean to whoever uses the store.

use std::path::Path;

use rusqlite::{ErrorCode, ffi};

use crate::{Seq, StoreError, folder};

/// Why a transaction was rolled back.
pub(super) enum Failure {
    /// What was asked cannot be done.
    Store(StoreError),
    /// The head is elsewhere than the writer believed. What changed is worked out after the write lock is given back.
    Stale {
        /// Where the head is.
        actual: Seq,
    },
    /// The database failed.
    Sqlite(rusqlite::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Sqlite(error)
    }
}

/// What a failure of the database at `path` means.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> StoreError {
    let place = path.display().to_string();
    let problem = error.to_string();
    let cause = match error {
        rusqlite::Error::SqliteFailure(cause, _) => cause,
        // The tables are others than ours.
        rusqlite::Error::SqlInputError { msg, .. } => {
            return StoreError::Corrupt { place, problem: msg.clone() };
        }
        // A column holds what none of our statements writes.
        _ => return StoreError::Corrupt { place, problem },
    };
    match cause.code {
        ErrorCode::DiskFull => StoreError::Full { place },
        // The shared memory of the log is extended through the file system too.
        ErrorCode::SystemIoFailure if cause.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
            StoreError::Full { place }
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt { place, problem },
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly { place, problem },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy { place },
        // SQLite does not say why.
        ErrorCode::CannotOpen => path
            .parent()
            .and_then(|folder| folder::check_writable(folder).err())
            .unwrap_or(StoreError::Unavailable { place, problem }),
        _ => StoreError::Unavailable { place, problem },
    }
}
