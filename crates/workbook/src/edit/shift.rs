//! Cells that come and go while those behind them shift: in some columns down and up, or in some rows right and left.

use std::sync::Arc;

use formula::{Change as Count, Direction, Resize};
use grid::{CellRange, CellRef, MAX_COLS, MAX_ROWS};

use crate::edit::cells::{check_size, clip};
use crate::edit::error::Problem;
use crate::edit::follow::Change;
use crate::edit::op::Shift;
use crate::edit::sheet_edit::Dirt;
use crate::edit::{Draft, Place};
use crate::model::{FormulaKind, RawCell, Sheet};

impl Draft {
    /// Empty cells come in at the place; those there and behind them shift.
    pub(crate) fn insert_cells(&mut self, place: Place, shift: Shift) -> Result<(), Problem> {
        let direction = match shift {
            Shift::Down => Direction::Row,
            Shift::Right => Direction::Column,
            Shift::Up | Shift::Left => {
                return Err(Problem::new(
                    "cells that come in shift others down or right",
                    "give shift: down or right",
                ));
            }
        };
        let resize = resize_of(place.range, direction, Count::Insert);
        let zone = self.zone(place, resize)?;
        let count = if direction == Direction::Row { place.range.height() } else { place.range.width() };
        let (rows, columns) = if direction == Direction::Row { (count, 0) } else { (0, count) };
        if let Some(used) = zone
            && used.end().offset(i64::from(rows), i64::from(columns)).is_none()
        {
            let problem = "the cells would be pushed off the end of the sheet";
            return Err(Problem::new(problem, "clear what stands there first").at(self.written(place)));
        }
        self.shift(place, resize, zone)?;
        self.inherit_formats(place.sheet, resize, count)
    }

    /// The cells of the place go; those behind them shift.
    pub(crate) fn delete_cells(&mut self, place: Place, shift: Shift) -> Result<(), Problem> {
        let direction = match shift {
            Shift::Up => Direction::Row,
            Shift::Left => Direction::Column,
            Shift::Down | Shift::Right => {
                return Err(Problem::new(
                    "cells that go let others shift up or left",
                    "give shift: up or left",
                ));
            }
        };
        let resize = resize_of(place.range, direction, Count::Delete);
        let zone = self.zone(place, resize)?;
        self.shift(place, resize, zone)
    }

    /// The stored cells that shift or go, if there are any, once nothing is in the way.
    fn zone(&self, place: Place, resize: Resize) -> Result<Option<CellRange>, Problem> {
        let range = place.range;
        let is_whole = match resize.direction {
            Direction::Row => range.is_whole_columns() || range.is_whole_rows(),
            Direction::Column => range.is_whole_rows() || range.is_whole_columns(),
        };
        if is_whole {
            let remedy = "use insert_rows, delete_rows, insert_columns or delete_columns for whole ones";
            return Err(Problem::new(format!("{range} is whole rows or columns"), remedy));
        }
        let behind = match resize.direction {
            Direction::Row => CellRef::clamped(MAX_ROWS - 1, range.end().col()),
            Direction::Column => CellRef::clamped(range.end().row(), MAX_COLS - 1),
        };
        let zone = CellRange::new(range.start(), behind);
        let sheet = self.book.sheet(place.sheet, &())?;
        self.check_zone(place, &sheet, zone, resize)?;
        let used = sheet.used_range().and_then(|used| used.intersect(zone));
        let used = used.map(|used| clip(CellRange::new(range.start(), used.end()), &sheet));
        if let Some(used) = used {
            check_size(used)?;
        }
        Ok(used)
    }

    /// What would be torn.
    fn check_zone(
        &self,
        place: Place,
        sheet: &Sheet,
        zone: CellRange,
        resize: Resize,
    ) -> Result<(), Problem> {
        let told = |range: CellRange| self.written(Place { range, ..place });
        let is_deleted = matches!(resize.change, Count::Delete(_));
        // What shifts whole may; what goes whole may, where it is not a table or a pivot.
        let is_torn = |range: CellRange, may_go: bool| {
            let shifts =
                zone.contains_range(range) && !(is_deleted && place.range.intersect(range).is_some());
            let goes = may_go && is_deleted && place.range.contains_range(range);
            zone.intersect(range).is_some() && !shifts && !goes
        };
        let refuse = |what: String, remedy: &str| Err(Problem::new(what, remedy).at(told(place.range)));
        if let Some(merge) = sheet.merges.iter().find(|merge| is_torn(**merge, true)) {
            return refuse(format!("it would tear the merged cells {}", told(*merge)), "unmerge them first");
        }
        if let Some(table) = sheet.tables.iter().find(|table| is_torn(table.range, false)) {
            let what = format!("it would tear the table {:?} in {}", table.name, told(table.range));
            return refuse(
                what,
                "insert or delete whole rows or columns, or all columns of the table below its data",
            );
        }
        if let Some(range) =
            sheet.pivots.iter().filter_map(|pivot| pivot.range).find(|range| is_torn(*range, false))
        {
            return refuse(
                format!("it would tear the pivot table in {}", told(range)),
                "give cells beside it",
            );
        }
        for (_, formula) in sheet.formulas().iter() {
            let (FormulaKind::Array { range, .. } | FormulaKind::DataTable { range }) = formula.kind else {
                continue;
            };
            let stands =
                sheet.raw_cell(range.start()).formula.is_some_and(|id| sheet.formulas().get(id) == formula);
            if stands && is_torn(range, true) {
                return refuse(
                    format!("it would tear the array formula in {}", told(range)),
                    "change that formula first",
                );
            }
        }
        let filter = sheet.auto_filter.as_ref().map(|filter| filter.range);
        if let Some(range) = filter.filter(|range| is_torn(*range, false)) {
            return refuse(
                format!("it would tear the filter of {}", told(range)),
                "take the filter away first, or insert or delete whole rows or columns",
            );
        }
        Ok(())
    }

    fn shift(&mut self, place: Place, resize: Resize, zone: Option<CellRange>) -> Result<(), Problem> {
        self.load_all()?;
        let name = self.book.tab(place.sheet).name.clone();
        let change = Change::Resize { sheet: &name, resize };
        self.follow_formulas(change, Some((place.sheet, resize)))?;
        let hand = self.hand(place)?;
        if let Some(zone) = zone {
            let cells: Vec<(CellRef, RawCell)> = zone
                .cells()
                .map(|at| (at, hand.sheet.raw_cell(at)))
                .filter(|(_, cell)| *cell != RawCell::default())
                .collect();
            for (at, _) in &cells {
                hand.sheet.set_cell(*at, RawCell::default());
                hand.edit.mark(*at, Dirt::Content);
            }
            for (at, cell) in cells {
                if let Some(to) = resize.moved_range(CellRange::cell(at)).map(CellRange::start) {
                    hand.sheet.set_cell(to, cell);
                    hand.edit.mark(to, Dirt::Content);
                }
            }
        }
        self.formulas_changed = true;
        Arc::make_mut(&mut self.sheets[place.sheet.0 as usize]).pending.add(CellRange::ALL);
        self.follow_parts(change)
    }
}

fn resize_of(range: CellRange, direction: Direction, change: fn(u32) -> Count) -> Resize {
    let (start, end) = (range.start(), range.end());
    match direction {
        Direction::Row => Resize {
            direction,
            at: start.row(),
            change: change(range.height()),
            band: Some((start.col(), end.col())),
        },
        Direction::Column => Resize {
            direction,
            at: start.col(),
            change: change(range.width()),
            band: Some((start.row(), end.row())),
        },
    }
}
