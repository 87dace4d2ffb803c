//! What workspace files held before they were replaced, and which blobs that and the forks need.

use std::collections::HashSet;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::columns::{changed, integer, natural, parsed, parsed_if_there, row, rows, seq, value};
use super::failure::Failure;
use crate::{Digest, ForkId, KeptVersion, NotedVersion, SavedVersion, StoreError};

/// Notes a version: under a number of its own, or as the newest one if that holds the same bytes. That is later by then, by which
/// who noted it first knows that it is not theirs alone.
///
/// Versions of a file are noted one after the other. A statement sees what was there when it began, and so cannot wait for its turn
/// itself: this is a transaction of several.
pub(super) async fn add(client: &ClientWrapper, version: &SavedVersion) -> Result<NotedVersion, Failure> {
    client.batch_execute("BEGIN").await?;
    let noted = add_in_turn(client, version).await;
    match &noted {
        Ok(_) => client.batch_execute("COMMIT").await?,
        // The failure says more than one of this, which a connection that is lost comes to, too.
        Err(_) => drop(client.batch_execute("ROLLBACK").await),
    }
    noted
}

async fn add_in_turn(client: &ClientWrapper, version: &SavedVersion) -> Result<NotedVersion, Failure> {
    let turn = "SELECT pg_advisory_xact_lock(hashtextextended('versions of ' || $1::text, 0))";
    row(client, turn, &[&version.path]).await?;
    let SavedVersion { path, digest, size, saved_at, fork, seq, became } = version;
    let sql = "WITH newest AS MATERIALIZED (
                   SELECT * FROM versions WHERE path = $1 ORDER BY number DESC LIMIT 1 FOR UPDATE
               ), noted_again AS (
                   UPDATE versions AS noted SET
                       saved_at = greatest(newest.saved_at + 1, CASE WHEN newest.fork = $5 THEN $4::bigint END),
                       seq = CASE WHEN newest.fork = $5 THEN $6::bigint ELSE newest.seq END,
                       became = CASE WHEN newest.fork = $5 THEN $7::text ELSE newest.became END
                       FROM newest WHERE noted.number = newest.number AND newest.digest = $2
                       RETURNING noted.number
               ), added AS (
                   INSERT INTO versions (path, digest, size, saved_at, fork, seq, became)
                       SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT FROM newest WHERE digest = $2)
                       RETURNING number
               )
               SELECT number, false FROM noted_again UNION ALL SELECT number, true FROM added";
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
    let row = noted.ok_or_else(|| Failure::Damaged("no number".to_owned()))?;
    let kept = KeptVersion { number: natural(&row, 0)?, saved: version.clone() };
    Ok(NotedVersion { kept, is_new: value(&row, 1)? })
}

pub(super) async fn confirm(client: &ClientWrapper, noted: &NotedVersion) -> Result<(), Failure> {
    let KeptVersion { number, saved } = &noted.kept;
    let SavedVersion { saved_at, fork, seq, became, .. } = saved;
    let sql = "UPDATE versions SET saved_at = greatest($2, saved_at), fork = $3, seq = $4, became = $5 WHERE number = $1";
    changed(
        client,
        sql,
        &[
            &integer(*number),
            saved_at,
            &fork.as_ref().map(ForkId::as_str),
            &integer(seq.get()),
            &became.map(|digest| digest.to_string()),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn withdraw(client: &ClientWrapper, noted: &NotedVersion) -> Result<(), Failure> {
    let KeptVersion { number, saved } = &noted.kept;
    let sql = "DELETE FROM versions WHERE $1 AND number = $2 AND saved_at = $3
                   AND EXISTS (SELECT FROM versions WHERE path = $4 AND digest = $5 AND number <> $2)";
    changed(
        client,
        sql,
        &[&noted.is_new, &integer(*number), &saved.saved_at, &saved.path, &saved.digest.to_string()],
    )
    .await?;
    Ok(())
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
