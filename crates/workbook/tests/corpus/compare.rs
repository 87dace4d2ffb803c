//! One file against `calamine`, cell by cell.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::sync::Arc;

use calamine::{Data, Reader, open_workbook_auto_from_rs};
use grid::{CellRange, CellRef, DateSystem, ErrorValue, Value};
use workbook::{Sheet, SheetKind, iso8601};

/// Files where `calamine` is known to differ, and why ours is right.
pub(crate) const CALAMINE_DIFFERS: &[(&str, &str)] = &[
    ("duplicate-filename.xlsx", "an inline string has its text in `v`; calamine looks into `is` alone"),
    ("SimpleStrict.xlsx", "ISO dates of the Strict form are dates to us and texts to calamine"),
    (
        "XLOOKUP.xlsx",
        "calamine shifts some shared formulas from the wrong cell; neighbours' own texts agree with us",
    ),
    ("FLOOR_CEILING.xlsx", "as above"),
    ("MATH_AND_TRIGONOMETRY__FLOOR_CEILING.xlsx", "as above"),
];

/// One text for equal values, whichever reader they come from. `calamine` knows no empty text, and none of the errors that Excel
/// stores as another one with a note beside it.
fn ours(value: Value<'_>) -> String {
    match value {
        Value::Error(ErrorValue::Calc | ErrorValue::Spill | ErrorValue::Field) => {
            ErrorValue::Value.to_string()
        }
        Value::Empty | Value::Text("") => String::new(),
        Value::Number(number) => format!("{number}"),
        Value::Text(text) => quoted(text),
        Value::Bool(value) => format!("{value}"),
        Value::Error(error) => error.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace("\r\n", "\n"))
}

fn number(serial: Option<f64>, text: &str) -> String {
    serial.map_or_else(|| quoted(text), |serial| format!("{serial}"))
}

fn theirs(data: &Data) -> String {
    match data {
        Data::Empty => String::new(),
        Data::String(text) if text.is_empty() => String::new(),
        Data::Int(number) => format!("{number}"),
        Data::Float(number) => format!("{number}"),
        Data::DateTime(moment) => format!("{}", moment.as_f64()),
        // OpenDocument keeps dates and durations as texts; in our model they are numbers as everywhere.
        Data::DateTimeIso(text) => number(iso8601::date_serial(text, DateSystem::Date1900), text),
        Data::DurationIso(text) => number(iso8601::duration_days(text), text),
        Data::String(text) => quoted(text),
        Data::Bool(value) => format!("{value}"),
        Data::Error(error) => format!("{error}"),
    }
}

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) files: u32,
    pub(crate) cells: u64,
    pub(crate) formulas: u64,
    pub(crate) not_compared: Vec<String>,
    pub(crate) differences: BTreeMap<String, Vec<String>>,
}

impl Tally {
    pub(crate) fn compare(&mut self, name: &str, bytes: &[u8], sheets: &[Arc<Sheet>]) {
        let Ok(mut peer) = open_workbook_auto_from_rs(Cursor::new(bytes)) else {
            self.not_compared.push(name.to_owned());
            return;
        };
        self.files += 1;
        for sheet in sheets.iter().filter(|sheet| sheet.kind == SheetKind::Worksheet) {
            let Ok(values) = peer.worksheet_range(&sheet.name) else { continue };
            let formulas = peer.worksheet_formula(&sheet.name).unwrap_or_default();
            let mut expected: BTreeMap<CellRef, (String, String)> = BTreeMap::new();
            let (row_0, col_0) = values.start().unwrap_or_default();
            for (row, col, data) in values.used_cells() {
                let at = CellRef::new(row_0 + row as u32, col_0 + col as u32).unwrap();
                expected.entry(at).or_default().0 = theirs(data);
            }
            let (row_0, col_0) = formulas.start().unwrap_or_default();
            for (row, col, text) in formulas.used_cells() {
                let at = CellRef::new(row_0 + row as u32, col_0 + col as u32).unwrap();
                // The namespace of OpenFormula is no part of the formula.
                let text = text.strip_prefix("of:=").unwrap_or(text);
                expected.entry(at).or_default().1 = text.to_owned();
            }
            let mut found: BTreeMap<CellRef, (String, String)> = BTreeMap::new();
            for (at, cell) in sheet.cells_by_row(CellRange::ALL) {
                let formula =
                    cell.formula.map(|id| sheet.formula_text(at, id).into_owned()).unwrap_or_default();
                let value = ours(cell.value);
                if !value.is_empty() || !formula.is_empty() {
                    found.insert(at, (value, formula));
                }
            }
            self.cells += found.len() as u64;
            self.formulas += found.values().filter(|(_, formula)| !formula.is_empty()).count() as u64;
            let positions: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
            for at in positions {
                let (ours, theirs) = (
                    found.get(at).cloned().unwrap_or_default(),
                    expected.get(at).cloned().unwrap_or_default(),
                );
                if ours != theirs {
                    self.differences
                        .entry(name.to_owned())
                        .or_default()
                        .push(format!("{}!{at}: ours {ours:?}, calamine {theirs:?}", sheet.name));
                }
            }
        }
    }
}
