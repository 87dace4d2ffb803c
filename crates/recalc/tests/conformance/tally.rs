//! Counts of what was equal and of what was not.

use std::collections::BTreeMap;

use grid::{DateSystem, Value};
use recalc::Computed;

use crate::Book;
use crate::cells::{Expected, functions};

/// Functions that workbooks of the corpus, or add-ins, bring along as code.
const MACROS: &[&str] = &["SROUND", "CROUND", "TROUND", "BROUNDTO", "MYFUNC", "MYFUNC2", "CRAPNAME"];

/// What became of a cell.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Equal,
    Wrong(Computed),
    Refused(String),
    Failed(String),
}

/// Tried and equal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) tried: usize,
    pub(crate) equal: usize,
}

/// Counts over some workbooks.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) cells: Count,
    pub(crate) books: usize,
    pub(crate) whole: usize,
    shares: f64,
}

impl Figures {
    pub(crate) fn share(&self) -> f64 {
        self.cells.equal as f64 / self.cells.tried.max(1) as f64
    }

    pub(crate) fn mean(&self) -> f64 {
        self.shares / self.books.max(1) as f64
    }
}

/// What an engine made of a function.
#[derive(Debug, Default)]
pub(crate) struct OfFunction {
    pub(crate) count: Count,
    pub(crate) example: Option<String>,
}

/// Everything about one engine.
pub(crate) struct Tally {
    pub(crate) engine: &'static str,
    pub(crate) books: BTreeMap<String, Count>,
    /// The same without formulas that call macros: their results are those of code that is never executed.
    pub(crate) without_macros: BTreeMap<String, Count>,
    pub(crate) functions: BTreeMap<String, OfFunction>,
    /// Classes of misses, with an example each.
    pub(crate) classes: BTreeMap<String, (usize, String)>,
    /// By formula: the functions in it, and what became of its cells.
    pub(crate) formulas: Vec<(Vec<String>, Count)>,
}

impl Tally {
    pub(crate) fn new(engine: &'static str) -> Tally {
        Tally {
            engine,
            books: BTreeMap::new(),
            without_macros: BTreeMap::new(),
            functions: BTreeMap::new(),
            classes: BTreeMap::new(),
            formulas: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, book: &Book, cells: &[Expected<'_>], outcomes: &[Outcome]) {
        for (cell, outcome) in cells.iter().zip(outcomes) {
            let is_equal = matches!(outcome, Outcome::Equal);
            let names: Vec<String> = functions(&cell.formula).into_iter().collect();
            let calls_macro = names.iter().any(|name| MACROS.contains(&name.as_str()));
            for (books, is_counted) in [(&mut self.books, true), (&mut self.without_macros, !calls_macro)] {
                if is_counted {
                    let count = books.entry(book.name.clone()).or_default();
                    count.tried += 1;
                    count.equal += usize::from(is_equal);
                }
            }
            // A workbook that an engine does not take tells nothing of the functions in it.
            if matches!(outcome, Outcome::Failed(_)) && book.book.date_system == DateSystem::Date1904 {
                continue;
            }
            let told = || {
                let sheet = &book.sheets[cell.sheet.0 as usize].name;
                format!(
                    "{} {sheet}!{}: `={}` {}",
                    book.name,
                    cell.at,
                    cell.formula,
                    difference(cell.value, outcome)
                )
            };
            for name in &names {
                let function = self.functions.entry(name.clone()).or_default();
                function.count.tried += 1;
                function.count.equal += usize::from(is_equal);
                if !is_equal {
                    function.example.get_or_insert_with(told);
                }
            }
            if !is_equal {
                let class = class(cell.value, outcome);
                let class = format!("{class} ({})", names.first().map_or("no function", String::as_str));
                self.classes.entry(class).or_insert_with(|| (0, told())).0 += 1;
            }
            let count = Count { tried: 1, equal: usize::from(is_equal) };
            self.formulas.push((names, count));
        }
    }

    pub(crate) fn figures(&self, is_wanted: impl Fn(&str) -> bool) -> Figures {
        figures(self.books.iter().filter(|(book, _)| is_wanted(book)).map(|(_, count)| *count))
    }

    /// Of all workbooks, without formulas that call macros.
    pub(crate) fn figures_without_macros(&self) -> Figures {
        figures(self.without_macros.values().copied())
    }
}

fn figures(counts: impl Iterator<Item = Count>) -> Figures {
    let mut figures = Figures::default();
    for count in counts {
        figures.cells.tried += count.tried;
        figures.cells.equal += count.equal;
        figures.books += 1;
        figures.whole += usize::from(count.tried == count.equal);
        figures.shares += count.equal as f64 / count.tried as f64;
    }
    figures
}

fn difference(expected: Value<'_>, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Equal => String::new(),
        Outcome::Wrong(found) => format!("is {}, for {}", shown(found.value()), shown(expected)),
        Outcome::Refused(why) => format!("is refused ({why}), for {}", shown(expected)),
        Outcome::Failed(what) => format!("failed: {what}"),
    }
}

fn class(expected: Value<'_>, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Equal => String::new(),
        Outcome::Wrong(found) => format!("{} for {}", kind(found.value()), kind(expected)),
        Outcome::Refused(why) => format!("refused: {why}"),
        Outcome::Failed(what) => format!("failed: {what}"),
    }
}

fn kind(value: Value<'_>) -> String {
    match value {
        Value::Empty => "nothing".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::Text(_) => "text".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Error(error) => error.to_string(),
    }
}

/// A value as a formula would write it, cut short.
fn shown(value: Value<'_>) -> String {
    match value {
        Value::Empty => "nothing".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        Value::Bool(value) => value.to_string().to_uppercase(),
        Value::Error(error) => error.to_string(),
    }
}
