//! What replicas agree upon: whose turn it is, and secrets.

use deadpool_postgres::ClientWrapper;

use super::Moment;
use super::columns::{Values, changed, row, value};
use super::failure::Failure;
use crate::model::Bucket;
use crate::{Millis, Permits};

pub(super) async fn lease(
    client: &ClientWrapper,
    name: &str,
    holder: &str,
    span: Millis,
    now: Moment,
) -> Result<bool, Failure> {
    let sql =
        "INSERT INTO leases (name, holder, until) VALUES ($1, $2, later(coalesce($4, now_millis()), $3))
                   ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                       WHERE leases.holder = excluded.holder OR leases.until <= coalesce($4, now_millis())";
    Ok(changed(client, sql, &[&name, &holder, &span, &now]).await? == 1)
}

pub(super) async fn time(client: &ClientWrapper) -> Result<Millis, Failure> {
    let now = row(client, "SELECT now_millis()", &[]).await?;
    value(&now.ok_or_else(|| Failure::Damaged("there is no time".to_owned()))?, 0)
}

pub(super) async fn secret(client: &ClientWrapper, name: &str, candidate: &[u8]) -> Result<Vec<u8>, Failure> {
    let sql = "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    changed(client, sql, &[&name, &candidate]).await?;
    let kept = row(client, "SELECT value FROM secrets WHERE name = $1", &[&name]).await?;
    value(&kept.ok_or_else(|| Failure::Damaged("a secret is gone".to_owned()))?, 0)
}

/// Bytes of the tables and of their indexes, with what was deleted and waits to be used again.
pub(super) async fn used_bytes(client: &ClientWrapper) -> Result<u64, Failure> {
    let sql = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
                   WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'";
    row(client, sql, &[]).await?.map_or(Ok(0), |row| super::columns::natural(&row, 0))
}

pub(super) async fn take_permits(
    client: &ClientWrapper,
    caller: &str,
    wanted: u32,
    per_minute: u32,
    now: Moment,
) -> Result<Permits, Failure> {
    let bucket = Bucket::per_minute(per_minute);
    let sql = "WITH moment AS MATERIALIZED (SELECT coalesce($2, now_millis()) AS now)
               SELECT taken, full_at, now FROM moment, take_permits($1, now * 1000, $3, $4, $5)";
    let values: Values<'_> = &[&caller, &now, &i64::from(wanted), &bucket.all, &bucket.each];
    let taken = row(client, sql, values).await?;
    let taken = taken.ok_or_else(|| Failure::Damaged("permits are gone".to_owned()))?;
    Ok(bucket.permits(value(&taken, 0)?, value(&taken, 1)?, value(&taken, 2)?))
}

/// Forgets callers who may make all of their calls.
pub(super) async fn forget_permits(client: &ClientWrapper, now: Moment) -> Result<(), Failure> {
    changed(client, "DELETE FROM permits WHERE until < coalesce($1, now_millis()) * 1000", &[&now]).await?;
    Ok(())
}
