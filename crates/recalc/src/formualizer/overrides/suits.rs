//! Whether a function of one library or the other takes some arguments as Excel does.

use formualizer_common::{ExcelErrorKind, LiteralValue};
use formualizer_eval::traits::{ArgumentHandle, CalcValue};

use grid::ErrorValue;

use crate::formualizer::corrected::conditions;
use crate::formualizer::overrides::arguments::Argument;
use crate::formualizer::overrides::convert::number_of;
use crate::formualizer::overrides::spread::size;
use crate::formualizer::overrides::texts;

/// The error of `VLOOKUP` or `HLOOKUP` where it is asked for a column or row that its table has not, if what it looks for is there.
pub(super) fn beyond_table(name: &str, args: &[ArgumentHandle<'_, '_>]) -> Option<ExcelErrorKind> {
    if !matches!(name, "VLOOKUP" | "HLOOKUP") {
        return None;
    }
    let index = match args.get(2)?.value() {
        Ok(CalcValue::Scalar(value) | CalcValue::AnnotatedScalar(value, _)) => number_of(&value)?,
        _ => return None,
    };
    if index < 1.0 {
        return Some(ExcelErrorKind::Value);
    }
    let (rows, cols) = match args.get(1)?.value() {
        Ok(CalcValue::Range(view)) => view.dims(),
        Ok(CalcValue::Scalar(LiteralValue::Array(rows))) => size(&rows),
        _ => return None,
    };
    let extent = if name == "VLOOKUP" { cols } else { rows };
    (index.trunc() > extent as f64).then_some(ExcelErrorKind::Ref)
}

/// Whether `COUNTIF` or one of its like is asked for an error.
pub(super) fn has_error_condition(name: &str, args: &[ArgumentHandle<'_, '_>]) -> bool {
    let is_error = |index: usize| match args.get(index).map(ArgumentHandle::value) {
        Some(Ok(CalcValue::Scalar(LiteralValue::Error(_))) | Err(_)) => true,
        Some(Ok(CalcValue::Scalar(LiteralValue::Text(text)))) => {
            text.trim_start_matches(['=', '<', '>']).parse::<ErrorValue>().is_ok()
        }
        _ => false,
    };
    conditions(name, args.len()).is_some_and(|conditions| conditions.into_iter().any(is_error))
}

/// Whether the library's own function, which takes single values only, takes these as Excel does.
pub(super) fn is_own_like_excel(name: &str, args: &[ArgumentHandle<'_, '_>]) -> bool {
    let value = |index: usize| match args.get(index).map(ArgumentHandle::value) {
        Some(Ok(CalcValue::Scalar(value) | CalcValue::AnnotatedScalar(value, _))) => Some(value),
        _ => None,
    };
    match name {
        "CHOOSE" => !matches!(value(0), Some(LiteralValue::Boolean(_))),
        "ISODD" | "ISEVEN" => !matches!(value(0), Some(LiteralValue::Empty)),
        "LOG" => !matches!(value(1), Some(LiteralValue::Number(base)) if base == 1.0),
        _ => texts::are_plain(name, args),
    }
}

/// Functions of dates whose first argument is one.
pub(super) const OF_DATES: &[&str] = &[
    "DATEDIF",
    "DAYS",
    "DAYS360",
    "EDATE",
    "EOMONTH",
    "ISOWEEKNUM",
    "NETWORKDAYS",
    "NETWORKDAYS.INTL",
    "WEEKNUM",
    "WORKDAY",
    "WORKDAY.INTL",
    "YEARFRAC",
];
/// The first day after the one that never was, 29 February 1900: IronCalc numbers those before it otherwise.
const MARCH_1900: f64 = 61.0;

/// Whether IronCalc takes these arguments as Excel does.
pub(super) fn is_like_excel(name: &str, arguments: &[Argument]) -> bool {
    match name {
        // Excel takes as many cells to add as there are to compare, whatever is written.
        "SUMIF" | "AVERAGEIF" => match arguments {
            [Argument::Cells(tested), _, Argument::Cells(added)] => {
                tested.len() == added.len() && tested.first().map(Vec::len) == added.first().map(Vec::len)
            }
            [Argument::Cell(_), _, Argument::Cell(_)] => true,
            [_, _, _] => false,
            _ => true,
        },
        // It yields one value, where several beside each other are asked for.
        "XLOOKUP" => match (arguments.get(1).map(Argument::shape), arguments.get(2).map(Argument::shape)) {
            (Some((1, _)), Some((rows, _))) => rows == 1,
            (Some((_, 1)), Some((_, cols))) => cols == 1,
            _ => true,
        },
        _ if OF_DATES.contains(&name) => match arguments.first() {
            Some(Argument::Cell(LiteralValue::Empty) | Argument::Omitted) => false,
            Some(
                Argument::Value(LiteralValue::Number(number)) | Argument::Cell(LiteralValue::Number(number)),
            ) => *number >= MARCH_1900 || *number < 0.0,
            _ => true,
        },
        _ => true,
    }
}

/// Whether the result is a day that IronCalc numbers otherwise.
pub(super) fn is_early(name: &str, result: &LiteralValue) -> bool {
    matches!(name, "DATE" | "EDATE" | "EOMONTH" | "WORKDAY" | "WORKDAY.INTL")
        && matches!(result, LiteralValue::Number(number) if *number < MARCH_1900)
}
