//! From what an engine computed to what changes in the workbook.

use std::collections::HashSet;

use analysis::formulas::Area;
use grid::{CellRange, CellRef, ErrorValue, Value};
use workbook::edit::{Input, Results, Run, SheetResults};
use workbook::{FormulaId, FormulaKind, Sheet, SheetId};

use crate::Computed;
use crate::computed::is_too_long;
use crate::engine::{Engine, Source};

/// Significant digits beyond which numbers count as equal: those that Excel has.
const DIGITS: f64 = 1e-15;

/// A result that differs from the one that was there.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The sheet.
    pub sheet: SheetId,
    /// The cell.
    pub at: CellRef,
    /// What is there now.
    pub new: Computed,
}

/// Results that an engine computed, against those that a workbook has.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Collected {
    /// Formula cells that were looked at.
    pub formulas: u64,
    /// What differs, by sheet, column and row.
    pub changes: Vec<Change>,
    /// Dynamic array formulas that reach other cells than before.
    pub spills: Vec<(SheetId, CellRange)>,
}

/// Compares the results of an engine with those of the workbook: of all formulas, or of those in `areas`,
/// of which none overlaps another.
pub fn collect(source: Source<'_>, engine: &dyn Engine, areas: Option<&[Area]>) -> Collected {
    let refused: HashSet<(SheetId, CellRef)> =
        engine.refused().iter().map(|refused| (refused.sheet, refused.at)).collect();
    let mut collected = Collected::default();
    for (index, sheet) in source.sheets.iter().enumerate() {
        let id = SheetId(index as u32);
        let asked: Vec<CellRange> = match areas {
            None => vec![CellRange::ALL],
            Some(areas) => areas.iter().filter(|area| area.sheet == id).map(|area| area.range).collect(),
        };
        if sheet.formulas().is_empty() || asked.is_empty() {
            continue;
        }
        let is_asked = |at: CellRef| asked.iter().any(|range| range.contains(at));
        let Collected { formulas, changes, spills } = &mut collected;
        let mut look = |at: CellRef, old: Value<'_>| {
            let new = engine.value(id, at);
            if !is_same(old, new.value()) {
                changes.push(Change { sheet: id, at, new });
            }
        };
        for range in &asked {
            for (col, column) in sheet.columns_in(range.start().col()..=range.end().col()) {
                // Run within the iterator: a step of it from outside costs as much as a look at the cell.
                column.cells(range.start().row()..=range.end().row()).for_each(|(row, cell)| {
                    if cell.formula.is_none() {
                        return;
                    }
                    let at = CellRef::clamped(row, col);
                    *formulas += 1;
                    if refused.is_empty() || !refused.contains(&(id, at)) {
                        look(at, sheet.resolve_value(cell.value));
                    }
                });
            }
        }
        for (anchor, before, now) in spills_of(sheet, id, engine) {
            if refused.contains(&(id, anchor)) || !is_asked(anchor) {
                continue;
            }
            let reached = now.cells().chain(before.cells().filter(|at| !now.contains(*at)));
            for at in reached.filter(|at| *at != anchor) {
                let cell = sheet.cell(at);
                // Another formula stands there: it has its own result, or the array did not spill over it.
                if cell.formula.is_none() && (before.contains(at) || cell.value.is_empty()) {
                    look(at, cell.value);
                }
            }
            if now != before {
                spills.push((id, now));
            }
        }
    }
    collected.changes.sort_unstable_by_key(|change| (change.sheet, change.at.col(), change.at.row()));
    collected.changes.dedup_by_key(|change| (change.sheet, change.at));
    collected
}

/// Array formulas: their first cells, the cells that they reached, and those that they reach now.
fn spills_of(sheet: &Sheet, id: SheetId, engine: &dyn Engine) -> Vec<(CellRef, CellRange, CellRange)> {
    let array = |(formula_id, formula): (FormulaId, &workbook::Formula)| match formula.kind {
        FormulaKind::Array { range, dynamic } => {
            let stands = sheet.cell(range.start()).formula == Some(formula_id);
            stands.then_some((range, dynamic))
        }
        _ => None,
    };
    let arrays: Vec<(CellRange, bool)> = sheet.formulas().iter().filter_map(array).collect();
    if arrays.is_empty() {
        return Vec::new();
    }
    let reached = engine.spills();
    let now = |range: CellRange, dynamic: bool| {
        let own = |(sheet, now): &&(SheetId, CellRange)| *sheet == id && now.start() == range.start();
        match (dynamic, reached.iter().find(own)) {
            (true, Some((_, now))) => *now,
            (true, None) => CellRange::cell(range.start()),
            (false, _) => range,
        }
    };
    arrays.into_iter().map(|(range, dynamic)| (range.start(), range, now(range, dynamic))).collect()
}

/// Whether a result is the one that was there, as far as Excel tells numbers apart.
fn is_same(old: Value<'_>, new: Value<'_>) -> bool {
    match (old, new) {
        (Value::Number(old), Value::Number(new)) => {
            old == new || (old - new).abs() <= DIGITS * old.abs().max(new.abs())
        }
        _ => old == new,
    }
}

impl Collected {
    /// The results as an edit of the log. `pending` is what counts as changed afterwards.
    pub fn to_results(&self, source: Source<'_>, engine: &str, pending: &[Area]) -> Results {
        let name = |id: SheetId| source.book.tab(id).name.clone();
        let mut order: Vec<(SheetId, Vec<Run>, Vec<String>)> = Vec::new();
        let mut next: Option<(SheetId, CellRef)> = None;
        for change in &self.changes {
            if order.last().is_none_or(|(id, ..)| *id != change.sheet) {
                order.push((change.sheet, Vec::new(), Vec::new()));
            }
            let Some((_, runs, _)) = order.last_mut() else { continue };
            let value = input(&change.new);
            match runs.last_mut().filter(|_| next == Some((change.sheet, change.at))) {
                Some(run) => run.values.push(value),
                None => runs.push(Run { cell: change.at.to_string(), values: vec![value] }),
            }
            next = change.at.offset(1, 0).map(|at| (change.sheet, at));
        }
        for (id, spill) in &self.spills {
            match order.iter_mut().find(|(known, ..)| known == id) {
                Some((_, _, spills)) => spills.push(spill.to_string()),
                None => order.push((*id, Vec::new(), vec![spill.to_string()])),
            }
        }
        let sheets = order
            .into_iter()
            .map(|(id, runs, spills)| SheetResults { sheet: name(id), runs, spills })
            .collect();
        let address = |area: &Area| format!("{}!{}", grid::quote(&name(area.sheet)), area.range);
        Results { engine: engine.to_owned(), sheets, pending: pending.iter().map(address).collect() }
    }
}

fn input(value: &Computed) -> Input {
    match value {
        Computed::Empty => Input::Empty,
        Computed::Number(number) => Input::Number(*number),
        // Whatever an engine yields: what no cell can hold would not be read back.
        Computed::Text(text) if is_too_long(text) => Input::Error(ErrorValue::Value),
        Computed::Text(text) => Input::Text(text.to_string()),
        Computed::Bool(value) => Input::Bool(*value),
        Computed::Error(error) => Input::Error(*error),
    }
}
