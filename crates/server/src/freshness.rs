//! What answers say of results that are older than what they are computed from (FRESH).

use analysis::formulas::{Area, StaleCells};
use grid::{CellRange, CellRef};
use workbook::Sheet;

use crate::{call::Call, error::ToolError, open::Opened};

/// Ranges that an answer names at most.
const LISTED: usize = 20;

impl Opened {
    /// The cells of areas that are told and whose results are old, as ranges with their sheets; the last item counts those that
    /// are not listed.
    ///
    /// # Errors
    /// When a sheet can't be read, or the call is stopped.
    pub(crate) fn stale_within(&self, call: &Call, areas: &[Area]) -> Result<Vec<String>, ToolError> {
        let stale = self.book.stale(call)?;
        let mut told = Vec::new();
        let mut untold = 0;
        for area in areas {
            let sheet = self.sheet(call, area.sheet)?;
            if sheet.formulas().is_empty() {
                continue;
            }
            let cells = stale.of_sheet(area.sheet, &sheet);
            for range in stale_ranges(&sheet, &cells, area.range, call)? {
                match told.len() < LISTED {
                    true => told.push(format!("{}!{range}", self.quoted_name(area.sheet))),
                    false => untold += range.area(),
                }
            }
        }
        if untold > 0 {
            told.push(format!("{untold} more cells"));
        }
        Ok(told)
    }
}

/// Runs of stale cells, column by column; neighbouring columns of the same rows become one.
fn stale_ranges(
    sheet: &Sheet,
    stale: &StaleCells<'_>,
    range: CellRange,
    call: &Call,
) -> Result<Vec<CellRange>, ToolError> {
    let mut ranges: Vec<CellRange> = Vec::new();
    for (col, column) in sheet.columns_in(range.start().col()..=range.end().col()) {
        call.check()?;
        let mut runs: Vec<CellRange> = Vec::new();
        for (row, raw) in column.cells(range.start().row()..=range.end().row()) {
            let at = CellRef::clamped(row, col);
            if !stale.contains(at, &sheet.resolve(raw)) {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.end().row() + 1 == row => *run = CellRange::new(run.start(), at),
                _ => runs.push(CellRange::cell(at)),
            }
        }
        for run in runs {
            let beside = ranges.iter_mut().rev().take(LISTED).find(|known| {
                known.end().col() + 1 == col
                    && known.start().row() == run.start().row()
                    && known.end().row() == run.end().row()
            });
            match beside {
                Some(known) => *known = known.union(run),
                None => ranges.push(run),
            }
        }
    }
    Ok(ranges)
}
