//! The database's tables, and how an older database gets them. A server never changes them: `migrate` does, once for all servers.

use tokio::runtime::Handle;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::failure::{Failure, Format};
use super::{PostgresOptions, PostgresUrl, connections};
use crate::StoreError;

/// Where our tables are within the database.
pub(super) const NAME: &str = "spreadsheet_mcp";

/// What brings a database from the format of its index to the next one, and the oldest format whose programs can work with it
/// still. Never changed once released, only added to: a migration adds what the next release needs, and takes away what no
/// release since the one before needs.
const MIGRATIONS: &[(&str, i64)] = &[
    (include_str!("schema_1.sql"), 1),
    (include_str!("schema_2.sql"), 1),
    (include_str!("schema_3.sql"), 1),
];

/// Names the lock that one migrating process has ("spreadsh" as a number).
const LOCK: i64 = 0x7370_7265_6164_7368;

/// How long a migration, or the one before it, may take.
const LIMIT: &str = "10min";

/// The format of a database, and of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The format that the database had; 0 where there was nothing.
    pub from: i64,
    /// The format that it has now, or would have.
    pub to: i64,
}

/// The format that this program needs.
pub(super) fn newest() -> i64 {
    MIGRATIONS.len() as i64
}

/// That this program can work with the tables.
pub(super) async fn check(client: &Client) -> Result<(), Failure> {
    let known = newest();
    match version(client).await? {
        Some((found, compatible_from)) if found >= known && compatible_from <= known => Ok(()),
        found => Err(Failure::Format(Format { found: found.map_or(0, |(found, _)| found), known })),
    }
}

/// The format of the tables, and the oldest one whose programs can work with them; none where there are no tables.
async fn version(client: &Client) -> Result<Option<(i64, i64)>, Failure> {
    let sql = format!("SELECT version, compatible_from FROM {NAME}.format");
    match client.query_opt(&sql, &[]).await {
        Ok(row) => Ok(row.map(|row| (row.get(0), row.get(1)))),
        Err(error) => match error.code() {
            Some(code) if *code == SqlState::UNDEFINED_TABLE || *code == SqlState::INVALID_SCHEMA_NAME => {
                Ok(None)
            }
            _ => Err(error.into()),
        },
    }
}

/// Brings the tables to the format of this program, as far as they are older; several processes may do so at the same time. With
/// `only_look`, nothing is changed.
pub(super) fn migrate(
    url: &PostgresUrl,
    options: &PostgresOptions,
    runtime: &Handle,
    only_look: bool,
) -> Result<Migration, StoreError> {
    let mut client = connections::alone(url, options, runtime)?;
    let done = runtime.block_on(async {
        let from = version(&client).await?.map_or(0, |(found, _)| found);
        match only_look {
            true => Ok(Migration { from, to: newest().max(from) }),
            false => run_missing(&mut client).await,
        }
    });
    done.map_err(|failure: Failure| failure.explain(&url.to_string(), false))
}

async fn run_missing(client: &mut Client) -> Result<Migration, Failure> {
    let limits = format!("SET statement_timeout = '{LIMIT}'; SET lock_timeout = '{LIMIT}'");
    client.batch_execute(&limits).await?;
    let transaction = client.transaction().await?;
    // The lock goes with the transaction, however that ends.
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let from = version_within(&transaction).await?;
    let done = usize::try_from(from).unwrap_or(0);
    for (migration, _) in MIGRATIONS.iter().skip(done) {
        transaction.batch_execute(&format!("SET LOCAL search_path = {NAME}; {migration}")).await?;
    }
    let to = newest().max(from);
    if from < newest() {
        let compatible_from = MIGRATIONS.last().map_or(1, |(_, compatible_from)| *compatible_from);
        let sql = format!("UPDATE {NAME}.format SET version = $1, compatible_from = $2");
        transaction.execute(&sql, &[&to, &compatible_from]).await?;
    }
    transaction.commit().await?;
    Ok(Migration { from, to })
}

/// The format, of a database that has a place for it from here on.
async fn version_within(transaction: &tokio_postgres::Transaction<'_>) -> Result<i64, Failure> {
    let place = format!(
        "CREATE SCHEMA IF NOT EXISTS {NAME};
         CREATE TABLE IF NOT EXISTS {NAME}.format (version bigint NOT NULL, compatible_from bigint NOT NULL);
         INSERT INTO {NAME}.format SELECT 0, 0 WHERE NOT EXISTS (SELECT FROM {NAME}.format);"
    );
    transaction.batch_execute(&place).await?;
    let row = transaction.query_one(&format!("SELECT version FROM {NAME}.format"), &[]).await?;
    Ok(row.get(0))
}
