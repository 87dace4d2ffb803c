//! All rows as JSON, and back.

use rusqlite::{Connection, OptionalExtension};

use super::failure::Failure;
use crate::StoreError;
use crate::rows::{self, Row, RowSink, RowSource, TABLES, Table};

pub(super) fn export(database: &Connection, sink: &mut RowSink<'_>) -> Result<(), Failure> {
    for table in &TABLES {
        let Table { name, order, .. } = table;
        let pairs: Vec<String> =
            table.columns().map(|column| format!("'{column}', {}", told(table, column))).collect();
        let query = format!("SELECT json_object({}) FROM {name} ORDER BY {order}", pairs.join(", "));
        let mut statement = database.prepare(&query)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let columns: String = row.get(0)?;
            sink(Row { table: name, columns: &columns })?;
        }
    }
    Ok(())
}

pub(super) fn import(database: &Connection, source: &mut RowSource<'_>) -> Result<u64, Failure> {
    for Table { name, .. } in &TABLES {
        let some: Option<i64> =
            database.query_row(&format!("SELECT 1 FROM {name} LIMIT 1"), [], |row| row.get(0)).optional()?;
        if some.is_some() {
            return Err(StoreError::Exists { what: "state", name: format!("with {name}") }.into());
        }
    }
    let mut imported = 0;
    while let Some((table, columns)) = source()? {
        database.prepare_cached(&insert(rows::table(&table)?))?.execute([columns])?;
        imported += 1;
    }
    Ok(imported)
}

fn insert(table: &Table) -> String {
    let columns: Vec<&str> = table.columns().collect();
    let values: Vec<String> = columns.iter().map(|column| kept(table, column)).collect();
    format!("INSERT INTO {} ({}) SELECT {}", table.name, columns.join(", "), values.join(", "))
}

/// The value of a column as others know it.
fn told(table: &Table, column: &str) -> String {
    if is_empty_for_none(table, column) { format!("nullif({column}, '')") } else { column.to_owned() }
}

/// What a column holds for the value that others know.
fn kept(table: &Table, column: &str) -> String {
    let value = format!("?1 ->> '$.{column}'");
    if is_empty_for_none(table, column) { format!("coalesce({value}, '')") } else { value }
}

/// The column was there before it could be none.
fn is_empty_for_none(table: &Table, column: &str) -> bool {
    (table.name, column) == ("versions", "fork")
}
