//! The values that a label may name.

use grid::{CellRef, MAX_COLS, MAX_ROWS};
use workbook::Sheet;

/// Empty cells that may lie between a label and its value.
const REACH: u32 = 4;

/// The first cells with a value beside and below a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Neighbours {
    /// To its right, beyond a merged range.
    pub right: Option<CellRef>,
    /// Below it.
    pub below: Option<CellRef>,
}

/// Looks beside and below a cell.
pub fn neighbours(sheet: &Sheet, at: CellRef) -> Neighbours {
    let merge = sheet.merges.iter().find(|merge| merge.contains(at));
    let end = merge.map_or(at, |merge| merge.end());
    let has_value = |at: &CellRef| !sheet.cell(*at).value.is_empty();
    let right = (end.col() + 1..=end.col() + 1 + REACH)
        .take_while(|col| *col < MAX_COLS)
        .map(|col| CellRef::clamped(at.row(), col))
        .find(has_value);
    let below = (end.row() + 1..=end.row() + 1 + REACH)
        .take_while(|row| *row < MAX_ROWS)
        .map(|row| CellRef::clamped(row, at.col()))
        .find(has_value);
    Neighbours { right, below }
}
