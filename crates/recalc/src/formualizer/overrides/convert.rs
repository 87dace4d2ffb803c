//! Values as texts and texts as values, where a formula needs the other.

use formualizer_common::{DateSystem, LiteralValue, parse_excel_datetime_text_to_serial_for};
use number_format::number_text;

/// The text of a value; `None` for an error or an array.
pub(super) fn text_of(value: &LiteralValue) -> Option<String> {
    Some(match value {
        LiteralValue::Text(text) => text.clone(),
        LiteralValue::Number(number) => number_text(*number),
        LiteralValue::Int(number) => number_text(*number as f64),
        LiteralValue::Boolean(true) => "TRUE".to_owned(),
        LiteralValue::Boolean(false) => "FALSE".to_owned(),
        LiteralValue::Empty | LiteralValue::Pending => String::new(),
        LiteralValue::Error(_) | LiteralValue::Array(_) => return None,
        date => number_text(date.as_serial_number()?),
    })
}

/// The number of a value that is one, or a boolean, or nothing; `None` for anything else.
pub(super) fn number_of(value: &LiteralValue) -> Option<f64> {
    match value {
        LiteralValue::Number(number) => Some(*number),
        LiteralValue::Int(number) => Some(*number as f64),
        LiteralValue::Boolean(value) => Some(f64::from(u8::from(*value))),
        LiteralValue::Empty | LiteralValue::Pending => Some(0.0),
        LiteralValue::Text(_) | LiteralValue::Error(_) | LiteralValue::Array(_) => None,
        date => date.as_serial_number(),
    }
}

/// The number that a text is read as: also a percentage, dollars, and thousands with commas.
pub(super) fn number_in(text: &str) -> Option<f64> {
    let text = text.trim();
    let (digits, scale) = match text.strip_suffix('%') {
        Some(digits) => (digits.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let (sign, digits) = match digits.strip_prefix(['-', '+']) {
        Some(rest) => (if digits.starts_with('-') { -1.0 } else { 1.0 }, rest),
        None => (1.0, digits),
    };
    let digits = digits.strip_prefix('$').unwrap_or(digits);
    // What else is a number to Rust are names of infinities.
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let number: f64 = match digits.contains(',') {
        true => without_commas(digits)?.parse().ok()?,
        false => digits.parse().ok()?,
    };
    number.is_finite().then_some(sign * number / scale)
}

/// Digits without the commas between thousands; `None` where they stand elsewhere.
fn without_commas(digits: &str) -> Option<String> {
    let whole = digits.split('.').next()?;
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let is_grouped = (1..=3).contains(&first.len())
        && groups.all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()))
        && !digits[whole.len()..].contains(',');
    is_grouped.then(|| digits.replace(',', ""))
}

/// The serial number that a text is read as: a date, a time of day or both.
pub(super) fn serial_in(text: &str, system: DateSystem) -> Option<f64> {
    let text = text.trim();
    if !text.contains(|digit: char| digit.is_ascii_digit()) {
        return None;
    }
    let read = |text: &str| parse_excel_datetime_text_to_serial_for(system, text);
    read(text).or_else(|| read(&month_first(text)?))
}

/// `1 March 2024` as `March 1, 2024`, which the library reads.
fn month_first(text: &str) -> Option<String> {
    let mut words = text.split([' ', '-']).filter(|word| !word.is_empty());
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(day) || !is_number(year) || is_number(month) {
        return None;
    }
    let rest: Vec<&str> = words.collect();
    Some(format!("{month} {day}, {year} {}", rest.join(" ")).trim_end().to_owned())
}

/// The number that a text stands for as an argument: a number, a date or a time.
pub(super) fn value_in(text: &str, system: DateSystem) -> Option<f64> {
    number_in(text).or_else(|| serial_in(text, system))
}
