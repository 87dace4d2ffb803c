//! Data validations (ECMA-376 Part 1 §18.3.1.32).

use grid::DateSystem;
use serde::{Deserialize, Serialize};

use crate::edit::cell_xml::number_text;
use crate::edit::error::Problem;
use crate::edit::input::{Input, stored_formula};
use crate::edit::parts::WORKSHEET_ORDER;
use crate::edit::{Draft, Place, areas};
use crate::iso8601;

/// Characters that a list of values, or a message, may have (Excel's limit).
const MAX_TEXT: usize = 255;
/// Characters that the title of a message may have.
const MAX_TITLE: usize = 32;

/// What cells accept. Formulas are those of the range's first cell; relative references follow for the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// The cells; what they accepted before no longer holds.
    pub range: String,
    /// What kind of values.
    #[serde(rename = "type")]
    pub kind: ValidationKind,
    /// How values compare with the operands; `between` if two are given, else `equal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Comparison>,
    /// The items of a list, the operands of a comparison (dates as `{"date": …}`, times as `"14:30"`), or the formula of
    /// `custom`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Input>,
    /// Where a list's items stand: `Lists!A2:A9`, or a formula.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether an empty cell is accepted.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub allow_blank: bool,
    /// Whether a list can be dropped down.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub dropdown: bool,
    /// What is done about other values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_style: Option<ErrorStyle>,
    /// The title above `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_title: Option<String>,
    /// What is said of other values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The title above `prompt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_title: Option<String>,
    /// What is said when a cell is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
}

fn yes() -> bool {
    true
}

/// What kind of values a validation accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum ValidationKind {
    List,
    Whole,
    Decimal,
    Date,
    Time,
    TextLength,
    Custom,
}

/// How a value compares with one or two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum Comparison {
    Between,
    NotBetween,
    Equal,
    NotEqual,
    GreaterThan,
    LessThan,
    GreaterOrEqual,
    LessOrEqual,
}

/// What is done about values that a validation does not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum ErrorStyle {
    Stop,
    Warning,
    Information,
}

impl Comparison {
    /// The comparison of so many operands: what is said, or what goes without saying.
    pub(crate) fn of(said: Option<Comparison>, operands: usize) -> Result<Comparison, Problem> {
        let comparison = said.unwrap_or(if operands == 2 { Comparison::Between } else { Comparison::Equal });
        let needed = match comparison {
            Comparison::Between | Comparison::NotBetween => 2,
            _ => 1,
        };
        match operands == needed {
            true => Ok(comparison),
            false => Err(Problem::new(
                format!("{} values are given where {} needs {needed}", operands, comparison.attribute()),
                "write for example values: [1, 10]",
            )),
        }
    }

    /// The word that the file has for it.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Comparison::Between => "between",
            Comparison::NotBetween => "notBetween",
            Comparison::Equal => "equal",
            Comparison::NotEqual => "notEqual",
            Comparison::GreaterThan => "greaterThan",
            Comparison::LessThan => "lessThan",
            Comparison::GreaterOrEqual => "greaterThanOrEqual",
            Comparison::LessOrEqual => "lessThanOrEqual",
        }
    }
}

/// A value as the operand of a rule.
pub(crate) fn operand(input: &Input, dates: DateSystem) -> Result<String, Problem> {
    match input {
        Input::Number(number) => Ok(number_text(*number)),
        Input::Bool(value) => Ok(if *value { "TRUE" } else { "FALSE" }.to_owned()),
        Input::Text(text) => Ok(text_literal(text)),
        Input::Formula(formula) => stored_formula(formula),
        Input::Error(error) => Ok(error.to_string()),
        Input::Date(text) => match iso8601::date_serial(text, dates) {
            Some(serial) => Ok(number_text(serial)),
            None => Err(Problem::new(format!("{text} is no date that this workbook can hold"), "")),
        },
        Input::Rich(_) => Err(Problem::new("an operand is a text with runs", "give the text alone")),
        Input::Empty => Err(Problem::new("an operand is null", "give a number, a text, a date or a formula")),
    }
}

/// A text as a formula has it.
pub(crate) fn text_literal(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

impl Draft {
    pub(crate) fn validate(&mut self, place: Place, rule: &Validation) -> Result<(), Problem> {
        let operands = self.operands(rule)?;
        operands.iter().try_for_each(|operand| self.check_reach(operand))?;
        let texts = [
            ("errorTitle", &rule.error_title, MAX_TITLE),
            ("error", &rule.error, MAX_TEXT),
            ("promptTitle", &rule.prompt_title, MAX_TITLE),
            ("prompt", &rule.prompt, MAX_TEXT),
        ];
        for (name, text, most) in &texts {
            if text.as_ref().is_some_and(|text| text.encode_utf16().count() > *most) {
                return Err(Problem::new(format!("{name} is longer than {most} characters"), "shorten it"));
            }
        }
        let mut tree = self.frame(place.sheet)?;
        areas::cut(&mut tree.root, "dataValidation", place.range);
        let list = tree.root.child_in_order("dataValidations", &WORKSHEET_ORDER);
        let mut node = list.sibling("dataValidation").with("type", rule.kind.attribute());
        match rule.error_style {
            Some(ErrorStyle::Warning) => node.set("errorStyle", "warning"),
            Some(ErrorStyle::Information) => node.set("errorStyle", "information"),
            Some(ErrorStyle::Stop) | None => {}
        }
        if !matches!(rule.kind, ValidationKind::List | ValidationKind::Custom) {
            let comparison = Comparison::of(rule.operator, operands.len())?;
            // The schema's default.
            if comparison != Comparison::Between {
                node.set("operator", comparison.attribute());
            }
        }
        let flags = [
            ("allowBlank", rule.allow_blank),
            // The attribute says the opposite of its name.
            ("showDropDown", !rule.dropdown),
            ("showInputMessage", true),
            ("showErrorMessage", true),
        ];
        for (name, _) in flags.into_iter().filter(|(_, flag)| *flag) {
            node.set(name, "1");
        }
        for (name, text, _) in texts {
            if let Some(text) = text {
                node.set(name, text);
            }
        }
        node.set("sqref", &place.range.to_string());
        for (name, operand) in ["formula1", "formula2"].into_iter().zip(&operands) {
            node.push(list.sibling(name).with_text(operand));
        }
        list.push(node);
        let count = list.children().count().to_string();
        list.set("count", &count);
        self.put_frame(place.sheet, &tree)
    }

    pub(crate) fn clear_validations(&mut self, place: Place) -> Result<(), Problem> {
        let mut tree = self.frame(place.sheet)?;
        match areas::cut(&mut tree.root, "dataValidation", place.range) {
            true => self.put_frame(place.sheet, &tree),
            false => Ok(()),
        }
    }

    fn operands(&self, rule: &Validation) -> Result<Vec<String>, Problem> {
        let dates = self.book.date_system;
        match (rule.kind, &rule.source) {
            (ValidationKind::List, Some(source)) if rule.values.is_empty() => {
                Ok(vec![stored_formula(source.trim_start_matches('='))?])
            }
            (ValidationKind::List, None) => list_items(&rule.values).map(|items| vec![items]),
            (_, Some(_)) => Err(Problem::new(
                "source is given where it is not used",
                "source is for a list, which has either source or values",
            )),
            (ValidationKind::Custom, None) => match rule.values.as_slice() {
                [Input::Formula(formula)] => Ok(vec![stored_formula(formula)?]),
                _ => Err(Problem::new(
                    "custom needs one formula",
                    "write for example values: [\"=ISNUMBER(B2)\"]",
                )),
            },
            (ValidationKind::Time, None) => {
                let time = |input: &Input| match input {
                    Input::Text(text) => {
                        time_of_day(text).map(number_text).ok_or_else(|| wrong_operand(text, "time", "14:30"))
                    }
                    other => operand(other, dates),
                };
                rule.values.iter().map(time).collect()
            }
            (ValidationKind::Date, None) => {
                let date = |input: &Input| match input {
                    Input::Text(text) => iso8601::date_serial(text, dates)
                        .map(number_text)
                        .ok_or_else(|| wrong_operand(text, "date", "2026-01-31")),
                    other => operand(other, dates),
                };
                rule.values.iter().map(date).collect()
            }
            (_, None) => {
                let number = |input: &Input| match input {
                    Input::Text(text) => Err(wrong_operand(text, "number", "10")),
                    other => operand(other, dates),
                };
                rule.values.iter().map(number).collect()
            }
        }
    }
}

fn wrong_operand(text: &str, what: &str, example: &str) -> Problem {
    Problem::new(
        format!("{text:?} is no {what}"),
        format!("write for example {example}, or a formula with ="),
    )
}

impl ValidationKind {
    fn attribute(self) -> &'static str {
        match self {
            ValidationKind::List => "list",
            ValidationKind::Whole => "whole",
            ValidationKind::Decimal => "decimal",
            ValidationKind::Date => "date",
            ValidationKind::Time => "time",
            ValidationKind::TextLength => "textLength",
            ValidationKind::Custom => "custom",
        }
    }
}

/// The items of a list as its formula has them.
fn list_items(values: &[Input]) -> Result<String, Problem> {
    let remedy = "let them stand in cells, and give source: \"Lists!A2:A9\"";
    let mut items = Vec::with_capacity(values.len());
    for value in values {
        let item = match value {
            Input::Text(text) => text.clone(),
            Input::Number(number) => number_text(*number),
            Input::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
            other => return Err(Problem::new(format!("{other:?} is no item of a list"), remedy)),
        };
        if item.contains(',') || item.is_empty() {
            return Err(Problem::new(format!("{item:?} cannot be an item of a list"), remedy));
        }
        items.push(item);
    }
    let text = items.join(",");
    if items.is_empty() || text.encode_utf16().count() > MAX_TEXT {
        return Err(Problem::new(format!("a list has 1 to {MAX_TEXT} characters of values"), remedy));
    }
    Ok(text_literal(&text))
}

/// `14:30` and `14:30:15` as a fraction of a day.
fn time_of_day(text: &str) -> Option<f64> {
    let mut parts = text.trim().split(':').map(|part| part.parse::<u32>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    let is_sound = hours < 24 && minutes < 60 && seconds < 60 && parts.next().is_none();
    is_sound.then(|| f64::from(hours * 3600 + minutes * 60 + seconds) / 86_400.0)
}
