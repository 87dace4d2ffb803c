//! A rectangle of cells.

use std::fmt;
use std::str::FromStr;

use crate::cell_ref::parse_row_number;
use crate::{CellRef, MAX_COLS, MAX_ROWS, RefError, column_letters, parse_column};

/// A rectangle of cells, both corners included; never empty.
///
/// Whole columns (`B:D`) and whole rows (`3:7`) are rectangles over the full grid and print as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellRange {
    start: CellRef,
    end: CellRef,
}

impl CellRange {
    /// Every cell of a sheet.
    pub const ALL: CellRange = CellRange { start: CellRef::A1, end: CellRef::clamped(u32::MAX, u32::MAX) };

    /// The smallest rectangle that holds both corners, in whatever order they come.
    pub fn new(a: CellRef, b: CellRef) -> CellRange {
        CellRange {
            start: CellRef::clamped(a.row().min(b.row()), a.col().min(b.col())),
            end: CellRef::clamped(a.row().max(b.row()), a.col().max(b.col())),
        }
    }

    /// The rectangle of zero-based, inclusive bounds; `None` outside of the grid or when they are crossed.
    pub fn from_bounds(first_row: u32, first_col: u32, last_row: u32, last_col: u32) -> Option<CellRange> {
        if first_row > last_row || first_col > last_col {
            return None;
        }
        Some(CellRange { start: CellRef::new(first_row, first_col)?, end: CellRef::new(last_row, last_col)? })
    }

    /// The rectangle of one cell.
    pub const fn cell(cell: CellRef) -> CellRange {
        CellRange { start: cell, end: cell }
    }

    /// Top left corner.
    pub const fn start(self) -> CellRef {
        self.start
    }

    /// Bottom right corner, included.
    pub const fn end(self) -> CellRef {
        self.end
    }

    /// Number of rows, at least 1.
    pub const fn height(self) -> u32 {
        self.end.row() - self.start.row() + 1
    }

    /// Number of columns, at least 1.
    pub const fn width(self) -> u32 {
        self.end.col() - self.start.col() + 1
    }

    /// Number of cells, at least 1.
    pub const fn area(self) -> u64 {
        self.height() as u64 * self.width() as u64
    }

    /// Whether the rectangle is a single cell.
    pub fn is_single(self) -> bool {
        self.start == self.end
    }

    /// Whether `cell` lies inside.
    pub const fn contains(self, cell: CellRef) -> bool {
        self.start.row() <= cell.row()
            && cell.row() <= self.end.row()
            && self.start.col() <= cell.col()
            && cell.col() <= self.end.col()
    }

    /// Whether `other` lies wholly inside.
    pub const fn contains_range(self, other: CellRange) -> bool {
        self.contains(other.start) && self.contains(other.end)
    }

    /// The cells that both rectangles share.
    pub fn intersect(self, other: CellRange) -> Option<CellRange> {
        CellRange::from_bounds(
            self.start.row().max(other.start.row()),
            self.start.col().max(other.start.col()),
            self.end.row().min(other.end.row()),
            self.end.col().min(other.end.col()),
        )
    }

    /// What lies outside of another range, as up to four rectangles: above, left, right and below it.
    pub fn without(self, hole: CellRange) -> Vec<CellRange> {
        let Some(hole) = self.intersect(hole) else { return vec![self] };
        let (start, end) = (self.start, self.end);
        let (from, to) = (hole.start, hole.end);
        let above = (from.row() > start.row())
            .then(|| CellRange::from_bounds(start.row(), start.col(), from.row() - 1, end.col()));
        let left = (from.col() > start.col())
            .then(|| CellRange::from_bounds(from.row(), start.col(), to.row(), from.col() - 1));
        let right = CellRange::from_bounds(from.row(), to.col() + 1, to.row(), end.col());
        let below = CellRange::from_bounds(to.row() + 1, start.col(), end.row(), end.col());
        [above.flatten(), left.flatten(), right, below].into_iter().flatten().collect()
    }

    /// The smallest rectangle around both.
    pub fn union(self, other: CellRange) -> CellRange {
        CellRange {
            start: CellRef::clamped(
                self.start.row().min(other.start.row()),
                self.start.col().min(other.start.col()),
            ),
            end: CellRef::clamped(self.end.row().max(other.end.row()), self.end.col().max(other.end.col())),
        }
    }

    /// Whether every row of the sheet is included (`B:D`).
    pub const fn is_whole_columns(self) -> bool {
        self.start.row() == 0 && self.end.row() == MAX_ROWS - 1
    }

    /// Whether every column of the sheet is included (`3:7`).
    pub const fn is_whole_rows(self) -> bool {
        self.start.col() == 0 && self.end.col() == MAX_COLS - 1
    }

    /// Written by its corners, `B1:D1048576` rather than `B:D`, as attributes of ECMA-376 hold ranges (`ST_Ref`, §18.18.62).
    pub fn corners(self) -> String {
        if self.is_single() { self.start.to_string() } else { format!("{}:{}", self.start, self.end) }
    }

    /// The cells, row by row.
    pub fn cells(self) -> impl Iterator<Item = CellRef> {
        (self.start.row()..=self.end.row()).flat_map(move |row| {
            (self.start.col()..=self.end.col()).map(move |col| CellRef::clamped(row, col))
        })
    }
}

impl fmt::Display for CellRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole_columns() && !self.is_whole_rows() {
            return write!(f, "{}:{}", column_letters(self.start.col()), column_letters(self.end.col()));
        }
        if self.is_whole_rows() {
            return write!(f, "{}:{}", self.start.row() + 1, self.end.row() + 1);
        }
        if self.is_single() {
            return self.start.fmt(f);
        }
        write!(f, "{}:{}", self.start, self.end)
    }
}

impl FromStr for CellRange {
    type Err = RefError;

    /// Reads `B2`, `B2:D9`, `B:D` and `3:7`, with or without `$`, in any case and order of corners.
    fn from_str(text: &str) -> Result<CellRange, RefError> {
        let Some((left, right)) = text.split_once(':') else {
            return text.parse().map(CellRange::cell);
        };
        if let (Some(a), Some(b)) = (whole_column(left), whole_column(right)) {
            return Ok(CellRange::new(CellRef::clamped(0, a), CellRef::clamped(MAX_ROWS - 1, b)));
        }
        if let (Some(a), Some(b)) = (whole_row(left), whole_row(right)) {
            return if a <= MAX_ROWS && b <= MAX_ROWS {
                Ok(CellRange::new(CellRef::clamped(a - 1, 0), CellRef::clamped(b - 1, MAX_COLS - 1)))
            } else {
                Err(RefError::OutOfGrid(text.to_owned()))
            };
        }
        match (left.parse::<CellRef>(), right.parse::<CellRef>()) {
            (Ok(a), Ok(b)) => Ok(CellRange::new(a, b)),
            (Err(RefError::Syntax(_)), _) | (_, Err(RefError::Syntax(_))) => {
                Err(RefError::Syntax(text.to_owned()))
            }
            _ => Err(RefError::OutOfGrid(text.to_owned())),
        }
    }
}

fn whole_column(text: &str) -> Option<u32> {
    parse_column(text.strip_prefix('$').unwrap_or(text))
}

fn whole_row(text: &str) -> Option<u32> {
    parse_row_number(text.strip_prefix('$').unwrap_or(text).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, printed: &str) {
        assert_eq!(text.parse::<CellRange>().unwrap().to_string(), printed);
    }

    #[test]
    fn notations() {
        check("b2", "B2");
        check("D9:B2", "B2:D9");
        check("$B$2:$D9", "B2:D9");
        check("d:B", "B:D");
        check("7:3", "3:7");
        check("A1:XFD1048576", "1:1048576");
        check("A1:A1", "A1");
    }

    #[test]
    fn refused() {
        for text in ["", ":", "A1:", ":B2", "A:1", "A1:B2:C3", "1", "A", "0:1"] {
            assert!(matches!(text.parse::<CellRange>(), Err(RefError::Syntax(_))), "{text}");
        }
        for text in ["A1:XFE2", "1:1048577"] {
            assert!(matches!(text.parse::<CellRange>(), Err(RefError::OutOfGrid(_))), "{text}");
        }
    }

    #[test]
    fn geometry() {
        let corners = |text: &str| text.parse::<CellRange>().map(CellRange::corners);
        assert_eq!(corners("B:C").as_deref(), Ok("B1:C1048576"));
        assert_eq!(corners("2:2").as_deref(), Ok("A2:XFD2"));
        assert_eq!(corners("$C$3:C3").as_deref(), Ok("C3"));
        let range: CellRange = "B2:D9".parse().unwrap();
        assert_eq!((range.height(), range.width(), range.area()), (8, 3, 24));
        assert_eq!(range.intersect("C5:Z5".parse().unwrap()).unwrap().to_string(), "C5:D5");
        assert_eq!(range.intersect("E1:E9".parse().unwrap()), None);
        assert_eq!(range.union("A20".parse().unwrap()).to_string(), "A2:D20");
        assert_eq!(range.cells().count(), 24);
    }

    #[track_caller]
    fn check_without(range: &str, hole: &str, expected: &str) {
        let range: CellRange = range.parse().unwrap();
        let left = range.without(hole.parse().unwrap());
        let told: Vec<String> = left.iter().map(ToString::to_string).collect();
        assert_eq!(told.join(" "), expected);
    }

    #[test]
    fn holes() {
        check_without("A1:D9", "B2:C3", "A1:D1 A2:A3 D2:D3 A4:D9");
        check_without("A1:D9", "A1:D9", "");
        check_without("A1:D9", "E1", "A1:D9");
        check_without("A1:A9", "A1:B3", "A4:A9");
        check_without("A:C", "B:B", "A:A C:C");
        check_without("A1:C1", "C1:XFD1", "A1:B1");
    }
}
