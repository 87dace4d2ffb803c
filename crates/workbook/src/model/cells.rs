//! Cells as a reader sees them.

use grid::{CellRange, CellRef, Value};

use crate::model::chunk::{CHUNK_ROWS, FormulaId, RawCell, StyleId};
use crate::model::sheet::Sheet;

/// One cell, resolved: texts are texts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cell<'a> {
    /// The value, or the cached result of the formula.
    pub value: Value<'a>,
    /// The cell format.
    pub style: StyleId,
    /// The formula, if there is one; [`Sheet::formula_text`] gives its text.
    pub formula: Option<FormulaId>,
}

/// The stored cells of a range in reading order; made by [`Sheet::cells_by_row`].
///
/// Works block by block of [`CHUNK_ROWS`] rows: time and memory follow the cells, not the area.
pub struct CellsByRow<'a> {
    sheet: &'a Sheet,
    range: CellRange,
    next_block: u32,
    block: std::vec::IntoIter<(CellRef, RawCell)>,
}

impl<'a> CellsByRow<'a> {
    pub(crate) fn new(sheet: &'a Sheet, range: CellRange) -> CellsByRow<'a> {
        CellsByRow { sheet, range, next_block: range.start().row(), block: Vec::new().into_iter() }
    }

    /// Sorts the cells of the next block that has any; `false` at the end of the range.
    fn fill(&mut self) -> bool {
        let columns = self.range.start().col()..=self.range.end().col();
        let last_row = self.range.end().row();
        while self.next_block <= last_row {
            let first = self.next_block;
            let Some(first) = self.sheet.next_occupied_row(columns.clone(), first, last_row) else {
                self.next_block = last_row + 1;
                return false;
            };
            let last = (first / CHUNK_ROWS * CHUNK_ROWS + CHUNK_ROWS - 1).min(last_row);
            self.next_block = last + 1;
            let mut block = Vec::new();
            for (col, column) in self.sheet.columns_in(columns.clone()) {
                block
                    .extend(column.cells(first..=last).map(|(row, cell)| (CellRef::clamped(row, col), cell)));
            }
            if !block.is_empty() {
                block.sort_unstable_by_key(|(at, _)| *at);
                self.block = block.into_iter();
                return true;
            }
        }
        false
    }
}

impl<'a> Iterator for CellsByRow<'a> {
    type Item = (CellRef, Cell<'a>);

    fn next(&mut self) -> Option<(CellRef, Cell<'a>)> {
        loop {
            if let Some((at, raw)) = self.block.next() {
                return Some((at, self.sheet.resolve(raw)));
            }
            if !self.fill() {
                return None;
            }
        }
    }
}
