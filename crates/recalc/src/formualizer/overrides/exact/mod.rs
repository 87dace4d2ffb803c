//! Calls that IronCalc computes otherwise than Excel, case by case: computed here, or brought into a form that it takes.

mod aggregate;
mod complex;
mod pairs;
mod values;

use formualizer_common::{DateSystem, ExcelErrorKind, LiteralValue};

use crate::formualizer::overrides::arguments::Argument;
use crate::formualizer::overrides::convert::{number_in, number_of, serial_in};
use crate::formualizer::overrides::dates::epoch;
use crate::formualizer::overrides::spread::error;

/// The result of a call, where IronCalc has another one than Excel.
pub(super) fn computed(name: &str, arguments: &[Argument], dates: DateSystem) -> Option<LiteralValue> {
    match name {
        "AGGREGATE" => aggregate::computed(arguments),
        "AND" | "OR" | "XOR" => no_boolean(arguments).then(|| error(ExcelErrorKind::Value)),
        "PRODUCT" => no_number(arguments, dates).then(|| error(ExcelErrorKind::Value)),
        "COUNT" => aggregate::counted(arguments, dates),
        "DATE" => dates_by_part(arguments, dates),
        "MDETERM" | "MINVERSE" => {
            let mut values = arguments.first()?.rows()?.iter().flatten();
            values.any(|value| matches!(value, LiteralValue::Empty)).then(|| error(ExcelErrorKind::Value))
        }
        "FVSCHEDULE" => {
            let has_text = arguments.get(1)?.rows()?.iter().flatten();
            let mut texts = has_text.filter(|rate| matches!(rate, LiteralValue::Text(_)));
            texts.next().map(|_| error(ExcelErrorKind::Value))
        }
        "TEXT" | "CONVERT" | "ARABIC" | "NUMBERVALUE" | "VALUETOTEXT" => {
            values::computed(name, arguments, dates)
        }
        _ => complex::computed(name, arguments).or_else(|| pairs::computed(name, arguments)),
    }
}

/// The result of a call in place of IronCalc's, where this is an error that Excel does not have.
pub(super) fn mended(
    name: &str,
    arguments: &[Argument],
    result: LiteralValue,
    dates: DateSystem,
) -> LiteralValue {
    let is_fault = matches!(&result, LiteralValue::Error(error) if error.kind == ExcelErrorKind::Value);
    if !is_fault || !matches!(name, "VALUE" | "DATEVALUE" | "TIMEVALUE") {
        return result;
    }
    let Some(LiteralValue::Text(text)) = arguments.first().and_then(single) else { return result };
    let Some(serial) = serial_in(text, dates) else { return result };
    LiteralValue::Number(match name {
        "VALUE" => serial,
        "DATEVALUE" => serial.floor(),
        _ => serial.fract(),
    })
}

/// Brings arguments into the form in which IronCalc takes them as Excel would.
pub(super) fn adapt(name: &str, arguments: &mut Vec<Argument>, dates: DateSystem) {
    match name {
        "SORT" => {
            for argument in arguments.iter_mut().skip(1).take(2) {
                if *argument == Argument::Omitted {
                    *argument = Argument::Value(LiteralValue::Number(1.0));
                }
            }
        }
        "IMSUM" | "IMPRODUCT" => complex::flatten(arguments),
        _ if pairs::takes_arrays(name) => pairs::as_arrays(arguments),
        _ => {
            for argument in arguments.iter_mut().take(dates_of(name)) {
                if let Argument::Value(value) | Argument::Cell(value) = argument
                    && let LiteralValue::Text(text) = value
                    && number_in(text).is_none()
                    && let Some(serial) = serial_in(text, dates)
                {
                    *argument = Argument::Value(LiteralValue::Number(serial));
                }
            }
        }
    }
}

/// How many of the first arguments are dates.
fn dates_of(name: &str) -> usize {
    match name {
        "EDATE" | "EOMONTH" | "ISOWEEKNUM" | "WEEKNUM" | "WORKDAY" | "WORKDAY.INTL" => 1,
        "DATEDIF" | "DAYS" | "DAYS360" | "NETWORKDAYS" | "NETWORKDAYS.INTL" | "YEARFRAC" => 2,
        _ => 0,
    }
}

/// `DATE`, also before March 1900; `None` for what is left to IronCalc.
fn dates_by_part(arguments: &[Argument], dates: DateSystem) -> Option<LiteralValue> {
    let [year, month, day] = arguments else { return None };
    let part = |argument: &Argument| single(argument).and_then(number_of).map(|part| part.floor() as i64);
    let (year, month, day) = (part(year)?, part(month)?, part(day)?);
    // Years count from 1900 where they are not those of the calendar.
    let year = if (0..1900).contains(&year) { year + 1900 } else { year };
    let months = year.checked_mul(12)?.checked_add(month)?.checked_sub(1)?;
    let first = epoch(dates).from_date(
        i32::try_from(months.div_euclid(12)).ok()?,
        u8::try_from(months.rem_euclid(12) + 1).ok()?,
        1,
    )?;
    let serial = first + day as f64 - 1.0;
    Some(match epoch(dates).to_civil(serial) {
        Some(_) => LiteralValue::Number(serial),
        None => error(ExcelErrorKind::Num),
    })
}

/// The one value of an argument; `None` for several or for what is left out.
fn single(argument: &Argument) -> Option<&LiteralValue> {
    match argument {
        Argument::Value(value) | Argument::Cell(value) => Some(value),
        _ => None,
    }
}

/// Whether an argument that was written or computed is a text, other than that of a boolean, and not empty.
fn no_boolean(arguments: &[Argument]) -> bool {
    let is_boolean = |text: &str| {
        text.is_empty() || text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
    };
    let mut texts = arguments.iter().filter(
        |argument| matches!(argument, Argument::Value(LiteralValue::Text(text)) if !is_boolean(text)),
    );
    // What is an error comes first.
    texts.next().is_some() && !has_error(arguments)
}

/// Whether an argument that was written or computed is a text, other than that of a number.
fn no_number(arguments: &[Argument], dates: DateSystem) -> bool {
    let is_number = |text: &str| number_in(text).or_else(|| serial_in(text, dates)).is_some();
    let mut texts = arguments
        .iter()
        .filter(|argument| matches!(argument, Argument::Value(LiteralValue::Text(text)) if !is_number(text)));
    texts.next().is_some() && !has_error(arguments)
}

fn has_error(arguments: &[Argument]) -> bool {
    let is_error = |value: &LiteralValue| matches!(value, LiteralValue::Error(_));
    arguments.iter().any(|argument| match argument {
        Argument::Omitted => false,
        Argument::Value(value) | Argument::Cell(value) => is_error(value),
        Argument::Array(rows) | Argument::Cells(rows) => rows.iter().flatten().any(is_error),
    })
}
