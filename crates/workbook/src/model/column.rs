//! One column: chunks in row order.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::model::chunk::{CHUNK_ROWS, Chunk, RawCell};

/// The cells of one column. A chunk's base row is where its row offsets count from; chunks do not overlap.
#[derive(Debug, Clone, Default)]
pub struct Column {
    chunks: Vec<(u32, Arc<Chunk>)>,
}

impl Column {
    /// The chunks with their base rows, in row order.
    pub fn chunks(&self) -> impl Iterator<Item = (u32, &Chunk)> {
        self.chunks.iter().map(|(base, chunk)| (*base, chunk.as_ref()))
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(|(_, chunk)| chunk.len()).sum()
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The cell at a zero-based row.
    pub fn get(&self, row: u32) -> Option<RawCell> {
        let (base, chunk) = self.chunk_of(row)?;
        chunk.get((row - base) as u16)
    }

    fn chunk_of(&self, row: u32) -> Option<(u32, &Chunk)> {
        let after = self.chunks.partition_point(|(base, _)| *base <= row);
        let (base, chunk) = &self.chunks[after.checked_sub(1)?];
        (row - base < CHUNK_ROWS).then_some((*base, chunk.as_ref()))
    }

    /// The cells in `rows`, in row order; costs nothing for the rows outside.
    pub fn cells(&self, rows: RangeInclusive<u32>) -> impl Iterator<Item = (u32, RawCell)> + '_ {
        let (first, last) = (*rows.start(), *rows.end());
        let from = self.chunks.partition_point(|(base, _)| base.saturating_add(CHUNK_ROWS) <= first);
        self.chunks[from..].iter().take_while(move |(base, _)| *base <= last).flat_map(
            move |(base, chunk)| {
                let start = chunk.lower_bound(first.saturating_sub(*base).min(CHUNK_ROWS) as u16);
                (start..chunk.len())
                    .map(move |index| (base + u32::from(chunk.offset(index)), index))
                    .take_while(move |(row, _)| *row <= last)
                    .map(move |(row, index)| (row, chunk.at(index)))
            },
        )
    }

    /// Writes a cell, replacing what was there. Returns whether a new chunk had to be made.
    pub fn set(&mut self, row: u32, cell: RawCell) -> bool {
        let after = match self.chunks.last() {
            Some((base, _)) if *base <= row => self.chunks.len(),
            _ => self.chunks.partition_point(|(base, _)| *base <= row),
        };
        if let Some(index) = after.checked_sub(1) {
            let (base, chunk) = &mut self.chunks[index];
            if row - *base < CHUNK_ROWS {
                Arc::make_mut(chunk).set((row - *base) as u16, cell);
                return false;
            }
        }
        // Aligned blocks, cut short where a shifted neighbour already covers their rows.
        let floor = after.checked_sub(1).map_or(0, |index| self.chunks[index].0 + CHUNK_ROWS);
        let mut base = (row / CHUNK_ROWS * CHUNK_ROWS).max(floor);
        if let Some((next, _)) = self.chunks.get(after)
            && base + CHUNK_ROWS > *next
        {
            base = next.saturating_sub(CHUNK_ROWS).max(floor);
            if row - base >= CHUNK_ROWS {
                base = row;
            }
        }
        let mut chunk = Chunk::default();
        chunk.set((row - base) as u16, cell);
        self.chunks.insert(after, (base, Arc::new(chunk)));
        true
    }

    /// Gives back what the chunks hold in reserve.
    pub fn shrink(&mut self) {
        self.chunks.shrink_to_fit();
        for (_, chunk) in &mut self.chunks {
            if let Some(chunk) = Arc::get_mut(chunk) {
                chunk.shrink();
            }
        }
    }

    /// Bytes that the column costs.
    pub fn bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(|(_, chunk)| chunk.bytes() + 2 * size_of::<usize>()).sum();
        self.chunks.capacity() * size_of::<(u32, Arc<Chunk>)>() + chunks
    }

    /// First and last row with a value or a formula.
    pub fn content_rows(&self) -> Option<(u32, u32)> {
        let bounds = |(base, chunk): &(u32, Arc<Chunk>)| {
            chunk
                .first_and_last_content()
                .map(|(first, last)| (base + u32::from(first), base + u32::from(last)))
        };
        let first = self.chunks.iter().find_map(bounds)?.0;
        let last = self.chunks.iter().rev().find_map(bounds)?.1;
        Some((first, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::chunk::RawValue;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn behaves_as_a_map(
            writes in proptest::collection::vec((0..20_000u32, 0..9u32), 0..200),
            first in 0..20_000u32,
            span in 0..20_000u32,
        ) {
            let mut column = Column::default();
            let mut map = BTreeMap::new();
            for (row, value) in writes {
                let cell = RawCell { value: RawValue::Number(f64::from(value)), ..RawCell::default() };
                column.set(row, cell);
                map.insert(row, cell);
            }
            let rows = first..=first + span;
            let expected: Vec<_> = map.range(rows.clone()).map(|(row, cell)| (*row, *cell)).collect();
            prop_assert_eq!(column.cells(rows).collect::<Vec<_>>(), expected);
            prop_assert_eq!(column.len(), map.len());
            for (row, cell) in &map {
                prop_assert_eq!(column.get(*row), Some(*cell));
            }
        }
    }

    #[test]
    fn a_lone_cell_at_the_bottom_costs_one_cell() {
        let mut column = Column::default();
        column.set(1_048_575, RawCell { value: RawValue::Bool(true), ..RawCell::default() });
        assert_eq!(column.content_rows(), Some((1_048_575, 1_048_575)));
        column.shrink();
        assert!(column.bytes() < 512);
    }
}
