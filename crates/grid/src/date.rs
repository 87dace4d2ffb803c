//! Serial dates: days since an epoch, the fraction being the time of day.

use std::fmt;

/// Which epoch a workbook counts its days from (ECMA-376 Part 1 §18.17.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DateSystem {
    /// Day 1 is 1900-01-01, and day 60 is 1900-02-29, which never was (kept from Lotus 1-2-3).
    #[default]
    Date1900,
    /// Day 0 is 1904-01-01.
    Date1904,
}

/// A calendar date and time of day, without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct CivilDateTime {
    pub year: i32,
    pub month: u8,
    /// 1 to 31; 29 for the 29th of February 1900 of [`DateSystem::Date1900`], and 0 for its day 0.
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub millisecond: u16,
    /// 0 is Sunday, as spreadsheets count (including their wrong weekdays before 1900-03-01).
    pub weekday: u8,
}

/// Serial of 9999-12-31 in [`DateSystem::Date1900`].
const LAST_DAY_1900: i64 = 2_958_465;
/// Days from the first system's day 0 to the second's.
const DAYS_1900_TO_1904: i64 = 1462;
const MILLIS_PER_DAY: i64 = 86_400_000;

impl DateSystem {
    /// The calendar date of a serial number, rounded to the millisecond; `None` if a sheet would not show one
    /// (negative, or after 9999-12-31).
    pub fn to_civil(self, serial: f64) -> Option<CivilDateTime> {
        if !serial.is_finite() || serial < 0.0 || serial > (LAST_DAY_1900 + 1) as f64 {
            return None;
        }
        let millis = (serial * MILLIS_PER_DAY as f64).round() as i64;
        let (day, time) = (millis.div_euclid(MILLIS_PER_DAY), millis.rem_euclid(MILLIS_PER_DAY));
        let day = match self {
            DateSystem::Date1900 => day,
            DateSystem::Date1904 => day + DAYS_1900_TO_1904,
        };
        if day > LAST_DAY_1900 {
            return None;
        }
        let (year, month, day_of_month) = match (self, day) {
            (DateSystem::Date1900, 0) => (1900, 1, 0),
            (DateSystem::Date1900, 60) => (1900, 2, 29),
            (DateSystem::Date1900, 1..60) => civil_from_days(day - 25_568),
            _ => civil_from_days(day - 25_569),
        };
        Some(CivilDateTime {
            year,
            month,
            day: day_of_month,
            hour: (time / 3_600_000) as u8,
            minute: (time / 60_000 % 60) as u8,
            second: (time / 1000 % 60) as u8,
            millisecond: (time % 1000) as u16,
            weekday: ((day + 6) % 7) as u8,
        })
    }

    /// The serial number of a calendar date at midnight; `None` before the epoch or after 9999-12-31.
    pub fn from_date(self, year: i32, month: u8, day: u8) -> Option<f64> {
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        if self == DateSystem::Date1900 && (year, month, day) == (1900, 2, 29) {
            return Some(60.0);
        }
        let days = days_from_civil(year, month, day);
        if civil_from_days(days) != (year, month, day) {
            return None;
        }
        let serial = days + 25_569;
        let serial = match self {
            DateSystem::Date1900 if serial <= 60 => serial - 1,
            DateSystem::Date1900 => serial,
            DateSystem::Date1904 => serial - DAYS_1900_TO_1904,
        };
        let last =
            if self == DateSystem::Date1900 { LAST_DAY_1900 } else { LAST_DAY_1900 - DAYS_1900_TO_1904 };
        (0..=last).contains(&serial).then_some(serial as f64)
    }
}

/// Days since 1970-01-01 to a date of the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms").
fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u8;
    let month = (if mp < 10 { mp + 3 } else { mp - 9 }) as u8;
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year as i32, month, day)
}

fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let y = i64::from(year) - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (i64::from(month) + 9) % 12;
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

impl CivilDateTime {
    /// Whether the time of day is not midnight.
    pub const fn has_time(&self) -> bool {
        self.hour != 0 || self.minute != 0 || self.second != 0 || self.millisecond != 0
    }
}

impl fmt::Display for CivilDateTime {
    /// ISO 8601: `2026-01-31`, or `2026-01-31T08:30:00` when there is a time of day.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)?;
        if self.has_time() {
            write!(f, "T{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        }
        if self.millisecond != 0 {
            write!(f, ".{:03}", self.millisecond)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(system: DateSystem, serial: f64, text: &str) {
        assert_eq!(system.to_civil(serial).map(|date| date.to_string()).as_deref(), Some(text), "{serial}");
    }

    #[test]
    fn date_1900() {
        check(DateSystem::Date1900, 0.0, "1900-01-00");
        check(DateSystem::Date1900, 1.0, "1900-01-01");
        check(DateSystem::Date1900, 59.0, "1900-02-28");
        check(DateSystem::Date1900, 60.0, "1900-02-29");
        check(DateSystem::Date1900, 61.0, "1900-03-01");
        check(DateSystem::Date1900, 46053.354166666664, "2026-01-31T08:30:00");
        check(DateSystem::Date1900, 2958465.0, "9999-12-31");
        assert_eq!(DateSystem::Date1900.to_civil(2958466.0), None);
        assert_eq!(DateSystem::Date1900.to_civil(-1.0), None);
        assert_eq!(DateSystem::Date1900.to_civil(f64::NAN), None);
    }

    #[test]
    fn date_1904() {
        check(DateSystem::Date1904, 0.0, "1904-01-01");
        check(DateSystem::Date1904, 44591.0, "2026-01-31");
    }

    #[test]
    fn weekdays_as_a_sheet_counts_them() {
        assert_eq!(DateSystem::Date1900.to_civil(1.0).unwrap().weekday, 0);
        assert_eq!(DateSystem::Date1900.to_civil(46053.0).unwrap().weekday, 6);
    }

    proptest! {
        #[test]
        fn round_trip(serial in 1u32..=2_958_465) {
            let serial = f64::from(serial);
            let date = DateSystem::Date1900.to_civil(serial).unwrap();
            prop_assert_eq!(DateSystem::Date1900.from_date(date.year, date.month, date.day), Some(serial));
        }
    }
}
