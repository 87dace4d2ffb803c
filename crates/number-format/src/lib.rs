//! Renders a [`grid::Value`] through a number format code (ECMA-376 Part 1 §18.8.31) as Excel (en-US) shows it in
//! a column that is wide enough.
//!
//! A code is compiled once per style by [`NumberFormat::parse`] and then rendered for many cells.
//!
//! Invariants:
//! - Parsing and rendering are total: no code and no value makes them panic or fail. An invalid code renders as
//!   `General` and says so by [`NumberFormat::is_valid`].
//! - Bounded: a code longer than [`MAX_CODE_BYTES`] is invalid, and an answer is at most [`MAX_TEXT_BYTES`] longer
//!   than the value's own text.
//! - Numbers are rounded half away from zero on their 15 significant decimal digits, as Excel does, never on
//!   their binary value: 1.005 through `0.00` is 1.01.
//!
//! Chosen limits: month and day names, digits and era names are English whatever the code's locale (`[$-407]`);
//! a Hijri calendar (`B2`) is shown in the Gregorian one.
//!
//! It must never know about styles, cells, files or the width of a column.

mod builtin;
mod date;
mod decimal;
mod fraction;
mod general;
mod lexer;
mod number;
mod section;
mod text;

use grid::{DateSystem, Value};

pub use builtin::builtin;
pub use section::Color;
use section::{Body, Section};
pub use text::number_text;

/// The longest code that is compiled; Excel itself writes at most 255 characters.
pub const MAX_CODE_BYTES: usize = 4096;
/// By how much an answer may be longer than the value's own text.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;
/// What a sheet shows for a number that its format can't: a negative date, or no section whose condition holds.
pub const OVERFLOW: &str = "#####";

/// What sort of thing a format makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FormatKind {
    /// `General`, or an invalid code.
    General,
    /// Digits, or literal text only.
    Number,
    /// `0%`.
    Percent,
    /// Digits with a currency symbol.
    Currency,
    /// `0.00E+00`.
    Scientific,
    /// `# ?/?`.
    Fraction,
    /// A calendar date without a time of day.
    Date,
    /// A time of day without a date.
    Time,
    /// A date and a time of day.
    DateTime,
    /// An elapsed time, `[h]:mm:ss`.
    Duration,
    /// `@`.
    Text,
}

impl FormatKind {
    /// Whether a number in this format is a serial date, a time of day or both (not a duration).
    pub const fn is_date_time(self) -> bool {
        matches!(self, FormatKind::Date | FormatKind::Time | FormatKind::DateTime)
    }
}

/// A compiled number format code.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberFormat {
    /// The sections for numbers, at most three; empty when numbers are shown as `General`.
    numbers: Vec<Section>,
    /// The section for text, if the code has one.
    text: Option<Section>,
    kind: FormatKind,
    valid: bool,
}

impl Default for NumberFormat {
    /// `General`.
    fn default() -> NumberFormat {
        NumberFormat { numbers: Vec::new(), text: None, kind: FormatKind::General, valid: true }
    }
}

impl NumberFormat {
    /// Compiles a code. An invalid one becomes `General`, see [`Self::is_valid`].
    pub fn parse(code: &str) -> NumberFormat {
        // The code of most cells.
        if code.is_empty() || code.eq_ignore_ascii_case("general") {
            return NumberFormat::default();
        }
        let sections = if code.len() > MAX_CODE_BYTES { None } else { section::parse(code) };
        let Some(mut numbers) = sections else {
            return NumberFormat { valid: false, ..NumberFormat::default() };
        };
        let last_is_text = numbers.len() == 4 || numbers.last().is_some_and(|last| last.body.is_text());
        let text = if last_is_text { numbers.pop() } else { None };
        section::assign_conditions(&mut numbers);
        let kind = match numbers.first() {
            Some(first) => first.body.kind(),
            None => FormatKind::Text,
        };
        NumberFormat { numbers, text, kind, valid: true }
    }

    /// Whether the code was one; otherwise this is `General`.
    pub const fn is_valid(&self) -> bool {
        self.valid
    }

    /// What the format makes of a positive number.
    pub const fn kind(&self) -> FormatKind {
        self.kind
    }

    /// The text a sheet shows.
    pub fn format(&self, value: Value<'_>, dates: DateSystem) -> String {
        let mut out = String::new();
        self.write_to(&mut out, value, dates);
        out
    }

    /// Appends the text a sheet shows.
    pub fn write_to(&self, out: &mut String, value: Value<'_>, dates: DateSystem) {
        match value {
            Value::Empty => {}
            Value::Bool(true) => out.push_str("TRUE"),
            Value::Bool(false) => out.push_str("FALSE"),
            Value::Error(error) => out.push_str(error.as_str()),
            Value::Text(text) => self.write_text(out, text),
            Value::Number(number) => self.write_number(out, number, dates),
        }
    }

    /// The colour that the code itself gives to a value, if any.
    pub fn color(&self, value: Value<'_>) -> Option<Color> {
        match value {
            Value::Number(number) => self.section_of(number)?.color,
            Value::Text(_) => self.text.as_ref()?.color,
            Value::Empty | Value::Bool(_) | Value::Error(_) => None,
        }
    }

    fn section_of(&self, number: f64) -> Option<&Section> {
        self.numbers.iter().find(|section| section.condition.is_none_or(|condition| condition.holds(number)))
    }

    fn write_text(&self, out: &mut String, text: &str) {
        match &self.text {
            Some(section) => section.write_text(out, text),
            None => out.push_str(text),
        }
    }

    fn write_number(&self, out: &mut String, number: f64, dates: DateSystem) {
        if !number.is_finite() {
            // The model has no such numbers; the text is the error a sheet would show.
            out.push_str("#NUM!");
            return;
        }
        if self.numbers.is_empty() {
            general::write(out, number);
            return;
        }
        let Some(section) = self.section_of(number) else {
            out.push_str(OVERFLOW);
            return;
        };
        if let Body::Date(date) = &section.body {
            date.write(out, number, dates);
            return;
        }
        if number < 0.0 && !section.hides_minus() && !self.is_unsigned_zero(section, number) {
            out.push('-');
        }
        section.write_magnitude(out, number.abs());
    }

    /// Excel adds no minus to digits that are all zero, -0.001 through `0.00`, if the code has one section only.
    fn is_unsigned_zero(&self, section: &Section, number: f64) -> bool {
        match &section.body {
            Body::Number(layout) => {
                self.numbers.len() == 1 && self.text.is_none() && layout.rounds_to_zero(number)
            }
            _ => false,
        }
    }
}
