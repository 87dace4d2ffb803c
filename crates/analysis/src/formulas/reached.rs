//! Formula cells that are reached from others through what reads them, or through what they read.

use std::ops::ControlFlow;

use grid::CellRange;

use crate::formulas::index::Read;
use crate::formulas::{Area, Cancel, Cancelled, DependencyIndex};

/// Steps within one block after which what is left of it in the direction of the steps counts as reached: a chain of 100,000
/// cells is not walked cell by cell.
const MAX_STEPS: usize = 64;

/// The cells of one block that were reached.
#[derive(Clone, Default)]
struct Block {
    /// Disjoint.
    covered: Vec<CellRange>,
    steps: usize,
}

/// What was reached so far.
pub(super) struct Reached<'i> {
    index: &'i DependencyIndex,
    blocks: Vec<Block>,
    /// Cells to go on from, with the block that they are of.
    next: Vec<(Option<u32>, Area)>,
}

impl<'i> Reached<'i> {
    pub(super) fn new(index: &'i DependencyIndex) -> Reached<'i> {
        Reached { index, blocks: vec![Block::default(); index.block_count()], next: Vec::new() }
    }

    /// Goes on from cells that are not reached themselves, such as constants.
    pub(super) fn start_from(&mut self, area: Area) {
        self.next.push((None, area));
    }

    /// To whatever reads what was reached.
    pub(super) fn follow_readers(&mut self, cancel: Cancel<'_>) -> Result<(), Cancelled> {
        let mut steps = 0_u32;
        while let Some((_, area)) = self.next.pop() {
            steps += 1;
            if steps.is_multiple_of(256) && cancel() {
                return Err(Cancelled);
            }
            let mut found = Vec::new();
            let _: ControlFlow<()> = self.index.each_reader(area, |block, readers, source| {
                if source.is_read {
                    found.push((block, readers));
                }
                ControlFlow::Continue(())
            });
            for (number, readers) in found {
                self.reach(number, readers);
            }
        }
        Ok(())
    }

    /// To whatever is read by what was reached; `false` if no text tells it all.
    pub(super) fn follow_reads(&mut self, cancel: Cancel<'_>) -> Result<bool, Cancelled> {
        let mut steps = 0_u32;
        while let Some((number, area)) = self.next.pop() {
            steps += 1;
            if steps.is_multiple_of(256) && cancel() {
                return Err(Cancelled);
            }
            let Some(number) = number else { continue };
            let block = self.index.block(number);
            if block.is_dynamic {
                return Ok(false);
            }
            let read: Vec<Area> = (self.index.reads(block, area.range))
                .filter_map(|(link, is_read)| match link.to {
                    Read::Area(area) if is_read => Some(area),
                    _ => None,
                })
                .collect();
            read.into_iter().for_each(|area| self.reach_area(area));
        }
        Ok(true)
    }

    /// The formula cells of an area are reached.
    pub(super) fn reach_area(&mut self, area: Area) {
        for number in self.index.block_numbers(area) {
            let own = self.index.block(number).range.intersect(area.range);
            own.into_iter().for_each(|own| self.reach(number, own));
        }
    }

    /// Cells of a block are reached.
    pub(super) fn reach(&mut self, number: u32, range: CellRange) {
        let indexed = self.index.block(number);
        let block = &mut self.blocks[number as usize];
        let mut range = if indexed.is_array { indexed.range } else { range };
        if block.covered.iter().any(|covered| covered.contains_range(range)) {
            return;
        }
        block.steps += 1;
        if block.steps > MAX_STEPS
            && let Some(hull) = block.covered.iter().copied().reduce(CellRange::union)
        {
            range = grown(hull, range, indexed.range);
        }
        let mut pieces = vec![range];
        for covered in &block.covered {
            pieces = pieces.into_iter().flat_map(|piece| piece.without(*covered)).collect();
        }
        for piece in pieces {
            match block.covered.last_mut().filter(|last| is_continued(**last, piece)) {
                Some(last) => *last = last.union(piece),
                None => block.covered.push(piece),
            }
            self.next.push((Some(number), Area { sheet: indexed.sheet, range: piece }));
        }
    }

    /// What was reached, by sheet; nothing twice.
    pub(super) fn into_sheets(self) -> Vec<Vec<CellRange>> {
        let mut sheets: Vec<Vec<CellRange>> = Vec::new();
        for (number, block) in self.index.numbered_blocks() {
            let sheet = block.sheet.0 as usize;
            if sheets.len() <= sheet {
                sheets.resize_with(sheet + 1, Vec::new);
            }
            sheets[sheet].extend(&self.blocks[number as usize].covered);
        }
        sheets
    }
}

/// The hull with what goes beyond it, up to the end of the block on the sides where it does.
fn grown(hull: CellRange, range: CellRange, block: CellRange) -> CellRange {
    let union = hull.union(range);
    let top =
        if range.start().row() < hull.start().row() { block.start().row() } else { union.start().row() };
    let left =
        if range.start().col() < hull.start().col() { block.start().col() } else { union.start().col() };
    let bottom = if range.end().row() > hull.end().row() { block.end().row() } else { union.end().row() };
    let right = if range.end().col() > hull.end().col() { block.end().col() } else { union.end().col() };
    CellRange::from_bounds(top, left, bottom, right).unwrap_or(block)
}

/// Whether a piece goes on where a range ends.
fn is_continued(range: CellRange, piece: CellRange) -> bool {
    let below = range.start().col() == piece.start().col()
        && range.end().col() == piece.end().col()
        && range.end().row() + 1 == piece.start().row();
    let beside = range.start().row() == piece.start().row()
        && range.end().row() == piece.end().row()
        && range.end().col() + 1 == piece.start().col();
    below || beside
}
