//! Operators, as functions that `corrected` calls in their place, and small functions whose results differ from Excel's.

use std::cmp::Ordering;

use formualizer_common::{DateSystem, ExcelErrorKind, LiteralValue};

use crate::computed::MAX_TEXT;
use crate::formualizer::overrides::convert::{number_of, text_of, value_in};
use crate::formualizer::overrides::scalar::Compute;
use crate::formualizer::overrides::spread::error;

/// Operators but `*`, `/` and `&`, and such functions.
pub(super) const OPERATORS: &[(&str, Compute)] = &[
    ("=", |values, _| compared(values, Ordering::is_eq)),
    ("<>", |values, _| compared(values, Ordering::is_ne)),
    ("<", |values, _| compared(values, Ordering::is_lt)),
    ("<=", |values, _| compared(values, Ordering::is_le)),
    (">", |values, _| compared(values, Ordering::is_gt)),
    (">=", |values, _| compared(values, Ordering::is_ge)),
    ("+", |values, dates| sum(values, dates, 1.0)),
    ("-", |values, dates| sum(values, dates, -1.0)),
    ("^", power),
    ("POWER", power),
    ("NOT", |values, _| not(values)),
    ("REPT", repeated),
];

fn compared(values: &[LiteralValue], holds: fn(Ordering) -> bool) -> LiteralValue {
    let [left, right] = values else { return error(ExcelErrorKind::Value) };
    LiteralValue::Boolean(holds(order(left, right)))
}

/// Numbers come before texts, texts before booleans; what is empty is like the other one's zero.
fn order(left: &LiteralValue, right: &LiteralValue) -> Ordering {
    let rank = |value: &LiteralValue| match value {
        LiteralValue::Text(_) => 1,
        LiteralValue::Boolean(_) => 2,
        _ => 0,
    };
    let by_number = || match (number_of(left), number_of(right)) {
        (Some(left), Some(right)) if is_same(left, right) => Ordering::Equal,
        (left, right) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
    };
    match (left, right) {
        (LiteralValue::Text(left), LiteralValue::Text(right)) => {
            left.to_lowercase().cmp(&right.to_lowercase())
        }
        (LiteralValue::Text(text), LiteralValue::Empty) => text.as_str().cmp(""),
        (LiteralValue::Empty, LiteralValue::Text(text)) => "".cmp(text.as_str()),
        (LiteralValue::Empty, _) | (_, LiteralValue::Empty) => by_number(),
        _ => rank(left).cmp(&rank(right)).then_with(by_number),
    }
}

fn not(values: &[LiteralValue]) -> LiteralValue {
    let [value] = values else { return error(ExcelErrorKind::Value) };
    let truth = match value {
        LiteralValue::Text(text) if text.eq_ignore_ascii_case("TRUE") => Some(true),
        LiteralValue::Text(text) if text.eq_ignore_ascii_case("FALSE") => Some(false),
        LiteralValue::Text(_) => None,
        value => number_of(value).map(|number| number != 0.0),
    };
    truth.map_or_else(|| error(ExcelErrorKind::Value), |truth| LiteralValue::Boolean(!truth))
}

fn repeated(values: &[LiteralValue], dates: DateSystem) -> LiteralValue {
    let [text, times] = values else { return error(ExcelErrorKind::Value) };
    let (Some(text), Some(times)) = (text_of(text), operand(times, dates)) else {
        return error(ExcelErrorKind::Value);
    };
    let characters = text.encode_utf16().count() as f64;
    match times >= 0.0 && times.trunc() * characters <= MAX_TEXT as f64 {
        true if characters == 0.0 => LiteralValue::Text(String::new()),
        true => LiteralValue::Text(text.repeat(times as usize)),
        false => error(ExcelErrorKind::Value),
    }
}

/// What a number is wanted of: also of a text that reads as one.
fn operand(value: &LiteralValue, dates: DateSystem) -> Option<f64> {
    match value {
        LiteralValue::Text(text) => value_in(text, dates),
        value => number_of(value),
    }
}

/// Whether numbers are the same in the 15 digits that Excel compares.
fn is_same(left: f64, right: f64) -> bool {
    left == right
        || (left - right).abs() <= 1e-14 * left.abs().max(right.abs())
            && format!("{left:.14e}") == format!("{right:.14e}")
}

/// A sum or a difference, which is 0 where the operands are opposite in the digits that Excel has.
fn sum(values: &[LiteralValue], dates: DateSystem, sign: f64) -> LiteralValue {
    let [left, right] = values else { return error(ExcelErrorKind::Value) };
    let (Some(left), Some(right)) = (operand(left, dates), operand(right, dates)) else {
        return error(ExcelErrorKind::Value);
    };
    let right = sign * right;
    let sum = left + right;
    if sum.is_finite() {
        LiteralValue::Number(if is_same(left, -right) { 0.0 } else { sum })
    } else {
        error(ExcelErrorKind::Num)
    }
}

fn power(values: &[LiteralValue], dates: DateSystem) -> LiteralValue {
    let [base, exponent] = values else { return error(ExcelErrorKind::Value) };
    let (Some(base), Some(exponent)) = (operand(base, dates), operand(exponent, dates)) else {
        return error(ExcelErrorKind::Value);
    };
    if base == 0.0 && exponent <= 0.0 {
        return error(if exponent == 0.0 { ExcelErrorKind::Num } else { ExcelErrorKind::Div });
    }
    let power = base.powf(exponent);
    if power.is_finite() { LiteralValue::Number(power) } else { error(ExcelErrorKind::Num) }
}
