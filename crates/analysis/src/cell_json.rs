//! A cell's value in JSON: numbers, texts and booleans as they are, dates in ISO 8601, errors by their text, `null` for
//! nothing.

use grid::{DateSystem, Value};
use number_format::FormatKind;
use serde_json::{Number, json};
use workbook::{Cell, Workbook};

/// Integers up to here are exact in a double, and are written without a fraction.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A cell's value, as its number format means it.
pub fn cell_json(workbook: &Workbook, cell: Cell<'_>) -> serde_json::Value {
    match cell.value {
        Value::Number(number) => number_json(number, workbook.styles.kind(cell.style), workbook.date_system),
        value => value_json(value),
    }
}

/// A value whose format is not known, or does not matter.
pub fn value_json(value: Value<'_>) -> serde_json::Value {
    match value {
        Value::Empty => serde_json::Value::Null,
        Value::Number(number) => plain_number(number),
        Value::Text(text) => json!(text),
        Value::Bool(value) => json!(value),
        Value::Error(error) => json!(error.as_str()),
    }
}

/// A number, as a number format of this kind means it.
pub fn number_json(number: f64, kind: FormatKind, dates: DateSystem) -> serde_json::Value {
    iso_text(number, kind, dates).map_or_else(|| plain_number(number), serde_json::Value::String)
}

/// `2026-01-31`, `2026-01-31T08:30:00` or `08:30:00`, if the number is shown as a date or a time of day.
pub fn iso_text(number: f64, kind: FormatKind, dates: DateSystem) -> Option<String> {
    let civil = match kind {
        FormatKind::Date | FormatKind::Time | FormatKind::DateTime => dates.to_civil(number)?,
        _ => return None,
    };
    let text = civil.to_string();
    if kind == FormatKind::Time && (0.0..1.0).contains(&number) {
        return Some(text.split_once('T').map_or_else(|| "00:00:00".to_owned(), |(_, time)| time.to_owned()));
    }
    Some(text)
}

/// A number: an integer where it is one exactly.
pub(crate) fn plain_number(number: f64) -> serde_json::Value {
    if number.fract() == 0.0 && number.abs() < MAX_EXACT {
        return json!(number as i64);
    }
    Number::from_f64(number).map_or(serde_json::Value::Null, serde_json::Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: f64, kind: FormatKind, expected: &str) {
        assert_eq!(number_json(number, kind, DateSystem::Date1900).to_string(), expected);
    }

    #[test]
    fn numbers_are_what_their_format_means() {
        check(3.0, FormatKind::General, "3");
        check(-0.25, FormatKind::Percent, "-0.25");
        check(1e300, FormatKind::General, "1e+300");
        check(46053.0, FormatKind::Date, "\"2026-01-31\"");
        check(46053.0, FormatKind::Number, "46053");
        check(46_053.354_166_666_664, FormatKind::DateTime, "\"2026-01-31T08:30:00\"");
        check(0.354_166_666_666_666_7, FormatKind::Time, "\"08:30:00\"");
        check(0.0, FormatKind::Time, "\"00:00:00\"");
        check(1.5, FormatKind::Duration, "1.5");
        check(-1.0, FormatKind::Date, "-1");
    }
}
