//! LibreOffice as an engine: it reads the fork as a file, and its results are taken from it; its file never is.

use std::collections::HashMap;

use analysis::formulas::Area;
use grid::{CellRange, CellRef};
use office::{CalculatedValue, Document, Office, OfficeError};
use recalc::{Computed, Engine, EngineError, Moment, Refusal, Refused, Source, Stop};
use workbook::{SheetId, edit::Draft};

use super::compute::file_of;
use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
};

/// When somebody who finds the line full may come again: a calculation takes about that long.
const RETRY_AFTER_SECONDS: u64 = 2;

/// How answers call it.
pub(crate) const NAME: &str = "libreoffice";

/// A workbook for LibreOffice, and what it made of it.
pub(crate) struct LibreOffice<'a> {
    office: &'a Office,
    file: Vec<u8>,
    sheets: Vec<String>,
    formulas: Vec<(SheetId, CellRef)>,
    values: HashMap<(SheetId, CellRef), Computed>,
    refused: Vec<Refused>,
}

impl Call {
    /// A fork, ready for LibreOffice.
    ///
    /// # Errors
    /// When LibreOffice is not installed, or the fork can't be written as a file.
    pub(crate) fn libreoffice(&self, draft: &Draft) -> Result<LibreOffice<'_>, ToolError> {
        let office = self.recalc().office();
        if let office::Availability::Missing { what, remedy } = office.availability() {
            return Err(office_error(OfficeError::Missing { what, remedy }));
        }
        self.check_scratch()?;
        let book = draft.book();
        let mut formulas = Vec::new();
        for id in book.sheet_ids() {
            let sheet = book.sheet(id, self)?;
            for (col, column) in sheet.columns() {
                let of_formula = |(row, cell): (u32, workbook::RawCell)| {
                    cell.formula.map(|_| (id, CellRef::clamped(row, col)))
                };
                formulas.extend(column.cells(0..=grid::MAX_ROWS - 1).filter_map(of_formula));
            }
        }
        Ok(LibreOffice {
            office,
            file: file_of(draft)?,
            sheets: book.tabs.iter().map(|tab| tab.name.clone()).collect(),
            formulas,
            values: HashMap::new(),
            refused: Vec::new(),
        })
    }
}

impl LibreOffice<'_> {
    /// Lets LibreOffice compute.
    ///
    /// # Errors
    /// What a client should know of a failure.
    pub(crate) fn run(&mut self, stop: Stop<'_>) -> Result<(), ToolError> {
        let document = Document { bytes: &self.file, extension: "xlsx" };
        let span = tracing::info_span!("libreoffice", job = "calculate", bytes = self.file.len());
        let sheets = span.in_scope(|| self.office.calculate(&document, stop)).map_err(office_error)?;
        for sheet in sheets {
            let Some(index) = self.sheets.iter().position(|name| *name == sheet.name) else { continue };
            let id = SheetId(index as u32);
            self.values.extend(sheet.cells.into_iter().filter_map(|(row, col, value)| {
                let value = match value {
                    CalculatedValue::Number(number) => Computed::number(number),
                    CalculatedValue::Text(text) => Computed::text(text),
                    CalculatedValue::Boolean(value) => Computed::Bool(value),
                    CalculatedValue::Error(error) => Computed::Error(error.parse().ok()?),
                    CalculatedValue::Empty => Computed::Text("".into()),
                };
                Some(((id, CellRef::new(row, col)?), value))
            }));
        }
        let is_unknown = |key: &&(SheetId, CellRef)| {
            // It shows the same for what it does not know and for what nobody knows.
            matches!(self.values.get(key), None | Some(Computed::Error(grid::ErrorValue::Name)))
        };
        self.refused = (self.formulas.iter().filter(is_unknown))
            .map(|(sheet, at)| Refused {
                sheet: *sheet,
                at: *at,
                why: Refusal::UnknownFunction,
                function: None,
            })
            .collect();
        Ok(())
    }
}

impl Engine for LibreOffice<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn update(&mut self, _: Source<'_>, _: &[Area]) -> Result<(), EngineError> {
        Err(EngineError::Failed { engine: NAME, what: "it reads files, and no changes of them".to_owned() })
    }

    fn calculate(&mut self, _: Moment, stop: Stop<'_>) -> Result<(), EngineError> {
        self.run(stop).map_err(|error| EngineError::Failed { engine: NAME, what: error.message })
    }

    fn value(&self, sheet: SheetId, at: CellRef) -> Computed {
        self.values.get(&(sheet, at)).cloned().unwrap_or_default()
    }

    fn refused(&self) -> &[Refused] {
        &self.refused
    }

    fn spills(&self) -> Vec<(SheetId, CellRange)> {
        Vec::new()
    }
}

/// What a client is told of LibreOffice.
pub(crate) fn office_error(error: OfficeError) -> ToolError {
    let code = match &error {
        OfficeError::Missing { .. } | OfficeError::Unprotected { .. } | OfficeError::DoesNotStart { .. } => {
            ErrorCode::LibreofficeUnavailable
        }
        OfficeError::Busy { .. } => ErrorCode::Busy,
        OfficeError::Timeout { .. } => ErrorCode::Timeout,
        OfficeError::Cancelled => ErrorCode::Cancelled,
        OfficeError::PictureTooLarge { .. } | OfficeError::OutOfMemory { .. } => ErrorCode::LimitExceeded,
        OfficeError::Io { .. } => ErrorCode::StateUnavailable,
        _ => ErrorCode::CalculationFailed,
    };
    let hint = match code {
        ErrorCode::LibreofficeUnavailable => {
            "use engine auto, which needs no LibreOffice, or have it installed"
        }
        ErrorCode::Busy => "call again in a moment, or use engine auto",
        ErrorCode::Timeout | ErrorCode::LimitExceeded => {
            "use engine auto, or ask for less; SPREADSHEET_MCP_TOOL_TIMEOUT_MS and SPREADSHEET_MCP_LIBREOFFICE_MEMORY are the bounds"
        }
        _ => "use engine auto; nothing was changed",
    };
    let told = ToolError::new(code, error.to_string()).hint(hint);
    if code == ErrorCode::Busy { told.retry_after(RETRY_AFTER_SECONDS) } else { told }
}
