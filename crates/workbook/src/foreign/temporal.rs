//! The few cell formats that formats without our style model need: plain, and the four kinds of time.

use crate::model::{CellFormat, StyleId, Styles};

/// `General`.
pub(super) const PLAIN: StyleId = StyleId(0);
/// A date.
pub(super) const DATE: StyleId = StyleId(1);
/// A date with a time of day.
pub(super) const DATE_TIME: StyleId = StyleId(2);
/// A time of day.
pub(super) const TIME: StyleId = StyleId(3);
/// A duration, which may exceed a day.
pub(super) const DURATION: StyleId = StyleId(4);

/// The table that the ids above point into.
pub(super) fn styles() -> Styles {
    let codes = ["General", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm:ss", "[h]:mm:ss"];
    let formats = (0..codes.len())
        .map(|number_format| CellFormat { number_format, locked: true, ..CellFormat::default() })
        .collect();
    Styles { formats, number_formats: codes.map(Into::into).into(), ..Styles::default() }
}

/// The format of a serial date: with its time of day only if it has one.
pub(super) fn of_serial(serial: f64) -> StyleId {
    if serial.fract() == 0.0 {
        DATE
    } else if serial < 1.0 {
        TIME
    } else {
        DATE_TIME
    }
}
