//! A document to calculate, and the values that its formulas came to.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

/// A spreadsheet as bytes.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// The whole file.
    pub bytes: &'a [u8],
    /// What its name ends with, without the dot, such as `xlsx`: LibreOffice takes it as a hint.
    pub extension: &'a str,
}

/// The formula cells of a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct CalculatedSheet {
    /// The name of the sheet, as LibreOffice has it.
    pub name: String,
    /// Row and column, both from 0, and value. Cells of a column follow each other; the order is otherwise not defined.
    pub cells: Vec<(u32, u32, CalculatedValue)>,
}

/// What a formula came to.
#[derive(Debug, Clone, PartialEq)]
pub enum CalculatedValue {
    /// A number, or a date or time as the number that it is.
    Number(f64),
    /// A text, empty or not.
    Text(String),
    /// TRUE or FALSE. LibreOffice knows them by the cell's format alone: in a cell formatted as a number, TRUE is 1.
    Boolean(bool),
    /// An error by its name in Excel, such as `#DIV/0!`.
    Error(&'static str),
    /// No value at all.
    Empty,
}

/// The name in Excel of an error of LibreOffice.
///
/// Those that Excel does not have become what LibreOffice's own export makes of them, but for 502, an argument out of
/// a function's domain (`SQRT(-1)`), which is `#NUM!` in Excel more often than it is `#VALUE!`.
fn excel_error(code: u32) -> &'static str {
    match code {
        502 | 503 | 523 => "#NUM!",
        521 => "#NULL!",
        524 => "#REF!",
        525 | 530 | 531 => "#NAME?",
        532 => "#DIV/0!",
        32767 => "#N/A",
        _ => "#VALUE!",
    }
}

/// Cells below each other, as the bridge sends them: column, first row, values.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Run(pub(crate) u32, pub(crate) u32, pub(crate) Vec<CalculatedValue>);

impl<'de> Deserialize<'de> for CalculatedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CalculatedValue, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = CalculatedValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number, a text, a boolean, null, or an array with the code of an error")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<CalculatedValue, E> {
        Ok(CalculatedValue::Number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<CalculatedValue, E> {
        Ok(CalculatedValue::Number(number as f64))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<CalculatedValue, E> {
        Ok(CalculatedValue::Number(number as f64))
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<CalculatedValue, E> {
        Ok(CalculatedValue::Boolean(truth))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<CalculatedValue, E> {
        Ok(CalculatedValue::Text(text.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<CalculatedValue, E> {
        Ok(CalculatedValue::Empty)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut codes: A) -> Result<CalculatedValue, A::Error> {
        let code: u32 = codes.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        Ok(CalculatedValue::Error(excel_error(code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_from_what_the_bridge_sends() {
        let run: Run = serde_json::from_str(r#"[2,10,[1.5,-3,7,"a",true,null,[532],[9]]]"#).unwrap();
        assert_eq!((run.0, run.1), (2, 10));
        assert_eq!(
            run.2,
            [
                CalculatedValue::Number(1.5),
                CalculatedValue::Number(-3.0),
                CalculatedValue::Number(7.0),
                CalculatedValue::Text("a".to_owned()),
                CalculatedValue::Boolean(true),
                CalculatedValue::Empty,
                CalculatedValue::Error("#DIV/0!"),
                CalculatedValue::Error("#VALUE!"),
            ]
        );
    }
}
