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
    /// By name, in capitals.
    decided: HashMap<String, bool>,
}

impl<'a> Unknown<'a> {
    pub(crate) fn new(source: Source<'a>) -> Unknown<'a> {
        Unknown { source, decided: HashMap::new() }
    }

    /// Whether a function that an engine does not know is none at all. `name` is in capitals, and has no mark.
    ///
    /// So it is where the workbook has no macros, and Excel stored `#NAME?` for a formula that calls it, or nothing for any
    /// that does: nobody has ever seen it at work. Results of an add-in that is not here are of use still.
    pub(crate) fn is_none(&mut self, name: &str) -> bool {
        if let Some(decided) = self.decided.get(name) {
            return *decided;
        }
        let is_none = self.decide(name);
        self.decided.insert(name.to_owned(), is_none);
        is_none
    }

    fn decide(&self, name: &str) -> bool {
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
        let (mut is_said, mut has_results) = (false, false);
        for sheet in self.source.sheets {
            let calls: Vec<bool> = sheet
                .formulas()
                .iter()
                .map(|(_, formula)| {
                    formula::functions(&formula.text).any(|call| call.name.eq_ignore_ascii_case(name))
                })
                .collect();
            if !calls.contains(&true) {
                continue;
            }
            for (_, column) in sheet.columns() {
                for (_, cell) in column.cells(0..=MAX_ROWS - 1) {
                    if cell.formula.is_some_and(|id| calls[id.0 as usize]) {
                        match sheet.resolve_value(cell.value) {
                            Value::Error(ErrorValue::Name) => is_said = true,
                            Value::Empty => {}
                            _ => has_results = true,
                        }
                    }
                }
            }
        }
        is_said || !has_results
    }
}
