//! What the failures of PostgreSQL mean to whoever uses the store.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::{Seq, StoreError};

/// Why something was not done.
pub(super) enum Failure {
    /// What was asked cannot be done.
    Store(StoreError),
    /// The head is elsewhere than the writer believed.
    Stale {
        /// Where the head is.
        actual: Seq,
    },
    /// The database refused a statement, or was lost over it.
    Statement(Error),
    /// The database cannot be asked.
    Away(String),
    /// It does not let us, or is not what it should be.
    Refused(String),
    /// All connections are in use.
    Busy,
    /// Its tables are not those of this program.
    Format(Format),
    /// A column holds what none of our statements writes.
    Damaged(String),
    /// An answer did not come in time.
    Late,
}

/// The format that a database has, and is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// That of the database; 0 where there are no tables.
    pub(super) found: i64,
    /// The newest that this program knows.
    pub(super) known: i64,
}

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was refused, and would be again.
    Refused,
    /// It was undone for the sake of others, and may be repeated.
    Undone,
    /// It was refused by a server that must not write any more: another one may.
    ReadOnly,
    /// Nobody knows: the connection is lost.
    Unknown,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Statement(error)
    }
}

/// What became of the statement that failed so.
pub(super) fn fate(error: &Error) -> Fate {
    match error.code() {
        None => Fate::Unknown,
        Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Fate::ReadOnly,
        Some(code)
            if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED =>
        {
            Fate::Undone
        }
        // The server goes, or went over it.
        Some(code) if is_end_of_connection(code) => Fate::Unknown,
        Some(_) => Fate::Refused,
    }
}

fn is_end_of_connection(code: &SqlState) -> bool {
    let code = code.code();
    code.starts_with("08") || code.starts_with("57P") || code.starts_with("58") || code == "25P03"
}

impl Failure {
    /// Whether it is the database that failed, so that asking it again at once is of no use.
    pub(super) fn is_absence(&self) -> bool {
        match self {
            Failure::Away(_) | Failure::Late => true,
            Failure::Statement(error) => fate(error) == Fate::Unknown,
            _ => false,
        }
    }

    /// What it means, of the database at `place`. Something may have been changed if it is `in_doubt`.
    pub(super) fn explain(self, place: &str, in_doubt: bool) -> StoreError {
        let place = place.to_owned();
        let away = |problem: String| match in_doubt {
            true => StoreError::InDoubt { place: place.clone(), problem },
            false => StoreError::Away { place: place.clone(), problem },
        };
        match self {
            Failure::Store(error) => error,
            Failure::Stale { actual } => {
                debug_assert!(false, "only writes that expect a head are stale, and those explain it");
                StoreError::NotFound { what: "state", name: actual.to_string() }
            }
            Failure::Away(problem) => away(problem),
            Failure::Late => away("there was no answer in time".to_owned()),
            Failure::Busy if in_doubt => away("all connections are in use".to_owned()),
            Failure::Busy => StoreError::Busy { place },
            Failure::Refused(problem) => StoreError::Refused { place, problem },
            Failure::Damaged(problem) => StoreError::Corrupt { place, problem },
            Failure::Format(Format { found, known }) if found > known => {
                StoreError::NewerVersion { place, found, known }
            }
            Failure::Format(Format { found, known }) => StoreError::NotMigrated { place, found, known },
            Failure::Statement(error) if fate(&error) == Fate::Unknown => away(in_full(&error)),
            Failure::Statement(error) => explain_refusal(place, &error),
        }
    }
}

/// What it means that the server refused a statement.
fn explain_refusal(place: String, error: &Error) -> StoreError {
    let problem = in_full(error);
    let code = error.code().map_or("", SqlState::code);
    match code {
        "53100" => StoreError::Full { place },
        // Locks that others hold, memory and connections that others have.
        "55P03" | "57014" | "53200" | "53300" | "40001" | "40P01" => StoreError::Busy { place },
        "25006" => StoreError::Away { place, problem },
        "XX001" | "XX002" => StoreError::Corrupt { place, problem },
        // Functions, tables and columns that are not there: somebody migrated the database while it was used, or damaged it.
        "42883" | "42P01" | "42703" => {
            StoreError::NotMigrated { place, found: 0, known: super::schema::newest() }
        }
        _ => StoreError::Refused { place, problem },
    }
}

/// What a connection that could not be made means.
pub(super) fn connection_failure(error: &Error) -> Failure {
    let said = in_full(error);
    match error.code() {
        // A refusal of this program, and no absence: 28 are credentials, 3D databases, 42 permissions.
        Some(code) if ["28", "3D", "42"].iter().any(|class| code.code().starts_with(class)) => {
            Failure::Refused(said)
        }
        Some(_) => Failure::Away(said),
        None if said.contains("password missing") => {
            Failure::Refused("it asks for a password, and none is given".to_owned())
        }
        None if said.contains("certificate") || said.contains("TLS") => Failure::Refused(said),
        None => Failure::Away(said),
    }
}

/// An error with its causes: what PostgreSQL said, without the values that it said it about.
pub(super) fn in_full(error: &Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} ({})", said.message(), said.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
