//! What is searched for: a text as it matches texts, and everything else that it may spell.

use grid::{DateSystem, ErrorValue};
use regex::{Regex, RegexBuilder};

use crate::frame::condition::{Needle, Scalar};

/// Bytes that a compiled expression may cost.
const MAX_REGEX_BYTES: usize = 4 << 20;

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Matching {
    /// A part of the text.
    #[default]
    Contains,
    /// The whole text, outer spaces and a final colon aside.
    Exact,
    /// A regular expression (the `regex` crate's: no backtracking, linear time).
    Regex,
}

/// The expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

/// A text to search for.
///
/// Unless it is a regular expression, it also stands for what it spells: `1,234.50` and `12%` for the numbers,
/// `2026-01-31` for the day, `TRUE` for the boolean, `#N/A` for the error.
#[derive(Debug)]
pub struct Pattern {
    texts: Regex,
    needle: Option<Needle>,
}

impl Pattern {
    /// Prepares a search. `dates` is the workbook's date system.
    pub fn new(
        text: &str,
        matching: Matching,
        case_sensitive: bool,
        dates: DateSystem,
    ) -> Result<Pattern, PatternError> {
        let literal = regex::escape(text.trim());
        let expression = match matching {
            Matching::Contains => literal,
            Matching::Exact => format!(r"^\s*{literal}\s*:?\s*$"),
            Matching::Regex => text.to_owned(),
        };
        let texts = RegexBuilder::new(&expression)
            .case_insensitive(!case_sensitive)
            .size_limit(MAX_REGEX_BYTES)
            .dfa_size_limit(MAX_REGEX_BYTES)
            .build()
            .map_err(|error| PatternError(error.to_string()))?;
        let needle = (matching != Matching::Regex).then(|| {
            let spelled = spelled_number(text).map_or_else(|| Scalar::Text(text.to_owned()), Scalar::Number);
            Needle::new(&spelled, dates)
        });
        Ok(Pattern { texts, needle })
    }

    pub(super) fn matches_text(&self, text: &str) -> bool {
        self.texts.is_match(text)
    }

    /// A formula's text is stored without its `=`.
    pub(super) fn matches_formula(&self, text: &str) -> bool {
        self.texts.is_match(text) || self.texts.is_match(&format!("={text}"))
    }

    pub(super) fn has_number(&self) -> bool {
        self.interval(false).is_some() || self.interval(true).is_some()
    }

    /// The least and greatest number that it spells, in a cell that shows dates or not.
    pub(super) fn interval(&self, is_date: bool) -> Option<(f64, f64)> {
        self.needle.as_ref()?.interval(is_date)
    }

    pub(super) fn bool(&self) -> Option<bool> {
        self.needle.as_ref()?.bool
    }

    pub(super) fn error(&self) -> Option<ErrorValue> {
        self.needle.as_ref()?.error
    }
}

/// A number as people write it: `1,234.50`, `$5`, `-12%`.
fn spelled_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let (digits, scale) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits, 100.0));
    let (sign, digits) = digits.strip_prefix('-').map_or((1.0, digits), |digits| (-1.0, digits));
    let digits = digits.trim_start_matches(['$', '€', '£', '¥']).trim();
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let plain: String = digits.chars().filter(|c| *c != ',').collect();
    plain.parse().ok().filter(|number: &f64| number.is_finite()).map(|number: f64| sign * number / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        for (text, number) in
            [("1,234.50", 1234.5), ("$5", 5.0), ("-12%", -0.12), ("1e3", 1000.0), ("-€1,000", -1000.0)]
        {
            assert_eq!(spelled_number(text), Some(number), "{text}");
        }
        for text in ["", "abc", "2026-01-31", "inf", "#N/A", "A1"] {
            assert_eq!(spelled_number(text), None, "{text}");
        }
    }

    #[test]
    fn a_bad_expression_says_so() {
        let error = Pattern::new("(a", Matching::Regex, false, DateSystem::Date1900).err();
        assert!(error.is_some_and(|error| error.to_string().contains("unclosed group")));
    }
}
