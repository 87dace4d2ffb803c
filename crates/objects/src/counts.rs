//! What was asked of a bucket so far.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::ObjectError;

/// Kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Asking what an object is.
    Head,
    /// Reading an object or a part of it.
    Get,
    /// Writing an object.
    Put,
    /// Deleting an object.
    Delete,
    /// Asking which objects there are.
    List,
}

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 5] =
        [Operation::Head, Operation::Get, Operation::Put, Operation::Delete, Operation::List];

    /// Its name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Head => "head",
            Operation::Get => "get",
            Operation::Put => "put",
            Operation::Delete => "delete",
            Operation::List => "list",
        }
    }
}

/// How requests end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Well.
    Ok,
    /// There was no such object.
    NotFound,
    /// A precondition did not hold.
    Changed,
    /// It was refused, cannot be, or what was to be written could not be read.
    Refused,
    /// The store failed or was silent.
    Unavailable,
    /// The store was not asked, since it failed before.
    Suspended,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 6] = [
        Outcome::Ok,
        Outcome::NotFound,
        Outcome::Changed,
        Outcome::Refused,
        Outcome::Unavailable,
        Outcome::Suspended,
    ];

    /// Its name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::NotFound => "not_found",
            Outcome::Changed => "changed",
            Outcome::Refused => "refused",
            Outcome::Unavailable => "unavailable",
            Outcome::Suspended => "suspended",
        }
    }

    fn of<T>(result: &Result<T, ObjectError>) -> Outcome {
        match result {
            Ok(_) => Outcome::Ok,
            Err(ObjectError::NotFound { .. }) => Outcome::NotFound,
            Err(ObjectError::Changed { .. }) => Outcome::Changed,
            Err(
                ObjectError::Denied { .. }
                | ObjectError::NoBucket { .. }
                | ObjectError::Refused { .. }
                | ObjectError::Unsupported { .. }
                | ObjectError::Source { .. },
            ) => Outcome::Refused,
            Err(ObjectError::Unavailable { .. }) => Outcome::Unavailable,
            Err(ObjectError::Suspended { .. }) => Outcome::Suspended,
        }
    }
}

/// Counts since the bucket was opened.
#[derive(Debug, Default)]
pub struct Counts {
    requests: [[AtomicU64; Outcome::ALL.len()]; Operation::ALL.len()],
    micros: [AtomicU64; Operation::ALL.len()],
    received: AtomicU64,
    sent: AtomicU64,
}

impl Counts {
    /// Requests of a kind that ended so.
    pub fn requests(&self, operation: Operation, outcome: Outcome) -> u64 {
        self.requests[operation as usize][outcome as usize].load(Relaxed)
    }

    /// The time that requests of a kind took together.
    pub fn took(&self, operation: Operation) -> Duration {
        Duration::from_micros(self.micros[operation as usize].load(Relaxed))
    }

    /// Bytes of objects that were read.
    pub fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// Bytes of objects that were written.
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    pub(crate) fn ended<T>(&self, operation: Operation, result: &Result<T, ObjectError>, took: Duration) {
        self.requests[operation as usize][Outcome::of(result) as usize].fetch_add(1, Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros[operation as usize].fetch_add(micros, Relaxed);
    }

    pub(crate) fn add_received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn add_sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Relaxed);
    }
}
