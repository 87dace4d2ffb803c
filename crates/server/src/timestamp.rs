//! Moments as text.

use std::time::{SystemTime, UNIX_EPOCH};

use grid::DateSystem;

/// The serial of 1970-01-01 in the 1900 date system.
const UNIX_EPOCH_SERIAL: f64 = 25_569.0;

/// A moment in UTC, to the second, as ISO 8601 writes it: `2026-03-01T09:30:00Z`. `None` before 1970.
pub(crate) fn iso_8601(moment: SystemTime) -> Option<String> {
    let seconds = moment.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let civil = DateSystem::Date1900.to_civil(UNIX_EPOCH_SERIAL + seconds as f64 / 86_400.0)?;
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
    ))
}

/// A moment that is kept in milliseconds since 1970.
pub(crate) fn of_millis(millis: i64) -> Option<String> {
    iso_8601(UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(millis).ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(seconds: u64, expected: &str) {
        assert_eq!(iso_8601(UNIX_EPOCH + Duration::from_secs(seconds)).as_deref(), Some(expected));
    }

    #[test]
    fn moments_read_as_a_calendar_shows_them() {
        check(0, "1970-01-01T00:00:00Z");
        check(951_782_400, "2000-02-29T00:00:00Z");
        check(1_772_357_401, "2026-03-01T09:30:01Z");
    }
}
