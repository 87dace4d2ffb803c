//! What somebody makes of a sample.

use std::fmt;

use grid::Value;
use recalc::Computed;

/// How far numbers may differ, in proportion.
const RELATIVE: f64 = 1e-9;
/// How far numbers near zero may differ.
const ABSOLUTE: f64 = 1e-12;

/// The answer to one sample.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// The values of its cells, row by row.
    Values(Vec<Computed>),
    /// The engine does not compute it.
    Refused(String),
}

impl Answer {
    /// Whether both have values, and the same ones.
    pub(crate) fn agrees(&self, other: &Answer) -> bool {
        match (self, other) {
            (Answer::Values(ours), Answer::Values(theirs)) => {
                ours.len() == theirs.len()
                    && ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours.value(), theirs.value()))
            }
            _ => false,
        }
    }
}

/// LibreOffice knows booleans by the format of their cells alone, so that `TRUE` may be told as 1.
fn is_same(ours: Value<'_>, theirs: Value<'_>) -> bool {
    match (number(ours), number(theirs)) {
        (Some(one), Some(other)) => {
            let difference = (one - other).abs();
            difference <= ABSOLUTE || difference <= RELATIVE * one.abs().max(other.abs())
        }
        _ => ours == theirs,
    }
}

fn number(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Number(number) => Some(number),
        Value::Bool(value) => Some(f64::from(u8::from(value))),
        _ => None,
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Refused(why) => write!(f, "refused: {why}"),
            Answer::Values(values) => {
                let shown: Vec<String> = values.iter().map(|value| shown(value.value())).collect();
                f.write_str(&shown.join(", "))
            }
        }
    }
}

/// A value as a formula would write it.
fn shown(value: Value<'_>) -> String {
    match value {
        Value::Empty => "nothing".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Bool(value) => value.to_string().to_uppercase(),
        Value::Error(error) => error.to_string(),
    }
}
