//! What the formulas of a workbook are, and how they hang together: the map of their patterns and oddities, the
//! index of their dependencies, and traces through it.

mod blocks;
mod consistency;
mod cycles;
mod extent;
mod index;
mod map;
mod places;
mod reached;
mod rect_tree;
mod sources;
mod stale;
mod trace;

use serde::Serialize;

pub use consistency::Odd;
pub use index::{BlockCost, DependencyIndex};
pub use map::{
    ErrorCells, FormulaCells, FormulaConstants, FormulaGroup, FormulaMap, Inconsistency, MapOptions,
    MapTotals, formula_map,
};
pub use places::{Area, Places};
pub use stale::{Stale, StaleCells};
pub use trace::{
    NodeKind, Trace, TraceCycle, TraceDirection, TraceEdge, TraceNode, TraceOptions, TraceRole, TraceValue,
    Truncation, trace,
};

/// Asked now and then during long work; `true` ends it.
pub type Cancel<'a> = &'a dyn Fn() -> bool;

/// The caller asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the analysis was cancelled")]
pub struct Cancelled;

/// The head of a list, and how long the list is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// The first items.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Listed<T> {
        Listed { items: Vec::new(), total: 0 }
    }
}

impl<T> Listed<T> {
    /// Whether items are left out.
    pub fn is_truncated(&self) -> bool {
        (self.items.len() as u64) < self.total
    }

    /// Counts an item, and makes and keeps it while there are fewer than `most`.
    pub(crate) fn push_up_to(&mut self, most: usize, item: impl FnOnce() -> T) {
        self.total += 1;
        if self.items.len() < most {
            self.items.push(item());
        }
    }
}
