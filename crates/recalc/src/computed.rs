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
