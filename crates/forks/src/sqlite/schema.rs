//! The database's tables, and how an older database gets them.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::failure::explain;
use crate::StoreError;

/// What brings a database from the format of its index to the next one. Never changed once released, only added to.
const MIGRATIONS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
];

/// That this program knows the database's format, or the one it came from.
pub(super) fn check_version(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found = version(connection).map_err(|error| explain(path, &error))?;
    let (place, known) = (path.display().to_string(), newest());
    if found > known {
        return Err(StoreError::NewerVersion { place, found, known });
    }
    if found < 0 {
        let problem = format!("its format is {found}, which no version has written");
        return Err(StoreError::Corrupt { place, problem });
    }
    Ok(())
}

/// Brings a database whose version was checked to the newest format. Several processes may do so at the same time.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    run_missing_migrations(connection).map_err(|error| explain(path, &error))?;
    // A newer program may have been faster.
    check_version(connection, path)
}

fn run_missing_migrations(connection: &mut Connection) -> rusqlite::Result<()> {
    if version(connection)? == newest() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been here while this one waited for the lock.
    let found = version(&transaction)?;
    let done = usize::try_from(found).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", newest().max(found))?;
    transaction.commit()
}

/// The format that this program writes.
fn newest() -> i64 {
    MIGRATIONS.len() as i64
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
