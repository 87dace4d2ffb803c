//! A workbook's cells as a text file: in which format, and what to say about it.

mod format;
mod source;

use std::io::{self, Write};

use analysis::{
    export::{
        Cells, Delimited, ExportError, Exported, InjectionPolicy, Values, delimited, json_records, json_rows,
    },
    resolve::{Area, written},
};
use schemars::JsonSchema;
use serde::Serialize;

use self::source::Source;
use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    open::Opened,
    workspace::not_written,
};

pub(crate) use format::{EXTENSIONS, Format, InjectionParam, ValuesParam};

/// What an export was asked to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Export<'a> {
    /// The path within the workspace, for errors.
    pub(crate) path: &'a str,
    pub(crate) format: Format,
    pub(crate) range: Option<&'a str>,
    pub(crate) values: ValuesParam,
    pub(crate) injection: InjectionParam,
    /// Whether results of formulas may be older than what they are computed from.
    pub(crate) is_stale: bool,
}

/// What an export holds.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ExportTold {
    /// The cells, without a table's header.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    rows: u64,
    columns: u32,
    /// Texts that got an apostrophe.
    escaped: u64,
}

impl Export<'_> {
    /// Writes the file, of at most as many bytes as a workbook's file may have. Tells what is in it, and what to know.
    ///
    /// # Errors
    /// When the cells can't be found or the writer fails.
    pub(crate) fn write(
        self,
        call: &Call,
        opened: &Opened,
        out: impl Write,
    ) -> Result<(ExportTold, Vec<String>), ToolError> {
        let source = Source::find(call, opened, self.range, self.format == Format::JsonRecords)?;
        let out = Bounded { out, left: call.config().limits.max_file_bytes };
        let exported = self.write_cells(call, opened, &source, out).map_err(|error| {
            let sheet = opened.quoted_name(source.area.sheet);
            self.failed(error, &sheet, call.config().limits.max_file_bytes)
        })?;
        let mut warnings = source.notices.clone();
        warnings.extend(source.hidden());
        if self.is_stale && exported.formulas > 0 {
            warnings.push(
                "results of formulas may be older than their inputs: calculate the workbook in its program first"
                    .to_owned(),
            );
        }
        if exported.without_result > 0 {
            warnings.push(format!(
                "{} formulas have no result yet and are written as nothing",
                exported.without_result
            ));
        }
        let told = ExportTold {
            range: source.range.map(|range| written(&opened.book.workbook, Area { range, ..source.area })),
            rows: exported.rows,
            columns: exported.columns,
            escaped: exported.escaped,
        };
        Ok((told, warnings))
    }

    fn write_cells(
        self,
        call: &Call,
        opened: &Opened,
        source: &Source,
        out: impl Write,
    ) -> Result<Exported, ExportError> {
        let (book, sheet) = (&opened.book.workbook, &*source.sheet);
        let values = match self.values {
            ValuesParam::Raw => Values::Raw,
            ValuesParam::Formatted => Values::Formatted,
        };
        let injection = match self.injection {
            InjectionParam::Escape => InjectionPolicy::Escape,
            InjectionParam::Keep => InjectionPolicy::Keep,
            InjectionParam::Refuse => InjectionPolicy::Refuse,
        };
        let stop = || call.is_stopped();
        let header = source.header();
        let cells = Cells { range: source.range, header: &header };
        match (self.format, &source.view) {
            (Format::Csv, _) => {
                delimited(book, sheet, cells, Delimited { delimiter: b',', values, injection }, out, &stop)
            }
            (Format::Tsv, _) => {
                delimited(book, sheet, cells, Delimited { delimiter: b'\t', values, injection }, out, &stop)
            }
            (Format::JsonRecords, Some(view)) => json_records(book, sheet, view, values, out, &stop),
            (Format::Json | Format::JsonRecords, _) => json_rows(book, sheet, cells, values, out, &stop),
        }
    }

    fn failed(self, error: ExportError, sheet: &str, max_bytes: u64) -> ToolError {
        match error {
            ExportError::Cancelled(_) => ToolError::cancelled(),
            ExportError::LooksLikeFormula(at) => ToolError::new(
                ErrorCode::InvalidArgument,
                format!("the text in {sheet}!{at} would be taken for a formula"),
            )
            .at("formula_injection")
            .hint("nothing was written; mend the text, or pass \"escape\" or \"keep\""),
            ExportError::Write(error) if error.kind() == io::ErrorKind::FileTooLarge => ToolError::new(
                ErrorCode::LimitExceeded,
                format!("the file would have more than {max_bytes} bytes"),
            )
            .at("range")
            .hint("export a smaller range, or raise SPREADSHEET_MCP_MAX_FILE_BYTES"),
            ExportError::Write(error) => not_written(self.path, &error),
        }
    }
}

/// A writer that takes so many bytes and no more: a cell far away makes a large file of a small sheet.
struct Bounded<W> {
    out: W,
    left: u64,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = self.out.write(bytes)?;
        self.left -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_grows_up_to_its_bound() {
        let mut out = Bounded { out: Vec::new(), left: 3 };
        out.write_all(b"abc").expect("it fits");
        assert_eq!(out.write_all(b"d").expect_err("full").kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(out.out, b"abc");
    }
}
