//! Named states of a fork.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Failure;
use super::log;
use crate::{Checkpoint, CheckpointName, ForkId, Millis, StoreError};

pub(super) fn create(
    database: &Connection,
    id: &ForkId,
    name: &CheckpointName,
    now: Millis,
) -> Result<Checkpoint, Failure> {
    let seq = log::head(database, id)?;
    let added = database
        .prepare_cached(
            "INSERT INTO checkpoints (fork, name, seq, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![id, name, seq, now])?;
    if added == 0 {
        return Err(StoreError::Exists { what: "checkpoint", name: name.to_string() }.into());
    }
    Ok(Checkpoint { name: name.clone(), seq, created: now })
}

pub(super) fn list(database: &Connection, id: &ForkId) -> Result<Vec<Checkpoint>, Failure> {
    log::head(database, id)?;
    let checkpoints = database
        .prepare_cached("SELECT name, seq, created FROM checkpoints WHERE fork = ?1 ORDER BY created, rowid")?
        .query_map([id], checkpoint_of)?
        .collect::<Result<_, _>>()?;
    Ok(checkpoints)
}

pub(super) fn get(database: &Connection, id: &ForkId, name: &CheckpointName) -> Result<Checkpoint, Failure> {
    log::head(database, id)?;
    database
        .prepare_cached("SELECT name, seq, created FROM checkpoints WHERE fork = ?1 AND name = ?2")?
        .query_row(params![id, name], checkpoint_of)
        .optional()?
        .ok_or_else(|| not_found(name))
}

pub(super) fn delete(database: &Connection, id: &ForkId, name: &CheckpointName) -> Result<(), Failure> {
    log::head(database, id)?;
    let deleted = database
        .prepare_cached("DELETE FROM checkpoints WHERE fork = ?1 AND name = ?2")?
        .execute(params![id, name])?;
    if deleted == 0 { Err(not_found(name)) } else { Ok(()) }
}

fn not_found(name: &CheckpointName) -> Failure {
    StoreError::NotFound { what: "checkpoint", name: name.to_string() }.into()
}

fn checkpoint_of(row: &Row<'_>) -> rusqlite::Result<Checkpoint> {
    Ok(Checkpoint { name: row.get(0)?, seq: row.get(1)?, created: row.get(2)? })
}
