//! Dates, times of day and elapsed times.

use grid::{CivilDateTime, DateSystem};

use crate::lexer::{Meridiem, Placeholder, Token, Unit};
use crate::section::literal;
use crate::{FormatKind, OVERFLOW};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const SECONDS_PER_DAY: i64 = 86_400;
/// Excel shows no more digits of a second than these.
const MAX_SUBSECOND_DIGITS: usize = 3;

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Literal(String),
    ShortYear,
    LongYear,
    BuddhistYear {
        long: bool,
    },
    Month(usize),
    Day(usize),
    Hour(usize),
    Minute(usize),
    Second(usize),
    /// `.00`: how many digits.
    Subsecond(usize),
    ElapsedHours(usize),
    ElapsedMinutes(usize),
    ElapsedSeconds(usize),
    Meridiem(Meridiem),
}

/// How a serial number is laid out as a date, a time or a duration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DateLayout {
    parts: Vec<Part>,
    twelve_hours: bool,
    kind: FormatKind,
    /// How many digits of a second time is rounded to, if it shows any.
    precision: Option<u32>,
}

impl DateLayout {
    /// Lays out a section with date or time units; `None` if an exponent makes no sense of it.
    pub(crate) fn compile(tokens: Vec<Token>) -> Option<DateLayout> {
        let minutes = minute_positions(&tokens);
        let mut parts = Vec::with_capacity(tokens.len());
        let mut tokens = tokens.into_iter().enumerate().peekable();
        while let Some((index, token)) = tokens.next() {
            let part = match token {
                Token::Unit(Unit::Year, count) if count <= 2 => Part::ShortYear,
                Token::Unit(Unit::Year | Unit::EraYear, _) => Part::LongYear,
                Token::Unit(Unit::Era, _) => continue,
                Token::Unit(Unit::BuddhistYear, count) => Part::BuddhistYear { long: count > 2 },
                Token::Unit(Unit::MonthOrMinute, count) if minutes.contains(&index) => Part::Minute(count),
                Token::Unit(Unit::MonthOrMinute, count) => Part::Month(count),
                Token::Unit(Unit::Day, count) => Part::Day(count),
                Token::Unit(Unit::Hour, count) => Part::Hour(count),
                Token::Unit(Unit::Second, count) => Part::Second(count),
                Token::Elapsed(Unit::Hour, count) => Part::ElapsedHours(count),
                Token::Elapsed(Unit::Second, count) => Part::ElapsedSeconds(count),
                Token::Elapsed(_, count) => Part::ElapsedMinutes(count),
                Token::Meridiem(meridiem) => Part::Meridiem(meridiem),
                Token::Point => {
                    let mut digits = 0;
                    while tokens.next_if(|(_, next)| *next == Token::Placeholder(Placeholder::Zero)).is_some()
                    {
                        digits += 1;
                    }
                    if digits == 0 { Part::Literal(".".to_owned()) } else { Part::Subsecond(digits) }
                }
                Token::Placeholder(Placeholder::Zero) => Part::Literal("0".to_owned()),
                Token::Placeholder(_) => continue,
                other => Part::Literal(literal(other)?),
            };
            parts.push(part);
        }
        let twelve_hours = parts.iter().any(|part| matches!(part, Part::Meridiem(_)));
        Some(DateLayout { twelve_hours, kind: kind(&parts), precision: precision(&parts), parts })
    }

    pub(crate) fn kind(&self) -> FormatKind {
        self.kind
    }

    /// Appends a serial number of the date system.
    pub(crate) fn write(&self, out: &mut String, serial: f64, dates: DateSystem) {
        // Only the 1904 system knows dates before its epoch: as negative spans.
        let negative = serial < 0.0;
        if negative && dates == DateSystem::Date1900 {
            out.push_str(OVERFLOW);
            return;
        }
        let serial = serial.abs();
        let per_second = 10i64.pow(self.precision.unwrap_or(0));
        let ticks_per_day = SECONDS_PER_DAY * per_second;
        if dates.to_civil(serial).is_none() {
            out.push_str(OVERFLOW);
            return;
        }
        // Rounded once, so that 59.9999 s carries into the minute, the hour and the day.
        let ticks = (serial * ticks_per_day as f64).round() as i64;
        let rounded = if self.precision.is_some() { ticks as f64 / ticks_per_day as f64 } else { serial };
        let Some(civil) = dates.to_civil(rounded) else {
            out.push_str(OVERFLOW);
            return;
        };
        if negative {
            out.push('-');
        }
        let seconds = ticks / per_second;
        for part in &self.parts {
            self.write_part(out, part, &civil, seconds);
        }
    }

    fn write_part(&self, out: &mut String, part: &Part, civil: &CivilDateTime, seconds: i64) {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::ShortYear => push_padded(out, i64::from(civil.year % 100), 2),
            Part::LongYear => push_padded(out, i64::from(civil.year), 4),
            Part::BuddhistYear { long: true } => push_padded(out, i64::from(civil.year + 543), 4),
            Part::BuddhistYear { long: false } => push_padded(out, i64::from((civil.year + 543) % 100), 2),
            Part::Month(count) => {
                let name = MONTHS[usize::from(civil.month - 1) % 12];
                match count {
                    1 | 2 => push_padded(out, i64::from(civil.month), *count),
                    3 => out.push_str(&name[..3]),
                    5 => out.push_str(&name[..1]),
                    _ => out.push_str(name),
                }
            }
            Part::Day(count) => {
                let name = DAYS[usize::from(civil.weekday) % 7];
                match count {
                    1 | 2 => push_padded(out, i64::from(civil.day), *count),
                    3 => out.push_str(&name[..3]),
                    _ => out.push_str(name),
                }
            }
            Part::Hour(count) => {
                let hour = if self.twelve_hours { (civil.hour + 11) % 12 + 1 } else { civil.hour };
                push_padded(out, i64::from(hour), (*count).min(2));
            }
            Part::Minute(count) => push_padded(out, i64::from(civil.minute), (*count).min(2)),
            Part::Second(count) => push_padded(out, i64::from(civil.second), (*count).min(2)),
            Part::Subsecond(count) => {
                let shown = (*count).min(MAX_SUBSECOND_DIGITS);
                let unit = 10u16.pow((MAX_SUBSECOND_DIGITS - shown) as u32);
                out.push('.');
                push_padded(out, i64::from(civil.millisecond / unit), shown);
                out.extend(std::iter::repeat_n('0', count - shown));
            }
            Part::ElapsedHours(count) => push_padded(out, seconds / 3600, *count),
            Part::ElapsedMinutes(count) => push_padded(out, seconds / 60, *count),
            Part::ElapsedSeconds(count) => push_padded(out, seconds, *count),
            Part::Meridiem(meridiem) => {
                let (morning, afternoon) = match meridiem {
                    Meridiem::Long => ("AM", "PM"),
                    Meridiem::Short => ("A", "P"),
                    Meridiem::ShortLower => ("a", "p"),
                };
                out.push_str(if civil.hour < 12 { morning } else { afternoon });
            }
        }
    }
}

/// Where `m` or `mm` is a minute: right behind hours, or right before seconds, literals aside.
fn minute_positions(tokens: &[Token]) -> Vec<usize> {
    let units: Vec<(usize, Unit, usize)> = tokens
        .iter()
        .enumerate()
        .filter_map(|(index, token)| match token {
            Token::Unit(unit, count) => Some((index, *unit, *count)),
            // An elapsed unit is no candidate itself, whatever its letter.
            Token::Elapsed(unit, _) => Some((index, *unit, usize::MAX)),
            _ => None,
        })
        .collect();
    let is = |neighbour: Option<&(usize, Unit, usize)>, wanted: Unit| {
        neighbour.is_some_and(|(_, unit, _)| *unit == wanted)
    };
    (0..units.len())
        .filter(|&place| {
            let (_, unit, count) = units[place];
            let before = place.checked_sub(1).and_then(|before| units.get(before));
            unit == Unit::MonthOrMinute
                && count <= 2
                && (is(before, Unit::Hour) || is(units.get(place + 1), Unit::Second))
        })
        .map(|place| units[place].0)
        .collect()
}

fn kind(parts: &[Part]) -> FormatKind {
    let has = |wanted: fn(&Part) -> bool| parts.iter().any(wanted);
    if has(|part| matches!(part, Part::ElapsedHours(_) | Part::ElapsedMinutes(_) | Part::ElapsedSeconds(_))) {
        return FormatKind::Duration;
    }
    let date = has(|part| {
        matches!(
            part,
            Part::ShortYear | Part::LongYear | Part::BuddhistYear { .. } | Part::Month(_) | Part::Day(_)
        )
    });
    let time = has(|part| {
        matches!(
            part,
            Part::Hour(_) | Part::Minute(_) | Part::Second(_) | Part::Subsecond(_) | Part::Meridiem(_)
        )
    });
    match (date, time) {
        (true, true) => FormatKind::DateTime,
        (false, true) => FormatKind::Time,
        _ => FormatKind::Date,
    }
}

fn precision(parts: &[Part]) -> Option<u32> {
    let digits = parts.iter().filter_map(|part| match part {
        Part::Subsecond(count) => Some((*count).min(MAX_SUBSECOND_DIGITS) as u32),
        Part::Hour(_)
        | Part::Minute(_)
        | Part::Second(_)
        | Part::ElapsedHours(_)
        | Part::ElapsedMinutes(_)
        | Part::ElapsedSeconds(_) => Some(0),
        _ => None,
    });
    digits.max()
}

fn push_padded(out: &mut String, number: i64, width: usize) {
    let text = number.to_string();
    out.extend(std::iter::repeat_n('0', width.saturating_sub(text.len())));
    out.push_str(&text);
}
