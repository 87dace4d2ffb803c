//! The database's tables, and how an older database gets them.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::failure::explain;
use crate::StoreError;

/// What brings a database from the format of its index to the next one. Never changed once released, only added to.
const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql")];

/// Brings the database to the format that this program knows. Several processes may do so at the same time.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    let found = version(connection).map_err(|error| explain(path, &error))?;
    if found == known {
        return Ok(());
    }
    let migrated = (|| {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been here while this one waited for the lock.
        let found = version(&transaction)?;
        if let Some(missing) = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found..)) {
            for migration in missing {
                transaction.execute_batch(migration)?;
            }
            transaction.pragma_update(None, "user_version", known)?;
            transaction.commit()?;
        }
        Ok(found)
    })();
    match migrated.map_err(|error| explain(path, &error))? {
        found if found > known => Err(StoreError::NewerVersion { path: path.to_owned(), found, known }),
        found if found < 0 => {
            let problem = format!("its format is {found}, which no version has written");
            Err(StoreError::Corrupt { path: path.to_owned(), problem })
        }
        _ => Ok(()),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
