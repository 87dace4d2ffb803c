//! One column: chunks in row order.

use std::ops::RangeInclusive;
use std::sync::Arc;

use grid::MAX_ROWS;

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

    /// Takes a cell away.
    pub(crate) fn remove(&mut self, row: u32) {
        let after = self.chunks.partition_point(|(base, _)| *base <= row);
        let Some(index) = after.checked_sub(1) else { return };
        let (base, chunk) = &mut self.chunks[index];
        let Ok(offset) = u16::try_from(row - *base) else { return };
        if u32::from(offset) < CHUNK_ROWS && chunk.get(offset).is_some() {
            Arc::make_mut(chunk).remove(offset);
            if chunk.is_empty() {
                self.chunks.remove(index);
            }
        }
    }

    /// Cells below `at` move down; those that would leave the grid are gone.
    pub(crate) fn insert_rows(&mut self, at: u32, count: u32) {
        self.split_at(at);
        let after = self.chunks.partition_point(|(base, _)| *base < at);
        for (base, _) in &mut self.chunks[after..] {
            *base += count;
        }
        self.split_at(MAX_ROWS);
        self.chunks.retain(|(base, _)| *base < MAX_ROWS);
    }

    /// The cells of the rows from `at` on are gone, those below move up.
    pub(crate) fn delete_rows(&mut self, at: u32, count: u32) {
        self.split_at(at);
        self.split_at(at.saturating_add(count));
        self.chunks.retain(|(base, _)| *base < at || *base - at >= count);
        for (base, _) in &mut self.chunks {
            if *base >= at {
                *base -= count;
            }
        }
    }

    /// Cuts the chunk that reaches over `row`, so that one starts there.
    fn split_at(&mut self, row: u32) {
        let after = self.chunks.partition_point(|(base, _)| *base < row);
        let Some(index) = after.checked_sub(1) else { return };
        let (base, chunk) = &mut self.chunks[index];
        let offset = row - *base;
        if offset >= CHUNK_ROWS || chunk.lower_bound(offset as u16) == chunk.len() {
            return;
        }
        let rest = Arc::make_mut(chunk).split_off(offset as u16);
        if chunk.is_empty() {
            self.chunks[index] = (row, Arc::new(rest));
        } else {
            self.chunks.insert(index + 1, (row, Arc::new(rest)));
        }
    }

    /// Rows whose stored cells differ between two columns; chunks that they share cost nothing.
    pub fn differing_rows(&self, other: &Column) -> Vec<u32> {
        let shared = |(base, chunk): &(u32, Arc<Chunk>), others: &Column| {
            let found = others.chunks.binary_search_by_key(base, |(base, _)| *base);
            found.is_ok_and(|index| Arc::ptr_eq(&others.chunks[index].1, chunk))
        };
        let mut rows: Vec<u32> = Vec::new();
        for (own, others) in [(self, other), (other, self)] {
            for entry in own.chunks.iter().filter(|entry| !shared(entry, others)) {
                let (base, chunk) = entry;
                let cells =
                    (0..chunk.len()).map(|index| (base + u32::from(chunk.offset(index)), chunk.at(index)));
                rows.extend(cells.filter(|(row, cell)| others.get(*row) != Some(*cell)).map(|(row, _)| row));
            }
        }
        rows.sort_unstable();
        rows.dedup();
        rows
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
            let mut changed = column.clone();
            changed.set(first, RawCell { value: RawValue::Bool(true), ..RawCell::default() });
            prop_assert_eq!(changed.differing_rows(&column), [first]);
            prop_assert_eq!(column.differing_rows(&changed), [first]);
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Set(u32, u32),
        Remove(u32),
        Insert(u32, u32),
        Delete(u32, u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        let row = || 0..12_000u32;
        prop_oneof![
            4 => (row(), 0..9u32).prop_map(|(row, value)| Step::Set(row, value)),
            1 => row().prop_map(Step::Remove),
            1 => (row(), prop_oneof![1..9u32, 1..9_000u32]).prop_map(|(at, count)| Step::Insert(at, count)),
            1 => (row(), prop_oneof![1..9u32, 1..9_000u32]).prop_map(|(at, count)| Step::Delete(at, count)),
        ]
    }

    proptest! {
        #[test]
        fn rows_come_and_go_as_in_a_map(steps in proptest::collection::vec(step(), 0..80)) {
            let mut column = Column::default();
            let mut map = BTreeMap::new();
            for row in (0..10_000).step_by(7) {
                let cell = RawCell { value: RawValue::Number(f64::from(row)), ..RawCell::default() };
                column.set(row, cell);
                map.insert(row, cell);
            }
            for step in steps {
                match step {
                    Step::Set(row, value) => {
                        let cell = RawCell { value: RawValue::Number(f64::from(value)), ..RawCell::default() };
                        column.set(row, cell);
                        map.insert(row, cell);
                    }
                    Step::Remove(row) => {
                        column.remove(row);
                        map.remove(&row);
                    }
                    Step::Insert(at, count) => {
                        column.insert_rows(at, count);
                        let moved = |row: u32| if row < at { row } else { row + count };
                        map = map.into_iter().map(|(row, cell)| (moved(row), cell)).collect();
                        map.retain(|row, _| *row < MAX_ROWS);
                    }
                    Step::Delete(at, count) => {
                        column.delete_rows(at, count);
                        map.retain(|row, _| *row < at || *row >= at + count);
                        let moved = |row: u32| if row < at { row } else { row - count };
                        map = map.into_iter().map(|(row, cell)| (moved(row), cell)).collect();
                    }
                }
            }
            prop_assert_eq!(column.cells(0..=MAX_ROWS).collect::<Vec<_>>(), map.into_iter().collect::<Vec<_>>());
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
