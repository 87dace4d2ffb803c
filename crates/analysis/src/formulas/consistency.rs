//! Cells that break a run of equal formulas: another formula, or a constant typed over one.
//!
//! What is flagged has evidence on both sides: formulas of one pattern before and behind the cell along its column or
//! row, several times more of them than of the odd cells between. At the end of a run, where there is only one side,
//! the neighbouring line has to have a run that starts level and goes on past it. Left alone are cells that are
//! regular the other way round (a row of subtotals, a row of inputs), and subtotals of the run itself.

use std::collections::BTreeMap;

use formula::{RefKind, Sheets, Target};
use grid::{CellRange, CellRef, Value};
use serde::Serialize;
use workbook::Sheet;

use crate::formulas::blocks::{Blocks, Run};

/// Odd cells next to each other that may still be an accident.
const MAX_ODD: u32 = 3;
/// Formulas around an odd cell at least.
const MIN_AROUND: u32 = 3;
/// Formulas around several odd cells, for each of them.
const MIN_AROUND_EACH: u32 = 4;
/// From so many on, equal cells across a line are a design of their own.
const MIN_ACROSS: u32 = 3;

/// What stands where a formula is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Odd {
    /// Another formula.
    Formula,
    /// A number or a boolean.
    Constant,
}

/// A cell that breaks a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) at: CellRef,
    pub(crate) odd: Odd,
    /// The run around it, or before it.
    pub(crate) run: CellRange,
    /// The cell of the run that is next to it and tells what is expected.
    pub(crate) neighbour: CellRef,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Down,
    Across,
}

impl Direction {
    fn cell(self, line: u32, place: u32) -> CellRef {
        match self {
            Direction::Down => CellRef::clamped(place, line),
            Direction::Across => CellRef::clamped(line, place),
        }
    }

    fn line_and_place(self, at: CellRef) -> (u32, u32) {
        match self {
            Direction::Down => (at.col(), at.row()),
            Direction::Across => (at.row(), at.col()),
        }
    }
}

/// Lines in order, each with its runs in order.
type Lines = Vec<(u32, Vec<Run>)>;

/// The cells of a sheet that break a run, row by row.
pub(crate) fn inconsistencies(sheet: &Sheet, blocks: &Blocks) -> Vec<Finding> {
    let rows = transpose(&blocks.columns);
    let arrays: Vec<CellRange> = blocks.arrays().collect();
    let mut found = BTreeMap::new();
    for (direction, lines, across) in
        [(Direction::Down, &blocks.columns, &rows), (Direction::Across, &rows, &blocks.columns)]
    {
        let scan = Scan { sheet, arrays: &arrays, direction, lines, across };
        for index in 0..lines.len() {
            scan.line(index, &mut |finding: Finding| {
                let known: &mut Finding = found.entry(finding.at).or_insert(finding);
                if known.run.area() < finding.run.area() {
                    *known = finding;
                }
            });
        }
    }
    found.into_values().collect()
}

/// The runs along rows that make up the runs along columns.
fn transpose(columns: &[(u32, Vec<Run>)]) -> Lines {
    let cells: u64 =
        columns.iter().flat_map(|(_, runs)| runs).map(|run| u64::from(run.last - run.first) + 1).sum();
    let mut all = Vec::with_capacity(cells as usize);
    for (col, runs) in columns {
        for run in runs {
            all.extend((run.first..=run.last).map(|row| (row, *col, run.pattern)));
        }
    }
    // Stable and by row alone: columns are in order already.
    all.sort_by_key(|(row, _, _)| *row);
    let mut lines: Lines = Vec::new();
    for (row, col, pattern) in all {
        if lines.last().is_none_or(|(line, _)| *line != row) {
            lines.push((row, Vec::new()));
        }
        let Some((_, runs)) = lines.last_mut() else { continue };
        match runs.last_mut() {
            Some(run) if run.pattern == pattern && run.last + 1 == col => run.last = col,
            _ => runs.push(Run { first: col, last: col, pattern }),
        }
    }
    lines
}

struct Scan<'a> {
    sheet: &'a Sheet,
    arrays: &'a [CellRange],
    direction: Direction,
    lines: &'a Lines,
    /// The same cells along the other direction.
    across: &'a Lines,
}

impl Scan<'_> {
    fn line(&self, index: usize, report: &mut impl FnMut(Finding)) {
        let (line, runs) = &self.lines[index];
        for (at, run) in runs.iter().enumerate() {
            let further = runs[at + 1..].iter().take_while(|next| next.first - run.last <= MAX_ODD + 1);
            let resumed = further.clone().find(|next| next.pattern == run.pattern);
            match resumed {
                Some(next) => self.gap(*line, run, next, report),
                None => self.end(index, run, report),
            }
        }
    }

    /// The cells between two runs of one pattern.
    fn gap(&self, line: u32, before: &Run, after: &Run, report: &mut impl FnMut(Finding)) {
        let odd_cells = after.first - before.last - 1;
        let around = (before.last - before.first + 1) + (after.last - after.first + 1);
        let is_enough = match odd_cells {
            0 => return,
            1 => around >= MIN_AROUND,
            _ => around >= MIN_AROUND_EACH * odd_cells,
        };
        if !is_enough {
            return;
        }
        let run = self.range(line, before.first, after.last);
        let neighbour = self.direction.cell(line, before.last);
        if !self.refers(neighbour) {
            return;
        }
        let cells = (before.last + 1..after.first).map(|place| self.direction.cell(line, place));
        let judged: Vec<(CellRef, Option<Odd>)> = cells.map(|at| (at, self.odd(at))).collect();
        if judged.iter().any(|(at, _)| self.sheet.cell(*at).value.is_empty() && !self.has_formula(*at)) {
            // A blank separates two blocks on purpose.
            return;
        }
        for (at, odd) in judged {
            if let Some(odd) = odd {
                report(Finding { at, odd, run, neighbour });
            }
        }
    }

    /// The cell behind a run that does not go on, where the line next to it does.
    fn end(&self, index: usize, run: &Run, report: &mut impl FnMut(Finding)) {
        let (line, _) = &self.lines[index];
        if run.last - run.first + 1 < MIN_AROUND {
            return;
        }
        let goes_on_beside =
            [index.checked_sub(1), index.checked_add(1)].into_iter().flatten().any(|beside| {
                let Some((other, runs)) = self.lines.get(beside) else { return false };
                other.abs_diff(*line) == 1
                    && find_run(runs, run.first)
                        .is_some_and(|beside| beside.first == run.first && beside.last > run.last)
            });
        if !goes_on_beside {
            return;
        }
        let at = self.direction.cell(*line, run.last + 1);
        let behind = self.direction.cell(*line, run.last + 2);
        let is_lone =
            behind == at || (!self.has_formula(behind) && !is_measure(self.sheet.cell(behind).value));
        let neighbour = self.direction.cell(*line, run.last);
        if let Some(odd) = self.odd(at)
            && is_lone
            && self.refers(neighbour)
        {
            report(Finding { at, odd, run: self.range(*line, run.first, run.last), neighbour });
        }
    }

    /// Whether a cell between formulas is odd; `None` where there is a reason for it.
    fn odd(&self, at: CellRef) -> Option<Odd> {
        if self.arrays.iter().any(|array| array.contains(at)) {
            return None;
        }
        if self.has_formula(at) {
            let is_regular = self.across_run(at).is_some_and(|run| run.last - run.first + 1 >= MIN_ACROSS);
            return (!is_regular && !self.is_subtotal(at)).then_some(Odd::Formula);
        }
        (is_measure(self.sheet.cell(at).value) && !self.is_input_line(at)).then_some(Odd::Constant)
    }

    /// Whether a formula refers to anything; a column of `=4*12` is a column of constants, each its own.
    fn refers(&self, at: CellRef) -> bool {
        let Some(id) = self.sheet.cell(at).formula else { return false };
        formula::references(&self.sheet.formula_text(at, id)).next().is_some()
    }

    /// Whether constants next to `at` across the line have taken the place of formulas too: a line of inputs.
    fn is_input_line(&self, at: CellRef) -> bool {
        let (line, place) = self.direction.line_and_place(at);
        let is_like = |line: u32| {
            let at = self.direction.cell(line, place);
            let before = place.checked_sub(1).map(|place| self.direction.cell(line, place));
            is_measure(self.sheet.cell(at).value)
                && !self.has_formula(at)
                && before.is_some_and(|before| self.has_formula(before))
        };
        let before = (0..line).rev().take_while(|line| is_like(*line)).take(MIN_ACROSS as usize).count();
        let behind = (line + 1..line + 1 + MIN_ACROSS).take_while(|line| is_like(*line)).count();
        before + 1 + behind >= MIN_ACROSS as usize
    }

    /// Whether a formula adds up several cells of its own line.
    fn is_subtotal(&self, at: CellRef) -> bool {
        let Some(id) = self.sheet.cell(at).formula else { return false };
        let text = self.sheet.formula_text(at, id);
        let (line, _) = self.direction.line_and_place(at);
        formula::references(&text).any(|mention| {
            let Target::Cells(reference) = mention.target else { return false };
            let is_range =
                matches!(reference.kind, RefKind::Range(..) | RefKind::Columns(..) | RefKind::Rows(..));
            is_range
                && reference.prefix.sheets == Sheets::Current
                && reference.range().is_some_and(|range| {
                    let (first_line, first) = self.direction.line_and_place(range.start());
                    let (last_line, last) = self.direction.line_and_place(range.end());
                    (first_line..=last_line).contains(&line) && last > first
                })
        })
    }

    fn has_formula(&self, at: CellRef) -> bool {
        self.across_run(at).is_some()
    }

    fn across_run(&self, at: CellRef) -> Option<&Run> {
        let (line, place) = self.direction.line_and_place(at);
        let found = self.across.binary_search_by_key(&place, |(line, _)| *line).ok()?;
        find_run(&self.across[found].1, line)
    }

    fn range(&self, line: u32, first: u32, last: u32) -> CellRange {
        CellRange::new(self.direction.cell(line, first), self.direction.cell(line, last))
    }
}

fn find_run(runs: &[Run], place: u32) -> Option<&Run> {
    let after = runs.partition_point(|run| run.first <= place);
    runs[..after].last().filter(|run| place <= run.last)
}

fn is_measure(value: Value<'_>) -> bool {
    matches!(value, Value::Number(_) | Value::Bool(_))
}
