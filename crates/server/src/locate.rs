//! From the addresses of a call to cells, with errors that lead on.

use std::sync::Arc;

use analysis::{
    formulas::Area,
    resolve::{LocateError, LocateErrorKind, Located, locate_text},
};
use workbook::{Sheet, SheetId};

use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    near_miss::near_misses,
    open::Opened,
};

/// Sheets that an error lists at most.
const LISTED_SHEETS: usize = 20;

impl Opened {
    /// The cells that an address means; `sheet` is the one that an address without a sheet is on.
    ///
    /// # Errors
    /// When it leads nowhere, with what may have been meant.
    pub fn locate(&self, call: &Call, text: &str, sheet: Option<SheetId>) -> Result<Located, ToolError> {
        locate_text(&self.book.workbook, text, sheet, call).map_err(|error| ToolError::from(error).at(text))
    }

    /// The only area that an address means.
    ///
    /// # Errors
    /// When it leads nowhere, or to several areas.
    pub fn locate_one(&self, call: &Call, text: &str, sheet: Option<SheetId>) -> Result<Area, ToolError> {
        let located = self.locate(call, text, sheet)?;
        located.single(&self.book.workbook).map_err(|error| ToolError::from(error).at(text))
    }

    /// The sheet of a name.
    ///
    /// # Errors
    /// When there is none, with near misses.
    pub fn sheet_id(&self, name: &str) -> Result<SheetId, ToolError> {
        let unquoted = grid::unquote(name.trim());
        self.book.workbook.sheet_id(name).or_else(|| self.book.workbook.sheet_id(&unquoted)).ok_or_else(
            || {
                let names = || self.book.workbook.tabs.iter().map(|tab| tab.name.as_str());
                let near = near_misses(name, names());
                let candidates = if near.is_empty() {
                    names().take(LISTED_SHEETS).map(str::to_owned).collect()
                } else {
                    near
                };
                ToolError::new(ErrorCode::SheetNotFound, format!("the workbook has no sheet {name:?}"))
                    .at("sheet")
                    .hint("describe_workbook lists the sheets")
                    .candidates(candidates)
            },
        )
    }

    /// The sheet of an optional name.
    ///
    /// # Errors
    /// When it is given and there is none.
    pub fn optional_sheet_id(&self, name: Option<&str>) -> Result<Option<SheetId>, ToolError> {
        name.map(|name| self.sheet_id(name)).transpose()
    }

    /// A sheet, loaded.
    ///
    /// # Errors
    /// When it can't be read, or the call is stopped.
    pub fn sheet(&self, call: &Call, id: SheetId) -> Result<Arc<Sheet>, ToolError> {
        self.book.workbook.sheet(id, call).map_err(|error| ToolError::from(error).at(self.path.clone()))
    }

    /// A sheet's name as addresses write it.
    pub fn quoted_name(&self, id: SheetId) -> String {
        grid::quote(&self.book.workbook.tab(id).name).into_owned()
    }
}

impl From<LocateError> for ToolError {
    fn from(error: LocateError) -> ToolError {
        let (code, hint) = match error.kind {
            LocateErrorKind::Unreadable(error) => return ToolError::from(error),
            LocateErrorKind::Syntax => (
                ErrorCode::InvalidAddress,
                "write Data!A1:C50, 'Q1 Actuals'!B:B, a defined name, a table, or Table[Column]",
            ),
            LocateErrorKind::NoSuchSheet => (ErrorCode::SheetNotFound, "describe_workbook lists the sheets"),
            LocateErrorKind::SheetNeeded => (ErrorCode::InvalidAddress, "put the sheet first: Data!A1:C50"),
            LocateErrorKind::NoSuchName | LocateErrorKind::NoSuchTable => {
                (ErrorCode::NotFound, "describe_workbook lists the names and tables")
            }
            LocateErrorKind::NoSuchColumn => {
                (ErrorCode::NotFound, "describe_workbook lists the columns of tables")
            }
            LocateErrorKind::AmbiguousName => (ErrorCode::InvalidAddress, "put the sheet first: Data!Name"),
            LocateErrorKind::SeveralAreas => (ErrorCode::InvalidAddress, "ask for one of them at a time"),
            LocateErrorKind::NotAReference
            | LocateErrorKind::Lost
            | LocateErrorKind::External
            | LocateErrorKind::Cycle
            | LocateErrorKind::NoCells => (ErrorCode::InvalidAddress, "ask for the cells by their address"),
        };
        ToolError::new(code, error.message).hint(hint).candidates(error.candidates)
    }
}
