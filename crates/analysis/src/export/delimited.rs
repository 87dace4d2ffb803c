//! Text with delimiters: RFC 4180, or with tabs.

use std::borrow::Cow;
use std::io::Write;

use csv::Terminator;
use grid::{CellRef, Value};
use workbook::{Cell, Sheet, Workbook};

use crate::cell_json::{iso_text, plain_number};
use crate::export::injection::looks_like_formula;
use crate::export::{Cells, ExportError, Exported, InjectionPolicy, Values, each_row};
use crate::formulas::Cancel;

/// How delimited text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimited {
    /// What stands between fields.
    pub delimiter: u8,
    /// How cells are written.
    pub values: Values,
    /// What becomes of texts that would be taken for formulas.
    pub injection: InjectionPolicy,
}

/// Writes cells: a line for each row, UTF-8, lines ended by CRLF, fields quoted where they need it.
///
/// # Errors
/// When the writer fails, the caller stops, or a text is refused; what was written by then is of no use.
pub fn delimited(
    workbook: &Workbook,
    sheet: &Sheet,
    cells: Cells<'_>,
    options: Delimited,
    out: impl Write,
    cancel: Cancel<'_>,
) -> Result<Exported, ExportError> {
    let writer = csv::WriterBuilder::new()
        .delimiter(options.delimiter)
        .terminator(Terminator::CRLF)
        .has_headers(false)
        .from_writer(out);
    let mut lines = Lines { writer, injection: options.injection, escaped: 0 };
    if !cells.header.is_empty() {
        let above = cells.range.map_or(CellRef::A1, |range| {
            CellRef::clamped(range.start().row().saturating_sub(1), range.start().col())
        });
        for (name, col) in cells.header.iter().zip(above.col()..) {
            lines.field(Value::Text(name), name, CellRef::clamped(above.row(), col))?;
        }
        lines.end()?;
    }
    let exported = each_row(sheet, cells.range, cancel, |first, row| {
        for (cell, col) in row.iter().zip(first.col()..) {
            let text = field(workbook, *cell, options.values);
            lines.field(cell.value, &text, CellRef::clamped(first.row(), col))?;
        }
        Ok(lines.end()?)
    })?;
    lines.writer.flush()?;
    Ok(Exported { escaped: lines.escaped, ..exported })
}

/// Lines of fields that no program takes for formulas.
struct Lines<W: Write> {
    writer: csv::Writer<W>,
    injection: InjectionPolicy,
    escaped: u64,
}

impl<W: Write> Lines<W> {
    fn field(&mut self, value: Value<'_>, text: &str, at: CellRef) -> Result<(), ExportError> {
        if self.injection == InjectionPolicy::Keep || !looks_like_formula(value, text) {
            return Ok(self.writer.write_field(text).map_err(io_error)?);
        }
        if self.injection == InjectionPolicy::Refuse {
            return Err(ExportError::LooksLikeFormula(at));
        }
        self.escaped += 1;
        Ok(self.writer.write_field(format!("'{text}")).map_err(io_error)?)
    }

    fn end(&mut self) -> std::io::Result<()> {
        self.writer.write_record(None::<&[u8]>).map_err(io_error)
    }
}

fn field<'a>(workbook: &Workbook, cell: Cell<'a>, values: Values) -> Cow<'a, str> {
    match (values, cell.value) {
        (_, Value::Empty) => Cow::Borrowed(""),
        (Values::Formatted, value) => workbook.styles.text(value, cell.style, workbook.date_system).into(),
        (Values::Raw, Value::Text(text)) => Cow::Borrowed(text),
        (Values::Raw, Value::Bool(value)) => Cow::Borrowed(if value { "TRUE" } else { "FALSE" }),
        (Values::Raw, Value::Error(error)) => Cow::Borrowed(error.as_str()),
        (Values::Raw, Value::Number(number)) => {
            let iso = iso_text(number, workbook.styles.kind(cell.style), workbook.date_system);
            iso.unwrap_or_else(|| plain_number(number).to_string()).into()
        }
    }
}

fn io_error(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}
