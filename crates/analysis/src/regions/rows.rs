//! What the rows of a rectangle hold, as counts: one pass over its cells.

use grid::CellRange;

use crate::frame::slices;
use crate::regions::look::{Kind, Looks};

/// One row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowCounts {
    pub(crate) texts: u16,
    /// Cells with anything but text.
    pub(crate) data: u16,
    first: u16,
    last: u16,
}

impl RowCounts {
    /// Occupied cells; a merged one counts once.
    pub(crate) fn filled(&self) -> u32 {
        u32::from(self.texts) + u32::from(self.data)
    }

    fn add(&mut self, kind: Kind, col: u16) {
        match kind {
            Kind::Blank => return,
            Kind::Text => self.texts += 1,
            _ => self.data += 1,
        }
        if self.filled() == 1 {
            self.first = col;
        }
        self.last = col;
    }
}

/// The rows of a rectangle, and its columns.
pub(crate) struct Rows {
    pub(crate) range: CellRange,
    rows: Vec<RowCounts>,
    /// Per column of the rectangle, texts and other cells.
    columns: Vec<(u32, u32)>,
}

impl Rows {
    pub(crate) fn of(looks: &Looks<'_>, range: CellRange) -> Rows {
        let (start, end) = (range.start(), range.end());
        let mut rows = vec![RowCounts::default(); range.height() as usize];
        let mut columns = vec![(0, 0); range.width() as usize];
        for (col, column) in looks.sheet.columns_in(start.col()..=end.col()) {
            let mut texts = 0;
            let mut data = 0;
            for slice in slices(column, start.row()..end.row() + 1) {
                for index in slice.indices.clone() {
                    let kind = looks.kind_in(slice.chunk, index);
                    texts += u32::from(kind == Kind::Text);
                    data += u32::from(kind.is_data());
                    rows[(slice.row(index) - start.row()) as usize].add(kind, col as u16);
                }
            }
            columns[(col - start.col()) as usize] = (texts, data);
        }
        Rows { range, rows, columns }
    }

    /// A row by its position on the sheet; blank outside of the rectangle.
    pub(crate) fn at(&self, row: u32) -> RowCounts {
        let index = row.checked_sub(self.range.start().row());
        index.and_then(|index| self.rows.get(index as usize)).copied().unwrap_or_default()
    }

    /// First and last occupied column of a row.
    pub(crate) fn bounds(&self, row: u32) -> Option<(u32, u32)> {
        let counts = self.at(row);
        (counts.filled() > 0).then(|| (u32::from(counts.first), u32::from(counts.last)))
    }

    /// Occupied cells of a column.
    pub(crate) fn column_fill(&self, col: u32) -> u32 {
        let counts =
            col.checked_sub(self.range.start().col()).and_then(|index| self.columns.get(index as usize));
        counts.map_or(0, |(texts, data)| texts + data)
    }

    /// Columns in which a good part of the cells are data.
    pub(crate) fn data_columns(&self) -> impl Iterator<Item = u32> + '_ {
        let has_data = |(texts, data): &(u32, u32)| *data > 0 && *data * 3 >= *texts;
        (self.range.start().col()..)
            .zip(&self.columns)
            .filter(move |(_, counts)| has_data(counts))
            .map(|(col, _)| col)
    }

    /// How many cells the fullest row has.
    pub(crate) fn full(&self) -> u32 {
        self.rows.iter().map(RowCounts::filled).max().unwrap_or(0)
    }

    /// How many cells a row has, typically: the upper quartile of up to 64 rows with any.
    pub(crate) fn typical_fill(&self) -> u32 {
        let step = self.rows.len().div_ceil(64).max(1);
        let mut fills: Vec<u32> =
            self.rows.iter().step_by(step).map(RowCounts::filled).filter(|filled| *filled > 0).collect();
        fills.sort_unstable();
        fills.get(fills.len() * 3 / 4).copied().unwrap_or(0)
    }
}
