//! The cells of two aligned sheets, compared aspect by aspect.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::RangeInclusive;

use grid::{CellRange, CellRef};
use serde::Serialize;
use workbook::{Column, FormulaKind, RawCell, Sheet, StyleId, Styles};

use crate::diff::Options;
use crate::diff::follow::{Layout, Sheetwise, is_same};
use crate::diff::lines::Run;
use crate::formulas::{Cancel, Cancelled};

/// What of a cell changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A constant: came, went or is another one.
    Value,
    /// A formula: came, went or computes something else.
    Formula,
    /// The result of a formula that is the same.
    Result,
    /// How the cell looks.
    Format,
}

/// One cell that differs in one aspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellChange {
    /// What changed.
    pub kind: ChangeKind,
    /// Its place in the old sheet.
    pub old: CellRef,
    /// Its place in the new sheet.
    pub new: CellRef,
}

/// Whether cell formats of two workbooks look the same.
pub(crate) struct Formats<'a> {
    old: &'a Styles,
    new: &'a Styles,
    is_one: bool,
    known: RefCell<HashMap<(StyleId, StyleId), bool>>,
    /// Whether every old id means the same in both: then shared chunks have equal formats.
    is_stable: bool,
}

impl<'a> Formats<'a> {
    pub(crate) fn new(old: &'a Styles, new: &'a Styles) -> Formats<'a> {
        let is_one = std::ptr::eq(old, new);
        let mut formats = Formats { old, new, is_one, known: RefCell::default(), is_stable: true };
        let ids = 0..if is_one { 0 } else { old.formats.len() as u32 };
        formats.is_stable = ids.map(StyleId).all(|id| formats.is_same(id, id));
        formats
    }

    pub(crate) fn is_same(&self, old: StyleId, new: StyleId) -> bool {
        if self.is_one && old == new {
            return true;
        }
        *self.known.borrow_mut().entry((old, new)).or_insert_with(|| self.compare(old, new))
    }

    fn compare(&self, old_id: StyleId, new_id: StyleId) -> bool {
        let (Some(old), Some(new)) = (self.old.format(old_id), self.new.format(new_id)) else {
            return self.old.format(old_id).is_none() && self.new.format(new_id).is_none();
        };
        let style = |styles: &Styles, index: Option<usize>| {
            let name = index.and_then(|index| styles.named_styles.get(index)).map(|style| style.name.clone());
            name.filter(|name| name != "Normal")
        };
        self.old.number_format_code(old_id) == self.new.number_format_code(new_id)
            && self.old.fonts.get(old.font) == self.new.fonts.get(new.font)
            && self.old.fills.get(old.fill) == self.new.fills.get(new.fill)
            && self.old.borders.get(old.border) == self.new.borders.get(new.border)
            && old.alignment.clone().unwrap_or_default() == new.alignment.clone().unwrap_or_default()
            && (old.locked, old.hidden) == (new.locked, new.hidden)
            && style(self.old, old.named_style) == style(self.new, new.named_style)
    }
}

/// Two aligned sheets.
pub(crate) struct Pair<'a> {
    pub(crate) old: &'a Sheet,
    pub(crate) new: &'a Sheet,
    pub(crate) layout: &'a Layout,
    pub(crate) sheets: &'a dyn Sheetwise,
    pub(crate) formats: &'a Formats<'a>,
    pub(crate) options: &'a Options,
    /// The only cells to look at, in the new sheet; all if there are none.
    pub(crate) within: Vec<CellRange>,
}

impl Pair<'_> {
    /// Every change of a cell, row by row.
    pub(crate) fn changes(&self, cancel: Cancel<'_>) -> Result<Vec<CellChange>, Cancelled> {
        let mut found = Vec::new();
        if std::ptr::eq(self.old, self.new) && self.formats.is_stable {
            return Ok(found);
        }
        let spilled = (spilled(self.old), spilled(self.new));
        let empty = Column::default();
        for (old_col, new_col) in self.columns() {
            let old = self.old.column(old_col).unwrap_or(&empty);
            let new = self.new.column(new_col).unwrap_or(&empty);
            let mut compare = |old_row: u32, new_row: u32, a: Option<RawCell>, b: Option<RawCell>| {
                let places = (CellRef::clamped(old_row, old_col), CellRef::clamped(new_row, new_col));
                self.compare(places, (a, b), &spilled, &mut found);
            };
            for run in self.layout.rows.runs() {
                if cancel() {
                    return Err(Cancelled);
                }
                compare_run(
                    old,
                    new,
                    run,
                    self.formats.is_stable,
                    |chunk| self.formulas_differ(chunk),
                    &mut compare,
                );
            }
        }
        if !self.within.is_empty() {
            found.retain(|change| self.within.iter().any(|range| range.contains(change.new)));
        }
        found.sort_unstable_by_key(|change| (change.new.row(), change.new.col(), change.kind));
        Ok(found)
    }

    /// Columns of both sheets that are the same one and have cells on a side.
    fn columns(&self) -> Vec<(u32, u32)> {
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for run in self.layout.cols.runs() {
            let last = |start: u32| start.saturating_add(run.len - 1);
            let old = self.old.columns_in(run.old..=last(run.old)).map(|(col, _)| col - run.old);
            let new = self.new.columns_in(run.new..=last(run.new)).map(|(col, _)| col - run.new);
            let mut steps: Vec<u32> = old.chain(new).collect();
            steps.sort_unstable();
            steps.dedup();
            pairs.extend(steps.into_iter().map(|step| (run.old + step, run.new + step)));
        }
        pairs
    }

    /// Whether a formula of a shared chunk got another text.
    fn formulas_differ(&self, chunk: &workbook::Chunk) -> bool {
        let get = |sheet: &Sheet, id: workbook::FormulaId| {
            ((id.0 as usize) < sheet.formulas().len()).then(|| sheet.formulas().get(id).clone())
        };
        chunk.formulas().iter().any(|(_, id)| get(self.old, *id) != get(self.new, *id))
    }

    fn compare(
        &self,
        (old_at, new_at): (CellRef, CellRef),
        (old, new): (Option<RawCell>, Option<RawCell>),
        spilled: &(Vec<CellRange>, Vec<CellRange>),
        found: &mut Vec<CellChange>,
    ) {
        let (a, b) = (old.unwrap_or_default(), new.unwrap_or_default());
        let change = |kind| CellChange { kind, old: old_at, new: new_at };
        if let Some(kind) = self.content_change((old_at, new_at), (a, b), spilled) {
            found.push(change(kind));
        }
        if self.options.formats {
            let old_style = old.map_or_else(|| line_style(self.old, old_at), |cell| cell.style);
            let new_style = new.map_or_else(|| line_style(self.new, new_at), |cell| cell.style);
            if !self.formats.is_same(old_style, new_style) {
                found.push(change(ChangeKind::Format));
            }
        }
    }

    /// What changed of value and formula, if it was asked for.
    fn content_change(
        &self,
        (old_at, new_at): (CellRef, CellRef),
        (old, new): (RawCell, RawCell),
        spilled: &(Vec<CellRange>, Vec<CellRange>),
    ) -> Option<ChangeKind> {
        let is_constant = old.formula.is_none() && new.formula.is_none();
        if !is_constant && !self.is_same_formula(old_at, old, new_at, new) {
            return self.options.formulas.then_some(ChangeKind::Formula);
        }
        if self.old.resolve_value(old.value) == self.new.resolve_value(new.value) {
            return None;
        }
        let in_spill = |ranges: &[CellRange], at| ranges.iter().any(|range| range.contains(at));
        if !is_constant || (in_spill(&spilled.0, old_at) && in_spill(&spilled.1, new_at)) {
            return self.options.results.then_some(ChangeKind::Result);
        }
        self.options.values.then_some(ChangeKind::Value)
    }

    fn is_same_formula(&self, old_at: CellRef, old: RawCell, new_at: CellRef, new: RawCell) -> bool {
        let (Some(old_id), Some(new_id)) = (old.formula, new.formula) else { return false };
        let is_array = |sheet: &Sheet, id| match sheet.formulas().get(id).kind {
            FormulaKind::Normal | FormulaKind::Shared { .. } => None,
            FormulaKind::Array { dynamic, .. } => Some((false, dynamic)),
            FormulaKind::DataTable { .. } => Some((true, false)),
        };
        if is_array(self.old, old_id) != is_array(self.new, new_id) {
            return false;
        }
        let old_text = self.old.formula_text(old_at, old_id);
        let new_text = self.new.formula_text(new_at, new_id);
        is_same((&old_text, old_at), (&new_text, new_at), self.layout, self.sheets)
    }
}

/// The format of a cell that is not stored.
pub(crate) fn line_style(sheet: &Sheet, at: CellRef) -> StyleId {
    let row = sheet.row_props(at.row()).and_then(|props| props.style);
    row.or_else(|| sheet.column_span(at.col()).and_then(|span| span.style)).unwrap_or_default()
}

/// The ranges in which array formulas and data tables write results.
fn spilled(sheet: &Sheet) -> Vec<CellRange> {
    let range = |formula: &workbook::Formula| match formula.kind {
        FormulaKind::Array { range, .. } | FormulaKind::DataTable { range } => Some(range),
        _ => None,
    };
    sheet.formulas().iter().filter_map(|(_, formula)| range(formula)).collect()
}

/// Calls `compare` for the cells of one run of rows, apart from chunks that both columns share.
fn compare_run(
    old: &Column,
    new: &Column,
    run: Run,
    may_skip: bool,
    formulas_differ: impl Fn(&workbook::Chunk) -> bool,
    compare: &mut impl FnMut(u32, u32, Option<RawCell>, Option<RawCell>),
) {
    let last = run.old.saturating_add(run.len - 1);
    let mut at = run.old;
    if may_skip {
        let mut others = new.chunks().peekable();
        for (base, chunk) in old.chunks().filter(|(_, chunk)| !chunk.is_empty()) {
            let first_row = base + u32::from(chunk.offset(0));
            let last_row = base + u32::from(chunk.offset(chunk.len() - 1));
            if first_row < at || last_row > last {
                continue;
            }
            let wanted = base as i64 + i64::from(run.new) - i64::from(run.old);
            while others.next_if(|(other, _)| i64::from(*other) < wanted).is_some() {}
            let is_shared = others
                .peek()
                .is_some_and(|(other, same)| i64::from(*other) == wanted && std::ptr::eq(*same, chunk));
            if !is_shared || formulas_differ(chunk) {
                continue;
            }
            if first_row > at {
                merge(old, new, run, at..=first_row - 1, compare);
            }
            at = last_row + 1;
        }
    }
    if at <= last {
        merge(old, new, run, at..=last, compare);
    }
}

fn merge(
    old: &Column,
    new: &Column,
    run: Run,
    rows: RangeInclusive<u32>,
    compare: &mut impl FnMut(u32, u32, Option<RawCell>, Option<RawCell>),
) {
    let to_new = |row: u32| row - run.old + run.new;
    let mut old_cells = old.cells(rows.clone()).peekable();
    let mut new_cells = new
        .cells(to_new(*rows.start())..=run.new.saturating_add(*rows.end() - run.old))
        .map(|(row, cell)| (row - run.new + run.old, cell))
        .peekable();
    loop {
        let row = match (old_cells.peek(), new_cells.peek()) {
            (None, None) => return,
            (Some((row, _)), None) | (None, Some((row, _))) => *row,
            (Some((a, _)), Some((b, _))) => *a.min(b),
        };
        let a = old_cells.next_if(|(at, _)| *at == row).map(|(_, cell)| cell);
        let b = new_cells.next_if(|(at, _)| *at == row).map(|(_, cell)| cell);
        if a != b || a.is_some() {
            compare(row, to_new(row), a, b);
        }
    }
}
