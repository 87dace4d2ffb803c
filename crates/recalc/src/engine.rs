//! What every engine does.

use std::sync::Arc;

use analysis::formulas::Area;
use grid::{CellRange, CellRef};
use workbook::{Sheet, SheetId, Workbook};

use crate::Computed;

/// Asked now and then during long work; `true` ends it.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// A workbook with all of its sheets loaded, in tab order, as [`Workbook::sheets`] gives them.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The workbook.
    pub book: &'a Workbook,
    /// Its sheets.
    pub sheets: &'a [Arc<Sheet>],
}

/// What volatile functions see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00:00, local time: what `NOW()` shows.
    pub local_millis: i64,
    /// Seed of `RAND` and its like.
    pub seed: u64,
}

/// Why a formula has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// The engine does not know a function of it.
    UnknownFunction,
    /// The engine does not understand it.
    Syntax,
    /// It reads what no file tells: another workbook, the network, a program.
    Outside,
    /// It is of a kind that the engine does not compute, such as a data table.
    Unsupported,
    /// It leads back to itself, and the workbook does not ask for iterations.
    Circular,
}

/// A formula that an engine does not compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it is.
    pub sheet: SheetId,
    /// Where it is.
    pub at: CellRef,
    /// Why.
    pub why: Refusal,
    /// The function that is at fault, in capitals and without marks, if it is one.
    pub function: Option<Box<str>>,
}

/// Why an engine did not compute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The caller asked to stop.
    #[error("the calculation was cancelled")]
    Cancelled,
    /// The engine gave up; the workbook needs another one.
    #[error("{engine} could not compute the workbook: {what}")]
    Failed {
        /// The engine.
        engine: &'static str,
        /// What went wrong, without content of cells.
        what: String,
    },
}

/// An engine with one workbook loaded.
///
/// It holds nothing of the workbook that it was loaded from, and may outlive it. Positions are those of the workbook as it was
/// loaded: when rows, columns or sheets come, go or move, load anew.
pub trait Engine: Send {
    /// The engine's name, as answers tell it.
    fn name(&self) -> &'static str;

    /// Takes over the content (constant, formula or nothing) that cells of `areas` have in `source`, which differs from what was
    /// loaded or told last in those cells alone.
    ///
    /// # Errors
    /// When the engine gives up. It has to be loaded anew then.
    fn update(&mut self, source: Source<'_>, areas: &[Area]) -> Result<(), EngineError>;

    /// Computes every formula whose result may have changed since the last calculation; all of them the first time.
    ///
    /// # Errors
    /// When it is stopped, or gives up. It has to be loaded anew then.
    fn calculate(&mut self, moment: Moment, stop: Stop<'_>) -> Result<(), EngineError>;

    /// The result of a cell after [`Engine::calculate`]: of one with a formula, or of one that an array formula reaches.
    fn value(&self, sheet: SheetId, at: CellRef) -> Computed;

    /// The formulas that it does not compute. Their cells keep the values that the source had.
    fn refused(&self) -> &[Refused];

    /// The cells that dynamic array formulas reach after [`Engine::calculate`], by their first cells; those that reach one cell
    /// only may be left out.
    fn spills(&self) -> Vec<(SheetId, CellRange)>;
}
