//! The engine that keeps a graph of what formulas read: `formualizer-eval`, fed from our model.
//!
//! It computes large ranges fast and, after a change, only what depends on it. What it lacks is brought along:
//!
//! * names, tables and parameters are replaced by what they stand for before it sees a formula (`prepare`, `spans`), so that
//!   relative names, parts of tables and names of functions work as in Excel;
//! * implicit intersection is written out (`intersect`);
//! * functions that it computes otherwise than Excel are replaced (`overrides`), and operators become calls of such (`corrected`).

mod context;
mod corrected;
mod intersect;
mod lambdas;
mod load;
mod overrides;
mod prepare;
mod signature;
mod spans;
mod threads;
mod update;
mod values;

use analysis::formulas::Area;
use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::engine::{DeterministicMode, Engine as Library};
use formualizer_eval::timezone::TimeZoneSpec;
use formualizer_eval::traits::EvaluationContext;
use formualizer_parse::parser::ReferenceType;
use grid::{CellRange, CellRef};
use workbook::SheetId;

use crate::Computed;
use crate::engine::{Engine, EngineError, Moment, Refusal, Refused, Source, Stop};
use crate::formualizer::context::Surroundings;
use crate::formualizer::load::{ArrayFormula, load};
pub use crate::formualizer::overrides::Overrides;
use crate::formualizer::threads::Threads;
use crate::formualizer::values::computed;

/// The engine's name.
const NAME: &str = "formualizer";
/// Cells that one dynamic array may fill; a larger one is `#SPILL!`.
const MAX_SPILL_CELLS: u32 = 1 << 20;
/// Cells of an array within a formula; a larger one is `#NUM!`.
const MAX_ARRAY_CELLS: u64 = 1 << 22;

/// A workbook loaded into `formualizer-eval`.
pub struct Formualizer {
    threads: Threads,
    library: Library<Surroundings>,
    overrides: Overrides,
    /// The sheets' names, in tab order.
    sheets: Vec<String>,
    /// Where formulas are, sheet by sheet.
    formulas: Vec<Vec<CellRef>>,
    /// What was used of each sheet since it was loaded.
    used: Vec<Option<CellRange>>,
    arrays: Vec<ArrayFormula>,
    has_fixed_arrays: bool,
    /// Whether a formula refers to cells by a text (`INDIRECT`).
    refers_by_text: bool,
    /// Formulas that are not computed: those refused when they were read, then those that lead back to themselves.
    refused: Vec<Refused>,
    refused_when_read: usize,
    /// What a calculation without changes would be for.
    calculated: Option<Moment>,
    is_changed: bool,
}

impl Formualizer {
    /// Loads a workbook.
    ///
    /// # Errors
    /// When the engine does not take it.
    pub fn load(source: Source<'_>) -> Result<Formualizer, EngineError> {
        Formualizer::load_with(source, Overrides::Ours)
    }

    /// Loads a workbook, with or without functions of ours: what tells how much these do.
    ///
    /// # Errors
    /// When the engine does not take it.
    pub fn load_with(source: Source<'_>, overrides: Overrides) -> Result<Formualizer, EngineError> {
        let threads = Threads::start()?;
        let loaded = threads.run(&|| false, |_| load(source, overrides, &threads))??;
        let refused_when_read = loaded.refused.len();
        Ok(Formualizer {
            threads,
            library: loaded.library,
            overrides,
            sheets: source.book.tabs.iter().map(|tab| tab.name.clone()).collect(),
            formulas: loaded.formulas,
            used: loaded.used,
            arrays: loaded.arrays,
            has_fixed_arrays: loaded.has_fixed_arrays,
            refers_by_text: refers_by_text(source),
            refused: loaded.refused,
            refused_when_read,
            calculated: None,
            is_changed: true,
        })
    }

    /// Notes the formulas that lead back to themselves, and those that read them.
    fn find_circular(&mut self) {
        self.refused.truncate(self.refused_when_read);
        for (index, formulas) in self.formulas.iter().enumerate() {
            for at in formulas {
                let value = self.library.get_cell_value(&self.sheets[index], at.row() + 1, at.col() + 1);
                if matches!(value, Some(LiteralValue::Error(error)) if error.kind == ExcelErrorKind::Circ) {
                    let sheet = SheetId(index as u32);
                    self.refused.push(Refused { sheet, at: *at, why: Refusal::Circular, function: None });
                }
            }
        }
    }
}

impl Engine for Formualizer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn update(&mut self, source: Source<'_>, areas: &[Area]) -> Result<(), EngineError> {
        let threads = self.threads.clone();
        threads.run(&|| false, |_| self.take_over(source, areas))?
    }

    fn calculate(&mut self, moment: Moment, stop: Stop<'_>) -> Result<(), EngineError> {
        if self.calculated != Some(moment) {
            let timestamp_utc =
                chrono::DateTime::from_timestamp_millis(moment.local_millis).unwrap_or_default();
            let mode = DeterministicMode::Enabled { timestamp_utc, timezone: TimeZoneSpec::Utc };
            self.library.set_deterministic_mode(mode).map_err(failed)?;
            self.library.set_workbook_seed(moment.seed);
        } else if !self.is_changed {
            return Ok(());
        }
        let library = &mut self.library;
        // What is referred to by a text may be a cell that an array reaches only afterwards. Such formulas are volatile: they are
        // computed again, and few others.
        let rounds =
            if self.refers_by_text && self.arrays.iter().any(|array| array.is_dynamic) { 2 } else { 1 };
        let mut cycle_errors = 0;
        for _ in 0..rounds {
            let result = self.threads.run(stop, |token| library.evaluate_all_cancellable(token))?;
            cycle_errors += result.map_err(failed)?.cycle_errors;
        }
        if cycle_errors > 0 || self.refused.len() > self.refused_when_read {
            self.find_circular();
        }
        self.calculated = Some(moment);
        self.is_changed = false;
        Ok(())
    }

    fn value(&self, sheet: SheetId, at: CellRef) -> Computed {
        let value = self.library.get_cell_value(&self.sheets[sheet.0 as usize], at.row() + 1, at.col() + 1);
        value.map_or(Computed::Empty, computed)
    }

    fn refused(&self) -> &[Refused] {
        &self.refused
    }

    fn spills(&self) -> Vec<(SheetId, CellRange)> {
        let dynamic = self.arrays.iter().filter(|array| array.is_dynamic);
        dynamic
            .filter_map(|array| {
                let anchor = array.range.start();
                let sheet = &self.sheets[array.sheet.0 as usize];
                let reference = ReferenceType::cell(None, anchor.row() + 1, anchor.col() + 1);
                match self.library.resolve_spill_reference(&reference, sheet).ok()? {
                    ReferenceType::Range { end_row: Some(row), end_col: Some(col), .. } => {
                        let range = CellRange::from_bounds(
                            anchor.row(),
                            anchor.col(),
                            row.checked_sub(1)?,
                            col.checked_sub(1)?,
                        )?;
                        (!range.is_single()).then_some((array.sheet, range))
                    }
                    _ => None,
                }
            })
            .collect()
    }
}

fn refers_by_text(source: Source<'_>) -> bool {
    let calls = |text: &str| text.contains("INDIRECT");
    source.sheets.iter().any(|sheet| sheet.formulas().iter().any(|(_, formula)| calls(&formula.text)))
        || source.book.names.iter().any(|name| calls(&name.refers_to))
}

fn gave_up(what: &str) -> EngineError {
    EngineError::Failed { engine: NAME, what: what.to_owned() }
}

/// The engine's own error, which may hold content of cells in its message: only its kind is told.
fn failed(error: ExcelError) -> EngineError {
    match error.kind {
        ExcelErrorKind::Cancelled => EngineError::Cancelled,
        kind => gave_up(&format!("it answered {kind}")),
    }
}
