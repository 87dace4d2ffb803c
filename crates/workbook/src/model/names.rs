//! Defined names.

use crate::model::sheet::SheetId;

/// A defined name (ECMA-376 Part 1 §18.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinedName {
    /// The name as written; names compare without case.
    pub name: String,
    /// The sheet that it is local to, or the whole workbook.
    pub scope: Option<SheetId>,
    /// What it stands for: a formula without `=`, most often a reference.
    pub refers_to: String,
    /// Whether dialogs hide it.
    pub hidden: bool,
    /// The author's comment.
    pub comment: Option<String>,
}

impl DefinedName {
    /// Whether the name is one that the program itself made (`_xlnm.Print_Area`, `_xlnm._FilterDatabase`, …).
    pub fn is_builtin(&self) -> bool {
        self.name.get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case("_xlnm."))
    }
}
