//! What workspace files held before they were replaced, and which blobs that and the forks need.

use std::collections::HashSet;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::columns::{changed, integer, natural, parsed, parsed_if_there, row, rows, seq, value};
use super::failure::Failure;
use crate::{Digest, ForkId, KeptVersion, SavedVersion, StoreError};

/// Notes a version. Nothing is noted twice in a row, so that repeating it notes it once.
pub(super) async fn add(client: &ClientWrapper, version: &SavedVersion) -> Result<u64, Failure> {
    let SavedVersion { path, digest, size, saved_at, fork, seq, became } = version;
    let sql = "WITH gone AS (
                   DELETE FROM versions
                       WHERE number = (SELECT max(number) FROM versions WHERE path = $1) AND digest = $2
               )
               INSERT INTO versions (path, digest, size, saved_at, fork, seq, became)
                   VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING number";
    let noted = row(
        client,
        sql,
        &[
            path,
            &digest.to_string(),
            &integer(*size),
            saved_at,
            &fork.as_ref().map(ForkId::as_str),
            &integer(seq.get()),
            &became.map(|digest| digest.to_string()),
        ],
    )
    .await?;
    noted.map_or_else(|| Err(Failure::Damaged("no number".to_owned())), |row| natural(&row, 0))
}

const COLUMNS: &str = "number, path, digest, size, saved_at, fork, seq, became";

fn kept(row: &Row) -> Result<KeptVersion, Failure> {
    let saved = SavedVersion {
        path: value(row, 1)?,
        digest: parsed(row, 2)?,
        size: natural(row, 3)?,
        saved_at: value(row, 4)?,
        fork: parsed_if_there(row, 5)?,
        seq: seq(row, 6)?,
        became: parsed_if_there(row, 7)?,
    };
    Ok(KeptVersion { number: natural(row, 0)?, saved })
}

pub(super) async fn list(client: &ClientWrapper, path: &str) -> Result<Vec<KeptVersion>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM versions WHERE path = $1 ORDER BY number DESC");
    rows(client, &sql, &[&path]).await?.iter().map(kept).collect()
}

pub(super) async fn get(client: &ClientWrapper, path: &str, number: u64) -> Result<KeptVersion, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM versions WHERE path = $1 AND number = $2");
    match row(client, &sql, &[&path, &integer(number)]).await? {
        Some(found) => kept(&found),
        None => {
            let name = format!("{number} of {path:?}");
            Err(StoreError::NotFound { what: "version", name }.into())
        }
    }
}

pub(super) async fn prune(client: &ClientWrapper, keep: u32) -> Result<u64, Failure> {
    let sql = "DELETE FROM versions WHERE number IN (
                   SELECT number FROM
                       (SELECT number, row_number() OVER (PARTITION BY path ORDER BY number DESC) AS age FROM versions) aged
                       WHERE age > $1)";
    changed(client, sql, &[&i64::from(keep)]).await
}

pub(super) async fn referenced_blobs(client: &ClientWrapper) -> Result<HashSet<Digest>, Failure> {
    let sql = "SELECT digest FROM bases UNION SELECT digest FROM versions";
    rows(client, sql, &[]).await?.iter().map(|row| parsed(row, 0)).collect()
}
