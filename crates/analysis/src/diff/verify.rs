//! Assertions about cells.

use grid::{CellRef, Value};
use workbook::{Sheet, Workbook};

/// What a cell is expected to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// A number within a tolerance.
    Number {
        /// The number.
        value: f64,
        /// How far the cell may be off.
        tolerance: f64,
    },
    /// A text, a boolean by its name, or an error value.
    Text(String),
    /// Between two numbers, both included; open where one is missing.
    Between(Option<f64>, Option<f64>),
    /// Any error value, or none.
    Error(bool),
    /// A formula, without its leading `=`.
    Formula(String),
    /// No value and no formula.
    Empty,
}

/// What is expected of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// The cell.
    pub at: CellRef,
    /// What it is expected to be.
    pub expected: Expected,
}

/// Whether an assertion holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Whether it does.
    pub holds: bool,
    /// What the cell is.
    pub actual: String,
}

/// Holds a cell against what is expected of it.
pub fn verify(book: &Workbook, sheet: &Sheet, assertion: &Assertion) -> Checked {
    let cell = sheet.cell(assertion.at);
    let formula = cell.formula.map(|id| sheet.formula_text(assertion.at, id).into_owned());
    let text = match cell.value {
        Value::Number(number) => number.to_string(),
        value => book.styles.text(value, cell.style, book.date_system),
    };
    let number = match cell.value {
        Value::Number(number) => Some(number),
        _ => None,
    };
    let is_error = matches!(cell.value, Value::Error(_));
    let holds = match &assertion.expected {
        Expected::Number { value, tolerance } => {
            number.is_some_and(|number| (number - value).abs() <= *tolerance)
        }
        Expected::Text(expected) => number.is_none() && text == *expected,
        Expected::Between(low, high) => number.is_some_and(|number| {
            low.is_none_or(|low| number >= low) && high.is_none_or(|high| number <= high)
        }),
        Expected::Error(expected) => is_error == *expected,
        Expected::Formula(expected) => {
            let plain = |text: &str| text.trim_start_matches('=').to_owned();
            formula.as_deref().is_some_and(|formula| plain(formula) == plain(expected))
        }
        Expected::Empty => cell.value == Value::Empty && formula.is_none(),
    };
    let actual = match (&assertion.expected, formula) {
        (Expected::Formula(_), formula) => {
            formula.map_or_else(|| text.clone(), |formula| format!("={formula}"))
        }
        _ => text,
    };
    Checked { holds, actual }
}
