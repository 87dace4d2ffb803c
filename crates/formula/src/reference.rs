//! References to cells: their typed form, and how their text is read.

use grid::{CellRange, CellRef, MAX_COLS, MAX_ROWS, parse_column};

use crate::SheetPrefix;

/// A row or a column of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Axis {
    /// Zero-based row or column, inside the grid.
    pub index: u32,
    /// Whether a `$` stands before it.
    pub absolute: bool,
}

/// One cell of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Corner {
    /// The cell's row.
    pub row: Axis,
    /// The cell's column.
    pub col: Axis,
}

/// The shape of a reference; corners stand in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefKind {
    /// `B7`.
    Cell(Corner),
    /// `B7:C9`.
    Range(Corner, Corner),
    /// `B:C`.
    Columns(Axis, Axis),
    /// `7:9`.
    Rows(Axis, Axis),
    /// `#REF!` on a sheet: the cells are deleted.
    Lost,
}

/// A reference and the sheets it points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    /// Where the cells are.
    pub prefix: SheetPrefix<'a>,
    /// Which cells are meant.
    pub kind: RefKind,
}

impl Reference<'_> {
    /// The cells, whatever the sheet; `None` if they are deleted.
    pub fn range(&self) -> Option<CellRange> {
        self.kind.range()
    }
}

impl RefKind {
    /// The cells; `None` if they are deleted.
    pub fn range(self) -> Option<CellRange> {
        let (first, last) = self.corners()?;
        Some(CellRange::new(first.cell(), last.cell()))
    }

    /// What the range operator makes of two references: the smallest range that holds both.
    pub(crate) fn hull(self, other: RefKind) -> RefKind {
        let (Some((a, b)), Some((c, d))) = (self.corners(), other.corners()) else { return RefKind::Lost };
        let corners = [a, b, c, d];
        let least = |axis: fn(Corner) -> Axis| corners.map(axis).into_iter().min_by_key(|axis| axis.index);
        let greatest = |axis: fn(Corner) -> Axis| corners.map(axis).into_iter().max_by_key(|axis| axis.index);
        let top_left = least(|c| c.row).zip(least(|c| c.col));
        let bottom_right = greatest(|c| c.row).zip(greatest(|c| c.col));
        match (top_left, bottom_right) {
            (Some((top, left)), Some((bottom, right))) => {
                RefKind::Range(Corner { row: top, col: left }, Corner { row: bottom, col: right })
            }
            _ => RefKind::Lost,
        }
    }

    fn corners(self) -> Option<(Corner, Corner)> {
        let full = |last: u32| (Axis { index: 0, absolute: true }, Axis { index: last, absolute: true });
        match self {
            RefKind::Cell(cell) => Some((cell, cell)),
            RefKind::Range(first, last) => Some((first, last)),
            RefKind::Columns(first, last) => {
                let (top, bottom) = full(MAX_ROWS - 1);
                Some((Corner { row: top, col: first }, Corner { row: bottom, col: last }))
            }
            RefKind::Rows(first, last) => {
                let (left, right) = full(MAX_COLS - 1);
                Some((Corner { row: first, col: left }, Corner { row: last, col: right }))
            }
            RefKind::Lost => None,
        }
    }

    /// Reads a reference without a sheet prefix at `at`, and where it ends.
    ///
    /// `None` if there is none: also when the text goes on as a word (`A1B`), is called (`LOG10(`), or names a
    /// sheet (`S1!`). A second corner that belongs to something else (`A1:LOG10(2)`, `A1:S1!B2`, `A1:B2#`) is left
    /// to the range operator.
    pub(crate) fn scan(text: &str, at: usize) -> Option<(RefKind, usize)> {
        if let Some((first, middle)) = scan_corner(text, at) {
            if !ends_reference(text, middle) {
                return None;
            }
            if let Some((last, end)) = scan_second(text, middle, scan_corner) {
                return Some((RefKind::Range(first, last), end));
            }
            return Some((RefKind::Cell(first), middle));
        }
        if let Some((first, middle)) = scan_column(text, at) {
            let (last, end) = scan_second(text, middle, scan_column)?;
            return Some((RefKind::Columns(first, last), end));
        }
        let (first, middle) = scan_row(text, at)?;
        let (last, end) = scan_second(text, middle, scan_row)?;
        Some((RefKind::Rows(first, last), end))
    }
}

impl Corner {
    /// The cell without its `$`.
    pub fn cell(self) -> CellRef {
        CellRef::clamped(self.row.index, self.col.index)
    }
}

/// Whether a byte may be part of a name, a function, a number or a reference. All non-ASCII text counts as
/// letters, as names may hold any of them.
pub(crate) const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'_' | b'.' | b'\\' | b'?' | b'$')
}

fn ends_reference(text: &str, at: usize) -> bool {
    match text.as_bytes().get(at) {
        Some(byte) => !is_word_byte(*byte) && !matches!(byte, b'(' | b'!' | b'['),
        None => true,
    }
}

type Scan<T> = fn(&str, usize) -> Option<(T, usize)>;

fn scan_second<T>(text: &str, colon: usize, scan: Scan<T>) -> Option<(T, usize)> {
    if text.as_bytes().get(colon) != Some(&b':') {
        return None;
    }
    let (found, end) = scan(text, colon + 1)?;
    // In `A1:B2#` the spill operator binds closer than the range operator.
    let spills = text.as_bytes().get(end) == Some(&b'#');
    (ends_reference(text, end) && !spills).then_some((found, end))
}

fn scan_corner(text: &str, at: usize) -> Option<(Corner, usize)> {
    let (col, middle) = scan_column(text, at)?;
    let (row, end) = scan_row(text, middle)?;
    Some((Corner { row, col }, end))
}

fn scan_column(text: &str, at: usize) -> Option<(Axis, usize)> {
    let (absolute, start, end) = scan_run(text, at, 3, u8::is_ascii_alphabetic)?;
    let index = parse_column(&text[start..end])?;
    Some((Axis { index, absolute }, end))
}

fn scan_row(text: &str, at: usize) -> Option<(Axis, usize)> {
    let (absolute, start, end) = scan_run(text, at, 7, u8::is_ascii_digit)?;
    let digits = &text[start..end];
    if digits.starts_with('0') {
        return None;
    }
    let number = digits.parse::<u32>().ok().filter(|number| *number <= MAX_ROWS)?;
    Some((Axis { index: number - 1, absolute }, end))
}

/// A run of one to `most` bytes behind an optional `$`: whether there is one, and the run's bounds.
fn scan_run(text: &str, at: usize, most: usize, belongs: fn(&u8) -> bool) -> Option<(bool, usize, usize)> {
    let bytes = text.as_bytes();
    let absolute = bytes.get(at) == Some(&b'$');
    let start = at + usize::from(absolute);
    let window = bytes.get(start..(start + most + 1).min(bytes.len()))?;
    let length = window.iter().take_while(|byte| belongs(byte)).count();
    (1..=most).contains(&length).then_some((absolute, start, start + length))
}
