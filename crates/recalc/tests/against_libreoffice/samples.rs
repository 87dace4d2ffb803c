//! The samples, and the functions that have none.

use std::collections::{BTreeMap, BTreeSet};

use grid::CellRange;
use recalc::Computed;

use crate::answer::Answer;

const SAMPLES: &str = include_str!("samples.txt");
const EXEMPT: &str = include_str!("exempt.txt");

/// Row of the first sample: below the rows of the inputs, so that no range of these is beside a sample.
const FIRST_ROW: u32 = 100;

/// A formula, and the cells that its results take.
#[derive(Debug)]
pub(crate) struct Sample {
    /// As a user types it.
    pub(crate) typed: &'static str,
    /// As a file stores it.
    pub(crate) stored: String,
    /// Its cells on the sheet of samples.
    pub(crate) range: CellRange,
    /// Whether it is stored as a formula whose results spill.
    pub(crate) is_array: bool,
    /// What Excel shows, where LibreOffice cannot tell.
    pub(crate) excel: Option<Answer>,
}

impl Sample {
    /// The functions that it calls, in capitals.
    pub(crate) fn functions(&self) -> BTreeSet<String> {
        formula::functions(&self.stored).map(|call| call.name.to_ascii_uppercase()).collect()
    }
}

/// Every sample, one below the other. `{2x3}` before a formula says that its results take two rows and three columns; what
/// stands behind ` => ` is what Excel shows.
pub(crate) fn read() -> Vec<Sample> {
    let mut seen = BTreeSet::new();
    let mut row = FIRST_ROW;
    let mut samples = Vec::new();
    for line in lines(SAMPLES) {
        let (line, excel) = match line.split_once(" => ") {
            Some((line, values)) => (line, Some(Answer::Values(values.split(" ; ").map(value).collect()))),
            None => (line, None),
        };
        let (size, typed) = match line.strip_prefix('{').and_then(|line| line.split_once("} ")) {
            Some((size, typed)) => (Some(size), typed),
            None => (None, line),
        };
        assert!(typed.starts_with('='), "not a formula: {line}");
        assert!(seen.insert(typed), "there twice: {line}");
        let (height, width) = size.map_or((1, 1), dimensions);
        let stored = formula::to_stored(typed).into_owned();
        let range = CellRange::from_bounds(row, 0, row + height - 1, width - 1).unwrap();
        let is_array = size.is_some() || formula::spills(&stored);
        samples.push(Sample { typed, stored, range, is_array, excel });
        row += height + 1;
    }
    samples
}

/// A value as it is written in a formula, but for quotes within a text, which are not doubled.
fn value(written: &str) -> Computed {
    if let Some(text) = written.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return Computed::Text(text.into());
    }
    match (written.parse(), written.parse()) {
        (Ok(number), _) => Computed::Number(number),
        (_, Ok(error)) => Computed::Error(error),
        _ => Computed::Bool(written.to_lowercase().parse().unwrap()),
    }
}

fn dimensions(size: &str) -> (u32, u32) {
    let (height, width) = size.split_once('x').unwrap();
    (height.parse().unwrap(), width.parse().unwrap())
}

/// The functions that need no sample, and why.
pub(crate) fn exempt() -> BTreeMap<&'static str, &'static str> {
    let told = |line: &'static str| line.split_once(" | ").unwrap_or_else(|| panic!("no reason: {line}"));
    lines(EXEMPT).map(told).collect()
}

/// The lines that are not comments.
pub(crate) fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}
