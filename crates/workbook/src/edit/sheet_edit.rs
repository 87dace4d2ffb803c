//! What became of a sheet since it was read: enough to write its part again with everything else as it was.

use std::collections::{BTreeMap, BTreeSet};

use formula::{Direction, Resize};
use grid::{CellRange, CellRef};

use crate::edit::pending::ChangedAreas;

/// What of a cell is to be written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dirt {
    /// Its format alone: what is in the cell stays as it stands.
    Format,
    /// The result of its formula, which stays as it stands.
    Value,
    /// All of it.
    Content,
}

/// Changes of one sheet, in terms of where cells are now.
#[derive(Debug, Clone, Default)]
pub(crate) struct SheetEdit {
    /// The part that the sheet is saved as.
    pub(crate) part: String,
    /// The part of the base that its cells come from; none for a new sheet.
    pub(crate) source: Option<String>,
    /// Rows and columns that came and went since the base, in order.
    pub(crate) steps: Vec<Resize>,
    /// Cells to be written from the model: by row, in the order of columns.
    dirty: BTreeMap<u32, Vec<(u16, Dirt)>>,
    /// Rows whose height, visibility, outline or format is to be written from the model.
    pub(crate) dirty_rows: BTreeSet<u32>,
    /// Whether formulas outside the dirty cells changed: their texts, or the ranges that they are for.
    pub(crate) formulas_follow: bool,
    /// Cells that changed since the results of formulas were computed.
    pub(crate) pending: ChangedAreas,
}

impl SheetEdit {
    /// Nothing changed yet.
    pub(crate) fn of(part: &str) -> SheetEdit {
        SheetEdit { part: part.to_owned(), source: Some(part.to_owned()), ..SheetEdit::default() }
    }

    /// A sheet that the base does not have.
    pub(crate) fn new_sheet(part: &str) -> SheetEdit {
        SheetEdit { part: part.to_owned(), ..SheetEdit::default() }
    }

    /// Marks a cell.
    pub(crate) fn mark(&mut self, at: CellRef, dirt: Dirt) {
        let row = self.dirty.entry(at.row()).or_default();
        let col = at.col() as u16;
        match row.binary_search_by_key(&col, |(col, _)| *col) {
            Ok(found) => row[found].1 = row[found].1.max(dirt),
            Err(index) => row.insert(index, (col, dirt)),
        }
    }

    /// The marked cells of a row, in the order of columns.
    pub(crate) fn dirty_cells(&self, row: u32) -> &[(u16, Dirt)] {
        self.dirty.get(&row).map_or(&[], Vec::as_slice)
    }

    /// Every marked cell.
    pub(crate) fn all_dirty(&self) -> impl Iterator<Item = (CellRef, Dirt)> {
        let cells = |(row, cells): (&u32, &Vec<(u16, Dirt)>)| {
            let row = *row;
            cells.clone().into_iter().map(move |(col, dirt)| (CellRef::clamped(row, u32::from(col)), dirt))
        };
        self.dirty.iter().flat_map(cells)
    }

    /// Whether a cell is to be written from the model.
    pub(crate) fn is_rewritten(&self, at: CellRef) -> bool {
        let row = self.dirty_cells(at.row());
        row.binary_search(&(at.col() as u16, Dirt::Content)).is_ok()
    }

    /// The rows with something marked, ascending.
    pub(crate) fn touched_rows(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.dirty.keys().chain(&self.dirty_rows).copied().collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// The smallest range around every marked cell.
    pub(crate) fn dirty_range(&self) -> Option<CellRange> {
        let rows = self.dirty.iter().filter_map(|(row, cells)| {
            let (first, last) = (cells.first()?.0, cells.last()?.0);
            CellRange::from_bounds(*row, u32::from(first), *row, u32::from(last))
        });
        rows.reduce(CellRange::union)
    }

    /// Whether the cells are written otherwise than they were read.
    pub(crate) fn has_changed_cells(&self) -> bool {
        !self.dirty.is_empty()
            || !self.dirty_rows.is_empty()
            || !self.steps.is_empty()
            || self.formulas_follow
    }

    /// Follows rows or columns that come or go.
    pub(crate) fn resize(&mut self, resize: Resize) {
        self.steps.push(resize);
        // Any formula of the sheet may see other cells now.
        self.pending.add(CellRange::ALL);
        let moved = |index: u32| resize.moved(index, index).map(|(index, _)| index);
        match resize.direction {
            Direction::Row => {
                let dirty = std::mem::take(&mut self.dirty);
                self.dirty =
                    dirty.into_iter().filter_map(|(row, cells)| Some((moved(row)?, cells))).collect();
                self.dirty_rows = self.dirty_rows.iter().filter_map(|row| moved(*row)).collect();
            }
            Direction::Column => {
                let shifted = |(col, dirt): &(u16, Dirt)| Some((moved(u32::from(*col))? as u16, *dirt));
                for cells in self.dirty.values_mut() {
                    *cells = cells.iter().filter_map(shifted).collect();
                }
                self.dirty.retain(|_, cells| !cells.is_empty());
            }
        }
    }

    /// Where a cell was before all steps but the first `earlier`; `None` if its row or column is new.
    pub(crate) fn origin(&self, at: CellRef, earlier: usize) -> Option<CellRef> {
        let steps = self.steps.get(earlier..).unwrap_or_default();
        steps.iter().rev().try_fold(at, |at, step| match step.direction {
            Direction::Row => CellRef::new(step.origin(at.row())?, at.col()),
            Direction::Column => CellRef::new(at.row(), step.origin(at.col())?),
        })
    }

    /// Where a row or column of the base is now; `None` if it is gone.
    pub(crate) fn place(&self, direction: Direction, index: u32) -> Option<u32> {
        let steps = self.steps.iter().filter(|step| step.direction == direction);
        steps.copied().try_fold(index, |index, step| Some(step.moved(index, index)?.0))
    }
}
