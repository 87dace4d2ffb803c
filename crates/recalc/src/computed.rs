//! What a formula yields.

use grid::{ErrorValue, Value};

/// The result of a formula, owned.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Computed {
    /// Nothing: a cell that an array formula does not reach any more.
    #[default]
    Empty,
    /// A finite number; dates are serial numbers in the workbook's date system.
    Number(f64),
    /// Text, possibly empty.
    Text(Box<str>),
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// An error value.
    Error(ErrorValue),
}

/// Characters of UTF-16 that the text of a cell has at most.
pub(crate) const MAX_TEXT: usize = 32_767;

/// Whether a text is longer than a cell takes.
pub(crate) fn is_too_long(text: &str) -> bool {
    text.len() > MAX_TEXT && text.encode_utf16().count() > MAX_TEXT
}

impl Computed {
    /// The same, borrowed.
    pub fn value(&self) -> Value<'_> {
        match self {
            Computed::Empty => Value::Empty,
            Computed::Number(number) => Value::Number(*number),
            Computed::Text(text) => Value::Text(text),
            Computed::Bool(value) => Value::Bool(*value),
            Computed::Error(error) => Value::Error(*error),
        }
    }

    /// A number, or `#NUM!` for one that no cell can hold.
    pub fn number(number: f64) -> Computed {
        match number.is_finite() {
            // A cell has no negative zero.
            true => Computed::Number(number + 0.0),
            false => Computed::Error(ErrorValue::Num),
        }
    }

    /// A text, or `#VALUE!` for one that no cell can hold.
    pub fn text(text: impl Into<Box<str>> + AsRef<str>) -> Computed {
        match is_too_long(text.as_ref()) {
            false => Computed::Text(text.into()),
            true => Computed::Error(ErrorValue::Value),
        }
    }
}

impl From<Value<'_>> for Computed {
    fn from(value: Value<'_>) -> Computed {
        match value {
            Value::Empty => Computed::Empty,
            Value::Number(number) => Computed::Number(number),
            Value::Text(text) => Computed::Text(text.into()),
            Value::Bool(value) => Computed::Bool(value),
            Value::Error(error) => Computed::Error(error),
        }
    }
}
