//! Workbooks without the results of their formulas.

use std::sync::Arc;

use grid::{CellRange, CellRef, MAX_ROWS};
use workbook::{FormulaKind, Limits, RawCell, RawValue, Sheet, SheetBuilder, Workbook};

/// The sheets, with formulas and constants and with nothing that a formula yielded.
pub(crate) fn without_results(book: &Workbook, sheets: &[Arc<Sheet>]) -> Vec<Arc<Sheet>> {
    sheets.iter().map(|sheet| Arc::new(blanked(book, sheet))).collect()
}

/// The cells that array formulas show their results in.
pub(crate) fn filled(sheet: &Sheet) -> Vec<CellRange> {
    let range = |kind: &FormulaKind| match kind {
        FormulaKind::Array { range, .. } | FormulaKind::DataTable { range } => Some(*range),
        _ => None,
    };
    sheet.formulas().iter().filter_map(|(_, formula)| range(&formula.kind)).collect()
}

fn blanked(book: &Workbook, sheet: &Sheet) -> Sheet {
    let mut builder = SheetBuilder::new(&sheet.name, Arc::clone(&book.shared_strings), &Limits::default());
    let into = builder.sheet_mut();
    into.rows = sheet.rows.clone();
    into.tables = sheet.tables.clone();
    into.pivots = sheet.pivots.clone();
    into.merges = sheet.merges.clone();
    into.auto_filter = sheet.auto_filter.clone();
    for (_, formula) in sheet.formulas().iter() {
        builder.formula(formula.clone()).unwrap();
    }
    let filled = filled(sheet);
    for (col, column) in sheet.columns() {
        for (row, cell) in column.cells(0..=MAX_ROWS - 1) {
            let at = CellRef::clamped(row, col);
            let is_result = cell.formula.is_some() || filled.iter().any(|range| range.contains(at));
            let value = match cell.value {
                _ if is_result => RawValue::Empty,
                RawValue::SheetText(_) => match sheet.resolve_value(cell.value) {
                    grid::Value::Text(text) => builder.text(text).unwrap(),
                    _ => RawValue::Empty,
                },
                value => value,
            };
            builder.set(at, RawCell { value, ..cell }).unwrap();
        }
    }
    builder.finish()
}
