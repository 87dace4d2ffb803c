//! A bounded look into a rectangle: its first rows, and rows from all over it.

use grid::CellRange;

use crate::regions::look::{Kind, Looks, Traits};
use crate::regions::words::is_rule;

/// Leading rows that may be headers.
pub(crate) const MAX_HEADER_ROWS: usize = 6;
/// Further rows that are looked at.
const BODY_ROWS: u32 = 60;
/// Columns that are looked at.
const MAX_COLS: u32 = 256;

/// One cell of a [`Sample`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) kind: Kind,
    pub(crate) traits: Traits,
}

/// Some rows of a rectangle.
pub(crate) struct Sample {
    pub(crate) range: CellRange,
    /// Ascending; the first ones without gaps.
    pub(crate) rows: Vec<u32>,
    looks: Vec<Look>,
    width: usize,
}

/// What a column mostly holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Profile {
    pub(crate) filled: usize,
    pub(crate) texts: usize,
    /// The most frequent kind, [`Kind::Blank`] if nothing is filled.
    pub(crate) main: Kind,
    /// Share of the filled cells that are of the main kind.
    pub(crate) share: f32,
}

impl Profile {
    /// Mostly numbers, dates, booleans or errors.
    pub(crate) fn is_data(&self) -> bool {
        self.filled > 0 && self.texts * 3 <= self.filled
    }
}

impl Sample {
    pub(crate) fn of(looks: &Looks<'_>, range: CellRange) -> Sample {
        let (first, last) = (range.start().row(), range.end().row());
        let lead = (first + MAX_HEADER_ROWS as u32 + BODY_ROWS / 2 - 1).min(last);
        let mut rows: Vec<u32> = (first..=lead).collect();
        let left = last - lead;
        let spread = BODY_ROWS / 2;
        if left <= spread {
            rows.extend(lead + 1..=last);
        } else {
            rows.extend(
                (1..=spread)
                    .map(|step| lead + (u64::from(left) * u64::from(step) / u64::from(spread)) as u32),
            );
        }
        let width = range.width().min(MAX_COLS) as usize;
        let first_col = range.start().col();
        let blank = Look { kind: Kind::Blank, traits: Traits::default() };
        let mut looked = vec![blank; rows.len() * width];
        for (col, column) in looks.sheet.columns_in(first_col..=first_col + width as u32 - 1) {
            for (index, row) in rows.iter().enumerate() {
                if let Some(cell) = column.get(*row) {
                    let mut kind = looks.kind_of(cell.value, cell.style, cell.formula.is_some());
                    if kind == Kind::Text && looks.text(*row, col).is_some_and(is_rule) {
                        kind = Kind::Blank;
                    }
                    let traits = looks.traits(cell.style);
                    looked[index * width + (col - first_col) as usize] = Look { kind, traits };
                }
            }
        }
        Sample { range, rows, looks: looked, width }
    }

    /// Columns that were looked at.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The cells of the row at `index` of [`Sample::rows`].
    pub(crate) fn row(&self, index: usize) -> &[Look] {
        &self.looks[index * self.width..(index + 1) * self.width]
    }

    /// The cells of a column from the row at index `from` on.
    pub(crate) fn column(&self, col: usize, from: usize) -> impl Iterator<Item = Look> + '_ {
        (from..self.rows.len()).map(move |index| self.looks[index * self.width + col])
    }

    /// What a column mostly holds from the row at index `from` on.
    pub(crate) fn profile(&self, col: usize, from: usize) -> Profile {
        const KINDS: [Kind; 5] = [Kind::Text, Kind::Number, Kind::Date, Kind::Bool, Kind::Error];
        let mut counts = [0usize; KINDS.len()];
        for look in self.column(col, from) {
            if let Some(at) = KINDS.iter().position(|kind| *kind == look.kind) {
                counts[at] += 1;
            }
        }
        let filled: usize = counts.iter().sum();
        let (main, most) = KINDS
            .iter()
            .zip(counts)
            .fold((Kind::Blank, 0), |best, (kind, count)| if count > best.1 { (*kind, count) } else { best });
        let share = if filled == 0 { 0.0 } else { most as f32 / filled as f32 };
        Profile { filled, texts: counts[0], main, share }
    }
}
