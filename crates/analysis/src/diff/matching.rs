//! Which sheet of one workbook is which of the other.

use grid::CellRange;
use workbook::{Sheet, SheetId};

use crate::diff::fingerprint::{Side, Sketch};
use crate::formulas::{Cancel, Cancelled, Places};

/// How alike sheets of different names have to be to count as one that was renamed.
const ALIKE: f32 = 0.3;

/// An old sheet and a new one: one of them is `None` where a sheet went or came.
pub(crate) type Matched = (Option<SheetId>, Option<SheetId>);

/// Pairs of sheets, in the new order; those that went come last.
pub(crate) fn matched(
    old: &Places<'_>,
    new: &Places<'_>,
    cancel: Cancel<'_>,
) -> Result<Vec<Matched>, Cancelled> {
    let mut found: Vec<(SheetId, Option<SheetId>)> =
        new.sheets().map(|(id, _)| (id, old.sheet_id(new.sheet_name(id)))).collect();
    let mut left: Vec<SheetId> =
        old.sheets().map(|(id, _)| id).filter(|id| !found.iter().any(|(_, old)| *old == Some(*id))).collect();
    if !left.is_empty() {
        for (id, of) in found.iter_mut().filter(|(_, of)| of.is_none()) {
            let sheet = new.sheet(*id);
            let sketch = sketch(sheet, cancel)?;
            let mut best: Option<(bool, f32, usize)> = None;
            for (index, candidate) in left.iter().enumerate() {
                let other = old.sheet(*candidate);
                let same_part = !sheet.part.is_empty() && sheet.part == other.part;
                let blank = |sheet: &Sheet| sheet.used_range().is_none();
                let likeness = if blank(sheet) && blank(other) {
                    1.0
                } else {
                    sketch.likeness(&self::sketch(other, cancel)?)
                };
                let is_better = best.is_none_or(|(part, most, _)| (same_part, likeness) > (part, most));
                if sheet.kind == other.kind && likeness >= ALIKE && is_better {
                    best = Some((same_part, likeness, index));
                }
            }
            *of = best.map(|(_, _, index)| left.remove(index));
        }
    }
    let pairs = found.into_iter().map(|(new, old)| (old, Some(new)));
    Ok(pairs.chain(left.into_iter().map(|old| (Some(old), None))).collect())
}

fn sketch(sheet: &Sheet, cancel: Cancel<'_>) -> Result<Sketch, Cancelled> {
    let side = Side::new(sheet);
    let mut whole = Sketch::default();
    for (_, column) in sheet.columns() {
        if cancel() {
            return Err(Cancelled);
        }
        whole.merge(&side.sketch(column));
    }
    Ok(whole)
}

/// Neighbouring cells of the new sheet as rectangles: runs of each row, joined with equal ones of the rows below.
pub(crate) fn rectangles<K: Copy + PartialEq>(
    cells: impl Iterator<Item = (K, u32, u32)>,
) -> Vec<(K, CellRange)> {
    struct Open<K> {
        kind: K,
        cols: (u32, u32),
        rows: (u32, u32),
    }
    let mut done: Vec<Open<K>> = Vec::new();
    // Rectangles that the row before and this one end in; each row joins its runs to those.
    let mut above: Vec<Open<K>> = Vec::new();
    let mut row_runs: Vec<Open<K>> = Vec::new();
    let close_row = |above: &mut Vec<Open<K>>, runs: &mut Vec<Open<K>>, done: &mut Vec<Open<K>>| {
        for run in runs.iter_mut() {
            let joins = |open: &Open<K>| {
                open.kind == run.kind && open.cols == run.cols && open.rows.1 + 1 == run.rows.0
            };
            if let Some(index) = above.iter().position(joins) {
                run.rows.0 = above.swap_remove(index).rows.0;
            }
        }
        done.append(above);
        above.append(runs);
    };
    for (kind, row, col) in cells {
        if row_runs.first().is_some_and(|run| run.rows.1 != row) {
            close_row(&mut above, &mut row_runs, &mut done);
        }
        match row_runs.iter_mut().rev().find(|run| run.kind == kind) {
            Some(run) if run.cols.1 + 1 == col => run.cols.1 = col,
            _ => row_runs.push(Open { kind, cols: (col, col), rows: (row, row) }),
        }
    }
    close_row(&mut above, &mut row_runs, &mut done);
    done.append(&mut above);
    done.sort_by_key(|open| (open.rows.0, open.cols.0));
    let range = |open: &Open<K>| CellRange::from_bounds(open.rows.0, open.cols.0, open.rows.1, open.cols.1);
    done.iter().filter_map(|open| Some((open.kind, range(open)?))).collect()
}
