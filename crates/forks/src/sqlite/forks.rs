//! Forks as rows: made under limits, listed, used, dropped.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{integer, natural};
use super::failure::Failure;
use crate::{Base, Digest, Fork, ForkId, ForkQuery, Limits, Millis, NewFork, Origin, Seq, StoreError};

/// Uses within this span are noted once.
const USE_IS_NOTED_FOR: Millis = 60_000;

/// 64 MB in one go: the write lock is held meanwhile.
const PAGES_GIVEN_BACK: u32 = 16_384;

/// What [`fork_of`] reads.
const COLUMNS: &str = "id, owner, base_digest, base_size, base_name, origin_path, origin_digest, label, created, \
                       last_used, expires, head";

pub(super) fn create(
    database: &Connection,
    fork: &NewFork,
    limits: &Limits,
    now: Millis,
) -> Result<Fork, Failure> {
    check_limits(database, fork, limits)?;
    let added = database
        .prepare_cached(
            "INSERT INTO forks (id, owner, base_digest, base_size, base_name, origin_path, origin_digest, label,
                 created, last_used, ttl, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            fork.id,
            fork.owner,
            fork.base.digest,
            integer(fork.base.size),
            fork.base.file_name,
            fork.origin.as_ref().map(|origin| &origin.path),
            fork.origin.as_ref().map(|origin| origin.digest),
            fork.label,
            now,
            fork.ttl,
            now.saturating_add(fork.ttl),
        ])?;
    if added == 0 {
        return Err(StoreError::Exists { what: "fork", name: fork.id.to_string() }.into());
    }
    get(database, &fork.id)
}

fn check_limits(database: &Connection, fork: &NewFork, limits: &Limits) -> Result<(), Failure> {
    let count = |sql: &str, of: &[&dyn rusqlite::ToSql]| -> Result<u64, Failure> {
        let counted: i64 = database.prepare_cached(sql)?.query_row(of, |row| row.get(0))?;
        Ok(counted.try_into().unwrap_or(0))
    };
    let check = |what, wanted: u64, limit, option| {
        if wanted > limit { Err(StoreError::LimitReached { what, limit, option }) } else { Ok(()) }
    };

    let owned = count("SELECT count(*) FROM forks WHERE owner = ?1", &[&fork.owner])?;
    let per_owner = limits.forks_per_owner;
    check("the number of your forks", owned + 1, per_owner, "SPREADSHEET_MCP_MAX_FORKS_PER_OWNER")?;

    let all = count("SELECT count(*) FROM forks", &[])?;
    check("the number of forks", all + 1, limits.forks, "SPREADSHEET_MCP_MAX_FORKS")?;

    // With the new base, which counts once if another fork has it too.
    let bytes = count(
        "SELECT sum(base_size) FROM
             (SELECT base_digest, base_size FROM forks UNION SELECT ?1, ?2)",
        &[&fork.base.digest, &integer(fork.base.size)],
    )?;
    check(
        "the bytes of the files under all forks",
        bytes,
        limits.base_bytes,
        "SPREADSHEET_MCP_MAX_FORK_BYTES",
    )?;
    Ok(())
}

pub(super) fn count(database: &Connection) -> Result<u64, Failure> {
    let counted: i64 =
        database.prepare_cached("SELECT count(*) FROM forks")?.query_row([], |row| row.get(0))?;
    Ok(counted.try_into().unwrap_or(0))
}

pub(super) fn get(database: &Connection, id: &ForkId) -> Result<Fork, Failure> {
    database
        .prepare_cached(&format!("SELECT {COLUMNS} FROM forks WHERE id = ?1"))?
        .query_row([id], fork_of)
        .optional()?
        .ok_or_else(|| StoreError::no_fork(id).into())
}

pub(super) fn list(database: &Connection, query: &ForkQuery<'_>) -> Result<Vec<Fork>, Failure> {
    let of_owner = if query.owner.is_some() { "owner = ?1" } else { "?1 IS NULL" };
    let later = "last_used <= ?2 AND (last_used < ?2 OR id > ?3)";
    let (last_used, id) = match query.after {
        Some((last_used, id)) => (last_used, id.as_str()),
        None => (Millis::MAX, ""),
    };
    let forks = database
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM forks WHERE {of_owner} AND {later} ORDER BY last_used DESC, id LIMIT ?4"
        ))?
        .query_map(params![query.owner, last_used, id, query.limit], fork_of)?
        .collect::<Result<_, _>>()?;
    Ok(forks)
}

/// Whether the last noted use is recent enough.
pub(super) fn is_use_noted(database: &Connection, id: &ForkId, now: Millis) -> Result<bool, Failure> {
    let last_used: Option<Millis> = database
        .prepare_cached("SELECT last_used FROM forks WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let last_used = last_used.ok_or_else(|| StoreError::no_fork(id))?;
    Ok(now.saturating_sub(last_used) < USE_IS_NOTED_FOR)
}

/// Puts off the expiry. Another process' clock may be ahead: the last use never goes back.
pub(super) fn follow_origin(
    database: &Connection,
    id: &ForkId,
    path: &str,
    digest: &Digest,
) -> Result<(), Failure> {
    get(database, id)?;
    database
        .prepare_cached("UPDATE forks SET origin_digest = ?3 WHERE id = ?1 AND origin_path = ?2")?
        .execute(params![id, path, digest])?;
    Ok(())
}

pub(super) fn note_use(database: &Connection, id: &ForkId, now: Millis) -> Result<(), Failure> {
    let row: Option<(Millis, Millis)> = database
        .prepare_cached("SELECT last_used, ttl FROM forks WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (last_used, ttl) = row.ok_or_else(|| StoreError::no_fork(id))?;
    let now = now.max(last_used);
    database
        .prepare_cached("UPDATE forks SET last_used = ?2, expires = ?3 WHERE id = ?1")?
        .execute(params![id, now, now.saturating_add(ttl)])?;
    Ok(())
}

pub(super) fn discard(database: &Connection, id: &ForkId) -> Result<(), Failure> {
    let deleted = database.prepare_cached("DELETE FROM forks WHERE id = ?1")?.execute([id])?;
    if deleted == 0 { Err(StoreError::no_fork(id).into()) } else { Ok(()) }
}

pub(super) fn expire(database: &Connection, now: Millis) -> Result<Vec<ForkId>, Failure> {
    let mut expired: Vec<ForkId> = database
        .prepare_cached("DELETE FROM forks WHERE expires <= ?1 RETURNING id")?
        .query_map([now], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    expired.sort();
    // Gives room back to the disk that these and discarded forks had, some of it each time.
    let mut vacuum = database.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES_GIVEN_BACK})"))?;
    let mut pages = vacuum.query([])?;
    while pages.next()?.is_some() {}
    Ok(expired)
}

fn fork_of(row: &Row<'_>) -> rusqlite::Result<Fork> {
    let origin = match (row.get(5)?, row.get(6)?) {
        (Some(path), Some(digest)) => Some(Origin { path, digest }),
        _ => None,
    };
    Ok(Fork {
        id: row.get(0)?,
        owner: row.get(1)?,
        base: Base { digest: row.get(2)?, size: natural(row.get(3)?)?, file_name: row.get(4)? },
        origin,
        label: row.get(7)?,
        created: row.get(8)?,
        last_used: row.get(9)?,
        expires: row.get(10)?,
        head: row.get::<_, Seq>(11)?,
    })
}
