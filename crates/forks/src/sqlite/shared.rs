//! What processes agree upon: whose turn it is, and secrets.

use rusqlite::{Connection, params};

use super::failure::Failure;
use crate::Millis;

pub(super) fn lease(
    database: &Connection,
    name: &str,
    holder: &str,
    span: Millis,
    now: Millis,
) -> Result<bool, Failure> {
    let taken = database
        .prepare_cached(
            "INSERT INTO leases (name, holder, until) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                 WHERE holder = excluded.holder OR until <= ?4",
        )?
        .execute(params![name, holder, now.saturating_add(span), now])?;
    Ok(taken == 1)
}

pub(super) fn secret(database: &Connection, name: &str, candidate: &[u8]) -> Result<Vec<u8>, Failure> {
    database
        .prepare_cached("INSERT INTO secrets (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![name, candidate])?;
    let value = database
        .prepare_cached("SELECT value FROM secrets WHERE name = ?1")?
        .query_row([name], |row| row.get(0))?;
    Ok(value)
}
