//! Where a value, a label, a formula or a note is.
//!
//! Each distinct text is looked at once, whatever the number of its cells, and numbers compare to an interval: finding
//! costs little more than walking over the cells.

mod neighbour;
mod pattern;

use std::sync::Arc;

use grid::{CellRange, CellRef};
use workbook::{RawValue, Sheet, StringTable, Workbook};

use crate::formulas::{Cancel, Cancelled};
use crate::frame::scan::{Kinds, Slice, Verdicts, slices};
use crate::near_miss::near_misses;
use crate::resolve::clip;

pub use neighbour::{Neighbours, neighbours};
pub use pattern::{Matching, Pattern, PatternError};

/// Rows that are searched before their hits are put in reading order: those of one chunk.
const BLOCK_ROWS: u32 = workbook::CHUNK_ROWS;
/// Texts longer than this are not offered as near misses.
const MAX_NEAR_TEXT: usize = 60;
/// Distinct texts that are compared for near misses.
const MAX_NEAR_TEXTS: usize = 20_000;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchIn {
    /// Values, and results of formulas.
    Values,
    /// Texts only: what names a value beside or below it.
    Labels,
    /// Formulas, with their leading `=`.
    Formulas,
    /// Notes and threaded comments.
    Notes,
}

/// Visits the cells of a range that match, in reading order.
pub fn search(
    workbook: &Workbook,
    sheet: &Sheet,
    range: CellRange,
    target: SearchIn,
    pattern: &Pattern,
    visit: &mut dyn FnMut(CellRef),
    cancel: Cancel<'_>,
) -> Result<(), Cancelled> {
    let Some(range) = clip(range, sheet) else { return Ok(()) };
    if target == SearchIn::Notes {
        let matches = |comment: &&workbook::Comment| {
            let replies = comment.replies.iter().map(|reply| &reply.text);
            range.contains(comment.cell)
                && std::iter::once(&comment.text).chain(replies).any(|text| pattern.matches_text(text))
        };
        let mut found: Vec<CellRef> =
            sheet.comments.iter().filter(matches).map(|comment| comment.cell).collect();
        found.sort_unstable();
        found.into_iter().for_each(visit);
        return Ok(());
    }
    let columns: Vec<_> = sheet.columns_in(range.start().col()..=range.end().col()).collect();
    let mut scan = Scan {
        sheet,
        pattern,
        target,
        shared: Verdicts::new(sheet.shared_strings()),
        own: Verdicts::new(sheet.own_strings()),
        kinds: Kinds::new(&workbook.styles),
        found: Vec::new(),
    };
    let mut first = range.start().row();
    while first <= range.end().row() {
        let end = (first / BLOCK_ROWS * BLOCK_ROWS + BLOCK_ROWS).min(range.end().row() + 1);
        if cancel() {
            return Err(Cancelled);
        }
        for (col, column) in &columns {
            for slice in slices(column, first..end) {
                scan.slice(*col, &slice);
            }
        }
        scan.found.sort_unstable();
        scan.found.drain(..).for_each(&mut *visit);
        first = next_block(&columns, end).unwrap_or(u32::MAX);
    }
    Ok(())
}

/// The first row from `row` on where a chunk may have cells.
fn next_block(columns: &[(u32, &workbook::Column)], row: u32) -> Option<u32> {
    let next = |(_, column): &(u32, &workbook::Column)| {
        column.chunks().map(|(base, _)| base).find(|base| base.saturating_add(BLOCK_ROWS) > row)
    };
    columns.iter().filter_map(next).min().map(|base| base.max(row))
}

struct Scan<'a> {
    sheet: &'a Sheet,
    pattern: &'a Pattern,
    target: SearchIn,
    shared: Verdicts<'a>,
    own: Verdicts<'a>,
    kinds: Kinds<'a>,
    found: Vec<CellRef>,
}

impl Scan<'_> {
    fn slice(&mut self, col: u32, slice: &Slice<'_>) {
        match self.target {
            SearchIn::Formulas => self.formulas(col, slice),
            _ => self.values(col, slice),
        }
    }

    fn formulas(&mut self, col: u32, slice: &Slice<'_>) {
        let first = slice.chunk.offset(slice.indices.start);
        let last = slice.chunk.offset(slice.indices.end - 1);
        let formulas = slice.chunk.formulas();
        let from = formulas.partition_point(|(offset, _)| *offset < first);
        for (offset, id) in formulas[from..].iter().take_while(|(offset, _)| *offset <= last) {
            let at = CellRef::clamped(slice.base + u32::from(*offset), col);
            if self.pattern.matches_formula(&self.sheet.formula_text(at, *id)) {
                self.found.push(at);
            }
        }
    }

    fn values(&mut self, col: u32, slice: &Slice<'_>) {
        let chunk = slice.chunk;
        let pattern = self.pattern;
        let wants_all = self.target == SearchIn::Values;
        if let Some(numbers) = chunk.all_numbers() {
            if !wants_all || !pattern.has_number() {
                return;
            }
            if let Some(style) = chunk.uniform_style() {
                let Some((low, high)) = pattern.interval(self.kinds.of(style).is_date_time()) else { return };
                let hits = numbers
                    .enumerate()
                    .skip(slice.indices.start)
                    .take(slice.indices.len())
                    .filter(|(_, number)| low <= *number && *number <= high);
                self.found.extend(hits.map(|(index, _)| CellRef::clamped(slice.row(index), col)));
                return;
            }
        }
        for index in slice.indices.clone() {
            let matches = match chunk.value_at(index) {
                RawValue::Empty => false,
                RawValue::SharedText(id) => self.shared.of(id, |text| pattern.matches_text(text)),
                RawValue::SheetText(id) => self.own.of(id, |text| pattern.matches_text(text)),
                _ if !wants_all => false,
                RawValue::Number(number) => {
                    let is_date = self.kinds.of(chunk.style_at(index)).is_date_time();
                    pattern.interval(is_date).is_some_and(|(low, high)| low <= number && number <= high)
                }
                RawValue::Bool(value) => pattern.bool() == Some(value),
                RawValue::Error(error) => pattern.error() == Some(error),
            };
            if matches {
                self.found.push(CellRef::clamped(slice.row(index), col));
            }
        }
    }
}

/// Texts of a workbook's sheets that resemble one that was not found.
pub fn near_texts(sheets: &[Arc<Sheet>], wanted: &str) -> Vec<String> {
    let shared = sheets.first().map(|sheet| sheet.shared_strings());
    let own = sheets.iter().map(|sheet| sheet.own_strings());
    let texts = shared.into_iter().chain(own).flat_map(StringTable::iter).map(|(_, text)| text.trim());
    near_misses(
        wanted,
        texts.filter(|text| !text.is_empty() && text.len() <= MAX_NEAR_TEXT).take(MAX_NEAR_TEXTS),
    )
}
