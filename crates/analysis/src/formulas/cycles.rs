//! Circular references, found cell by cell.
//!
//! Ranges of a trace overlap without their cells depending on each other in a circle, so that a circle is only told
//! where single cells prove it.

use std::collections::HashMap;

use grid::{CellRange, CellRef};
use workbook::SheetId;

use crate::formulas::index::{DependencyIndex, Read};
use crate::formulas::{Area, Cancel, Cancelled};

/// A cell with a formula.
pub(crate) type Cell = (SheetId, CellRef);

/// The circles among what some cells read.
#[derive(Debug, Default)]
pub(crate) struct Cycles {
    /// Each from a cell through what it reads, and what that reads, to the last cell, which reads the first.
    pub(crate) found: Vec<Vec<Cell>>,
    /// Whether the search ended before everything was looked at.
    pub(crate) is_partial: bool,
}

/// A cell on the way down, and the formula cells it reads that are still to visit.
struct Frame {
    cell: Cell,
    open: Vec<Area>,
}

/// Looks for circles among everything that the formulas in `targets` read, directly or not, taking at most
/// `max_steps` looks at a block and ending with `max_cycles` circles.
pub(crate) fn cycles(
    index: &DependencyIndex,
    targets: &[Area],
    max_cycles: usize,
    max_steps: u64,
    cancel: Cancel<'_>,
) -> Result<Cycles, Cancelled> {
    let mut result = Cycles::default();
    // The depth on the current path, or `None` once a cell is done.
    let mut visited: HashMap<Cell, Option<usize>> = HashMap::new();
    let mut steps = 0u64;
    let mut looks = 0u64;
    let mut roots: Vec<Area> = targets.to_vec();
    roots.reverse();
    let mut path: Vec<Frame> = vec![];
    loop {
        let open = path.last_mut().map_or(&mut roots, |frame| &mut frame.open);
        let Some(next) = next_formula_cell(index, open, &mut steps) else {
            let Some(done) = path.pop() else { return Ok(result) };
            visited.insert(done.cell, None);
            continue;
        };
        if steps > max_steps {
            result.is_partial = true;
            return Ok(result);
        }
        looks += 1;
        if looks.is_multiple_of(1024) && cancel() {
            return Err(Cancelled);
        }
        match visited.get(&next) {
            Some(None) => {}
            Some(Some(depth)) => {
                result.found.push(path[*depth..].iter().map(|frame| frame.cell).collect());
                if result.found.len() >= max_cycles {
                    result.is_partial = true;
                    return Ok(result);
                }
            }
            None => {
                visited.insert(next, Some(path.len()));
                path.push(Frame { cell: next, open: reads(index, next) });
            }
        }
    }
}

/// What a cell reads, last first.
fn reads(index: &DependencyIndex, (sheet, at): Cell) -> Vec<Area> {
    let cell = Area { sheet, range: CellRange::cell(at) };
    let mut areas = Vec::new();
    for block in index.blocks_in(cell) {
        for (link, is_read) in index.reads(block, cell.range) {
            if let Read::Area(area) = link.to
                && is_read
            {
                areas.push(area);
            }
        }
    }
    areas.reverse();
    areas
}

/// Takes the next cell with a formula off the areas, from the back; `steps` counts the blocks looked at.
fn next_formula_cell(index: &DependencyIndex, open: &mut Vec<Area>, steps: &mut u64) -> Option<Cell> {
    while let Some(area) = open.pop() {
        let blocks = index.blocks_in(area);
        *steps += blocks.len() as u64;
        let Some(block) = blocks.iter().find(|block| block.range.contains_range(area.range)) else {
            // Cut into parts of one block each, all of them smaller than the area.
            let parts = blocks.iter().rev().filter_map(|block| block.range.intersect(area.range));
            open.extend(parts.map(|range| Area { sheet: area.sheet, range }));
            continue;
        };
        let at = area.range.start();
        if !block.is_array {
            push_rest(open, area);
        }
        return Some((area.sheet, block.representative(at)));
    }
    None
}

/// Puts back what remains of an area without its first cell.
fn push_rest(open: &mut Vec<Area>, Area { sheet, range }: Area) {
    let (start, end) = (range.start(), range.end());
    let below = CellRange::from_bounds(start.row() + 1, start.col(), end.row(), end.col());
    let beside = CellRange::from_bounds(start.row(), start.col() + 1, start.row(), end.col());
    open.extend([below, beside].into_iter().flatten().map(|range| Area { sheet, range }));
}
