//! The workbook: cells that the samples read, and the samples.

use rust_xlsxwriter::{Formula, Workbook, Worksheet, XlsxError};

use crate::samples::Sample;

/// The sheet that the samples read.
const DATA_SHEET: &str = "Data";
/// The sheet with the samples.
pub(crate) const SAMPLES_SHEET: &str = "Samples";
/// The sheet that has the inputs where the sheet that is read computes them.
const SOURCE_SHEET: &str = "Source";

/// How the sheet that the samples read comes by its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inputs {
    /// They are written in it.
    Constants,
    /// Each is a formula that shows a cell of another sheet.
    Formulas,
}

/// The columns of the sheet that the samples read, each from row 1 on. `=` starts a formula, `'` a text, nothing leaves a cell
/// blank; `TRUE`, `FALSE` and numbers are what they look like, everything else is text.
#[rustfmt::skip]
const COLUMNS: &[(&str, &[&str])] = &[
    // Numbers.
    ("A", &["3", "1.5", "-2", "10", "7", "4", "1", "25", "0.5", "6"]),
    // Texts, some of which look like numbers and dates.
    ("B", &["apple", "Banana", "cherry", "'12", "'3.5%", "'2024-03-01", "'  two  words ", "apple pie", "ZEBRA", "naïve"]),
    // Days: 2024-01-15, 2024-02-29, 2023-12-31, 2025-07-04 12:30, 2024-03-31, 1900-02-28.
    ("C", &["45306", "45351", "45291", "45842.5208333333", "45382", "59"]),
    // Booleans.
    ("D", &["TRUE", "FALSE", "TRUE"]),
    // Errors.
    ("E", &["=NA()", "=1/0", "=\"a\"+1"]),
    // F is blank. Everything mixed:
    ("G", &["5", "text", "TRUE", "", "'7", "-1", "=\"\"", "2.5"]),
    // A list, with criteria for it.
    ("H", &["Name", "Ann", "Bob", "Cid", "Dee", "Eve", "Fay"]),
    ("I", &["Dept", "Sales", "IT", "Sales", "IT", "HR", "Sales"]),
    ("J", &["Age", "34", "45", "29", "51", "38", ""]),
    ("K", &["Pay", "5200", "6100.5", "4100", "7300", "4800", "3900"]),
    ("M", &["Dept", "Sales", "IT"]),
    ("N", &["Age", ">30", ">50"]),
    ("O", &["Name", "E*"]),
    // Points near a line.
    ("P", &["1", "2", "3", "4", "5", "6", "7", "8"]),
    ("Q", &["2.1", "3.9", "6.2", "7.8", "10.1", "12.2", "13.8", "16.1"]),
    // Payments and their days.
    ("R", &["-10000", "2000", "3500", "-500", "4800", "3200"]),
    ("S", &["44927", "45107", "45292", "45550", "45658", "46023"]),
    // Holidays: 2024-01-01, 2024-12-25, 2024-12-26.
    ("T", &["45292", "45651", "45652"]),
    // A matrix.
    ("U", &["2", "1", "0"]),
    ("V", &["1", "3", "1"]),
    ("W", &["0", "1", "4"]),
    // Keys in order, and what they stand for.
    ("X", &["10", "20", "30", "40", "50", "60"]),
    ("Y", &["ten", "twenty", "thirty", "forty", "fifty", "sixty"]),
    // A series with a season of four, and its times.
    ("Z", &["10", "20", "30", "25", "12", "22", "33", "27", "14", "25", "35", "30", "16", "27", "38", "32"]),
    ("AA", &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"]),
    // Complex numbers.
    ("AB", &["'3+4i", "'1-2i", "'i", "'-2.5j", "'5", "abc"]),
    // Outcomes and their probabilities.
    ("AC", &["0", "1", "2", "3"]),
    ("AD", &["0.2", "0.3", "0.1", "0.4"]),
    // Counts observed and expected.
    ("AE", &["58", "11", "10"]),
    ("AF", &["35", "25", "23"]),
    ("AG", &["45.35", "17.56", "16.09"]),
    ("AH", &["47.65", "18.44", "16.91"]),
    // Numbers of which some are equal.
    ("AI", &["2", "3", "3", "5", "7", "7", "7", "9", "9", "11"]),
];

/// The bytes of the workbook.
pub(crate) fn workbook(samples: &[Sample], inputs: Inputs) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let data = workbook.add_worksheet().set_name(DATA_SHEET).unwrap();
    write_inputs(data, inputs).unwrap();
    let sheet = workbook.add_worksheet().set_name(SAMPLES_SHEET).unwrap();
    write_samples(sheet, samples).unwrap();
    // A sheet more or less would show in `SHEETS()`.
    let source = workbook.add_worksheet().set_name(SOURCE_SHEET).unwrap();
    write_inputs(source, Inputs::Constants).unwrap();
    workbook.save_to_buffer().unwrap()
}

fn write_inputs(sheet: &mut Worksheet, inputs: Inputs) -> Result<(), XlsxError> {
    for (column, values) in COLUMNS {
        let col = format!("{column}1").parse::<grid::CellRef>().unwrap().col() as u16;
        for (row, value) in (0..).zip(*values) {
            if value.is_empty() {
                continue;
            }
            match inputs {
                Inputs::Constants => write_input(sheet, row, col, value)?,
                Inputs::Formulas => {
                    let shown = format!("={SOURCE_SHEET}!{column}{}", row + 1);
                    sheet.write_formula(row, col, Formula::new(shown))?;
                }
            }
        }
    }
    Ok(())
}

fn write_input(sheet: &mut Worksheet, row: u32, col: u16, value: &str) -> Result<(), XlsxError> {
    if value.starts_with('=') {
        sheet.write_formula(row, col, Formula::new(value))?;
    } else if let Ok(number) = value.parse::<f64>() {
        sheet.write_number(row, col, number)?;
    } else if let Ok(truth) = value.to_lowercase().parse() {
        sheet.write_boolean(row, col, truth)?;
    } else {
        sheet.write_string(row, col, value.trim_start_matches('\''))?;
    }
    Ok(())
}

fn write_samples(sheet: &mut Worksheet, samples: &[Sample]) -> Result<(), XlsxError> {
    for sample in samples {
        let (start, end) = (sample.range.start(), sample.range.end());
        let (first_col, last_col) = (start.col() as u16, end.col() as u16);
        let formula = Formula::new(&sample.stored);
        match sample.is_array {
            true => {
                sheet.write_dynamic_array_formula(start.row(), first_col, end.row(), last_col, formula)?;
            }
            false => {
                sheet.write_formula(start.row(), first_col, formula)?;
            }
        }
    }
    Ok(())
}
