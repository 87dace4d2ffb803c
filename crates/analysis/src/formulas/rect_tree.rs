//! Rectangles of one sheet, found by what they overlap.

use std::ops::ControlFlow;

use grid::{CellRange, CellRef};

/// Children of a node.
const FANOUT: usize = 16;

/// A packed R-tree over rectangles with numbers: built once, in O(n log n); a query costs O(log n) and its answer
/// as long as rectangles overlap little.
#[derive(Debug, Clone, Default)]
pub(crate) struct RectTree {
    /// Level 0 holds the items' rectangles in tree order; each further one the hulls of [`FANOUT`] of the level below.
    levels: Vec<Vec<CellRange>>,
    numbers: Vec<u32>,
}

impl RectTree {
    pub(crate) fn build(mut items: Vec<(CellRange, u32)>) -> RectTree {
        if items.is_empty() {
            return RectTree::default();
        }
        items.sort_by_cached_key(|(range, number)| (center_code(*range), *number));
        let numbers = items.iter().map(|(_, number)| *number).collect();
        let mut levels = vec![items.into_iter().map(|(range, _)| range).collect::<Vec<_>>()];
        while let Some(below) = levels.last()
            && below.len() > 1
        {
            let hulls =
                below.chunks(FANOUT).filter_map(|group| group.iter().copied().reduce(CellRange::union));
            let hulls = hulls.collect();
            levels.push(hulls);
        }
        RectTree { levels, numbers }
    }

    /// Calls `found` with the number of every rectangle that overlaps `range`, until it breaks.
    pub(crate) fn overlapping<B>(
        &self,
        range: CellRange,
        mut found: impl FnMut(u32) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let Some(top) = self.levels.len().checked_sub(1) else { return ControlFlow::Continue(()) };
        let mut open = vec![(top, 0usize)];
        while let Some((level, index)) = open.pop() {
            if self.levels[level][index].intersect(range).is_none() {
                continue;
            }
            let Some(below) = level.checked_sub(1) else {
                found(self.numbers[index])?;
                continue;
            };
            let end = ((index + 1) * FANOUT).min(self.levels[below].len());
            open.extend((index * FANOUT..end).map(|child| (below, child)));
        }
        ControlFlow::Continue(())
    }

    pub(crate) fn bytes(&self) -> usize {
        let rects: usize = self.levels.iter().map(|level| level.capacity() * size_of::<CellRange>()).sum();
        rects + self.numbers.capacity() * size_of::<u32>()
    }
}

/// The Z-order code of a rectangle's centre: near rectangles get near codes.
fn center_code(range: CellRange) -> u64 {
    let middle = |a: CellRef, b: CellRef| ((a.row() + b.row()) / 2, (a.col() + b.col()) / 2);
    let (row, col) = middle(range.start(), range.end());
    spread(row) << 1 | spread(col)
}

/// Puts a zero between any two bits.
fn spread(value: u32) -> u64 {
    let mut bits = u64::from(value);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & 0x5555_5555_5555_5555
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_scan_finds() {
        let rects: Vec<CellRange> = (0..500u32)
            .map(|n| {
                let (row, col) = (n * 7919 % 101, n * 104_729 % 37);
                let range = CellRange::from_bounds(row, col, row + n % 5, col + n % 3);
                range.unwrap_or(CellRange::ALL)
            })
            .chain(["B:B".parse().unwrap(), CellRange::ALL])
            .collect();
        let tree = RectTree::build(rects.iter().copied().zip(0..).collect());
        for query in ["A1", "B7:C9", "Z50", "AK101:AL200", "XFD1048576", "3:4"] {
            let query: CellRange = query.parse().unwrap();
            let mut found = Vec::new();
            let end = tree.overlapping(query, |number| {
                found.push(number);
                ControlFlow::<()>::Continue(())
            });
            assert!(end.is_continue());
            found.sort_unstable();
            let expected: Vec<u32> =
                (0..rects.len()).filter(|n| rects[*n].intersect(query).is_some()).map(|n| n as u32).collect();
            assert_eq!(found, expected, "{query}");
        }
        assert!(RectTree::default().overlapping(CellRange::ALL, |_| ControlFlow::Break(())).is_continue());
        assert!(tree.overlapping(CellRange::ALL, |_| ControlFlow::Break(())).is_break());
    }
}
