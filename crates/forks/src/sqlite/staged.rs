//! Changes that were previewed and wait.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Failure;
use super::log;
use crate::{ForkId, Staged, StagedId, StagedSummary, StoreError};

pub(super) fn put(database: &Connection, id: &ForkId, staged: &Staged) -> Result<(), Failure> {
    log::head(database, id)?;
    let StagedSummary { id: staged_id, seq, summary, created } = &staged.summary;
    log::check_state(database, id, *seq)?;
    let added = database
        .prepare_cached(
            "INSERT INTO staged (fork, id, seq, created, summary, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![id, staged_id, seq, created, summary, staged.payload])?;
    if added == 0 {
        return Err(StoreError::Exists { what: "staged change", name: staged_id.to_string() }.into());
    }
    Ok(())
}

pub(super) fn list(database: &Connection, id: &ForkId) -> Result<Vec<StagedSummary>, Failure> {
    log::head(database, id)?;
    let changes = database
        .prepare_cached(
            "SELECT id, seq, created, summary FROM staged WHERE fork = ?1 ORDER BY created, rowid",
        )?
        .query_map([id], summary_of)?
        .collect::<Result<_, _>>()?;
    Ok(changes)
}

pub(super) fn get(database: &Connection, id: &ForkId, staged: &StagedId) -> Result<Staged, Failure> {
    log::head(database, id)?;
    database
        .prepare_cached("SELECT id, seq, created, summary, payload FROM staged WHERE fork = ?1 AND id = ?2")?
        .query_row(params![id, staged], |row| Ok(Staged { summary: summary_of(row)?, payload: row.get(4)? }))
        .optional()?
        .ok_or_else(|| not_found(staged))
}

pub(super) fn discard(database: &Connection, id: &ForkId, staged: &StagedId) -> Result<(), Failure> {
    log::head(database, id)?;
    let deleted = database
        .prepare_cached("DELETE FROM staged WHERE fork = ?1 AND id = ?2")?
        .execute(params![id, staged])?;
    if deleted == 0 { Err(not_found(staged)) } else { Ok(()) }
}

fn not_found(staged: &StagedId) -> Failure {
    StoreError::NotFound { what: "staged change", name: staged.to_string() }.into()
}

fn summary_of(row: &Row<'_>) -> rusqlite::Result<StagedSummary> {
    Ok(StagedSummary { id: row.get(0)?, seq: row.get(1)?, created: row.get(2)?, summary: row.get(3)? })
}
