//! Parts of dates and times.

use formualizer_common::{DateSystem, ExcelErrorKind, LiteralValue};
use grid::CivilDateTime;

use crate::formualizer::overrides::convert::{number_of, value_in};
use crate::formualizer::overrides::scalar::Compute;
use crate::formualizer::overrides::spread::error;

/// Every one of them.
pub(super) const PARTS: &[(&str, Compute)] = &[
    ("YEAR", |values, dates| of_day(values, dates, |day| f64::from(day.year))),
    ("MONTH", |values, dates| of_day(values, dates, |day| f64::from(day.month))),
    ("DAY", |values, dates| of_day(values, dates, |day| f64::from(day.day))),
    ("HOUR", |values, dates| of_time(values, dates, |seconds| seconds / 3600)),
    ("MINUTE", |values, dates| of_time(values, dates, |seconds| seconds / 60 % 60)),
    ("WEEKDAY", weekday),
    ("SECOND", |values, dates| of_time(values, dates, |seconds| seconds % 60)),
];

const SECONDS_PER_DAY: f64 = 86_400.0;

/// The epoch in our own words.
pub(super) fn epoch(dates: DateSystem) -> grid::DateSystem {
    match dates {
        DateSystem::Excel1904 => grid::DateSystem::Date1904,
        DateSystem::Excel1900 => grid::DateSystem::Date1900,
    }
}

fn serial(values: &[LiteralValue], dates: DateSystem) -> Result<f64, ExcelErrorKind> {
    let [value] = values else { return Err(ExcelErrorKind::Value) };
    let serial = match value {
        LiteralValue::Text(text) => value_in(text, dates),
        value => number_of(value),
    };
    serial.ok_or(ExcelErrorKind::Value)
}

fn of_day(values: &[LiteralValue], dates: DateSystem, part: fn(CivilDateTime) -> f64) -> LiteralValue {
    match serial(values, dates) {
        Ok(serial) => match epoch(dates).to_civil(serial.floor()) {
            Some(day) => LiteralValue::Number(part(day)),
            None => error(ExcelErrorKind::Num),
        },
        Err(kind) => error(kind),
    }
}

/// `WEEKDAY`: its second argument says which day is the first, and whether it is 1 or 0.
fn weekday(values: &[LiteralValue], dates: DateSystem) -> LiteralValue {
    let kind = match values.get(1).map_or(Some(1.0), number_of) {
        Some(kind) => kind.trunc() as i64,
        None => return error(ExcelErrorKind::Value),
    };
    // The day, from Sunday on, that is the first.
    let (first, one) = match kind {
        1 => (0, 1),
        2 => (1, 1),
        3 => (1, 0),
        11..=17 => ((kind - 10) % 7, 1),
        _ => return error(ExcelErrorKind::Num),
    };
    match serial(values.get(..1).unwrap_or_default(), dates) {
        Ok(serial) => match epoch(dates).to_civil(serial.floor()) {
            Some(day) => LiteralValue::Number(((i64::from(day.weekday) + 7 - first) % 7 + one) as f64),
            None => error(ExcelErrorKind::Num),
        },
        Err(kind) => error(kind),
    }
}

/// Times count to whole seconds.
fn of_time(values: &[LiteralValue], dates: DateSystem, part: fn(u32) -> u32) -> LiteralValue {
    match serial(values, dates) {
        Ok(serial) if epoch(dates).to_civil(serial.floor()).is_none() => error(ExcelErrorKind::Num),
        Ok(serial) => {
            let seconds = ((serial - serial.floor()) * SECONDS_PER_DAY).round() as u32;
            LiteralValue::Number(f64::from(part(seconds % SECONDS_PER_DAY as u32)))
        }
        Err(kind) => error(kind),
    }
}
