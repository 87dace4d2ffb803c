//! Formulas, stored once per shared group.

use std::borrow::Cow;

use grid::{CellRange, CellRef};

use crate::model::chunk::FormulaId;

/// How a stored formula applies to its cells (ECMA-376 Part 1 §18.18.6 `ST_CellFormulaType`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormulaKind {
    /// Of one cell.
    Normal,
    /// Of a group: the text is the master's, and each cell's own text follows by shifting relative references from
    /// `master` to it.
    Shared {
        /// The cell whose text is stored.
        master: CellRef,
    },
    /// An array formula over `range`; `dynamic` when it spills (`cm` metadata of `XLDAPR`).
    Array {
        /// The cells that show the results.
        range: CellRange,
        /// Whether it is a dynamic array formula rather than one entered with Ctrl+Shift+Enter.
        dynamic: bool,
    },
    /// A what-if data table (`TABLE(row input, column input)`) over `range`.
    DataTable {
        /// The cells that show the results.
        range: CellRange,
    },
}

/// One stored formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    /// The text without its leading `=`, as in the file.
    pub text: Box<str>,
    /// How it applies.
    pub kind: FormulaKind,
}

impl Formula {
    /// The text for the cell `at`: a shared one's shifted from its master, others as stored.
    ///
    /// Lexes a shared text anew each time (well below a microsecond); for a whole group prepare a
    /// [`formula::SharedFormula`] once.
    pub fn text_at(&self, at: CellRef) -> Cow<'_, str> {
        match self.kind {
            FormulaKind::Shared { master } if master != at => {
                let rows = i64::from(at.row()) - i64::from(master.row());
                let cols = i64::from(at.col()) - i64::from(master.col());
                Cow::Owned(formula::shift(&self.text, rows, cols))
            }
            _ => Cow::Borrowed(&self.text),
        }
    }
}

/// The formulas of a sheet.
#[derive(Debug, Clone, Default)]
pub struct Formulas {
    list: Vec<Formula>,
    text_bytes: usize,
}

impl Formulas {
    /// Appends a formula. `None` once 2³² are reached.
    pub fn push(&mut self, formula: Formula) -> Option<FormulaId> {
        let id = u32::try_from(self.list.len()).ok()?;
        self.text_bytes += formula.text.len();
        self.list.push(formula);
        Some(FormulaId(id))
    }

    /// The formula of an id that this list gave out; panics otherwise, as a slice would.
    pub fn get(&self, id: FormulaId) -> &Formula {
        &self.list[id.0 as usize]
    }

    /// Replaces a formula; the cells that refer to it follow.
    pub(crate) fn replace(&mut self, id: FormulaId, formula: Formula) {
        let old = std::mem::replace(&mut self.list[id.0 as usize], formula);
        self.text_bytes += self.list[id.0 as usize].text.len();
        self.text_bytes -= old.text.len();
    }

    /// Number of stored formulas (a shared group counts once).
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no formula.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Every stored formula.
    pub fn iter(&self) -> impl Iterator<Item = (FormulaId, &Formula)> {
        self.list.iter().enumerate().map(|(index, formula)| (FormulaId(index as u32), formula))
    }

    /// Bytes that the list costs.
    pub fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Formula>() + self.text_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: FormulaKind, at: &str, expected: &str) {
        let formula = Formula { text: "A2*$D$1+'Q 1'!B$3".into(), kind };
        assert_eq!(formula.text_at(at.parse().unwrap()), expected);
    }

    #[test]
    fn only_shared_texts_move() {
        let shared = FormulaKind::Shared { master: "C2".parse().unwrap() };
        check(shared.clone(), "C2", "A2*$D$1+'Q 1'!B$3");
        check(shared.clone(), "C9", "A9*$D$1+'Q 1'!B$3");
        check(shared, "D2", "B2*$D$1+'Q 1'!C$3");
        check(FormulaKind::Normal, "C9", "A2*$D$1+'Q 1'!B$3");
        let range = "C2:C9".parse().unwrap();
        check(FormulaKind::Array { range, dynamic: false }, "C2", "A2*$D$1+'Q 1'!B$3");
    }
}
