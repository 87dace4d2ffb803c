//! Which cells differ between two states of a fork, in short: what an edit's answer tells.

use std::sync::Arc;

use grid::CellRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use workbook::{Sheet, edit::Draft};

use crate::cell_json;

/// A cell before and after.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ChangedCell {
    cell: String,
    #[serde(skip_serializing_if = "Value::is_null", default)]
    old: Value,
    #[serde(skip_serializing_if = "Value::is_null", default)]
    new: Value,
}

/// Cells that differ.
#[derive(Debug, Default)]
pub(crate) struct ChangedCells {
    /// All of them.
    pub(crate) count: usize,
    /// The first of them.
    pub(crate) cells: Vec<ChangedCell>,
}

/// Compares the sheets of equal part; what they share costs nothing. A cell that does nothing but move with its row or column
/// has not changed.
pub(crate) fn changed_cells(before: &Draft, after: &Draft, limit: usize) -> ChangedCells {
    let mut changes = ChangedCells::default();
    let old_sheets = before.book();
    for id in after.book().sheet_ids() {
        let Ok(new) = after.book().sheet(id, &()) else { continue };
        let counterpart = old_sheets
            .sheet_ids()
            .find_map(|id| old_sheets.sheet(id, &()).ok().filter(|old| old.part == new.part));
        match &counterpart {
            Some(old) if Arc::ptr_eq(old, &new) => {}
            Some(old) if let Some(written) = after.written_since(before, id) => {
                compare_written(&written, old, &new, limit, &mut changes);
            }
            old => compare(old.as_deref(), &new, limit, &mut changes),
        }
    }
    changes
}

/// Compares cells with what they were elsewhere.
fn compare_written(
    written: &[(CellRef, Option<CellRef>)],
    old: &Sheet,
    new: &Sheet,
    limit: usize,
    changes: &mut ChangedCells,
) {
    for (at, was_at) in written {
        let (was, is) = (was_at.map_or(Value::Null, |at| told(old, at)), told(new, *at));
        if was == is {
            continue;
        }
        changes.count += 1;
        if changes.cells.len() < limit {
            changes.cells.push(ChangedCell {
                cell: format!("{}!{at}", grid::quote(&new.name)),
                old: was,
                new: is,
            });
        }
    }
}

fn compare(old: Option<&Sheet>, new: &Sheet, limit: usize, changes: &mut ChangedCells) {
    let empty = workbook::Column::default();
    let mut columns: Vec<u32> = new.columns().map(|(col, _)| col).collect();
    columns.extend(old.into_iter().flat_map(|old| old.columns().map(|(col, _)| col)));
    columns.sort_unstable();
    columns.dedup();
    let mut places: Vec<CellRef> = Vec::new();
    for col in columns {
        let before = old.and_then(|old| old.column(col)).unwrap_or(&empty);
        let rows = new.column(col).unwrap_or(&empty).differing_rows(before);
        changes.count += rows.len();
        places.extend(rows.into_iter().take(limit).map(|row| CellRef::clamped(row, col)));
    }
    places.sort_unstable();
    let room = limit.saturating_sub(changes.cells.len());
    for at in places.into_iter().take(room) {
        let told = |sheet: &Sheet| told(sheet, at);
        changes.cells.push(ChangedCell {
            cell: format!("{}!{at}", grid::quote(&new.name)),
            old: old.map_or(Value::Null, told),
            new: told(new),
        });
    }
}

/// A formula as it is written, or the value.
fn told(sheet: &Sheet, at: CellRef) -> Value {
    let cell = sheet.cell(at);
    match cell.formula {
        Some(id) => Value::from(format!("={}", sheet.formula_text(at, id))),
        None => cell_json::value_json(cell.value),
    }
}
