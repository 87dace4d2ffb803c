//! The log of a fork: a tree of entries, and the head that says which path through it is live.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::Failure;
use super::forks;
use super::staged;
use crate::{
    Appended, Digest, Entry, EntrySummary, ForkId, Idempotency, IdempotencyKey, Millis, Move, NewEntry,
    Repeated, Seq, StoreError,
};

/// How many of the entries that a stale writer missed are told.
const MISSED_ENTRIES_TOLD: u32 = 20;

pub(super) fn append(
    database: &Connection,
    id: &ForkId,
    expected: Seq,
    entry: &NewEntry<'_>,
    idempotency: Option<&Idempotency<'_>>,
    now: Millis,
) -> Result<Appended, Failure> {
    let head = head(database, id)?;
    // Before the head is looked at: the call moved it when it was applied.
    if let Some(call) = idempotency
        && let Some(repeated) = recall(database, id, call.key, &call.request)?
    {
        return Ok(Appended::Repeated(repeated));
    }
    if head != expected {
        return Err(Failure::Stale { actual: head });
    }

    let newest: Seq = database
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM entries WHERE fork = ?1")?
        .query_row([id], |row| row.get(0))?;
    let seq = newest.next();
    database
        .prepare_cached(
            "INSERT INTO entries (fork, seq, parent, at, actor, summary, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![id, seq, head, now, entry.actor, entry.summary, entry.payload])?;
    if let Some(staged) = entry.applies {
        staged::discard(database, id, staged)?;
    }
    set_head(database, id, seq, now)?;

    let answer = idempotency.map(|call| (call.answer)(seq));
    if let (Some(call), Some(answer)) = (idempotency, &answer) {
        database
            .prepare_cached(
                "INSERT INTO calls (fork, key, request, seq, answer) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id, call.key, call.request, seq, answer])?;
    }
    Ok(Appended::Added { seq, answer })
}

pub(super) fn recall(
    database: &Connection,
    id: &ForkId,
    key: &IdempotencyKey,
    request: &Digest,
) -> Result<Option<Repeated>, Failure> {
    let known: Option<(Digest, Repeated)> = database
        .prepare_cached("SELECT request, seq, answer FROM calls WHERE fork = ?1 AND key = ?2")?
        .query_row(params![id, key], |row| {
            Ok((row.get(0)?, Repeated { seq: row.get(1)?, answer: row.get(2)? }))
        })
        .optional()?;
    match known {
        Some((known, _)) if known != *request => {
            Err(StoreError::IdempotencyMismatch { fork: id.clone(), key: key.clone() }.into())
        }
        known => Ok(known.map(|(_, repeated)| repeated)),
    }
}

pub(super) fn move_head(
    database: &Connection,
    id: &ForkId,
    expected: Seq,
    to: Move,
    now: Millis,
) -> Result<Seq, Failure> {
    let head = head(database, id)?;
    if head != expected {
        return Err(Failure::Stale { actual: head });
    }
    let target = match to {
        Move::To(seq) => {
            check_state(database, id, seq)?;
            seq
        }
        Move::Undo(steps) => walk(id, head, "undo", steps, |seq| parent(database, id, seq))?,
        Move::Redo(steps) => walk(id, head, "redo", steps, |seq| newest_child(database, id, seq))?,
    };
    set_head(database, id, target, now)?;
    Ok(target)
}

fn walk(
    id: &ForkId,
    from: Seq,
    direction: &'static str,
    steps: u64,
    step: impl Fn(Seq) -> Result<Option<Seq>, Failure>,
) -> Result<Seq, Failure> {
    let mut seq = from;
    for available in 0..steps {
        let Some(next) = step(seq)? else {
            let fork = id.clone();
            return Err(StoreError::NoSuchStep { fork, direction, asked: steps, available }.into());
        };
        seq = next;
    }
    Ok(seq)
}

/// The state before the entry; none before the base, nor before an entry that is not there.
fn parent(database: &Connection, id: &ForkId, seq: Seq) -> Result<Option<Seq>, Failure> {
    let parent = database
        .prepare_cached("SELECT parent FROM entries WHERE fork = ?1 AND seq = ?2")?
        .query_row(params![id, seq], |row| row.get(0))
        .optional()?;
    Ok(parent)
}

fn newest_child(database: &Connection, id: &ForkId, seq: Seq) -> Result<Option<Seq>, Failure> {
    let child = database
        .prepare_cached("SELECT max(seq) FROM entries WHERE fork = ?1 AND parent = ?2")?
        .query_row(params![id, seq], |row| row.get(0))?;
    Ok(child)
}

/// The fork's live state.
pub(super) fn head(database: &Connection, id: &ForkId) -> Result<Seq, Failure> {
    database
        .prepare_cached("SELECT head FROM forks WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::no_fork(id).into())
}

fn set_head(database: &Connection, id: &ForkId, head: Seq, now: Millis) -> Result<(), Failure> {
    database.prepare_cached("UPDATE forks SET head = ?2 WHERE id = ?1")?.execute(params![id, head])?;
    forks::note_use(database, id, now)
}

/// That the fork has, or had, this state.
pub(super) fn check_state(database: &Connection, id: &ForkId, seq: Seq) -> Result<(), Failure> {
    if seq == Seq::BASE || parent(database, id, seq)?.is_some() {
        return Ok(());
    }
    Err(StoreError::NotFound { what: "state", name: format!("{seq} of {id}") }.into())
}

pub(super) fn path(database: &Connection, id: &ForkId, from: Seq, to: Seq) -> Result<Vec<Entry>, Failure> {
    head(database, id)?;
    check_state(database, id, to)?;
    // A parent's number is smaller than its child's, so the walk towards the base can end as soon as it is past `from`.
    // CROSS JOIN fixes the order of the loops: without it, SQLite scans the log for each step.
    let entries: Vec<Entry> = database
        .prepare_cached(
            "WITH RECURSIVE line (entry, seq, parent) AS (
                 SELECT rowid, seq, parent FROM entries WHERE fork = ?1 AND seq = ?3 AND seq > ?2
                 UNION ALL
                 SELECT above.rowid, above.seq, above.parent FROM line CROSS JOIN entries AS above
                     ON above.fork = ?1 AND above.seq = line.parent
                     WHERE line.parent > ?2
             )
             SELECT entries.seq, entries.parent, summary, actor, at, payload
                 FROM line CROSS JOIN entries ON entries.rowid = line.entry ORDER BY line.seq",
        )?
        .query_map(params![id, from, to], |row| {
            Ok(Entry { summary: summary_of(row)?, payload: row.get(5)? })
        })?
        .collect::<Result<_, _>>()?;
    let begins_at = entries.first().map_or(to, |entry| entry.summary.parent);
    if begins_at != from {
        return Err(StoreError::NotAnAncestor { fork: id.clone(), from, to }.into());
    }
    Ok(entries)
}

pub(super) fn history(
    database: &Connection,
    id: &ForkId,
    to: Seq,
    limit: u32,
) -> Result<Vec<EntrySummary>, Failure> {
    head(database, id)?;
    check_state(database, id, to)?;
    let entries = database
        .prepare_cached(
            "WITH RECURSIVE line (seq, parent, summary, actor, at) AS (
                 SELECT seq, parent, summary, actor, at FROM entries WHERE fork = ?1 AND seq = ?2
                 UNION ALL
                 SELECT above.seq, above.parent, above.summary, above.actor, above.at FROM line CROSS JOIN entries AS above
                     ON above.fork = ?1 AND above.seq = line.parent
             )
             SELECT seq, parent, summary, actor, at FROM line LIMIT ?3",
        )?
        .query_map(params![id, to, limit], summary_of)?
        .collect::<Result<_, _>>()?;
    Ok(entries)
}

/// What a writer who believed the head to be at `expected` does not know of the state `actual`.
pub(super) fn conflict(
    database: &Connection,
    id: &ForkId,
    expected: Seq,
    actual: Seq,
) -> Result<StoreError, Failure> {
    let mut missed: u32 = 0;
    // Both lines towards the base, the farther one first, until they meet: a parent's number is smaller than its child's.
    let (mut known, mut unknown) = (expected, actual);
    while known != unknown {
        if unknown > known {
            unknown = parent(database, id, unknown)?.unwrap_or(Seq::BASE);
            missed += 1;
        } else {
            known = parent(database, id, known)?.unwrap_or(Seq::BASE);
        }
    }
    let told = missed.min(MISSED_ENTRIES_TOLD);
    let mut since = history(database, id, actual, told)?;
    since.reverse();
    let left_out = u64::from(missed - told);
    Ok(StoreError::Conflict { fork: id.clone(), expected, actual, since, left_out })
}

fn summary_of(row: &Row<'_>) -> rusqlite::Result<EntrySummary> {
    Ok(EntrySummary {
        seq: row.get(0)?,
        parent: row.get(1)?,
        summary: row.get(2)?,
        actor: row.get(3)?,
        at: row.get(4)?,
    })
}
