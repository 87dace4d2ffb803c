//! What workspace files held before they were replaced, and which blobs that and the forks need.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::columns::{integer, natural};
use super::failure::Failure;
use crate::{Digest, SavedVersion};

pub(super) fn add(database: &Connection, version: &SavedVersion) -> Result<(), Failure> {
    let SavedVersion { path, digest, size, saved_at, fork, seq } = version;
    database
        .prepare_cached(
            "INSERT INTO versions (path, digest, size, saved_at, fork, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![path, digest, integer(*size), saved_at, fork, seq])?;
    Ok(())
}

pub(super) fn list(database: &Connection, path: &str) -> Result<Vec<SavedVersion>, Failure> {
    let versions = database
        .prepare_cached(
            "SELECT path, digest, size, saved_at, fork, seq FROM versions WHERE path = ?1 ORDER BY number DESC",
        )?
        .query_map([path], |row| {
            Ok(SavedVersion {
                path: row.get(0)?,
                digest: row.get(1)?,
                size: natural(row.get(2)?)?,
                saved_at: row.get(3)?,
                fork: row.get(4)?,
                seq: row.get(5)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(versions)
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
