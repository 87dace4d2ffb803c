//! The cells whose values Excel computed.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use analysis::formulas::{Area, Places};
use formula::Target;
use grid::{CellRange, CellRef, MAX_ROWS, Value};
use workbook::{FormulaKind, Sheet, SheetId, Workbook};

use crate::blank::filled;

/// Functions whose results change by themselves, or tell of the program and its window. (`OFFSET` and `INDIRECT` are volatile
/// too, but always yield the same.)
const CHANGING: &[&str] = &["NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY", "INFO", "CELL"];

/// A cell, and what it showed when Excel stored it.
pub(crate) struct Expected<'a> {
    pub(crate) sheet: SheetId,
    pub(crate) at: CellRef,
    pub(crate) value: Value<'a>,
    /// The formula that computes it, its own or that of the array formula that reaches it.
    pub(crate) formula: Arc<str>,
    /// Where that formula is.
    pub(crate) anchor: CellRef,
}

/// Every cell of a workbook that a formula computed and that stays as it is.
pub(crate) fn expected<'a>(book: &'a Workbook, sheets: &'a [Arc<Sheet>]) -> Vec<Expected<'a>> {
    let mut cells = Vec::new();
    for (index, sheet) in sheets.iter().enumerate() {
        let id = SheetId(index as u32);
        let arrays = filled(sheet);
        for (col, column) in sheet.columns() {
            for (row, raw) in column.cells(0..=MAX_ROWS - 1) {
                let at = CellRef::clamped(row, col);
                let value = sheet.resolve_value(raw.value);
                let around = || arrays.iter().find(|range| range.contains(at)).map(|range| range.start());
                let anchor = if raw.formula.is_some() { Some(at) } else { around() };
                let Some(anchor) = anchor.filter(|_| value != Value::Empty) else { continue };
                let Some(formula) = sheet.cell(anchor).formula else { continue };
                if matches!(sheet.formulas().get(formula).kind, FormulaKind::DataTable { .. }) {
                    continue;
                }
                let formula = sheet.formula_text(anchor, formula).as_ref().into();
                cells.push(Expected { sheet: id, at, value, formula, anchor });
            }
        }
    }
    let changing = changing(book, sheets, &cells);
    cells.retain(|cell| !changing.contains(&(cell.sheet, cell.at)));
    cells
}

/// The functions that a formula calls, in capitals and without marks.
pub(crate) fn functions(formula: &str) -> BTreeSet<String> {
    let parameter = |name: &str| name.to_ascii_lowercase().starts_with("_xlpm.");
    let calls = formula::functions(formula).filter(|call| !parameter(&formula[call.span.clone()]));
    calls.map(|call| call.name.to_ascii_uppercase()).collect()
}

/// The cells whose values change by themselves: those that call such functions, and all that read them.
fn changing(book: &Workbook, sheets: &[Arc<Sheet>], cells: &[Expected<'_>]) -> HashSet<(SheetId, CellRef)> {
    let is_source =
        |cell: &&Expected<'_>| functions(&cell.formula).iter().any(|name| CHANGING.contains(&name.as_str()));
    let mut found: HashSet<_> = cells.iter().filter(is_source).map(|cell| (cell.sheet, cell.at)).collect();
    if found.is_empty() {
        return found;
    }
    let places = Places::new(book, sheets);
    let reads: Vec<Vec<Area>> =
        cells.iter().map(|cell| areas(&places, cell.sheet, cell.anchor, &cell.formula, 0)).collect();
    loop {
        let before = found.len();
        for (cell, reads) in cells.iter().zip(&reads) {
            let key = (cell.sheet, cell.at);
            if found.contains(&key) {
                continue;
            }
            let is_read = |area: &Area| {
                found.iter().any(|(sheet, at)| *sheet == area.sheet && area.range.contains(*at))
            };
            if reads.iter().any(is_read) {
                found.insert(key);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// What a formula reads, as far as its text tells.
fn areas(places: &Places<'_>, sheet: SheetId, at: CellRef, text: &str, depth: u32) -> Vec<Area> {
    let mut found = Vec::new();
    for mention in formula::references(text) {
        match &mention.target {
            Target::Cells(cells) => {
                let on = match &cells.prefix.sheets {
                    formula::Sheets::One(name) => places.sheet_id(name),
                    formula::Sheets::Current => Some(sheet),
                    _ => None,
                };
                if let (Some(sheet), Some(range)) = (on, cells.range()) {
                    found.push(Area { sheet, range });
                }
            }
            Target::Name(named) if depth < 4 => {
                if let Some(name) = places.defined_name(sheet, named.name) {
                    found.extend(areas(places, sheet, at, &name.refers_to, depth + 1));
                }
                if let Some((sheet, table)) = places.table(named.name) {
                    found.push(Area { sheet, range: table.range });
                }
            }
            Target::Name(_) => {}
            Target::Structured(structured) => {
                if let Some((sheet, table)) = structured.table.and_then(|name| places.table(name)) {
                    let row = structured.rows.this_row.then(|| {
                        CellRange::from_bounds(
                            at.row(),
                            table.range.start().col(),
                            at.row(),
                            table.range.end().col(),
                        )
                    });
                    found.push(Area { sheet, range: row.flatten().unwrap_or(table.range) });
                }
            }
        }
    }
    found
}
