//! What workspace files held before they were replaced, and which blobs that and the forks need.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{integer, natural};
use super::failure::Failure;
use crate::{Digest, KeptVersion, Millis, NotedVersion, SavedVersion, StoreError};

/// Notes a version: under a number of its own, or as the newest one if that holds the same bytes. That is later by then, by which
/// who noted it first knows that it is not theirs alone.
pub(super) fn add(database: &Connection, version: &SavedVersion) -> Result<NotedVersion, Failure> {
    let SavedVersion { path, digest, size, saved_at, fork, seq, became } = version;
    let newest = database
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM versions WHERE path = ?1 ORDER BY number DESC LIMIT 1"
        ))?
        .query_row([path], kept)
        .optional()?;
    if let Some(KeptVersion { number, saved: before }) = newest.filter(|it| it.saved.digest == *digest) {
        let is_again = fork.is_some() && before.fork == *fork;
        let told = if is_again { version } else { &before };
        set(database, number, told, before.saved_at + 1)?;
        return Ok(NotedVersion { kept: KeptVersion { number, saved: version.clone() }, is_new: false });
    }
    let number = database
        .prepare_cached(
            "INSERT INTO versions (path, digest, size, saved_at, fork, seq, became) VALUES (?1, ?2, ?3, ?4, coalesce(?5, ''), ?6, ?7)",
        )?
        .insert(params![path, digest, integer(*size), saved_at, fork, seq, became])?;
    let number = natural(number).map_err(rusqlite::Error::from)?;
    Ok(NotedVersion { kept: KeptVersion { number, saved: version.clone() }, is_new: true })
}

/// Lets a version tell who replaced it, and when: not before a moment.
fn set(database: &Connection, number: u64, told: &SavedVersion, not_before: Millis) -> Result<(), Failure> {
    let SavedVersion { saved_at, fork, seq, became, .. } = told;
    database
        .prepare_cached(
            "UPDATE versions SET saved_at = max(?2, ?3, saved_at), fork = coalesce(?4, ''), seq = ?5, became = ?6
             WHERE number = ?1",
        )?
        .execute(params![integer(number), saved_at, not_before, fork, seq, became])?;
    Ok(())
}

pub(super) fn confirm(database: &Connection, noted: &NotedVersion) -> Result<(), Failure> {
    let KeptVersion { number, saved } = &noted.kept;
    set(database, *number, saved, saved.saved_at)
}

pub(super) fn withdraw(database: &Connection, noted: &NotedVersion) -> Result<(), Failure> {
    let KeptVersion { number, saved } = &noted.kept;
    database
        .prepare_cached(
            "DELETE FROM versions WHERE ?1 AND number = ?2 AND saved_at = ?3
                 AND EXISTS (SELECT 1 FROM versions WHERE path = ?4 AND digest = ?5 AND number <> ?2)",
        )?
        .execute(params![noted.is_new, integer(*number), saved.saved_at, saved.path, saved.digest])?;
    Ok(())
}

/// The column of the fork is never null: an empty text is none.
const COLUMNS: &str = "number, path, digest, size, saved_at, nullif(fork, ''), seq, became";

fn kept(row: &Row<'_>) -> rusqlite::Result<KeptVersion> {
    let saved = SavedVersion {
        path: row.get(1)?,
        digest: row.get(2)?,
        size: natural(row.get(3)?)?,
        saved_at: row.get(4)?,
        fork: row.get(5)?,
        seq: row.get(6)?,
        became: row.get(7)?,
    };
    Ok(KeptVersion { number: natural(row.get(0)?)?, saved })
}

pub(super) fn list(database: &Connection, path: &str) -> Result<Vec<KeptVersion>, Failure> {
    let versions = database
        .prepare_cached(&format!("SELECT {COLUMNS} FROM versions WHERE path = ?1 ORDER BY number DESC"))?
        .query_map([path], kept)?
        .collect::<Result<_, _>>()?;
    Ok(versions)
}

pub(super) fn get(database: &Connection, path: &str, number: u64) -> Result<KeptVersion, Failure> {
    let version = database
        .prepare_cached(&format!("SELECT {COLUMNS} FROM versions WHERE path = ?1 AND number = ?2"))?
        .query_row(params![path, integer(number)], kept)
        .optional()?;
    version.ok_or_else(|| {
        let name = format!("{number} of {path:?}");
        Failure::Store(StoreError::NotFound { what: "version", name })
    })
}

pub(super) fn prune(database: &Connection, keep: u32) -> Result<u64, Failure> {
    let dropped = database
        .prepare_cached(
            "DELETE FROM versions WHERE number IN (
                 SELECT number FROM
                     (SELECT number, row_number() OVER (PARTITION BY path ORDER BY number DESC) AS age FROM versions)
                     WHERE age > ?1)",
        )?
        .execute([keep])?;
    Ok(dropped as u64)
}

pub(super) fn referenced_blobs(database: &Connection) -> Result<HashSet<Digest>, Failure> {
    let blobs = database
        .prepare_cached("SELECT base_digest FROM forks UNION SELECT digest FROM versions")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(blobs)
}
