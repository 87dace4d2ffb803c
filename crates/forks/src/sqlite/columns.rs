//! Domain values in the database's columns, and back.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::{CheckpointName, Digest, ForkId, IdempotencyKey, Seq, StagedId};

macro_rules! text_column {
    ($($name:ident),*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<$name> {
                value.as_str()?.parse().map_err(FromSqlError::other)
            }
        }
    )*};
}

text_column!(ForkId, StagedId, CheckpointName, IdempotencyKey);

impl ToSql for Digest {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.to_string()))
    }
}

impl FromSql for Digest {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Digest> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

impl ToSql for Seq {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(integer(self.get())))
    }
}

impl FromSql for Seq {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Seq> {
        natural(value.as_i64()?).map(Seq::new)
    }
}

/// A count as SQLite's signed integer. Numbers beyond it are not reached; as the argument of a look-up, they find nothing.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A column that holds a count.
pub(super) fn natural(number: i64) -> FromSqlResult<u64> {
    u64::try_from(number).map_err(|_| FromSqlError::OutOfRange(number))
}
