//! What a workbook asks of an engine.

use std::collections::BTreeMap;

use analysis::formulas::{DependencyIndex, Places};
use grid::DateSystem;

use crate::engine::Source;

/// What the formulas of a workbook use, and what computing them costs without an index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Formula cells.
    pub formulas: u64,
    /// Cells that formulas read, each as often as it is read.
    pub reads: u64,
    /// Functions in capitals and without marks, each with the number of formula cells that use it.
    pub functions: BTreeMap<Box<str>, u64>,
    /// Whether dates count from 1904.
    pub counts_from_1904: bool,
    /// Whether circular references are to be iterated.
    pub iterates: bool,
}

impl Survey {
    /// Looks at each block of equal formulas once.
    pub fn of(source: Source<'_>, places: &Places<'_>, index: &DependencyIndex) -> Survey {
        let mut survey = Survey {
            counts_from_1904: source.book.date_system == DateSystem::Date1904,
            iterates: source.book.calc.iterate,
            ..Survey::default()
        };
        for cost in index.costs(places) {
            survey.formulas += cost.cells;
            survey.reads = survey.reads.saturating_add(cost.cells.saturating_mul(cost.reads));
            let sheet = places.sheet(cost.area.sheet);
            let at = cost.area.range.start();
            let Some(formula) = sheet.cell(at).formula else { continue };
            let text = sheet.formula_text(at, formula);
            for name in functions(&text) {
                *survey.functions.entry(name).or_default() += cost.cells;
            }
        }
        // Functions within names are used by whoever uses the name.
        for name in &source.book.names {
            for function in functions(&name.refers_to) {
                survey.functions.entry(function).or_default();
            }
        }
        survey
    }
}

/// The functions of a formula, each once, in capitals and without marks.
pub fn functions(text: &str) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = formula::functions(text)
        .filter(|call| !call.name.starts_with("_xlpm."))
        .map(|call| {
            let bare = call.name.trim_start_matches("_xlfn.").trim_start_matches("_xlws.");
            bare.to_ascii_uppercase().into()
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
