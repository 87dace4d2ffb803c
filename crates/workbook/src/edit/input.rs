//! Values as edits say them: typed in JSON, so that nothing is guessed.

use std::fmt;

use formula::Reach;
use grid::{DateSystem, ErrorValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::edit::Draft;
use crate::edit::error::Problem;
use crate::edit::rich_text::TextRun;
use crate::iso8601;

/// Characters that a cell's text may have (Excel's limit).
pub(crate) const MAX_TEXT: usize = 32_767;
/// Characters that a formula may have (Excel's limit).
pub(crate) const MAX_FORMULA: usize = 8_192;

/// What to write into a cell.
///
/// In JSON: `null` clears, numbers, booleans and strings are themselves (`"007"` is text), a string that starts with `=` is a
/// formula, and objects say what has no JSON type: `{"f": "SUM(A1:A3)"}`, `{"date": "2026-01-31"}` (or with a time of day),
/// `{"error": "#N/A"}`, `{"text": "=not a formula"}`, `{"runs": [{"text": "Net ", "font": {"bold": true}}, {"text": "of tax"}]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Json", into = "Json")]
pub enum Input {
    /// No value and no formula.
    Empty,
    /// A finite number.
    Number(f64),
    /// A text as it stands.
    Text(String),
    /// A boolean.
    Bool(bool),
    /// An error value.
    Error(ErrorValue),
    /// A formula, without its leading `=`.
    Formula(String),
    /// A date, or a date and a time of day, in ISO 8601.
    Date(String),
    /// A text whose parts look different.
    Rich(Vec<TextRun>),
}

/// Why a JSON value is no input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError(String);

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<Json> for Input {
    type Error = InputError;

    fn try_from(json: Json) -> Result<Input, InputError> {
        match json {
            Json::Null => Ok(Input::Empty),
            Json::Bool(value) => Ok(Input::Bool(value)),
            Json::Number(number) => number
                .as_f64()
                .filter(|number| number.is_finite())
                .map(Input::Number)
                .ok_or_else(|| InputError(format!("the number {number} is beyond what a cell holds"))),
            Json::String(text) => match text.strip_prefix('=') {
                Some(formula) if !formula.trim().is_empty() => formula_of(formula),
                _ => text_of(text),
            },
            Json::Object(object) => from_object(&object),
            Json::Array(_) => Err(InputError(
                "a cell's value is not a list; values are rows of cells: [[1, 2], [3, 4]]".to_owned(),
            )),
        }
    }
}

fn from_object(object: &Map<String, Json>) -> Result<Input, InputError> {
    let shape = || {
        InputError(
            "an object as a cell's value has one of the keys f (a formula), date (ISO 8601), text, error, runs; \
             for example {\"date\": \"2026-01-31\"}"
                .to_owned(),
        )
    };
    if let (1, Some(runs)) = (object.len(), object.get("runs")) {
        return runs_of(runs);
    }
    let (1, Some((key, Json::String(text)))) = (object.len(), object.iter().next()) else {
        return Err(shape());
    };
    match key.as_str() {
        "f" | "formula" => formula_of(text.strip_prefix('=').unwrap_or(text)),
        "text" => text_of(text.clone()),
        "date" if iso8601::date_serial(text, DateSystem::Date1900).is_some() => Ok(Input::Date(text.clone())),
        "date" => Err(InputError(format!("{text:?} is not a date; write 2026-01-31 or 2026-01-31T14:30:00"))),
        "error" => text.parse().map(Input::Error).map_err(|()| {
            InputError(format!(
                "{text:?} is not an error value; write #N/A, #REF!, #VALUE!, #DIV/0!, #NAME?, …"
            ))
        }),
        _ => Err(shape()),
    }
}

fn runs_of(runs: &Json) -> Result<Input, InputError> {
    let told = |problem: &str| {
        InputError(format!(
            "runs: {problem}; for example [{{\"text\": \"Net \", \"font\": {{\"bold\": true}}}}, {{\"text\": \"of tax\"}}]"
        ))
    };
    let runs: Vec<TextRun> =
        serde_json::from_value(runs.clone()).map_err(|error| told(&error.to_string()))?;
    if runs.iter().all(|run| run.text.is_empty()) {
        return Err(told("there is no text in them"));
    }
    text_of(runs.iter().map(|run| run.text.as_str()).collect())?;
    Ok(Input::Rich(runs))
}

fn formula_of(formula: &str) -> Result<Input, InputError> {
    let length = formula.chars().count();
    if formula.trim().is_empty() {
        return Err(InputError("the formula is empty".to_owned()));
    }
    if length > MAX_FORMULA {
        return Err(InputError(format!("the formula has {length} characters; a cell holds {MAX_FORMULA}")));
    }
    Ok(Input::Formula(formula.trim().to_owned()))
}

fn text_of(text: String) -> Result<Input, InputError> {
    // Excel counts UTF-16 units.
    let length = text.encode_utf16().count();
    if length > MAX_TEXT {
        return Err(InputError(format!("the text has {length} characters; a cell holds {MAX_TEXT}")));
    }
    Ok(Input::Text(text))
}

/// A formula as the file stores it ([`formula::to_stored`]).
///
/// # Errors
/// What is wrong with its syntax.
pub(crate) fn stored_formula(text: &str) -> Result<String, Problem> {
    match formula::check_syntax(text) {
        Ok(()) => Ok(formula::to_stored(text).into_owned()),
        Err(error) => Err(Problem::new(
            format!(
                "={text} is no formula: {}, at character {} behind the \"=\"",
                error.problem, error.character
            ),
            "put it right; formulas are in en-US syntax, and {\"text\": …} writes a text that starts with \"=\"",
        )),
    }
}

impl Draft {
    /// Whether a formula that is to be written may be.
    ///
    /// # Errors
    /// When it reaches out of the workbook and has to stay within.
    pub(crate) fn check_reach(&self, stored: &str) -> Result<(), Problem> {
        let Some(remedy) = self.keeps_within else { return Ok(()) };
        let what = match formula::reaches_out(stored) {
            None => return Ok(()),
            Some(Reach::Workbook(reference)) => format!("{reference} is in another workbook"),
            Some(Reach::Program) => "a DDE link asks another program".to_owned(),
            Some(Reach::Function(name)) => format!("{name} reaches out of the workbook"),
        };
        Err(Problem::new(what, remedy))
    }
}

impl From<Input> for Json {
    fn from(input: Input) -> Json {
        let object = |key: &str, text: String| {
            Json::Object([(key.to_owned(), Json::String(text))].into_iter().collect())
        };
        match input {
            Input::Empty => Json::Null,
            Input::Number(number) => Json::from(number),
            Input::Bool(value) => Json::Bool(value),
            Input::Text(text) if text.starts_with('=') => object("text", text),
            Input::Text(text) => Json::String(text),
            Input::Error(error) => object("error", error.to_string()),
            Input::Formula(formula) => object("f", formula),
            Input::Date(date) => object("date", date),
            Input::Rich(runs) => serde_json::json!({ "runs": runs }),
        }
    }
}

impl Input {
    /// What a person means who types this text into a cell: `12%`, `1,234.50`, `TRUE`, `2026-01-31`, `=A1`, `'007`.
    pub fn typed(text: &str) -> Input {
        let trimmed = text.trim();
        if let Some(literal) = text.strip_prefix('\'') {
            return Input::Text(literal.to_owned());
        }
        if let Some(formula) = trimmed.strip_prefix('=').filter(|formula| !formula.trim().is_empty()) {
            return Input::Formula(formula.trim().to_owned());
        }
        if trimmed.is_empty() {
            return Input::Empty;
        }
        match trimmed.to_ascii_uppercase().as_str() {
            "TRUE" => return Input::Bool(true),
            "FALSE" => return Input::Bool(false),
            _ => {}
        }
        if let Ok(error) = trimmed.parse() {
            return Input::Error(error);
        }
        if let Some(number) = typed_number(trimmed) {
            return Input::Number(number);
        }
        let is_date = trimmed.len() >= 10 && iso8601::date_serial(trimmed, DateSystem::Date1900).is_some();
        if is_date { Input::Date(trimmed.to_owned()) } else { Input::Text(text.to_owned()) }
    }
}

/// A number as it is typed in the en-US locale: sign, thousands separators, exponent, percent, parentheses for negative.
fn typed_number(text: &str) -> Option<f64> {
    let (text, is_negative) = match text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => (inner.trim(), true),
        None => (text, false),
    };
    let (text, percent) = match text.strip_suffix('%') {
        Some(number) => (number.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let text = text.trim_start_matches('$');
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.,eE".contains(&byte));
    if !is_plain || !text.bytes().any(|byte| byte.is_ascii_digit()) || !has_sound_groups(text) {
        return None;
    }
    let number: f64 = text.replace(',', "").parse().ok().filter(|number: &f64| number.is_finite())?;
    Some(if is_negative { -number / percent } else { number / percent })
}

/// Whether commas, if there are any, part thousands.
fn has_sound_groups(text: &str) -> bool {
    let whole = text.split(['.', 'e', 'E']).next().unwrap_or_default().trim_start_matches(['+', '-']);
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    !text[whole.len()..].contains(',')
        && (rest.is_empty() || (1..=3).contains(&first.len()))
        && rest.iter().all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(json: Json, expected: Input) {
        assert_eq!(Input::try_from(json.clone()), Ok(expected.clone()));
        assert_eq!(Input::try_from(Json::from(expected.clone())), Ok(expected), "{json}");
    }

    #[test]
    fn types_are_those_of_json() {
        check(json!(null), Input::Empty);
        check(json!(42), Input::Number(42.0));
        check(json!("007"), Input::Text("007".into()));
        check(json!(true), Input::Bool(true));
        check(json!("=A1+1"), Input::Formula("A1+1".into()));
        check(json!({"f": "=A1"}), Input::Formula("A1".into()));
        check(json!({"text": "=A1"}), Input::Text("=A1".into()));
        check(json!({"date": "2026-01-31"}), Input::Date("2026-01-31".into()));
        check(json!({"error": "#N/A"}), Input::Error(ErrorValue::NA));
        check(json!("="), Input::Text("=".into()));
    }

    #[test]
    fn what_is_no_value_is_told() {
        for json in [json!([1]), json!({}), json!({"x": 1}), json!({"date": "31.1.2026"}), json!({"f": " "})]
        {
            assert!(Input::try_from(json.clone()).is_err(), "{json}");
        }
    }

    #[test]
    fn typing() {
        let number =
            |text: &str, expected: f64| assert_eq!(Input::typed(text), Input::Number(expected), "{text}");
        number("12%", 0.12);
        number("1,234.50", 1234.5);
        number("-1e3", -1000.0);
        number("($5)", -5.0);
        for text in ["1,23", "12,3456", "1.2.3", "-", "abc", "1-2", "Infinity", "+"] {
            assert_eq!(Input::typed(text), Input::Text(text.into()));
        }
        assert_eq!(Input::typed("'007"), Input::Text("007".into()));
        assert_eq!(Input::typed("=A1"), Input::Formula("A1".into()));
        assert_eq!(Input::typed("2026-01-31"), Input::Date("2026-01-31".into()));
        assert_eq!(Input::typed(" true "), Input::Bool(true));
        assert_eq!(Input::typed("#n/a"), Input::typed("#N/A"));
    }
}
