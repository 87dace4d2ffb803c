//! Why an address leads nowhere.

use std::fmt;

use workbook::OpenError;

/// What kind of mistake an address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocateErrorKind {
    /// The text is no address at all.
    Syntax,
    /// No sheet has that name.
    NoSuchSheet,
    /// The address names no sheet, and the workbook has several.
    SheetNeeded,
    /// Neither a defined name, nor a table, nor a sheet is called so.
    NoSuchName,
    /// Several sheets have a name of their own that is called so.
    AmbiguousName,
    /// The name stands for a constant or for a formula whose cells only a calculation can tell.
    NotAReference,
    /// The name's cells were deleted (`#REF!`).
    Lost,
    /// The name points into another workbook.
    External,
    /// The name leads back to itself, or through too many others.
    Cycle,
    /// No table has that name.
    NoSuchTable,
    /// The table has no such column.
    NoSuchColumn,
    /// The table has no such rows, or the areas of the reference share no cell.
    NoCells,
    /// Several areas, where one is asked for.
    SeveralAreas,
    /// The sheet that the address leads to can't be read.
    Unreadable(OpenError),
}

/// Why an address leads nowhere, and where it may have meant to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocateError {
    /// The kind of mistake.
    pub kind: LocateErrorKind,
    /// What was wrong, and what to do.
    pub message: String,
    /// Addresses or names that may have been meant, best first.
    pub candidates: Vec<String>,
}

impl LocateError {
    pub(crate) fn new(kind: LocateErrorKind, message: impl Into<String>) -> LocateError {
        LocateError { kind, message: message.into(), candidates: Vec::new() }
    }

    pub(crate) fn or(mut self, candidates: Vec<String>) -> LocateError {
        self.candidates = candidates;
        self
    }
}

impl fmt::Display for LocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.candidates.as_slice() {
            [] => Ok(()),
            candidates => write!(f, " (perhaps {})", candidates.join(", ")),
        }
    }
}

impl std::error::Error for LocateError {}

impl From<OpenError> for LocateError {
    fn from(error: OpenError) -> LocateError {
        let message = error.to_string();
        LocateError::new(LocateErrorKind::Unreadable(error), message)
    }
}
