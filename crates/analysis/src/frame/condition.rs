//! What a filter asks of a cell.

use std::cmp::Ordering;

use grid::{DateSystem, ErrorValue};
use workbook::iso8601;

/// A value that a caller compares cells with.
///
/// A text also stands for what it spells: `"2026-01-31"` for that day in cells that show dates, `"12.5"` for the
/// number, `"TRUE"` for the boolean, `"#N/A"` for the error.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A boolean.
    Bool(bool),
}

impl From<f64> for Scalar {
    fn from(number: f64) -> Scalar {
        Scalar::Number(number)
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Scalar {
        Scalar::Bool(value)
    }
}

/// What has to hold of a cell. Cells of another type than the value's are neither equal, nor less, nor greater.
/// Texts compare without case. The negated ones hold wherever the plain ones do not: of empty cells too.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum Condition {
    Eq(Scalar),
    Ne(Scalar),
    Lt(Scalar),
    Le(Scalar),
    Gt(Scalar),
    Ge(Scalar),
    /// From the first to the second, both included; a date without a time of day includes its whole day.
    Between(Scalar, Scalar),
    In(Vec<Scalar>),
    NotIn(Vec<Scalar>),
    /// The text contains this one.
    Contains(String),
    NotContains(String),
    StartsWith(String),
    EndsWith(String),
    /// The cell is empty or holds an empty text.
    IsNull,
    NotNull,
}

/// A [`Condition`] ready to be asked of many cells.
pub(crate) struct Test {
    shape: Shape,
    needles: Vec<Needle>,
    text: String,
    is_negated: bool,
    /// Whether a number's format matters: some value spells a date.
    pub(crate) asks_dates: bool,
}

enum Shape {
    Any,
    Less { or_equal: bool },
    Greater { or_equal: bool },
    Between,
    Contains,
    StartsWith,
    EndsWith,
    Null,
}

impl Test {
    pub(crate) fn new(condition: &Condition, dates: DateSystem) -> Test {
        let one = |value: &Scalar| vec![Needle::new(value, dates)];
        let all = |values: &[Scalar]| values.iter().map(|value| Needle::new(value, dates)).collect();
        let text = |text: &String| text.to_lowercase();
        let (shape, needles, text, is_negated) = match condition {
            Condition::Eq(value) => (Shape::Any, one(value), String::new(), false),
            Condition::Ne(value) => (Shape::Any, one(value), String::new(), true),
            Condition::Lt(value) => (Shape::Less { or_equal: false }, one(value), String::new(), false),
            Condition::Le(value) => (Shape::Less { or_equal: true }, one(value), String::new(), false),
            Condition::Gt(value) => (Shape::Greater { or_equal: false }, one(value), String::new(), false),
            Condition::Ge(value) => (Shape::Greater { or_equal: true }, one(value), String::new(), false),
            Condition::Between(low, high) => (
                Shape::Between,
                vec![Needle::new(low, dates), Needle::new(high, dates)],
                String::new(),
                false,
            ),
            Condition::In(values) => (Shape::Any, all(values), String::new(), false),
            Condition::NotIn(values) => (Shape::Any, all(values), String::new(), true),
            Condition::Contains(part) => (Shape::Contains, Vec::new(), text(part), false),
            Condition::NotContains(part) => (Shape::Contains, Vec::new(), text(part), true),
            Condition::StartsWith(part) => (Shape::StartsWith, Vec::new(), text(part), false),
            Condition::EndsWith(part) => (Shape::EndsWith, Vec::new(), text(part), false),
            Condition::IsNull => (Shape::Null, Vec::new(), String::new(), false),
            Condition::NotNull => (Shape::Null, Vec::new(), String::new(), true),
        };
        let asks_dates = needles.iter().any(|needle: &Needle| needle.date.is_some());
        Test { shape, needles, text, is_negated, asks_dates }
    }

    pub(crate) fn number(&self, number: f64, is_date: bool) -> bool {
        self.ordered(|needle| needle.order_number(number, is_date))
    }

    pub(crate) fn text(&self, text: &str) -> bool {
        let folded = text.to_lowercase();
        let is_plain = match self.shape {
            Shape::Contains => folded.contains(&self.text),
            Shape::StartsWith => folded.starts_with(&self.text),
            Shape::EndsWith => folded.ends_with(&self.text),
            Shape::Null => text.is_empty(),
            _ => return self.ordered(|needle| needle.order_text(&folded)),
        };
        is_plain != self.is_negated
    }

    pub(crate) fn bool(&self, value: bool) -> bool {
        self.ordered(|needle| Some(value.cmp(&needle.bool?)))
    }

    pub(crate) fn error(&self, error: ErrorValue) -> bool {
        self.ordered(|needle| (needle.error? == error).then_some(Ordering::Equal))
    }

    pub(crate) fn empty(&self) -> bool {
        matches!(self.shape, Shape::Null) != self.is_negated
    }

    fn ordered(&self, order: impl Fn(&Needle) -> Option<Ordering>) -> bool {
        let is_plain = match self.shape {
            Shape::Any => self.needles.iter().any(|needle| order(needle) == Some(Ordering::Equal)),
            Shape::Less { or_equal } => holds(order(&self.needles[0]), Ordering::Less, or_equal),
            Shape::Greater { or_equal } => holds(order(&self.needles[0]), Ordering::Greater, or_equal),
            Shape::Between => {
                holds(order(&self.needles[0]), Ordering::Greater, true)
                    && holds(order(&self.needles[1]), Ordering::Less, true)
            }
            Shape::Contains | Shape::StartsWith | Shape::EndsWith | Shape::Null => false,
        };
        is_plain != self.is_negated
    }
}

fn holds(found: Option<Ordering>, wanted: Ordering, or_equal: bool) -> bool {
    found == Some(wanted) || or_equal && found == Some(Ordering::Equal)
}

/// Everything that a value may be taken for.
#[derive(Debug)]
pub(crate) struct Needle {
    number: Option<f64>,
    /// The serials that equal it: a whole day, or a moment.
    date: Option<(f64, f64)>,
    text: Option<String>,
    pub(crate) bool: Option<bool>,
    pub(crate) error: Option<ErrorValue>,
    dates: DateSystem,
}

impl Needle {
    pub(crate) fn new(value: &Scalar, dates: DateSystem) -> Needle {
        let nothing = Needle { number: None, date: None, text: None, bool: None, error: None, dates };
        match value {
            Scalar::Number(number) => Needle { number: Some(*number), ..nothing },
            Scalar::Bool(value) => Needle { bool: Some(*value), ..nothing },
            Scalar::Text(text) => {
                let trimmed = text.trim();
                Needle {
                    number: trimmed.parse().ok().filter(|number: &f64| number.is_finite()),
                    date: iso8601::date_serial(trimmed, dates).map(|serial| span(serial, trimmed)),
                    text: Some(text.to_lowercase()),
                    bool: parse_bool(trimmed),
                    error: trimmed.parse().ok(),
                    dates,
                }
            }
        }
    }

    /// How a text in lower case stands to this value; where the value spells a day or a number, only texts that spell
    /// one, too, come before or after it.
    fn order_text(&self, folded: &str) -> Option<Ordering> {
        let text = self.text.as_deref()?;
        let by_text = folded.cmp(text);
        if by_text == Ordering::Equal {
            return Some(by_text);
        }
        if let Some((first, end)) = self.date {
            return Some(order_in(iso8601::date_serial(folded.trim(), self.dates)?, first, end));
        }
        if let Some(number) = self.number {
            return Some(folded.trim().parse::<f64>().ok()?.partial_cmp(&number)?.then(by_text));
        }
        Some(by_text)
    }

    /// How a number stands to this value; `None` if they do not compare.
    pub(crate) fn order_number(&self, number: f64, is_date: bool) -> Option<Ordering> {
        if let Some((first, end)) = self.date.filter(|_| is_date) {
            return Some(order_in(number, first, end));
        }
        let wanted = self.number?;
        let is_equal = (number - wanted).abs() <= tolerance(wanted);
        if is_equal { Some(Ordering::Equal) } else { number.partial_cmp(&wanted) }
    }

    /// The least and greatest number that equal this value, in a cell that shows dates or not.
    pub(crate) fn interval(&self, is_date: bool) -> Option<(f64, f64)> {
        if let Some((first, end)) = self.date.filter(|_| is_date) {
            return Some((first, end.next_down()));
        }
        let wanted = self.number?;
        Some((wanted - tolerance(wanted), wanted + tolerance(wanted)))
    }
}

/// Sheets compare 15 significant digits.
fn tolerance(number: f64) -> f64 {
    number.abs() * 4.0 * f64::EPSILON
}

/// How a serial number stands to a span of them; the end is not part of it.
fn order_in(serial: f64, first: f64, end: f64) -> Ordering {
    match serial {
        before if before < first => Ordering::Less,
        after if after >= end => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

fn span(serial: f64, written: &str) -> (f64, f64) {
    const HALF_MILLISECOND: f64 = 0.5 / 86_400_000.0;
    if written.len() == 10 {
        (serial, serial + 1.0)
    } else {
        (serial - HALF_MILLISECOND, serial + HALF_MILLISECOND)
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    match () {
        () if text.eq_ignore_ascii_case("true") => Some(true),
        () if text.eq_ignore_ascii_case("false") => Some(false),
        () => None,
    }
}
