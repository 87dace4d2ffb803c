//! Which cells hold a table, and what its columns are called.

use std::collections::HashSet;
use std::ops::Range;

use grid::{CellRange, CellRef, Value, column_letters, parse_column};
use workbook::{Sheet, SheetId, Table, Workbook};

use crate::near_miss::near_misses;
use crate::resolve::clip;

/// Columns that an error lists at most.
const LISTED: usize = 20;
/// Characters of a header that become a column's name.
const MAX_NAME: usize = 200;

/// A column of a [`TableView`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewColumn {
    /// Its name, unique within the view.
    pub name: String,
    /// Its zero-based position on the sheet.
    pub col: u32,
}

/// A table somewhere on a sheet: named columns over data rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableView {
    /// The sheet.
    pub sheet: SheetId,
    /// The columns, left to right.
    pub columns: Vec<ViewColumn>,
    /// The data rows, zero-based: without headers and totals; perhaps none.
    pub rows: Range<u32>,
}

/// A column was asked for that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no column {name:?}; there are {}", .candidates.join(", "))]
pub struct NoSuchColumn {
    /// What was asked for.
    pub name: String,
    /// Columns that may have been meant, or the first ones.
    pub candidates: Vec<String>,
}

impl TableView {
    /// Columns from `first_col` on with headers as they stand on the sheet: blank ones are named by the column's
    /// letters, repeated ones numbered.
    pub fn new(sheet: SheetId, first_col: u32, headers: &[String], rows: Range<u32>) -> TableView {
        let mut taken: HashSet<String> = HashSet::with_capacity(headers.len());
        let columns = headers.iter().zip(first_col..).map(|(header, col)| {
            let words: Vec<&str> = header.split_whitespace().collect();
            let mut name: String = words.join(" ").chars().take(MAX_NAME).collect();
            if name.is_empty() {
                name = column_letters(col);
            }
            let repeated = (2..).map(|count| format!("{name} ({count})"));
            let mut names = std::iter::once(name.clone()).chain(repeated);
            let unique = names.find(|name| taken.insert(name.to_lowercase())).unwrap_or(name.clone());
            ViewColumn { name: unique, col }
        });
        TableView { sheet, columns: columns.collect(), rows }
    }

    /// The data of a table.
    pub fn of_table(sheet: SheetId, table: &Table) -> TableView {
        let headers: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let first = table.range.start().row() + table.header_rows;
        let last = (table.range.end().row() + 1).saturating_sub(table.totals_rows);
        TableView::new(sheet, table.range.start().col(), &headers, first..last.max(first))
    }

    /// A range whose first `header_rows` rows name the columns: several rows join as `2024 / Q1`, a merged cell
    /// names every column under it. With no header rows columns are named by their letters.
    pub fn of_range(
        workbook: &Workbook,
        id: SheetId,
        sheet: &Sheet,
        range: CellRange,
        header_rows: u32,
    ) -> TableView {
        let Some(range) = clip(range, sheet) else {
            return TableView { sheet: id, columns: Vec::new(), rows: 0..0 };
        };
        let header_rows = header_rows.min(range.height());
        let (start, end) = (range.start(), range.end());
        let first_data = start.row() + header_rows;
        let mut headers = vec![String::new(); range.width() as usize];
        let bounds = (header_rows > 0)
            .then(|| CellRange::from_bounds(start.row(), start.col(), first_data - 1, end.col()))
            .flatten();
        if let Some(bounds) = bounds {
            let merges: Vec<CellRange> =
                sheet.merges.iter().copied().filter(|merge| merge.intersect(bounds).is_some()).collect();
            for (header, col) in headers.iter_mut().zip(start.col()..) {
                *header = header_of(workbook, sheet, &merges, start.row()..first_data, col);
            }
        }
        TableView::new(id, start.col(), &headers, first_data..end.row() + 1)
    }

    /// The index of a column: by its name, then without regard to case and outer spaces, then by its letters.
    pub fn column(&self, wanted: &str) -> Result<usize, NoSuchColumn> {
        let folded = wanted.trim().to_lowercase();
        let by_letters = || {
            let col = parse_column(wanted.trim())?;
            self.columns.iter().position(|column| column.col == col)
        };
        self.columns
            .iter()
            .position(|column| column.name == wanted)
            .or_else(|| self.columns.iter().position(|column| column.name.trim().to_lowercase() == folded))
            .or_else(by_letters)
            .ok_or_else(|| {
                let names = || self.columns.iter().map(|column| column.name.as_str());
                let near = near_misses(wanted, names());
                let candidates =
                    if near.is_empty() { names().take(LISTED).map(str::to_owned).collect() } else { near };
                NoSuchColumn { name: wanted.to_owned(), candidates }
            })
    }

    /// The cells of the data; `None` without rows or columns.
    pub fn data_range(&self) -> Option<CellRange> {
        let (first, last) = (self.columns.first()?, self.columns.last()?);
        CellRange::from_bounds(self.rows.start, first.col, self.rows.end.checked_sub(1)?, last.col)
    }
}

/// The header over one column: the texts of its rows, each once.
fn header_of(workbook: &Workbook, sheet: &Sheet, merges: &[CellRange], rows: Range<u32>, col: u32) -> String {
    let mut parts: Vec<String> = Vec::new();
    for row in rows {
        let at = CellRef::clamped(row, col);
        let at = merges.iter().find(|merge| merge.contains(at)).map_or(at, |merge| merge.start());
        let cell = sheet.cell(at);
        let text = match cell.value {
            Value::Text(text) => text.trim().to_owned(),
            value => workbook.styles.text(value, cell.style, workbook.date_system),
        };
        if !text.is_empty() && parts.last() != Some(&text) {
            parts.push(text);
        }
    }
    parts.join(" / ")
}
