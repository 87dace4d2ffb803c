//! Errors that came, went and stayed, and where new ones come from.

use std::collections::HashSet;

use formula::{Target, references};
use grid::{CellRange, CellRef, Value};
use workbook::{OpenError, SheetId, Watch, Workbook};

use super::SheetDiff;
use crate::resolve;

/// Cells that are told by address, of each kind.
const TOLD: usize = 100;
/// Steps that are followed from an error to its cause.
const MAX_STEPS: usize = 64;
/// Cells that are looked at in one reference.
const MAX_AREA: usize = 10_000;

/// A cell that shows an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorCell {
    /// `Data!B2`.
    pub at: String,
    /// `#DIV/0!`.
    pub error: String,
    /// The cell that the error comes from, if it is another one.
    pub cause: Option<String>,
}

/// Errors in two workbooks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Errors {
    /// That were not there before; at most a hundred, with the count of all.
    pub new: Vec<ErrorCell>,
    /// All that are new.
    pub new_count: usize,
    /// Where there was one and is none now.
    pub resolved_count: usize,
    /// Where there was one before.
    pub remaining_count: usize,
}

pub(super) fn compared(
    old: &Workbook,
    new: &Workbook,
    sheets: &[SheetDiff],
    watch: &dyn Watch,
) -> Result<Errors, OpenError> {
    let mut errors = Errors::default();
    let is_error = |value: Value<'_>| matches!(value, Value::Error(_));
    for found in sheets {
        let before = found.old.map(|id| old.sheet(id, watch)).transpose()?;
        let after = found.new.map(|id| new.sheet(id, watch)).transpose()?;
        for change in &found.cells {
            let was =
                before.as_ref().zip(change.old).is_some_and(|(sheet, at)| is_error(sheet.cell(at).value));
            let now = after.as_ref().zip(change.new).map(|(sheet, at)| sheet.cell(at).value);
            match (was, now.filter(|value| is_error(*value))) {
                (false, Some(_)) => {
                    errors.new_count += 1;
                    if let Some((id, at)) = found.new.zip(change.new).filter(|_| errors.new.len() < TOLD) {
                        errors.new.push(error_cell(new, id, at, watch)?);
                    }
                }
                (true, None) => errors.resolved_count += 1,
                (true, Some(_)) => errors.remaining_count += 1,
                (false, None) => {}
            }
        }
    }
    Ok(errors)
}

/// The error of a cell, and the cell that it comes from.
///
/// # Errors
/// When a sheet can't be read, or the watch breaks off.
pub fn error_cell(
    book: &Workbook,
    id: SheetId,
    at: CellRef,
    watch: &dyn Watch,
) -> Result<ErrorCell, OpenError> {
    let told = |id: SheetId, at: CellRef| format!("{}!{at}", grid::quote(&book.tab(id).name));
    let mut place = (id, at);
    let mut seen = HashSet::from([place]);
    for _ in 0..MAX_STEPS {
        let Some(next) = erroneous_precedent(book, place, watch)?.filter(|next| seen.insert(*next)) else {
            break;
        };
        place = next;
    }
    let error = match book.sheet(id, watch)?.cell(at).value {
        Value::Error(error) => error.to_string(),
        _ => String::new(),
    };
    Ok(ErrorCell { at: told(id, at), error, cause: (place != (id, at)).then(|| told(place.0, place.1)) })
}

fn erroneous_precedent(
    book: &Workbook,
    (id, at): (SheetId, CellRef),
    watch: &dyn Watch,
) -> Result<Option<(SheetId, CellRef)>, OpenError> {
    let sheet = book.sheet(id, watch)?;
    let Some(formula) = sheet.cell(at).formula else { return Ok(None) };
    let text = sheet.formula_text(at, formula).into_owned();
    for mention in references(&text) {
        if !matches!(mention.target, Target::Cells(_) | Target::Name(_) | Target::Structured(_)) {
            continue;
        }
        let Ok(located) = resolve::locate_text(book, &text[mention.span.clone()], Some(id), watch) else {
            continue;
        };
        for area in located.areas {
            let cells = book.sheet(area.sheet, watch)?;
            let found = cells
                .cells_by_row(CellRange::new(area.range.start(), area.range.end()))
                .take(MAX_AREA)
                .find(|(_, cell)| matches!(cell.value, Value::Error(_)));
            if let Some((cell, _)) = found {
                return Ok(Some((area.sheet, cell)));
            }
        }
    }
    Ok(None)
}
