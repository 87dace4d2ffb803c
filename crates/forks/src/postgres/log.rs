//! The log of a fork: a tree of entries, and the head that says which path through it is live.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::columns::{integer, natural, row, rows, seq, value};
use super::failure::Failure;
use super::{Moment, Nonce};
use crate::{
    Appended, Digest, Entry, EntrySummary, ForkId, Idempotency, IdempotencyKey, Move, NewEntry, Repeated,
    Seq, StagedId, StoreError,
};

/// How many of the entries that a stale writer missed are told.
const MISSED_ENTRIES_TOLD: u64 = 20;

pub(super) async fn append(
    client: &ClientWrapper,
    id: &ForkId,
    expected: Seq,
    entry: &NewEntry<'_>,
    idempotency: Option<&Idempotency<'_>>,
    now: Moment,
    nonce: &Nonce,
) -> Result<Appended, Failure> {
    let request = idempotency.map(|call| call.request.to_string());
    // What the entry's number most likely is: the answer is worked out again when it is another one.
    let mut guess = expected.get().saturating_add(1);
    loop {
        let answer = idempotency.map(|call| (call.answer)(Seq::new(guess)));
        let appended = row(
            client,
            "SELECT outcome, seq, answer FROM append_entry($1, $2, $3, $4, $5, $6, $7,
                 coalesce($8, now_millis()), $9, $10, $11, $12)",
            &[
                &id.as_str(),
                &integer(expected.get()),
                &nonce.as_slice(),
                &entry.actor,
                &entry.summary,
                &entry.payload,
                &entry.applies.map(StagedId::as_str),
                &now,
                &idempotency.map(|call| call.key.as_str()),
                &request,
                &answer,
                &integer(guess),
            ],
        )
        .await?;
        let appended = appended.ok_or_else(|| Failure::Damaged("no outcome".to_owned()))?;
        return match value(&appended, 0)? {
            "added" => Ok(Appended::Added { seq: seq(&appended, 1)?, answer: value(&appended, 2)? }),
            "guess" => {
                guess = natural(&appended, 1)?;
                continue;
            }
            "repeated" => {
                Ok(Appended::Repeated(Repeated { seq: seq(&appended, 1)?, answer: value(&appended, 2)? }))
            }
            "mismatch" => {
                let key = idempotency.map(|call| call.key.clone());
                let key = key.expect("invariant: only a call with a key has one that does not match");
                Err(StoreError::IdempotencyMismatch { fork: id.clone(), key }.into())
            }
            "stale" => Err(Failure::Stale { actual: seq(&appended, 1)? }),
            "no staged" => {
                let name = entry.applies.map(ToString::to_string).unwrap_or_default();
                Err(StoreError::NotFound { what: "staged change", name }.into())
            }
            _ => Err(StoreError::no_fork(id).into()),
        };
    }
}

pub(super) async fn recall(
    client: &ClientWrapper,
    id: &ForkId,
    key: &IdempotencyKey,
    request: &Digest,
) -> Result<Option<Repeated>, Failure> {
    let sql = "SELECT calls.request, calls.seq, calls.answer
                   FROM forks LEFT JOIN calls ON calls.fork = forks.id AND calls.key = $2 WHERE forks.id = $1";
    let found = row(client, sql, &[&id.as_str(), &key.as_str()]).await?;
    let found = found.ok_or_else(|| StoreError::no_fork(id))?;
    match value::<Option<&str>>(&found, 0)? {
        None => Ok(None),
        Some(known) if known != request.to_string() => {
            Err(StoreError::IdempotencyMismatch { fork: id.clone(), key: key.clone() }.into())
        }
        Some(_) => Ok(Some(Repeated { seq: seq(&found, 1)?, answer: value(&found, 2)? })),
    }
}

pub(super) async fn move_head(
    client: &ClientWrapper,
    id: &ForkId,
    expected: Seq,
    to: Move,
    now: Moment,
    nonce: &Nonce,
) -> Result<Seq, Failure> {
    let (direction, amount) = match to {
        Move::To(seq) => ("to", seq.get()),
        Move::Undo(steps) => ("undo", steps),
        Move::Redo(steps) => ("redo", steps),
    };
    let moved = row(
        client,
        "SELECT outcome, seq FROM move_head($1, $2, $3, $4, coalesce($5, now_millis()), $6)",
        &[&id.as_str(), &integer(expected.get()), &direction, &integer(amount), &now, &nonce.as_slice()],
    )
    .await?;
    let moved = moved.ok_or_else(|| Failure::Damaged("no outcome".to_owned()))?;
    match value(&moved, 0)? {
        "moved" => seq(&moved, 1),
        "stale" => Err(Failure::Stale { actual: seq(&moved, 1)? }),
        "no step" => {
            let direction = if matches!(to, Move::Undo(_)) { "undo" } else { "redo" };
            let available = natural(&moved, 1)?;
            Err(StoreError::NoSuchStep { fork: id.clone(), direction, asked: amount, available }.into())
        }
        "no state" => Err(no_state(id, Seq::new(amount))),
        _ => Err(StoreError::no_fork(id).into()),
    }
}

/// That there is such a fork.
pub(super) async fn check_fork(client: &ClientWrapper, id: &ForkId) -> Result<(), Failure> {
    match row(client, "SELECT head FROM forks WHERE id = $1", &[&id.as_str()]).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::no_fork(id).into()),
    }
}

/// That the fork has, or had, this state.
pub(super) async fn check_state(client: &ClientWrapper, id: &ForkId, to: Seq) -> Result<(), Failure> {
    let sql = "SELECT $2 <= newest FROM forks WHERE id = $1";
    let found = row(client, sql, &[&id.as_str(), &integer(to.get())]).await?;
    match found.map(|row| value(&row, 0)).transpose()? {
        Some(true) => Ok(()),
        Some(false) => Err(no_state(id, to)),
        None => Err(StoreError::no_fork(id).into()),
    }
}

fn no_state(id: &ForkId, seq: Seq) -> Failure {
    StoreError::NotFound { what: "state", name: format!("{seq} of {id}") }.into()
}

pub(super) async fn path(
    client: &ClientWrapper,
    id: &ForkId,
    from: Seq,
    to: Seq,
) -> Result<Vec<Entry>, Failure> {
    // A parent's number is smaller than its child's, so the walk towards the base can end as soon as it is past `from`.
    let sql = "WITH RECURSIVE line (seq, parent) AS (
                   SELECT seq, parent FROM entries WHERE fork = $1 AND seq = $3 AND seq > $2
                   UNION ALL
                   SELECT above.seq, above.parent FROM line JOIN entries AS above
                       ON above.fork = $1 AND above.seq = line.parent
                       WHERE line.parent > $2
               )
               SELECT entries.seq, entries.parent, summary, actor, at, payload
                   FROM line JOIN entries ON entries.fork = $1 AND entries.seq = line.seq ORDER BY line.seq";
    let found = rows(client, sql, &[&id.as_str(), &integer(from.get()), &integer(to.get())]).await?;
    let entry = |row: &Row| Ok(Entry { summary: summary_of(row)?, payload: value(row, 5)? });
    let entries: Vec<Entry> = found.iter().map(entry).collect::<Result<_, Failure>>()?;
    let begins_at = entries.first().map_or(to, |entry| entry.summary.parent);
    if begins_at == from && !entries.is_empty() {
        return Ok(entries);
    }
    // Nothing was found, or not what was asked for. Looked at afterwards: a fork that is there now was there before.
    check_state(client, id, to).await?;
    if begins_at != from {
        return Err(StoreError::NotAnAncestor { fork: id.clone(), from, to }.into());
    }
    Ok(entries)
}

pub(super) async fn history(
    client: &ClientWrapper,
    id: &ForkId,
    to: Seq,
    limit: u32,
) -> Result<Vec<EntrySummary>, Failure> {
    let entries = newest_of(client, id, to, u64::from(limit)).await?;
    if entries.is_empty() {
        check_state(client, id, to).await?;
    }
    Ok(entries)
}

/// The entries that lead to a state, newest first.
async fn newest_of(
    client: &ClientWrapper,
    id: &ForkId,
    to: Seq,
    limit: u64,
) -> Result<Vec<EntrySummary>, Failure> {
    let sql = "WITH RECURSIVE line (seq, parent, summary, actor, at) AS (
                   SELECT seq, parent, summary, actor, at FROM entries WHERE fork = $1 AND seq = $2
                   UNION ALL
                   SELECT above.seq, above.parent, above.summary, above.actor, above.at
                       FROM line JOIN entries AS above ON above.fork = $1 AND above.seq = line.parent
               )
               SELECT seq, parent, summary, actor, at FROM line LIMIT $3";
    let found = rows(client, sql, &[&id.as_str(), &integer(to.get()), &integer(limit)]).await?;
    found.iter().map(summary_of).collect()
}

/// What a writer who believed the head to be at `expected` does not know of the state `actual`.
pub(super) async fn conflict(
    client: &ClientWrapper,
    id: &ForkId,
    expected: Seq,
    actual: Seq,
) -> Result<StoreError, Failure> {
    let values: super::columns::Values<'_> =
        &[&id.as_str(), &integer(expected.get()), &integer(actual.get())];
    let missed = row(client, "SELECT missed_entries($1, $2, $3)", values).await?;
    let missed = missed.map_or(Ok(0), |row| natural(&row, 0))?;
    let told = missed.min(MISSED_ENTRIES_TOLD);
    let mut since = newest_of(client, id, actual, told).await?;
    since.reverse();
    Ok(StoreError::Conflict { fork: id.clone(), expected, actual, since, left_out: missed - told })
}

fn summary_of(row: &Row) -> Result<EntrySummary, Failure> {
    Ok(EntrySummary {
        seq: seq(row, 0)?,
        parent: seq(row, 1)?,
        summary: value(row, 2)?,
        actor: value(row, 3)?,
        at: value(row, 4)?,
    })
}
