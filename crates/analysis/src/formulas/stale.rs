//! Which results of formulas are old, seen from the cells that changed (FRESH).

use grid::{CellRange, CellRef};
use workbook::edit::Pending;
use workbook::{Cell, FormulaKind, Sheet, SheetId};

use crate::formulas::reached::Reached;
use crate::formulas::{Area, Cancel, Cancelled, DependencyIndex};

/// Formula cells whose results are older than what they are computed from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stale {
    everything: bool,
    /// By sheet; together every such cell, none twice.
    sheets: Vec<Vec<CellRange>>,
}

/// The stale cells of one sheet.
#[derive(Debug, Clone)]
pub struct StaleCells<'a> {
    everything: bool,
    ranges: &'a [CellRange],
    /// Where array formulas show their results, where everything is stale.
    arrays: Vec<CellRange>,
}

impl Stale {
    /// What is stale once `pending` changed. Where the text of a formula does not tell what it reads (`INDIRECT`, `OFFSET`), any
    /// change makes it stale.
    ///
    /// # Errors
    /// When it is cancelled.
    pub fn since(index: &DependencyIndex, pending: &Pending, cancel: Cancel<'_>) -> Result<Stale, Cancelled> {
        if pending.everything || pending.areas.is_empty() {
            return Ok(Stale { everything: pending.everything, sheets: Vec::new() });
        }
        let mut reached = Reached::new(index);
        for (number, block) in index.numbered_blocks() {
            if block.is_dynamic {
                reached.reach(number, block.range);
            }
        }
        for (sheet, range) in &pending.areas {
            let area = Area { sheet: *sheet, range: *range };
            reached.reach_area(area);
            reached.start_from(area);
        }
        reached.follow_readers(cancel)?;
        Ok(Stale { everything: false, sheets: reached.into_sheets() })
    }

    /// Whether any formula may have an old result.
    pub fn is_everything(&self) -> bool {
        self.everything
    }

    /// Whether no result is old.
    pub fn is_empty(&self) -> bool {
        !self.everything && self.sheets.iter().all(Vec::is_empty)
    }

    /// The areas of stale cells; none if everything is.
    pub fn areas(&self) -> impl Iterator<Item = Area> + '_ {
        self.sheets.iter().enumerate().flat_map(|(index, ranges)| {
            ranges.iter().map(move |range| Area { sheet: SheetId(index as u32), range: *range })
        })
    }

    /// The formula cells that `targets` need, themselves included. `None` if no text tells them all (`INDIRECT`, `OFFSET`).
    ///
    /// # Errors
    /// When it is cancelled.
    pub fn needed(
        index: &DependencyIndex,
        targets: &[Area],
        cancel: Cancel<'_>,
    ) -> Result<Option<Vec<Area>>, Cancelled> {
        let mut reached = Reached::new(index);
        targets.iter().for_each(|area| reached.reach_area(*area));
        if !reached.follow_reads(cancel)? {
            return Ok(None);
        }
        Ok(Some(Stale { everything: false, sheets: reached.into_sheets() }.areas().collect()))
    }

    /// The stale cells of a sheet.
    pub fn of_sheet<'a>(&'a self, id: SheetId, sheet: &Sheet) -> StaleCells<'a> {
        let array = |formula: &workbook::Formula| match formula.kind {
            FormulaKind::Array { range, .. } | FormulaKind::DataTable { range } => Some(range),
            FormulaKind::Normal | FormulaKind::Shared { .. } => None,
        };
        let arrays = match self.everything {
            true => sheet.formulas().iter().filter_map(|(_, formula)| array(formula)).collect(),
            false => Vec::new(),
        };
        let ranges = self.sheets.get(id.0 as usize).map_or(&[][..], Vec::as_slice);
        StaleCells { everything: self.everything, ranges, arrays }
    }

    /// Bytes that it costs.
    pub fn bytes(&self) -> usize {
        self.sheets.iter().map(|ranges| ranges.capacity() * size_of::<CellRange>() + 24).sum()
    }
}

impl StaleCells<'_> {
    /// Whether what a cell shows is older than what it is computed from. So is what was never computed.
    pub fn contains(&self, at: CellRef, cell: &Cell<'_>) -> bool {
        if cell.formula.is_some() && (self.everything || cell.value.is_empty()) {
            return true;
        }
        let has = |ranges: &[CellRange]| ranges.iter().any(|range| range.contains(at));
        has(self.ranges) || has(&self.arrays)
    }

    /// Whether nothing is stale but, perhaps, what was never computed.
    pub fn is_empty(&self) -> bool {
        !self.everything && self.ranges.is_empty()
    }
}
