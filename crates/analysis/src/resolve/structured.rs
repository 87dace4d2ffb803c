//! Structured references: parts of tables.

use formula::{StructuredReference, TableRows, Target};
use grid::CellRange;
use workbook::{SheetId, Table};

use crate::near_miss::near_misses;
use crate::resolve::{Area, LocateError, LocateErrorKind, Located, Origin, Resolver};

impl Resolver<'_> {
    /// An address that is one structured reference: `Sales[[#Headers],[A]:[C]]`.
    pub(super) fn structured_address(&self, text: &str) -> Result<Located, LocateError> {
        let mut mentions = formula::references(text);
        let (Some(mention), None) = (mentions.next(), mentions.next()) else {
            return Err(malformed(text));
        };
        match &mention.target {
            Target::Structured(reference) if mention.span == (0..text.len()) => {
                let (area, table) = self.structured(reference, text)?;
                Ok(Located { areas: vec![area], origin: Origin::TablePart(table) })
            }
            _ => Err(malformed(text)),
        }
    }

    /// The cells of a structured reference, and the name of its table.
    pub(super) fn structured(
        &self,
        reference: &StructuredReference<'_>,
        written: &str,
    ) -> Result<(Area, String), LocateError> {
        let Some(name) = reference.table else {
            return Err(LocateError::new(
                LocateErrorKind::Syntax,
                format!("{written} names no table; write for example Sales{written}"),
            ));
        };
        let Some((sheet, table)) = self.find_table(name)? else {
            let names = self.table_names()?;
            let message = format!("the workbook has no table {name:?}");
            let near = near_misses(name, names.iter().map(String::as_str));
            let candidates = if near.is_empty() { names.into_iter().take(20).collect() } else { near };
            return Err(LocateError::new(LocateErrorKind::NoSuchTable, message).or(candidates));
        };
        let area = part(sheet, &table, reference, written)?;
        Ok((area, table.name))
    }
}

fn malformed(text: &str) -> LocateError {
    LocateError::new(
        LocateErrorKind::Syntax,
        format!(
            "{text} is not a structured reference; write for example Sales[Amount], Sales[#All] or Sales[[#Totals],[Amount]]"
        ),
    )
}

/// The cells of `table` that a structured reference means.
fn part(
    sheet: SheetId,
    table: &Table,
    reference: &StructuredReference<'_>,
    written: &str,
) -> Result<Area, LocateError> {
    let (first, last) = match &reference.columns {
        None => (table.range.start().col(), table.range.end().col()),
        Some((first, last)) => (column(table, first)?, column(table, last)?),
    };
    let rows = rows(table, reference.rows);
    let range =
        rows.and_then(|(top, bottom)| CellRange::from_bounds(top, first.min(last), bottom, first.max(last)));
    match range {
        Some(range) => Ok(Area { sheet, range }),
        None if reference.rows.this_row => Err(LocateError::new(
            LocateErrorKind::NotAReference,
            format!("{written} means the row of the formula that it stands in; name the rows themselves"),
        )),
        None => Err(LocateError::new(
            LocateErrorKind::NoCells,
            format!("the table {} has none of the rows that {written} means", table.name),
        )),
    }
}

fn column(table: &Table, name: &str) -> Result<u32, LocateError> {
    let folded = name.to_lowercase();
    let found = table.columns.iter().position(|column| column.name == name).or_else(|| {
        table.columns.iter().position(|column| column.name.trim().to_lowercase() == folded.trim())
    });
    match found {
        Some(index) => Ok(table.range.start().col() + index as u32),
        None => {
            let names = || table.columns.iter().map(|column| column.name.as_str());
            let near = near_misses(name, names());
            let candidates =
                if near.is_empty() { names().take(20).map(str::to_owned).collect() } else { near };
            let message = format!("the table {} has no column {name:?}", table.name);
            Err(LocateError::new(LocateErrorKind::NoSuchColumn, message).or(candidates))
        }
    }
}

/// First and last row of the meant parts, which follow each other: headers, data, totals.
fn rows(table: &Table, wanted: TableRows) -> Option<(u32, u32)> {
    let (top, bottom) = (table.range.start().row(), table.range.end().row());
    let headers = (table.header_rows > 0).then(|| (top, top + table.header_rows - 1));
    let totals = (table.totals_rows > 0).then(|| (bottom + 1 - table.totals_rows, bottom));
    let data = table.data_range().map(|data| (data.start().row(), data.end().row()));
    let parts = [(wanted.headers, headers), (wanted.data, data), (wanted.totals, totals)];
    parts
        .into_iter()
        .filter_map(|(is_wanted, rows)| rows.filter(|_| is_wanted))
        .reduce(|(first, _), (_, last)| (first, last))
}
