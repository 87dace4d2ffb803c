//! Which cells of a sheet hold something, as runs per row in reading order.

use grid::{CellRange, Value};
use workbook::{CHUNK_ROWS, Chunk, RawValue, Sheet};

use crate::formulas::{Cancel, Cancelled};

/// Merged rows that are filled beyond one for each stored cell: what a file repeats must not cost more than itself.
const SPARE_MERGED_ROWS: u64 = 100_000;

/// Neighbouring occupied cells of one row; zero-based columns, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) row: u32,
    pub(crate) first: u32,
    pub(crate) last: u32,
}

/// Hands every row with occupied cells outside of `taken` to `visit`, top to bottom, its runs from left to right.
///
/// Occupied is what has a value or a formula, and what is merged with such a cell; formats alone do not count.
pub(crate) fn visit_rows(
    sheet: &Sheet,
    taken: &[CellRange],
    cancel: Cancel<'_>,
    mut visit: impl FnMut(u32, &[Run]),
) -> Result<(), Cancelled> {
    let mut walks: Vec<Walk<'_>> = sheet
        .columns()
        .map(|(col, column)| Walk { col, chunks: column.chunks().collect(), next: 0, index: 0 })
        .collect();
    let mut merges = filled_merges(sheet).into_iter().peekable();
    let mut open_merges: Vec<CellRange> = Vec::new();
    let mut block = Block::default();
    while let Some(row) = walks.iter().filter_map(Walk::next_row).min() {
        if cancel() {
            return Err(Cancelled);
        }
        let first = row / CHUNK_ROWS * CHUNK_ROWS;
        let end = first + CHUNK_ROWS;
        block.start(first);
        for walk in &mut walks {
            walk.read(end, &mut block);
        }
        while let Some(merge) = merges.next_if(|merge| merge.start().row() < end) {
            open_merges.push(merge);
        }
        open_merges.retain(|merge| merge.end().row() >= first);
        for merge in &open_merges {
            block.fill(*merge);
        }
        let taken: Vec<CellRange> = taken
            .iter()
            .copied()
            .filter(|range| range.start().row() < end && range.end().row() >= first)
            .collect();
        block.visit(&taken, &mut visit);
    }
    Ok(())
}

/// Merges over a cell that holds something, by first row, cut to the columns and rows that the sheet uses.
fn filled_merges(sheet: &Sheet) -> Vec<CellRange> {
    let Some(used) = sheet.used_range() else { return Vec::new() };
    let mut budget = sheet.cell_count() + SPARE_MERGED_ROWS;
    let mut merges: Vec<CellRange> = Vec::new();
    for merge in &sheet.merges {
        let anchor = sheet.cell(merge.start());
        if anchor.formula.is_none() && anchor.value == Value::Empty {
            continue;
        }
        let Some(shown) = merge.intersect(used) else { continue };
        let height = u64::from(shown.height());
        if height > budget {
            break;
        }
        budget -= height;
        merges.push(shown);
    }
    merges.sort_unstable();
    merges
}

/// A column that is read block by block.
struct Walk<'a> {
    col: u32,
    chunks: Vec<(u32, &'a Chunk)>,
    next: usize,
    index: usize,
}

impl Walk<'_> {
    fn next_row(&self) -> Option<u32> {
        let (base, chunk) = self.chunks.get(self.next)?;
        Some(base + u32::from(chunk.offset(self.index)))
    }

    /// Marks the occupied cells above row `end`, and stops before it.
    fn read(&mut self, end: u32, block: &mut Block) {
        while let Some((base, chunk)) = self.chunks.get(self.next) {
            let rows_left = end.saturating_sub(*base);
            let stop =
                if rows_left >= CHUNK_ROWS { chunk.len() } else { chunk.lower_bound(rows_left as u16) };
            for index in self.index..stop {
                let offset = chunk.offset(index);
                let is_occupied = chunk.value_at(index) != RawValue::Empty
                    || chunk.formulas().binary_search_by_key(&offset, |(at, _)| *at).is_ok();
                if is_occupied {
                    block.mark(base + u32::from(offset), self.col);
                }
            }
            if stop < chunk.len() {
                self.index = stop;
                return;
            }
            self.next += 1;
            self.index = 0;
        }
    }
}

/// The runs of [`CHUNK_ROWS`] rows while columns arrive from left to right.
#[derive(Default)]
struct Block {
    first: u32,
    runs: Vec<Run>,
    /// Per row, its last run so far.
    open: Vec<Option<u32>>,
    has_merges: bool,
}

impl Block {
    fn start(&mut self, first: u32) {
        self.first = first;
        self.runs.clear();
        self.open.clear();
        self.open.resize(CHUNK_ROWS as usize, None);
        self.has_merges = false;
    }

    fn mark(&mut self, row: u32, col: u32) {
        let open = &mut self.open[(row - self.first) as usize];
        if let Some(run) = open.map(|index| &mut self.runs[index as usize])
            && run.last + 1 == col
        {
            run.last = col;
            return;
        }
        *open = Some(self.runs.len() as u32);
        self.runs.push(Run { row, first: col, last: col });
    }

    fn fill(&mut self, merge: CellRange) {
        let rows = merge.start().row().max(self.first)..=merge.end().row().min(self.first + CHUNK_ROWS - 1);
        self.has_merges = true;
        self.runs.extend(rows.map(|row| Run { row, first: merge.start().col(), last: merge.end().col() }));
    }

    fn visit(&mut self, taken: &[CellRange], visit: &mut impl FnMut(u32, &[Run])) {
        // Stable, so that runs of one row stay in the order of their columns.
        self.runs.sort_by_key(|run| run.row);
        let mut row_runs: Vec<Run> = Vec::new();
        for runs in self.runs.chunk_by(|a, b| a.row == b.row) {
            let row = runs[0].row;
            let is_plain = !self.has_merges && !taken.iter().any(|range| range.rows_contain(row));
            if is_plain {
                visit(row, runs);
                continue;
            }
            row_runs.clear();
            row_runs.extend_from_slice(runs);
            join(&mut row_runs);
            for range in taken.iter().filter(|range| range.rows_contain(row)) {
                cut(&mut row_runs, range.start().col(), range.end().col());
            }
            if !row_runs.is_empty() {
                visit(row, &row_runs);
            }
        }
    }
}

trait RowsContain {
    fn rows_contain(&self, row: u32) -> bool;
}

impl RowsContain for CellRange {
    fn rows_contain(&self, row: u32) -> bool {
        self.start().row() <= row && row <= self.end().row()
    }
}

/// Puts the runs of a row in order, and makes one of those that touch.
fn join(runs: &mut Vec<Run>) {
    runs.sort_unstable_by_key(|run| run.first);
    runs.dedup_by(|next, before| {
        let touches = next.first <= before.last + 1;
        if touches {
            before.last = before.last.max(next.last);
        }
        touches
    });
}

/// Takes the columns out of the runs.
fn cut(runs: &mut Vec<Run>, first: u32, last: u32) {
    let parts: Vec<Run> = runs
        .iter()
        .flat_map(|run| {
            let left = (run.first < first).then(|| Run { last: run.last.min(first - 1), ..*run });
            let right = (run.last > last).then(|| Run { first: run.first.max(last + 1), ..*run });
            [left, right].into_iter().flatten()
        })
        .collect();
    *runs = parts;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(runs: &[(u32, u32)], first: u32, last: u32, expected: &[(u32, u32)]) {
        let mut runs: Vec<Run> =
            runs.iter().map(|(first, last)| Run { row: 0, first: *first, last: *last }).collect();
        join(&mut runs);
        cut(&mut runs, first, last);
        let left: Vec<(u32, u32)> = runs.iter().map(|run| (run.first, run.last)).collect();
        assert_eq!(left, expected);
    }

    #[test]
    fn runs_join_and_are_cut() {
        check(&[(5, 9), (0, 2), (3, 3)], 20, 30, &[(0, 3), (5, 9)]);
        check(&[(0, 9)], 3, 5, &[(0, 2), (6, 9)]);
        check(&[(0, 4), (8, 9)], 0, 8, &[(9, 9)]);
        check(&[(4, 6)], 0, 10, &[]);
    }
}
