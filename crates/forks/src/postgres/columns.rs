//! Domain values in the database's columns, and back.

use std::str::FromStr;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use super::failure::Failure;
use crate::Seq;

/// What a statement is given.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Rows of a statement that is prepared once for each connection.
pub(super) async fn rows(client: &ClientWrapper, sql: &str, values: Values<'_>) -> Result<Vec<Row>, Failure> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, values).await?)
}

/// Its one row, or none.
pub(super) async fn row(
    client: &ClientWrapper,
    sql: &str,
    values: Values<'_>,
) -> Result<Option<Row>, Failure> {
    Ok(rows(client, sql, values).await?.pop())
}

/// How many rows it changed.
pub(super) async fn changed(client: &ClientWrapper, sql: &str, values: Values<'_>) -> Result<u64, Failure> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.execute(&statement, values).await?)
}

/// A column.
pub(super) fn value<'r, T: FromSql<'r>>(row: &'r Row, index: usize) -> Result<T, Failure> {
    row.try_get(index).map_err(|error| Failure::Damaged(error.to_string()))
}

/// A column of text that is a name or a digest.
pub(super) fn parsed<T>(row: &Row, index: usize) -> Result<T, Failure>
where
    T: FromStr<Err: std::fmt::Display>,
{
    parse(value(row, index)?)
}

/// As [`parsed`], of a column that may hold nothing.
pub(super) fn parsed_if_there<T>(row: &Row, index: usize) -> Result<Option<T>, Failure>
where
    T: FromStr<Err: std::fmt::Display>,
{
    value::<Option<&str>>(row, index)?.map(parse).transpose()
}

fn parse<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error| Failure::Damaged(format!("{error}")))
}

/// A column that holds a count.
pub(super) fn natural(row: &Row, index: usize) -> Result<u64, Failure> {
    let number: i64 = value(row, index)?;
    u64::try_from(number).map_err(|_| Failure::Damaged(format!("{number} is no count")))
}

/// A column that holds a state.
pub(super) fn seq(row: &Row, index: usize) -> Result<Seq, Failure> {
    natural(row, index).map(Seq::new)
}

/// A count as PostgreSQL's signed integer. Numbers beyond it are not reached; as the argument of a look-up, they find nothing.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
