//! Forks as rows: made under limits, listed, used, dropped.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::columns::{changed, integer, natural, parsed, parsed_if_there, row, rows, seq, value};
use super::connections::Attempt;
use super::failure::Failure;
use super::{Moment, Nonce};
use crate::{Base, Digest, Fork, ForkId, ForkQuery, Limits, Millis, NewFork, Origin, StoreError};

/// Uses within this span are noted once.
const USE_IS_NOTED_FOR: Millis = 60_000;

/// Forks that are dropped in one transaction: whoever makes forks waits meanwhile.
const DROPPED_AT_ONCE: i64 = 50;

/// What [`fork_of`] reads.
const COLUMNS: &str = "id, owner, base_digest, base_size, base_name, origin_path, origin_digest, label, created, \
                       last_used, expires, head";

pub(super) async fn create(
    client: &ClientWrapper,
    fork: &NewFork,
    limits: &Limits,
    now: Moment,
    nonce: &Nonce,
) -> Result<Fork, Failure> {
    let (base, origin) = (&fork.base, fork.origin.as_ref());
    let made = row(
        client,
        "SELECT create_fork($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10, now_millis()), $11, $12, $13, $14)",
        &[
            &fork.id.as_str(),
            &fork.owner,
            &base.digest.to_string(),
            &integer(base.size),
            &base.file_name,
            &origin.map(|origin| &origin.path),
            &origin.map(|origin| origin.digest.to_string()),
            &fork.label,
            &fork.ttl,
            &now,
            &nonce.as_slice(),
            &integer(limits.forks_per_owner),
            &integer(limits.forks),
            &integer(limits.base_bytes),
        ],
    )
    .await?;
    let outcome = made.map(|row| value::<String>(&row, 0)).transpose()?.unwrap_or_default();
    let exceeded = |what, limit, option| Err(StoreError::LimitReached { what, limit, option }.into());
    match outcome.as_str() {
        "made" => get(client, &fork.id).await,
        "exists" => Err(StoreError::Exists { what: "fork", name: fork.id.to_string() }.into()),
        "owner" => exceeded(
            "the number of your forks",
            limits.forks_per_owner,
            "SPREADSHEET_MCP_MAX_FORKS_PER_OWNER",
        ),
        "forks" => exceeded("the number of forks", limits.forks, "SPREADSHEET_MCP_MAX_FORKS"),
        _ => exceeded(
            "the bytes of the files under all forks",
            limits.base_bytes,
            "SPREADSHEET_MCP_MAX_FORK_BYTES",
        ),
    }
}

pub(super) async fn count(client: &ClientWrapper) -> Result<u64, Failure> {
    row(client, "SELECT forks FROM totals", &[]).await?.map_or(Ok(0), |row| natural(&row, 0))
}

pub(super) async fn get(client: &ClientWrapper, id: &ForkId) -> Result<Fork, Failure> {
    let sql = selected("WHERE id = $1");
    let row = row(client, &sql, &[&id.as_str()]).await?.ok_or_else(|| StoreError::no_fork(id))?;
    fork_of(&row)
}

pub(super) async fn list(client: &ClientWrapper, query: &ForkQuery<'_>) -> Result<Vec<Fork>, Failure> {
    let of_owner = if query.owner.is_some() { "owner = $1" } else { "$1::text IS NULL" };
    let (last_used, id) = match query.after {
        Some((last_used, id)) => (last_used, id.as_str()),
        None => (Millis::MAX, ""),
    };
    let sql = selected(&format!(
        "WHERE {of_owner} AND last_used <= $2 AND (last_used < $2 OR id > $3) ORDER BY last_used DESC, id LIMIT $4"
    ));
    let found = rows(client, &sql, &[&query.owner, &last_used, &id, &i64::from(query.limit)]).await?;
    found.iter().map(fork_of).collect()
}

fn selected(rest: &str) -> String {
    format!("SELECT {COLUMNS} FROM forks {rest}")
}

/// Whether the last noted use is recent enough.
pub(super) async fn is_use_noted(client: &ClientWrapper, id: &ForkId, now: Moment) -> Result<bool, Failure> {
    let sql = "SELECT coalesce($2, now_millis()) - last_used < $3 FROM forks WHERE id = $1";
    let row = row(client, sql, &[&id.as_str(), &now, &USE_IS_NOTED_FOR]).await?;
    value(&row.ok_or_else(|| StoreError::no_fork(id))?, 0)
}

/// Puts off the expiry. Another machine's clock may be ahead: the last use never goes back.
pub(super) async fn note_use(client: &ClientWrapper, id: &ForkId, now: Moment) -> Result<(), Failure> {
    let sql = "UPDATE forks SET last_used = greatest(last_used, coalesce($2, now_millis())),
                   expires = later(greatest(last_used, coalesce($2, now_millis())), ttl)
                   WHERE id = $1";
    match changed(client, sql, &[&id.as_str(), &now]).await? {
        0 => Err(StoreError::no_fork(id).into()),
        _ => Ok(()),
    }
}

pub(super) async fn follow_origin(
    client: &ClientWrapper,
    id: &ForkId,
    path: &str,
    digest: &Digest,
) -> Result<(), Failure> {
    let sql = "UPDATE forks SET origin_digest = CASE WHEN origin_path = $2 THEN $3 ELSE origin_digest END WHERE id = $1";
    match changed(client, sql, &[&id.as_str(), &path, &digest.to_string()]).await? {
        0 => Err(StoreError::no_fork(id).into()),
        _ => Ok(()),
    }
}

pub(super) async fn discard(client: &ClientWrapper, id: &ForkId, attempt: Attempt) -> Result<(), Failure> {
    let row = row(client, "SELECT discard_fork($1)", &[&id.as_str()]).await?;
    match row.map(|row| value(&row, 0)).transpose()? {
        Some(true) => Ok(()),
        // It was there, and is gone.
        _ if attempt.is_repeated => Ok(()),
        _ => Err(StoreError::no_fork(id).into()),
    }
}

pub(super) async fn expire(client: &ClientWrapper, now: Moment) -> Result<Vec<ForkId>, Failure> {
    let mut expired = Vec::new();
    loop {
        let sql = "SELECT expire_forks(coalesce($1, now_millis()), $2)";
        let dropped = rows(client, sql, &[&now, &DROPPED_AT_ONCE]).await?;
        if dropped.is_empty() {
            expired.sort();
            return Ok(expired);
        }
        for row in dropped {
            expired.push(parsed(&row, 0)?);
        }
    }
}

fn fork_of(row: &Row) -> Result<Fork, Failure> {
    let origin = match (value(row, 5)?, parsed_if_there(row, 6)?) {
        (Some(path), Some(digest)) => Some(Origin { path, digest }),
        _ => None,
    };
    Ok(Fork {
        id: parsed(row, 0)?,
        owner: value(row, 1)?,
        base: Base { digest: parsed(row, 2)?, size: natural(row, 3)?, file_name: value(row, 4)? },
        origin,
        label: value(row, 7)?,
        created: value(row, 8)?,
        last_used: value(row, 9)?,
        expires: value(row, 10)?,
        head: seq(row, 11)?,
    })
}
