//! Structured references become addresses: an engine then needs to know nothing of tables.

use std::borrow::Cow;
use std::fmt::Write;

use analysis::formulas::Places;
use formula::{StructuredReference, Target};
use grid::{CellRange, CellRef, quote};
use workbook::{SheetId, Table};

use crate::pivot_data;

/// The formula with its structured references written as addresses, `#REF!` where a table or a column is missing; and with those
/// cells of pivot tables that it asks for.
pub(crate) fn addressed<'t>(places: &Places<'_>, sheet: SheetId, at: CellRef, text: &'t str) -> Cow<'t, str> {
    match pivot_data::written(places, sheet, text) {
        Cow::Borrowed(text) => of_tables(places, sheet, at, text),
        Cow::Owned(text) => Cow::Owned(of_tables(places, sheet, at, &text).into_owned()),
    }
}

fn of_tables<'t>(places: &Places<'_>, sheet: SheetId, at: CellRef, text: &'t str) -> Cow<'t, str> {
    if !text.contains('[') {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut copied = 0;
    for mention in formula::references(text) {
        let Target::Structured(structured) = &mention.target else { continue };
        if structured.prefix.book.is_some() {
            continue;
        }
        out.push_str(&text[copied..mention.span.start]);
        copied = mention.span.end;
        let found = match structured.table {
            Some(name) => places.table(name),
            None => places.table_at(sheet, at).map(|table| (sheet, table)),
        };
        let cells = found.and_then(|(home, table)| Some((home, part(table, structured, sheet == home, at)?)));
        match cells {
            Some((home, cells)) => {
                let (start, end) = (absolute(cells.start()), absolute(cells.end()));
                let name = quote(places.sheet_name(home));
                let written = match cells.is_single() {
                    true => write!(out, "{name}!{start}"),
                    false => write!(out, "{name}!{start}:{end}"),
                };
                written.expect("invariant: writing to a String never fails");
            }
            None => out.push_str("#REF!"),
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn absolute(at: CellRef) -> String {
    format!("${}${}", grid::column_letters(at.col()), at.row() + 1)
}

/// The cells of a table that a structured reference means to the cell `at`.
fn part(table: &Table, reference: &StructuredReference<'_>, is_home: bool, at: CellRef) -> Option<CellRange> {
    let column = |name: &str| {
        let folded = name.to_lowercase();
        let found = table.columns.iter().position(|column| column.name == name).or_else(|| {
            table.columns.iter().position(|column| column.name.trim().to_lowercase() == folded.trim())
        })?;
        Some(table.range.start().col() + found as u32)
    };
    let (first, last) = match &reference.columns {
        None => (table.range.start().col(), table.range.end().col()),
        Some((first, last)) => (column(first)?, column(last)?),
    };
    let (top, bottom) = (table.range.start().row(), table.range.end().row());
    let data = table.data_range().map(|data| (data.start().row(), data.end().row()));
    let wanted = reference.rows;
    if wanted.this_row {
        let is_inside = is_home && data.is_some_and(|(top, bottom)| (top..=bottom).contains(&at.row()));
        let row = is_inside.then_some(at.row())?;
        return CellRange::from_bounds(row, first.min(last), row, first.max(last));
    }
    let headers = (table.header_rows > 0).then(|| (top, top + table.header_rows - 1));
    let totals = (table.totals_rows > 0).then(|| (bottom + 1 - table.totals_rows, bottom));
    let parts = [(wanted.headers, headers), (wanted.data, data), (wanted.totals, totals)];
    let (top, bottom) = parts
        .into_iter()
        .filter_map(|(is_wanted, rows)| rows.filter(|_| is_wanted))
        .reduce(|(first, _), (_, last)| (first, last))?;
    CellRange::from_bounds(top, first.min(last), bottom, first.max(last))
}
