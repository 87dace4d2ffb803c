//! Named states of a fork.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::columns::{changed, parsed, row, rows, seq, value};
use super::connections::Attempt;
use super::failure::Failure;
use super::log::check_fork;
use super::{Moment, Nonce};
use crate::{Checkpoint, CheckpointName, ForkId, StoreError};

pub(super) async fn create(
    client: &ClientWrapper,
    id: &ForkId,
    name: &CheckpointName,
    now: Moment,
    nonce: &Nonce,
) -> Result<Checkpoint, Failure> {
    // One that the same call made before is found again.
    let sql = "INSERT INTO checkpoints (fork, name, seq, created, nonce)
                   SELECT id, $2, head, coalesce($3, now_millis()), $4 FROM forks WHERE id = $1
                   ON CONFLICT (fork, name) DO UPDATE SET nonce = excluded.nonce
                       WHERE checkpoints.nonce = excluded.nonce
                   RETURNING name, seq, created";
    match row(client, sql, &[&id.as_str(), &name.as_str(), &now, &nonce.as_slice()]).await? {
        Some(made) => checkpoint_of(&made),
        None => {
            check_fork(client, id).await?;
            Err(StoreError::Exists { what: "checkpoint", name: name.to_string() }.into())
        }
    }
}

pub(super) async fn list(client: &ClientWrapper, id: &ForkId) -> Result<Vec<Checkpoint>, Failure> {
    let sql = "SELECT name, seq, created FROM checkpoints WHERE fork = $1 ORDER BY created, number";
    let found = rows(client, sql, &[&id.as_str()]).await?;
    if found.is_empty() {
        check_fork(client, id).await?;
    }
    found.iter().map(checkpoint_of).collect()
}

pub(super) async fn get(
    client: &ClientWrapper,
    id: &ForkId,
    name: &CheckpointName,
) -> Result<Checkpoint, Failure> {
    let sql = "SELECT name, seq, created FROM checkpoints WHERE fork = $1 AND name = $2";
    match row(client, sql, &[&id.as_str(), &name.as_str()]).await? {
        Some(found) => checkpoint_of(&found),
        None => {
            check_fork(client, id).await?;
            Err(not_found(name))
        }
    }
}

pub(super) async fn delete(
    client: &ClientWrapper,
    id: &ForkId,
    name: &CheckpointName,
    attempt: Attempt,
) -> Result<(), Failure> {
    let sql = "DELETE FROM checkpoints WHERE fork = $1 AND name = $2";
    let deleted = changed(client, sql, &[&id.as_str(), &name.as_str()]).await?;
    // Repeated, it is gone because of an earlier attempt.
    if deleted > 0 || attempt.is_repeated {
        return Ok(());
    }
    check_fork(client, id).await?;
    Err(not_found(name))
}

fn not_found(name: &CheckpointName) -> Failure {
    StoreError::NotFound { what: "checkpoint", name: name.to_string() }.into()
}

fn checkpoint_of(row: &Row) -> Result<Checkpoint, Failure> {
    Ok(Checkpoint { name: parsed(row, 0)?, seq: seq(row, 1)?, created: value(row, 2)? })
}
