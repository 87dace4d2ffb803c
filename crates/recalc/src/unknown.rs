//! Functions that are none: Excel shows `#NAME?` where they are called.

use std::collections::HashMap;

use grid::{ErrorValue, MAX_ROWS, Value};
use workbook::FileFormat;

use crate::engine::Source;

/// Functions of Excel's, older than those that files mark, which no engine has.
const WITHOUT_ENGINE: &[&str] =
    &["ASC", "BAHTTEXT", "CELL", "DBCS", "EUROCONVERT", "GETPIVOTDATA", "INFO", "JIS", "PHONETIC"];

/// Tells calls of functions that are none from those of add-ins and macros, whose results stay as they were stored.
pub(crate) struct Unknown<'a> {
    source: Source<'a>,
    /// What formulas that call a function hold, by its name in capitals; looked at when it is first asked for.
    stored: Option<HashMap<String, Stored>>,
}

/// The results of formulas that call a function.
#[derive(Default)]
struct Stored {
    /// Whether one of them is `#NAME?`.
    is_unknown: bool,
    /// Whether one of them is anything else.
    is_known: bool,
}

impl<'a> Unknown<'a> {
    pub(crate) fn new(source: Source<'a>) -> Unknown<'a> {
        Unknown { source, stored: None }
    }

    /// Whether a function that an engine does not know is none at all. `name` is in capitals, and has no mark.
    ///
    /// So it is where the workbook has no macros, and Excel stored `#NAME?` for a formula that calls it, or nothing for any
    /// that does: nobody has ever seen it at work. Results of an add-in that is not here are of use still.
    pub(crate) fn is_none(&mut self, name: &str) -> bool {
        let book = self.source.book;
        let may_be_elsewhere = book.vba.is_some()
            || name.contains('!')
            || formula::is_marked(name)
            || WITHOUT_ENGINE.contains(&name)
            // Formulas of other formats are translations: what has no counterpart looks like a function that is none.
            || !matches!(
                book.format,
                FileFormat::Xlsx | FileFormat::Xltx | FileFormat::Csv | FileFormat::Tsv
            );
        if may_be_elsewhere {
            return false;
        }
        let stored = self.stored.get_or_insert_with(|| stored(self.source));
        stored.get(name).is_none_or(|stored| stored.is_unknown || !stored.is_known)
    }
}

fn stored(source: Source<'_>) -> HashMap<String, Stored> {
    let mut found: HashMap<String, Stored> = HashMap::new();
    for sheet in source.sheets {
        // By formula, so that one of many cells is read once.
        let mut results: Vec<Stored> = Vec::new();
        results.resize_with(sheet.formulas().iter().count(), Stored::default);
        for (_, column) in sheet.columns() {
            column.cells(0..=MAX_ROWS - 1).for_each(|(_, cell)| {
                let Some(result) = cell.formula.and_then(|id| results.get_mut(id.0 as usize)) else { return };
                match sheet.resolve_value(cell.value) {
                    Value::Error(ErrorValue::Name) => result.is_unknown = true,
                    Value::Empty => {}
                    _ => result.is_known = true,
                }
            });
        }
        for ((_, formula), result) in sheet.formulas().iter().zip(results) {
            for call in formula::functions(&formula.text) {
                let known = found.entry(call.name.to_ascii_uppercase()).or_default();
                known.is_unknown |= result.is_unknown;
                known.is_known |= result.is_known;
            }
        }
    }
    found
}
