//! Why a backup could not be made, or not be brought back.

use std::io;

use audit::AuditError;
use chrono::{DateTime, SecondsFormat, Utc};
use forks::StoreError;
use objects::ObjectError;

/// Everything that can go wrong. A message ends with what to do, after its last `; `.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The place of the backups fails.
    #[error("{place}: {problem}; see that it is there and may be read and written")]
    Place {
        /// The file, or the place.
        place: String,
        /// What the system said.
        problem: String,
    },
    /// The object store fails.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The state fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An audit trail can't be read, or is not what was written.
    #[error(
        "the audit trail can't be backed up: {0}; where it is broken, keep its folder as evidence elsewhere, and let a new one begin"
    )]
    Audit(#[from] AuditError),
    /// A folder of a trail has a name that not every place can hold.
    #[error("{folder} holds an audit trail and has an unusual name; use letters, digits, `.`, `-` and `_`")]
    Name {
        /// The folder.
        folder: String,
    },
    /// There is no such backup.
    #[error("there is no backup {id} in {place}; list those that there are")]
    NotFound {
        /// What was asked for.
        id: String,
        /// Where the backups are.
        place: String,
    },
    /// There is no place of backups.
    #[error(
        "there is no folder {place}; say where backups are, or make the first one with `spreadsheet-mcp backup create`"
    )]
    NoPlace {
        /// Where it was looked for.
        place: String,
    },
    /// Something that belongs to a backup is missing or is not what was written.
    #[error("{key} of backup {id} {problem}; use another backup, and make a new one")]
    Damaged {
        /// The backup.
        id: String,
        /// What is damaged.
        key: String,
        /// In which way.
        problem: String,
    },
    /// What is encrypted cannot be read.
    #[error(
        "{key} can't be decrypted: {problem}; give the identity that belongs to a recipient of the backup"
    )]
    Sealed {
        /// What was to be read.
        key: String,
        /// Why it can't be.
        problem: String,
    },
    /// Recipients or identities are not what they should be.
    #[error(
        "{0}; make a key pair with `spreadsheet-mcp backup keygen`: the public key (age1…) is a recipient, the file is the identity"
    )]
    Keys(String),
    /// A later version of the program wrote it.
    #[error(
        "backup {id} has the format {found}, and this program knows formats up to {known}; use the newer program that wrote it"
    )]
    NewerFormat {
        /// The backup.
        id: String,
        /// Its format.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// There is something already where a backup is to be restored to.
    #[error("{what} is not empty; restore into an empty one, and let the server use that")]
    NotEmpty {
        /// What.
        what: String,
    },
    /// Another program makes or prunes backups here.
    #[error("another program sweeps blobs or backs this state up; try again when it is done{}", .killed.map_or_else(String::new, unless))]
    InUse {
        /// When the right of one that was killed ends at the latest, if it does not end with the program.
        killed: Option<DateTime<Utc>>,
    },
    /// A signal came.
    #[error("a signal ended this before it was done; run it again")]
    Stopped,
}

fn unless(until: DateTime<Utc>) -> String {
    format!(", or at {} if it was killed", until.to_rfc3339_opts(SecondsFormat::Secs, true))
}

impl BackupError {
    /// A failure of the file system at a place.
    pub(crate) fn at(place: impl ToString) -> impl FnOnce(io::Error) -> BackupError {
        let place = place.to_string();
        move |error| BackupError::Place { place, problem: error.to_string() }
    }
}
