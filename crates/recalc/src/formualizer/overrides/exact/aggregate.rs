//! `COUNT` of what was computed, and the forms of `AGGREGATE` that take an array.

use formualizer_common::{DateSystem, ExcelErrorKind, LiteralValue};

use crate::formualizer::overrides::arguments::Argument;
use crate::formualizer::overrides::convert::{number_of, value_in};
use crate::formualizer::overrides::exact::single;
use crate::formualizer::overrides::spread::error;

/// Counts where something was computed that may be an error, which is passed over.
pub(super) fn counted(arguments: &[Argument], dates: DateSystem) -> Option<LiteralValue> {
    let is_computed = |argument: &Argument| {
        matches!(argument, Argument::Array(_) | Argument::Value(LiteralValue::Error(_)))
    };
    if !arguments.iter().any(is_computed) {
        return None;
    }
    let is_number = |value: &&LiteralValue| {
        !matches!(value, LiteralValue::Boolean(_) | LiteralValue::Empty) && number_of(value).is_some()
    };
    let count = |argument: &Argument| match argument {
        Argument::Omitted => 1,
        Argument::Value(LiteralValue::Text(text)) => usize::from(value_in(text, dates).is_some()),
        Argument::Value(value) => usize::from(number_of(value).is_some()),
        Argument::Cell(value) => usize::from(is_number(&value)),
        Argument::Array(rows) | Argument::Cells(rows) => rows.iter().flatten().filter(is_number).count(),
    };
    Some(LiteralValue::Number(arguments.iter().map(count).sum::<usize>() as f64))
}

/// `AGGREGATE` of an array, from `LARGE` (14) to `QUARTILE.EXC` (19).
pub(super) fn computed(arguments: &[Argument]) -> Option<LiteralValue> {
    let [function, options, array, position] = arguments else { return None };
    let function = single(function).and_then(number_of)? as i64;
    let options = single(options).map_or(Some(0.0), number_of)? as i64;
    if !(14..=19).contains(&function) {
        return None;
    }
    let passes_over_errors = matches!(options, 2 | 3 | 6 | 7);
    let position = match single(position)? {
        LiteralValue::Error(fault) => return Some(LiteralValue::Error(fault.clone())),
        value => number_of(value)?,
    };
    let mut numbers = Vec::new();
    let values: Vec<&LiteralValue> = match array {
        Argument::Omitted => Vec::new(),
        Argument::Value(value) | Argument::Cell(value) => vec![value],
        Argument::Array(rows) | Argument::Cells(rows) => rows.iter().flatten().collect(),
    };
    for value in values {
        match value {
            LiteralValue::Error(_) if passes_over_errors => {}
            LiteralValue::Error(fault) => return Some(LiteralValue::Error(fault.clone())),
            LiteralValue::Boolean(_) | LiteralValue::Empty => {}
            value => numbers.extend(number_of(value)),
        }
    }
    numbers.sort_unstable_by(f64::total_cmp);
    let result = match function {
        14 => ranked(numbers.iter().rev(), position),
        15 => ranked(numbers.iter(), position),
        16 => inclusive(&numbers, position),
        17 => inclusive(&numbers, position.trunc() / 4.0),
        18 => exclusive(&numbers, position),
        _ => exclusive(&numbers, position.trunc() / 4.0),
    };
    Some(result.map_or_else(|| error(ExcelErrorKind::Num), LiteralValue::Number))
}

fn ranked<'n>(mut numbers: impl Iterator<Item = &'n f64>, rank: f64) -> Option<f64> {
    if rank < 1.0 {
        return None;
    }
    numbers.nth(rank.ceil() as usize - 1).copied()
}

/// The percentile among numbers in order, of which the first is that of 0 and the last that of 1.
fn inclusive(numbers: &[f64], share: f64) -> Option<f64> {
    let last = numbers.len().checked_sub(1)?;
    (0.0..=1.0).contains(&share).then(|| between(numbers, share * last as f64))
}

/// The percentile among numbers in order, of which each stands for as much as what is beyond the first and the last.
fn exclusive(numbers: &[f64], share: f64) -> Option<f64> {
    let place = share * (numbers.len() + 1) as f64;
    (place >= 1.0 && place <= numbers.len() as f64).then(|| between(numbers, place - 1.0))
}

fn between(numbers: &[f64], place: f64) -> f64 {
    let below = place.floor() as usize;
    let next = (below + 1).min(numbers.len() - 1);
    numbers[below] + (numbers[next] - numbers[below]) * place.fract()
}
