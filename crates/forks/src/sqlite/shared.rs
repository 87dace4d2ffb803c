//! What processes agree upon: whose turn it is, and secrets.

use rusqlite::{Connection, params};

use super::failure::Failure;
use crate::model::Bucket;
use crate::{Millis, Permits};

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

pub(super) fn take_permits(
    database: &Connection,
    caller: &str,
    wanted: u32,
    per_minute: u32,
    now: Millis,
) -> Result<Permits, Failure> {
    let bucket = Bucket::per_minute(per_minute);
    let (granted, until) = database
        .prepare_cached(
            "INSERT INTO permits (caller, until, granted)
             VALUES (?1, ?2 + min(?3, ?4 / ?5) * ?5, min(?3, ?4 / ?5))
             ON CONFLICT (caller) DO UPDATE SET
                 granted = max(0, min(?3, (?2 + ?4 - max(until, ?2)) / ?5)),
                 until = max(until, ?2) + max(0, min(?3, (?2 + ?4 - max(until, ?2)) / ?5)) * ?5
             RETURNING granted, until",
        )?
        .query_row(params![caller, now * 1_000, wanted, bucket.all, bucket.each], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(bucket.permits(granted, until, now))
}

/// Forgets callers who may make all of their calls.
pub(super) fn forget_permits(database: &Connection, now: Millis) -> Result<(), Failure> {
    database.prepare_cached("DELETE FROM permits WHERE until < ?1 * 1000")?.execute([now])?;
    Ok(())
}
