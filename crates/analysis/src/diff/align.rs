//! The rows and columns of two sheets put next to each other, before any cell is compared.
//!
//! A copy shares the chunks that nobody wrote to, so that they tell exactly, and for nothing, where its rows are. Only
//! what lies between them is hashed.

use std::cell::Cell;
use std::collections::HashMap;

use workbook::{Chunk, Sheet};

use crate::diff::fingerprint::{Side, Sketch};
use crate::diff::follow::Layout;
use crate::diff::lines::{Alignment, Run};
use crate::diff::sequence::{Sequences, moved};
use crate::formulas::{Cancel, Cancelled};

/// Pairs of lines that one sheet may look at.
const PAIR_BUDGET: usize = 400_000;

/// Aligns two sheets.
pub(crate) fn align(old: &Sheet, new: &Sheet, cancel: Cancel<'_>) -> Result<Layout, Cancelled> {
    if std::ptr::eq(old, new) {
        return Ok(Layout { rows: Alignment::identity(), cols: Alignment::identity() });
    }
    let (old, new) = (Side::new(old), Side::new(new));
    let shared = shared_chunks(old.sheet, new.sheet);
    let cols = columns(&old, &new, &shared, cancel)?;
    let rows = rows(&old, &new, &shared, &cols, cancel)?;
    Ok(Layout { rows, cols })
}

/// A chunk that both sheets have.
struct Shared {
    old_col: u32,
    new_col: u32,
    /// From its first cell to its last one.
    rows: Run,
}

fn shared_chunks(old: &Sheet, new: &Sheet) -> Vec<Shared> {
    let mut places: HashMap<*const Chunk, (u32, u32)> = HashMap::new();
    for (col, column) in new.columns() {
        places.extend(column.chunks().map(|(base, chunk)| (std::ptr::from_ref(chunk), (col, base))));
    }
    let mut shared = Vec::new();
    for (old_col, column) in old.columns() {
        for (base, chunk) in column.chunks().filter(|(_, chunk)| !chunk.is_empty()) {
            let Some((new_col, new_base)) = places.get(&std::ptr::from_ref(chunk)) else { continue };
            let (first, last) = (u32::from(chunk.offset(0)), u32::from(chunk.offset(chunk.len() - 1)));
            let rows = Run { old: base + first, new: new_base + first, len: last - first + 1 };
            shared.push(Shared { old_col, new_col: *new_col, rows });
        }
    }
    shared
}

/// One past the last line with a cell: rows, columns.
fn ends(sheet: &Sheet) -> (u32, u32) {
    let rows = sheet.columns().filter_map(|(_, column)| column.chunks().last());
    let rows = rows.map(|(base, chunk)| base + u32::from(chunk.offset(chunk.len() - 1)) + 1).max();
    (rows.unwrap_or(0), sheet.columns().last().map_or(0, |(col, _)| col + 1))
}

fn columns(
    old: &Side<'_>,
    new: &Side<'_>,
    shared: &[Shared],
    cancel: Cancel<'_>,
) -> Result<Alignment, Cancelled> {
    let (old_end, new_end) = (ends(old.sheet).1, ends(new.sheet).1);
    // Columns with a chunk in common are the same; a number that both get stands for what they hold.
    let mut same: HashMap<u32, u32> = HashMap::new();
    for chunk in shared {
        same.entry(chunk.old_col).or_insert(chunk.new_col);
    }
    if old_end == new_end && same.iter().all(|(old, new)| old == new) && !same.is_empty() {
        return Ok(Alignment::identity());
    }
    let from: HashMap<u32, u32> = same.iter().map(|(old, new)| (*new, *old)).collect();
    let mut old_sketches: Vec<Option<Sketch>> = vec![None; old_end as usize];
    let mut new_sketches: Vec<Option<Sketch>> = vec![None; new_end as usize];
    let mut old_hashes = vec![0u64; old_end as usize];
    let mut new_hashes = vec![0u64; new_end as usize];
    for (side, sketches, hashes, known) in
        [(old, &mut old_sketches, &mut old_hashes, &same), (new, &mut new_sketches, &mut new_hashes, &from)]
    {
        for (col, column) in side.sheet.columns() {
            if cancel() {
                return Err(Cancelled);
            }
            if let Some(other) = known.get(&col) {
                let called = if std::ptr::eq(side, old) { col } else { *other };
                hashes[col as usize] = u64::from(called) + 1;
                continue;
            }
            let sketch = side.sketch(column);
            hashes[col as usize] = sketch.sum;
            sketches[col as usize] = Some(sketch);
        }
    }
    let alike = |a: usize, b: usize| match (&old_sketches[a], &new_sketches[b]) {
        (Some(a), Some(b)) => a.likeness(b),
        _ => 0.0,
    };
    let sequences =
        Sequences { old: &old_hashes, new: &new_hashes, alike: &alike, budget: Cell::new(PAIR_BUDGET) };
    let kept = sequences.align(cancel)?;
    let old_left = left(&old_hashes, 0, kept.iter().map(|run| (run.old, run.len)));
    let new_left = left(&new_hashes, 0, kept.iter().map(|run| (run.new, run.len)));
    Ok(Alignment::new(kept, moved(&old_left, &new_left), (old_end, new_end)))
}

/// The lines that no run keeps, blank ones aside; the first line is `first`.
fn left(hashes: &[u64], first: u32, kept: impl Iterator<Item = (u32, u32)>) -> Vec<(u32, u64)> {
    let mut lines = Vec::new();
    let mut next = 0;
    for (start, len) in kept.chain([(hashes.len() as u32, 0)]) {
        let open = (next..start).map(|line| (first + line, hashes[line as usize]));
        lines.extend(open.filter(|(_, hash)| *hash != 0));
        next = start + len;
    }
    lines
}

fn rows(
    old: &Side<'_>,
    new: &Side<'_>,
    shared: &[Shared],
    cols: &Alignment,
    cancel: Cancel<'_>,
) -> Result<Alignment, Cancelled> {
    let (old_end, new_end) = (ends(old.sheet).0, ends(new.sheet).0);
    let anchors = anchors(shared, cols);
    let called = |col: u32| cols.to_new(col).map(|new| (col, new));
    let old_cols: Vec<(u32, u32)> = old.sheet.columns().filter_map(|(col, _)| called(col)).collect();
    let from: HashMap<u32, u32> = old_cols.iter().map(|(old, new)| (*new, *old)).collect();
    let new_cols: Vec<(u32, u32)> = new
        .sheet
        .columns()
        .filter(|(col, _)| from.contains_key(col) || cols.is_identity())
        .map(|(col, _)| (col, col))
        .collect();
    // Only lines between anchors are hashed; the others get no hash and are not looked at again.
    let mut kept = Vec::new();
    let mut old_left: Vec<(u32, u64)> = Vec::new();
    let mut new_left: Vec<(u32, u64)> = Vec::new();
    let budget = Cell::new(PAIR_BUDGET);
    let (mut old_at, mut new_at) = (0, 0);
    let end = Run { old: old_end, new: new_end, len: 0 };
    for anchor in anchors.into_iter().chain([end]) {
        let old_rows = old_at..anchor.old;
        let new_rows = new_at..anchor.new;
        let old_hashes = old.rows(old_rows.clone(), &old_cols, cancel)?;
        let new_hashes = new.rows(new_rows.clone(), &new_cols, cancel)?;
        let alike = |a: usize, b: usize| {
            let a = old.row_cells(old_rows.start + a as u32, &old_cols);
            let b = new.row_cells(new_rows.start + b as u32, &new_cols);
            let equal = a.iter().filter(|cell| b.binary_search(cell).is_ok()).count();
            equal as f32 / a.len().max(b.len()).max(1) as f32
        };
        let sequences =
            Sequences { old: &old_hashes, new: &new_hashes, alike: &alike, budget: budget.clone() };
        let runs = sequences.align(cancel)?;
        budget.set(sequences.budget.get());
        old_left.extend(left(&old_hashes, old_at, runs.iter().map(|run| (run.old, run.len))));
        new_left.extend(left(&new_hashes, new_at, runs.iter().map(|run| (run.new, run.len))));
        kept.extend(runs.into_iter().map(|run| Run { old: run.old + old_at, new: run.new + new_at, ..run }));
        kept.extend((anchor.len > 0).then_some(anchor));
        (old_at, new_at) = (anchor.old + anchor.len, anchor.new + anchor.len);
    }
    Ok(Alignment::new(kept, moved(&old_left, &new_left), (old_end, new_end)))
}

/// The rows that shared chunks say are the same; none where they contradict each other.
fn anchors(shared: &[Shared], cols: &Alignment) -> Vec<Run> {
    let same_column = |chunk: &&Shared| cols.to_new(chunk.old_col) == Some(chunk.new_col);
    let mut runs: Vec<Run> = shared.iter().filter(same_column).map(|chunk| chunk.rows).collect();
    runs.sort_unstable_by_key(|run| (run.old, run.new));
    let mut joined: Vec<Run> = Vec::new();
    for run in runs {
        let Some(last) = joined.last_mut() else {
            joined.push(run);
            continue;
        };
        let shift = |run: &Run| i64::from(run.new) - i64::from(run.old);
        if shift(last) == shift(&run) && run.old <= last.old + last.len {
            last.len = last.len.max(run.old + run.len - last.old);
        } else if run.old < last.old + last.len || run.new < last.new + last.len {
            return Vec::new();
        } else {
            joined.push(run);
        }
    }
    joined
}
