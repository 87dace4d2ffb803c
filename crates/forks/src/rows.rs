//! Everything that a store holds, as lines of text that any store takes back: for backups, and for moving from one database to
//! another.

use crate::StoreError;

/// A table, as every store has it. What a store has beside these columns, it makes itself.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// Columns of texts.
    pub(crate) texts: &'static [&'static str],
    /// Columns of whole numbers.
    pub(crate) numbers: &'static [&'static str],
    /// What rows are ordered by.
    pub(crate) order: &'static str,
}

impl Table {
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.texts.iter().chain(self.numbers).copied()
    }
}

/// The tables, those that others refer to first. A column that a row lacks is empty.
pub(crate) const TABLES: [Table; 6] = [
    Table {
        name: "forks",
        texts: &["id", "owner", "base_digest", "base_name", "origin_path", "origin_digest", "label"],
        numbers: &["base_size", "created", "last_used", "ttl", "expires", "head"],
        order: "id",
    },
    Table {
        name: "entries",
        texts: &["fork", "actor", "summary", "payload"],
        numbers: &["seq", "parent", "at"],
        order: "fork, seq",
    },
    Table {
        name: "calls",
        texts: &["fork", "key", "request", "answer"],
        numbers: &["seq"],
        order: "fork, key",
    },
    Table {
        name: "checkpoints",
        texts: &["fork", "name"],
        numbers: &["seq", "created"],
        order: "fork, created, seq",
    },
    Table {
        name: "staged",
        texts: &["fork", "id", "summary", "payload"],
        numbers: &["seq", "created"],
        order: "fork, created, id",
    },
    Table {
        name: "versions",
        texts: &["path", "digest", "fork", "became"],
        numbers: &["number", "size", "saved_at", "seq"],
        order: "number",
    },
];

/// A row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The table's name.
    pub table: &'a str,
    /// The columns, as a JSON object in one line.
    pub columns: &'a str,
}

/// Takes the rows of a store, one after the other.
pub type RowSink<'a> = dyn FnMut(Row<'_>) -> Result<(), StoreError> + 'a;

/// Gives the rows of a store, table and columns, one after the other, until there are no more.
pub type RowSource<'a> = dyn FnMut() -> Result<Option<(String, String)>, StoreError> + 'a;

/// The table of that name.
pub(crate) fn table(name: &str) -> Result<&'static Table, StoreError> {
    let known = TABLES.iter().find(|table| table.name == name);
    known.ok_or_else(|| StoreError::Source(format!("a row is of the table {name:?}, which no version has")))
}
