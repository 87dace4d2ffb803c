//! JSON, one row to a line: `[[1,"a"],[2,null]]`, or `[{"id":1,"name":"a"}]` with the names of a table's columns.

use std::io::{self, Write};

use grid::Value;
use serde_json::Value as Json;
use workbook::{Cell, Sheet, Workbook};

use crate::cell_json::cell_json;
use crate::export::{Cells, ExportError, Exported, Values, each_row};
use crate::formulas::Cancel;
use crate::frame::TableView;

/// Writes cells as a list of rows, each a list of values.
///
/// # Errors
/// When the writer fails or the caller stops; what was written by then is of no use.
pub fn json_rows(
    workbook: &Workbook,
    sheet: &Sheet,
    cells: Cells<'_>,
    values: Values,
    mut out: impl Write,
    cancel: Cancel<'_>,
) -> Result<Exported, ExportError> {
    let mut list = List::begin(&mut out)?;
    if !cells.header.is_empty() {
        serde_json::to_writer(list.next()?, cells.header).map_err(io::Error::from)?;
    }
    let exported = each_row(sheet, cells.range, cancel, |_, row| {
        let out = list.next()?;
        for (index, cell) in row.iter().enumerate() {
            out.write_all(if index == 0 { b"[" } else { b"," })?;
            serde_json::to_writer(&mut *out, &value(workbook, *cell, values)).map_err(io::Error::from)?;
        }
        Ok(out.write_all(b"]")?)
    })?;
    list.end()?;
    Ok(exported)
}

/// Writes the rows of a table as a list of objects, whose keys are the names of the columns.
///
/// # Errors
/// As [`json_rows`].
pub fn json_records(
    workbook: &Workbook,
    sheet: &Sheet,
    view: &TableView,
    values: Values,
    mut out: impl Write,
    cancel: Cancel<'_>,
) -> Result<Exported, ExportError> {
    let mut list = List::begin(&mut out)?;
    let range = view.data_range();
    let first = range.map_or(0, |range| range.start().col());
    let keys: Vec<(String, usize)> = view
        .columns
        .iter()
        .map(|column| (Json::from(column.name.as_str()).to_string(), (column.col - first) as usize))
        .collect();
    let exported = each_row(sheet, range, cancel, |_, row| {
        let out = list.next()?;
        for (index, (key, position)) in keys.iter().enumerate() {
            out.write_all(if index == 0 { b"{" } else { b"," })?;
            write!(out, "{key}:")?;
            serde_json::to_writer(&mut *out, &value(workbook, row[*position], values))
                .map_err(io::Error::from)?;
        }
        Ok(out.write_all(b"}")?)
    })?;
    list.end()?;
    Ok(Exported { columns: view.columns.len() as u32, ..exported })
}

fn value(workbook: &Workbook, cell: Cell<'_>, values: Values) -> Json {
    match (values, cell.value) {
        (Values::Formatted, shown) if !matches!(shown, Value::Empty) => {
            Json::String(workbook.styles.text(shown, cell.style, workbook.date_system))
        }
        _ => cell_json(workbook, cell),
    }
}

/// A list with an item to a line.
struct List<'a, W: Write> {
    out: &'a mut W,
    is_first: bool,
}

impl<'a, W: Write> List<'a, W> {
    fn begin(out: &'a mut W) -> io::Result<List<'a, W>> {
        out.write_all(b"[")?;
        Ok(List { out, is_first: true })
    }

    fn next(&mut self) -> io::Result<&mut W> {
        self.out.write_all(if self.is_first { b"\n" } else { b",\n" })?;
        self.is_first = false;
        Ok(self.out)
    }

    fn end(self) -> io::Result<()> {
        self.out.write_all(b"\n]\n")?;
        self.out.flush()
    }
}
