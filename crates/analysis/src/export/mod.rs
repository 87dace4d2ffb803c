//! Cells as text files: [delimited text](delimited()) and JSON, as [rows](json_rows) or as [records](json_records).
//!
//! Rows stream from the model to the writer, so that a file of any length needs no memory of its own.

mod delimited;
mod injection;
mod json;

use std::io;

use grid::{CellRange, CellRef};
use workbook::{Cell, Sheet};

pub use delimited::{Delimited, delimited};
pub use injection::InjectionPolicy;
pub use json::{json_records, json_rows};

use crate::formulas::{Cancel, Cancelled};

/// Rows between two looks at whether to go on.
const ROWS_AT_ONCE: u32 = 1024;

/// How a cell is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Values {
    /// Numbers at full precision, dates in ISO 8601.
    #[default]
    Raw,
    /// As the sheet shows them.
    Formatted,
}

/// The cells that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cells<'a> {
    /// Where they are; nowhere on an empty sheet.
    pub range: Option<CellRange>,
    /// A row of names that comes first, if they have some.
    pub header: &'a [String],
}

impl From<CellRange> for Cells<'_> {
    fn from(range: CellRange) -> Self {
        Cells { range: Some(range), header: &[] }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exported {
    /// Lines or records, without a header.
    pub rows: u64,
    /// Fields of each.
    pub columns: u32,
    /// Cells that got an apostrophe, so that no program takes them for a formula.
    pub escaped: u64,
    /// Cells with a formula.
    pub formulas: u64,
    /// Those that have no result, and are written as nothing.
    pub without_result: u64,
}

/// Why nothing whole was written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The writer failed.
    #[error("the export can't be written: {0}")]
    Write(#[from] io::Error),
    /// A cell that other programs would take for a formula, under [`InjectionPolicy::Refuse`].
    #[error("{0} would be taken for a formula by the program that opens the file")]
    LooksLikeFormula(CellRef),
}

/// Hands the rows of a range on, each with all its cells.
fn each_row<'a>(
    sheet: &'a Sheet,
    range: Option<CellRange>,
    cancel: Cancel<'_>,
    mut write: impl FnMut(CellRef, &[Cell<'a>]) -> Result<(), ExportError>,
) -> Result<Exported, ExportError> {
    let Some(range) = range else { return Ok(Exported::default()) };
    let first_col = range.start().col();
    let mut exported =
        Exported { rows: u64::from(range.height()), columns: range.width(), ..Exported::default() };
    let mut stored = sheet.cells_by_row(range).peekable();
    let mut cells = vec![Cell::default(); range.width() as usize];
    for row in range.start().row()..=range.end().row() {
        if row.is_multiple_of(ROWS_AT_ONCE) && cancel() {
            return Err(Cancelled.into());
        }
        cells.fill(Cell::default());
        while let Some((at, cell)) = stored.next_if(|(at, _)| at.row() == row) {
            exported.formulas += u64::from(cell.formula.is_some());
            exported.without_result += u64::from(cell.formula.is_some() && cell.value.is_empty());
            cells[(at.col() - first_col) as usize] = cell;
        }
        write(CellRef::clamped(row, first_col), &cells)?;
    }
    Ok(exported)
}
