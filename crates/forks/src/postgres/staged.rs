//! Changes that were previewed and wait.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::columns::{changed, integer, parsed, row, rows, seq, value};
use super::connections::Attempt;
use super::failure::Failure;
use super::log::{check_fork, check_state};
use crate::{ForkId, Staged, StagedId, StagedSummary, StoreError};

pub(super) async fn put(
    client: &ClientWrapper,
    id: &ForkId,
    staged: &Staged,
    attempt: Attempt,
) -> Result<(), Failure> {
    let StagedSummary { id: staged_id, seq, summary, created } = &staged.summary;
    let sql = "INSERT INTO staged (fork, id, seq, created, summary, payload)
                   SELECT id, $2, $3, $4, $5, $6 FROM forks WHERE id = $1 AND newest >= $3
                   ON CONFLICT (fork, id) DO NOTHING";
    let added = changed(
        client,
        sql,
        &[&id.as_str(), &staged_id.as_str(), &integer(seq.get()), created, summary, &staged.payload],
    )
    .await?;
    if added > 0 {
        return Ok(());
    }
    check_state(client, id, *seq).await?;
    if attempt.is_repeated && get(client, id, staged_id).await? == *staged {
        return Ok(());
    }
    Err(StoreError::Exists { what: "staged change", name: staged_id.to_string() }.into())
}

pub(super) async fn list(client: &ClientWrapper, id: &ForkId) -> Result<Vec<StagedSummary>, Failure> {
    let sql = "SELECT id, seq, created, summary FROM staged WHERE fork = $1 ORDER BY created, number";
    let found = rows(client, sql, &[&id.as_str()]).await?;
    if found.is_empty() {
        check_fork(client, id).await?;
    }
    found.iter().map(summary_of).collect()
}

pub(super) async fn get(client: &ClientWrapper, id: &ForkId, staged: &StagedId) -> Result<Staged, Failure> {
    let sql = "SELECT id, seq, created, summary, payload FROM staged WHERE fork = $1 AND id = $2";
    match row(client, sql, &[&id.as_str(), &staged.as_str()]).await? {
        Some(found) => Ok(Staged { summary: summary_of(&found)?, payload: value(&found, 4)? }),
        None => {
            check_fork(client, id).await?;
            Err(not_found(staged))
        }
    }
}

pub(super) async fn discard(
    client: &ClientWrapper,
    id: &ForkId,
    staged: &StagedId,
    attempt: Attempt,
) -> Result<(), Failure> {
    let sql = "DELETE FROM staged WHERE fork = $1 AND id = $2";
    let deleted = changed(client, sql, &[&id.as_str(), &staged.as_str()]).await?;
    // Repeated, it is gone because of an earlier attempt.
    if deleted > 0 || attempt.is_repeated {
        return Ok(());
    }
    check_fork(client, id).await?;
    Err(not_found(staged))
}

fn not_found(staged: &StagedId) -> Failure {
    StoreError::NotFound { what: "staged change", name: staged.to_string() }.into()
}

fn summary_of(row: &Row) -> Result<StagedSummary, Failure> {
    Ok(StagedSummary {
        id: parsed(row, 0)?,
        seq: seq(row, 1)?,
        created: value(row, 2)?,
        summary: value(row, 3)?,
    })
}
