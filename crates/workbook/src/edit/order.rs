//! Cells that change places: cut and pasted, and sorted.

use std::cmp::Ordering;

use formula::Relocation;
use grid::{CellRange, CellRef, ErrorValue, Value};

use crate::edit::cells::{carry, check_size, clip};
use crate::edit::error::Problem;
use crate::edit::follow::Change;
use crate::edit::op::{Copied, SortKey};
use crate::edit::{Draft, Place};
use crate::model::{FormulaKind, RawCell, Sheet};

impl Draft {
    /// Cuts cells and pastes them; references to them follow.
    pub(crate) fn move_cells(&mut self, from: Place, to: Place) -> Result<(), Problem> {
        let source = self.book.sheet(from.sheet, &())?;
        let range = clip(from.range, &source);
        check_size(range)?;
        let start = to.range.start();
        let (rows, columns) = (
            i64::from(start.row()) - i64::from(range.start().row()),
            i64::from(start.col()) - i64::from(range.start().col()),
        );
        let end = range.end().offset(rows, columns);
        let target = end.map(|end| Place { sheet: to.sheet, range: CellRange::new(start, end) });
        let target = target
            .ok_or_else(|| Problem::new("the cells would reach beyond the sheet", "").at(self.written(to)))?;
        if (rows, columns) == (0, 0) && from.sheet == to.sheet {
            return Ok(());
        }
        self.check_whole(Place { range, ..from })?;
        self.prepare(target)?;
        self.load_all()?;
        let (from_sheet, to_sheet) =
            (self.book.tab(from.sheet).name.clone(), self.book.tab(to.sheet).name.clone());
        let relocation = Relocation { from_sheet: &from_sheet, range, to_sheet: &to_sheet, rows, columns };
        // The formulas that move are written for their new home; those that stay follow.
        let carried: Vec<(CellRef, _)> = range
            .cells()
            .map(|at| {
                let mut cell = carry(&source, at);
                if let Some(text) = &mut cell.formula
                    && let Some(new) = formula::relocate(text, &from_sheet, &to_sheet, relocation)
                {
                    *text = new;
                }
                (at, cell)
            })
            .collect();
        let mut hand = self.hand(from)?;
        for at in range.cells() {
            hand.put(at, RawCell::default());
        }
        self.follow_formulas(Change::Relocate(relocation), None)?;
        for (at, cell) in carried {
            if let Some(to_cell) = at.offset(rows, columns) {
                // As it stands: what was relative has been moved already.
                self.put_carried(target, to_cell, to_cell, &cell, Copied::All)?;
            }
        }
        self.follow_parts(Change::Relocate(relocation))
    }

    /// Moving a part of something that is one would break it.
    fn check_whole(&self, place: Place) -> Result<(), Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let told = |range: CellRange| self.written(Place { range, ..place });
        let crosses = |range: CellRange| range.intersect(place.range).is_some();
        if let Some(merge) = sheet.merges.iter().find(|merge| crosses(**merge)) {
            let problem = format!("the cells include the merged range {}", told(*merge));
            return Err(Problem::new(problem, "unmerge it first").at(told(place.range)));
        }
        let table = sheet.tables.iter().find(|table| {
            let header = CellRange::from_bounds(
                table.range.start().row(),
                table.range.start().col(),
                table.range.start().row(),
                table.range.end().col(),
            );
            table.header_rows > 0 && header.is_some_and(crosses)
        });
        if let Some(table) = table {
            let problem = format!("the cells include the header of the table {:?}", table.name);
            return Err(Problem::new(problem, "move its data alone, or insert rows or columns before it")
                .at(told(place.range)));
        }
        for (_, formula) in sheet.formulas().iter() {
            if let FormulaKind::Array { range, .. } | FormulaKind::DataTable { range } = formula.kind
                && crosses(range)
                && sheet.raw_cell(range.start()).formula.is_some_and(|id| sheet.formulas().get(id) == formula)
            {
                let problem = format!("the cells include an array formula in {}", told(range));
                return Err(
                    Problem::new(problem, "write that formula anew at its new place").at(told(place.range))
                );
            }
        }
        Ok(())
    }

    /// Sorts whole rows of a range; equal ones keep their order.
    pub(crate) fn sort(&mut self, place: Place, by: &[SortKey], match_case: bool) -> Result<(), Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let range = clip(place.range, &sheet);
        check_size(range)?;
        let place = Place { range, ..place };
        self.check_whole(place)?;
        if by.is_empty() {
            return Err(Problem::new("nothing is said to sort by", "give by: [{\"column\": \"B\"}]"));
        }
        let mut keys = Vec::new();
        for key in by {
            let column = grid::parse_column(&key.column.to_ascii_uppercase());
            let inside = column.filter(|col| (range.start().col()..=range.end().col()).contains(col));
            let column = inside.ok_or_else(|| {
                Problem::new(
                    format!("{:?} is no column of {range}", key.column),
                    "write its letters, for example \"B\"",
                )
            })?;
            keys.push((column, key.descending));
        }
        let mut rows: Vec<u32> = (range.start().row()..=range.end().row()).collect();
        let folded = |value: Value<'_>| match value {
            Value::Text(text) if !match_case => Some(text.to_lowercase()),
            _ => None,
        };
        rows.sort_by(|a, b| {
            let compare = |(column, descending): &(u32, bool)| {
                let (a, b) = (value_at(&sheet, *a, *column), value_at(&sheet, *b, *column));
                // Blank cells stand at the end either way.
                let order = match (a, b) {
                    (Value::Empty, Value::Empty) => return Ordering::Equal,
                    (Value::Empty, _) => return Ordering::Greater,
                    (_, Value::Empty) => return Ordering::Less,
                    (a, b) => match (folded(a), folded(b)) {
                        (Some(a), Some(b)) => a.cmp(&b),
                        _ => compared(a, b),
                    },
                };
                if *descending { order.reverse() } else { order }
            };
            keys.iter().map(compare).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        let carried: Vec<(CellRef, CellRef, _)> = rows
            .iter()
            .zip(range.start().row()..)
            .filter(|(from, to)| *from != to)
            .flat_map(|(from, to)| {
                let columns = range.start().col()..=range.end().col();
                columns.map(move |col| (CellRef::clamped(*from, col), CellRef::clamped(to, col)))
            })
            .map(|(from, to)| (from, to, carry(&sheet, from)))
            .collect();
        for (from, to, cell) in &carried {
            self.put_carried(place, *from, *to, cell, Copied::All)?;
        }
        Ok(())
    }
}

fn value_at(sheet: &Sheet, row: u32, column: u32) -> Value<'_> {
    sheet.cell(CellRef::clamped(row, column)).value
}

/// Numbers before texts before booleans before errors, as spreadsheet programs sort.
fn compared(a: Value<'_>, b: Value<'_>) -> Ordering {
    let rank = |value: Value<'_>| match value {
        Value::Number(_) => 0,
        Value::Text(_) => 1,
        Value::Bool(_) => 2,
        Value::Error(_) => 3,
        Value::Empty => 4,
    };
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.total_cmp(&b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(&b),
        (Value::Error(a), Value::Error(b)) => position(a).cmp(&position(b)),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

fn position(error: ErrorValue) -> usize {
    ErrorValue::ALL.iter().position(|known| *known == error).unwrap_or(usize::MAX)
}
