//! Single values: numbers as texts, numerals, temperatures.

use formualizer_common::{DateSystem, ExcelErrorKind, LiteralValue};
use grid::Value;
use number_format::{NumberFormat, OVERFLOW};

use crate::formualizer::overrides::arguments::Argument;
use crate::formualizer::overrides::convert::{number_of, text_of, value_in};
use crate::formualizer::overrides::dates::epoch;
use crate::formualizer::overrides::exact::single;
use crate::formualizer::overrides::spread::error;

pub(super) fn computed(name: &str, arguments: &[Argument], dates: DateSystem) -> Option<LiteralValue> {
    match (name, arguments) {
        ("TEXT", [value, code]) => text(single(value)?, single(code)?, dates),
        ("CONVERT", [value, from, to]) => {
            temperature(number_of(single(value)?)?, &text_of(single(from)?)?, &text_of(single(to)?)?)
        }
        ("ARABIC", [numeral]) => negative_numeral(&text_of(single(numeral)?)?),
        ("VALUETOTEXT", [value, format]) => match (single(value)?, number_of(single(format)?)?) {
            (LiteralValue::Text(text), 1.0) => {
                Some(LiteralValue::Text(format!("\"{}\"", text.replace('"', "\"\""))))
            }
            _ => None,
        },
        ("NUMBERVALUE", [text, ..]) => {
            text_of(single(text)?)?.trim().is_empty().then_some(LiteralValue::Number(0.0))
        }
        _ => None,
    }
}

/// `TEXT`: a value as a sheet shows it in a number format.
fn text(value: &LiteralValue, code: &LiteralValue, dates: DateSystem) -> Option<LiteralValue> {
    if let Some(fault) = [value, code].into_iter().find(|value| matches!(value, LiteralValue::Error(_))) {
        return Some(fault.clone());
    }
    let code = text_of(code)?;
    let number = match value {
        LiteralValue::Boolean(_) => return text_of(value).map(LiteralValue::Text),
        LiteralValue::Text(text) => value_in(text, dates),
        value => number_of(value),
    };
    if code.is_empty() {
        return Some(LiteralValue::Text(String::new()));
    }
    let format = NumberFormat::parse(&code);
    if !format.is_valid() {
        return Some(error(ExcelErrorKind::Value));
    }
    let shown = match (number, value) {
        (Some(number), _) => format.format(Value::Number(number), epoch(dates)),
        (None, LiteralValue::Text(text)) => format.format(Value::Text(text), epoch(dates)),
        (None, _) => return None,
    };
    Some(if shown == OVERFLOW { error(ExcelErrorKind::Value) } else { LiteralValue::Text(shown) })
}

/// A temperature in another unit; `None` where one of the units is another one.
fn temperature(value: f64, from: &str, to: &str) -> Option<LiteralValue> {
    const ZERO_CELSIUS: f64 = 273.15;
    let celsius = match from {
        "C" | "cel" => value,
        "F" | "fah" => (value - 32.0) / 1.8,
        "K" | "kel" => value - ZERO_CELSIUS,
        "Rank" => value / 1.8 - ZERO_CELSIUS,
        "Reau" => value * 1.25,
        _ => return None,
    };
    let converted = match to {
        _ if from == to => value,
        "C" | "cel" => celsius,
        "F" | "fah" => celsius * 1.8 + 32.0,
        "K" | "kel" => celsius + ZERO_CELSIUS,
        "Rank" => (celsius + ZERO_CELSIUS) * 1.8,
        "Reau" => celsius * 0.8,
        _ => return None,
    };
    Some(LiteralValue::Number(converted))
}

/// A Roman numeral after a minus; `None` for one without.
fn negative_numeral(text: &str) -> Option<LiteralValue> {
    let numeral = text.trim().strip_prefix('-')?.to_ascii_uppercase();
    let worth = |letter: char| match letter {
        'I' => Some(1),
        'V' => Some(5),
        'X' => Some(10),
        'L' => Some(50),
        'C' => Some(100),
        'D' => Some(500),
        'M' => Some(1000),
        _ => None,
    };
    let Some(worths) = numeral.chars().map(worth).collect::<Option<Vec<i32>>>() else {
        return Some(error(ExcelErrorKind::Value));
    };
    let mut sum = 0;
    for (index, worth) in worths.iter().enumerate() {
        let is_taken_away = worths.get(index + 1).is_some_and(|next| next > worth);
        sum += if is_taken_away { -worth } else { *worth };
    }
    Some(LiteralValue::Number(f64::from(-sum)))
}
