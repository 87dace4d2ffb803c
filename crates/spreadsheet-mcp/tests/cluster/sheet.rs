//! What clients edit: a table whose cells are empty at first, and a formula that reads them.

use std::path::Path;

use fixtures::Sequence;
use serde_json::Value;

/// The file that forks are made from.
pub(crate) const NAME: &str = "book.xlsx";
/// The cells that are written to.
pub(crate) const CELLS: &str = "Data!B2:G21";
/// The same with what they are called: column A and row 1.
pub(crate) const TABLE: &str = "Data!A1:G21";
const COLUMNS: u32 = 6;
const ROWS: u32 = 20;

/// Writes a file into a workspace, as forks are made from.
pub(crate) fn write(workspace: &Path, name: &str, title: &str) {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Data").expect("a name");
    sheet.write_string(0, 0, title).expect("a cell");
    for column in 1..=COLUMNS {
        sheet.write_string(0, column as u16, format!("column {column}")).expect("a cell");
    }
    for row in 1..=ROWS {
        sheet.write_string(row, 0, format!("row {row}")).expect("a cell");
    }
    sheet.write_formula(0, 8, "=COUNTA(B2:G21)").expect("a cell");
    book.save(workspace.join(name)).expect("saved");
}

fn name(row: u32, column: u32) -> String {
    format!("{}{}", char::from(b'B' + column as u8), row + 2)
}

/// One of the cells.
pub(crate) fn cell(sequence: &mut Sequence) -> String {
    name(sequence.below(ROWS.into()) as u32, sequence.below(COLUMNS.into()) as u32)
}

/// What an answer tells of every cell. It leaves empty ones at the end out, and may begin with the rows' names.
pub(crate) fn cells(rows: &Value) -> Vec<(String, Option<String>)> {
    let names = |row: &Value| usize::from(row[0].as_str().is_some_and(|text| text.starts_with("row ")));
    let told = |row: u32, column: u32| {
        let row = &rows[row as usize];
        row[column as usize + names(row)].as_str().map(str::to_owned)
    };
    let columns = |row: u32| (0..COLUMNS).map(move |column| (row, column));
    (0..ROWS).flat_map(columns).map(|(row, column)| (name(row, column), told(row, column))).collect()
}
