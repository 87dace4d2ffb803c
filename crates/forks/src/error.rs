//! Why the store could not do what was asked.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::{Digest, EntrySummary, ForkId, IdempotencyKey, Seq};

/// What the place of an error is called where it is not named.
const STATE: &str = "the state";

/// Everything that can go wrong. The first group is about what was asked, the second about where it is kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing has that name.
    #[error("there is no {what} {name}; it may have been discarded or have expired")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// The name that was asked for.
        name: String,
    },
    /// Something has that name already.
    #[error("there is a {what} {name} already; choose another name, or delete that one first")]
    Exists {
        /// The kind of thing.
        what: &'static str,
        /// The name that is taken.
        name: String,
    },
    /// The fork moved on since the caller looked.
    #[error(
        "{fork} is at {actual}, not at {expected}; look at what changed since, then repeat the call with {actual}"
    )]
    Conflict {
        /// The fork.
        fork: ForkId,
        /// Where the caller believed it to be.
        expected: Seq,
        /// Where it is.
        actual: Seq,
        /// The entries of the live state that the caller does not know, oldest first; the newest ones when they are many.
        since: Vec<EntrySummary>,
        /// How many such entries, older than these, are not listed.
        left_out: u64,
    },
    /// There are not so many steps to go.
    #[error("{fork} has no {asked} steps to {direction}; ask for at most {available}")]
    NoSuchStep {
        /// The fork.
        fork: ForkId,
        /// `undo` or `redo`.
        direction: &'static str,
        /// How many steps were asked for.
        asked: u64,
        /// How many there are.
        available: u64,
    },
    /// One state was asked as the continuation of another, and is not.
    #[error("state {to} of {fork} does not continue state {from}; replay it from the base")]
    NotAnAncestor {
        /// The fork.
        fork: ForkId,
        /// The state to start from.
        from: Seq,
        /// The state to get to.
        to: Seq,
    },
    /// The key names a call that asked for something else.
    #[error("the idempotency key {key} was used for another call on {fork}; use a new key for each call")]
    IdempotencyMismatch {
        /// The fork.
        fork: ForkId,
        /// The key.
        key: IdempotencyKey,
    },
    /// There is as much as there may be.
    #[error("{what} would exceed the limit of {limit}; discard forks that are done with, or raise {option}")]
    LimitReached {
        /// What is counted.
        what: &'static str,
        /// How much of it there may be.
        limit: u64,
        /// The configuration option that sets it.
        option: &'static str,
    },
    /// What was to be kept cannot be read.
    #[error("the bytes to keep cannot be read: {0}; see that their source is complete, then repeat the call")]
    Source(String),

    /// What is stored cannot be read.
    #[error("{place} is damaged: {problem}; restore it from a backup, or move it away to start with none")]
    Corrupt {
        /// The file.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The bytes of a blob are not those that its name says.
    #[error(
        "{place} is damaged: its bytes have the digest {actual}; restore it from a backup, or discard what uses it"
    )]
    CorruptBlob {
        /// The file, or the URL of the object.
        place: String,
        /// What it holds.
        actual: Digest,
    },
    /// A later version of the program wrote it.
    #[error(
        "{place} has the format {found}, and this program knows formats up to {known}; use the newer program that wrote it"
    )]
    NewerVersion {
        /// The database.
        place: String,
        /// Its format.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// The disk is full. What was acknowledged before is safe; this call changed nothing.
    #[error("the disk of {place} is full; nothing was changed: free some space, then repeat the call")]
    Full {
        /// What was to be written.
        place: String,
    },
    /// Writing is not allowed.
    #[error(
        "{place} cannot be written: {problem}; give this program write access, or choose another state directory"
    )]
    ReadOnly {
        /// What was to be written.
        place: String,
        /// What the system says.
        problem: String,
    },
    /// Others kept the database locked for too long.
    #[error("{place} is busy with other writers; repeat the call")]
    Busy {
        /// The database.
        place: String,
    },
    /// The database does not answer. What was acknowledged before is safe; this call changed nothing.
    #[error("{place} does not answer: {problem}; nothing was changed: repeat the call in a moment")]
    Away {
        /// The URL of the database, without credentials.
        place: String,
        /// What happened.
        problem: String,
    },
    /// The database was lost over a change, and could not be asked about it since.
    #[error(
        "{place} broke off: {problem}; the change may have been made: look, or repeat the call with the same idempotency key"
    )]
    InDoubt {
        /// The URL of the database, without credentials.
        place: String,
        /// What happened.
        problem: String,
    },
    /// The database does not let us in, or not do what is needed.
    #[error("{place} refuses this program: {problem}; check the user, its password and what it may do")]
    Refused {
        /// The URL of the database, without credentials.
        place: String,
        /// What it says.
        problem: String,
    },
    /// The tables are those of an earlier version of the program, or there are none.
    #[error("{place} has the format {found}, and this program needs {known}; run `spreadsheet-mcp migrate`")]
    NotMigrated {
        /// The URL of the database, without credentials.
        place: String,
        /// Its format; 0 where there are no tables.
        found: i64,
        /// The one that is needed.
        known: i64,
    },
    /// The system failed in another way.
    #[error("{place} cannot be used: {problem}; see that the directory exists and that its disk works")]
    Unavailable {
        /// The file or folder.
        place: String,
        /// What the system says.
        problem: String,
    },
    /// The bucket of blobs could not do it. A blob that was to be put may be there; nothing refers to it.
    #[error("the bucket of blobs: {0}")]
    Bucket(#[from] objects::ObjectError),
}

impl StoreError {
    /// When the same call may succeed, if waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            // Another writer is done by then, and the database may be back.
            StoreError::Busy { .. } | StoreError::Away { .. } => Some(Duration::from_secs(1)),
            StoreError::Bucket(error) => error.retry_after(),
            _ => None,
        }
    }

    /// What to say to who must not know where the state is: no path of this machine and no name of another. `None` where the
    /// error says nothing of that.
    pub fn without_place(&self) -> Option<String> {
        let place = match self {
            StoreError::Corrupt { place, .. }
            | StoreError::CorruptBlob { place, .. }
            | StoreError::NewerVersion { place, .. }
            | StoreError::Full { place }
            | StoreError::ReadOnly { place, .. }
            | StoreError::Busy { place }
            | StoreError::Away { place, .. }
            | StoreError::InDoubt { place, .. }
            | StoreError::Refused { place, .. }
            | StoreError::NotMigrated { place, .. }
            | StoreError::Unavailable { place, .. } => place,
            _ => return None,
        };
        // Others are names of forks. What the system says may name the file once more.
        place.contains(['/', '\\']).then(|| self.to_string().replace(place.as_str(), STATE))
    }

    /// What a failure of the file system at `path` means.
    pub(crate) fn from_io(path: &Path, problem: &io::Error) -> StoreError {
        let place = path.display().to_string();
        match problem.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                StoreError::Full { place }
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                StoreError::ReadOnly { place, problem: problem.to_string() }
            }
            _ => StoreError::Unavailable { place, problem: problem.to_string() },
        }
    }

    pub(crate) fn no_fork(id: &ForkId) -> StoreError {
        StoreError::NotFound { what: "fork", name: id.to_string() }
    }
}
