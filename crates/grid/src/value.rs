//! What a cell may hold.

use std::fmt;
use std::str::FromStr;

/// An error value of a cell (ECMA-376 Part 1 §18.18.11 and the later ones of MS-XLSX §2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "each variant's name is the error's own text")]
pub enum ErrorValue {
    Null,
    Div0,
    Value,
    Ref,
    Name,
    Num,
    NA,
    GettingData,
    Spill,
    Connect,
    Blocked,
    Unknown,
    Field,
    Calc,
    Busy,
    External,
    Python,
}

impl ErrorValue {
    /// Every error value, in the order of its discriminant.
    pub const ALL: [ErrorValue; 17] = [
        ErrorValue::Null,
        ErrorValue::Div0,
        ErrorValue::Value,
        ErrorValue::Ref,
        ErrorValue::Name,
        ErrorValue::Num,
        ErrorValue::NA,
        ErrorValue::GettingData,
        ErrorValue::Spill,
        ErrorValue::Connect,
        ErrorValue::Blocked,
        ErrorValue::Unknown,
        ErrorValue::Field,
        ErrorValue::Calc,
        ErrorValue::Busy,
        ErrorValue::External,
        ErrorValue::Python,
    ];

    /// The text a sheet shows and a file stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorValue::Null => "#NULL!",
            ErrorValue::Div0 => "#DIV/0!",
            ErrorValue::Value => "#VALUE!",
            ErrorValue::Ref => "#REF!",
            ErrorValue::Name => "#NAME?",
            ErrorValue::Num => "#NUM!",
            ErrorValue::NA => "#N/A",
            ErrorValue::GettingData => "#GETTING_DATA",
            ErrorValue::Spill => "#SPILL!",
            ErrorValue::Connect => "#CONNECT!",
            ErrorValue::Blocked => "#BLOCKED!",
            ErrorValue::Unknown => "#UNKNOWN!",
            ErrorValue::Field => "#FIELD!",
            ErrorValue::Calc => "#CALC!",
            ErrorValue::Busy => "#BUSY!",
            ErrorValue::External => "#EXTERNAL!",
            ErrorValue::Python => "#PYTHON!",
        }
    }
}

impl fmt::Display for ErrorValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ErrorValue {
    type Err = ();

    fn from_str(text: &str) -> Result<ErrorValue, ()> {
        ErrorValue::ALL.into_iter().find(|error| error.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

/// The value of one cell, borrowed from the model. A date is a number: its number format makes it one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Value<'a> {
    /// Nothing; the cell may still carry a format.
    #[default]
    Empty,
    /// A finite IEEE 754 double.
    Number(f64),
    /// Text, possibly empty (a formula's `""`).
    Text(&'a str),
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// An error value.
    Error(ErrorValue),
}

impl Value<'_> {
    /// Whether there is nothing in the cell.
    pub const fn is_empty(self) -> bool {
        matches!(self, Value::Empty)
    }

    /// The number, if it is one.
    pub const fn as_number(self) -> Option<f64> {
        if let Value::Number(number) = self { Some(number) } else { None }
    }
}

impl<'a> Value<'a> {
    /// The text, if it is one.
    pub const fn as_text(self) -> Option<&'a str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts_round_trip() {
        for (index, error) in ErrorValue::ALL.into_iter().enumerate() {
            assert_eq!(error as usize, index);
            assert_eq!(error.as_str().parse(), Ok(error));
        }
    }
}
