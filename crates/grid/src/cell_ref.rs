//! One cell's position, and the A1 notation of it.

use std::fmt;
use std::str::FromStr;

/// Rows of a worksheet (ECMA-376 Part 1 §18.3.1.73 and Excel's limits).
pub const MAX_ROWS: u32 = 1_048_576;
/// Columns of a worksheet, `A` to `XFD`.
pub const MAX_COLS: u32 = 16_384;

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefError {
    /// The text does not follow A1 notation.
    #[error("{0:?} is not an A1 reference")]
    Syntax(String),
    /// The text follows A1 notation and points outside of the grid.
    #[error("{0:?} lies outside of the grid (A1 to XFD1048576)")]
    OutOfGrid(String),
}

/// The position of one cell: zero-based row and column, always inside the grid.
///
/// Ordered by row, then by column: the order in which a sheet is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellRef {
    row: u32,
    col: u16,
}

impl CellRef {
    /// The top left corner, `A1`.
    pub const A1: CellRef = CellRef { row: 0, col: 0 };

    /// The cell at a zero-based `row` and `col`, or `None` outside of the grid.
    pub const fn new(row: u32, col: u32) -> Option<CellRef> {
        if row < MAX_ROWS && col < MAX_COLS { Some(CellRef { row, col: col as u16 }) } else { None }
    }

    /// The cell at a zero-based `row` and `col`, moved to the nearest edge if outside of the grid.
    pub const fn clamped(row: u32, col: u32) -> CellRef {
        let row = if row < MAX_ROWS { row } else { MAX_ROWS - 1 };
        let col = if col < MAX_COLS { col } else { MAX_COLS - 1 };
        CellRef { row, col: col as u16 }
    }

    /// Zero-based row.
    pub const fn row(self) -> u32 {
        self.row
    }

    /// Zero-based column.
    pub const fn col(self) -> u32 {
        self.col as u32
    }

    /// The cell `rows` down and `cols` to the right, or `None` outside of the grid.
    pub fn offset(self, rows: i64, cols: i64) -> Option<CellRef> {
        let row = u32::try_from(i64::from(self.row) + rows).ok()?;
        let col = u32::try_from(i64::from(self.col) + cols).ok()?;
        CellRef::new(row, col)
    }

    /// Reads plain A1 notation (`B7`, `$B$7`, any case) from bytes: the form that sheet XML uses.
    pub fn parse_a1(text: &[u8]) -> Option<CellRef> {
        let rest = text.strip_prefix(b"$").unwrap_or(text);
        let letters = rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        if letters == 0 || letters > 3 {
            return None;
        }
        let mut col = 0u32;
        for byte in &rest[..letters] {
            col = col * 26 + u32::from(byte.to_ascii_uppercase() - b'A') + 1;
        }
        let digits = rest[letters..].strip_prefix(b"$").unwrap_or(&rest[letters..]);
        let row = parse_row_number(digits)?;
        CellRef::new(row - 1, col - 1)
    }
}

/// A one-based row number of one to seven digits without a leading zero.
pub(crate) fn parse_row_number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 7 || digits[0] == b'0' {
        return None;
    }
    let mut row = 0u32;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        row = row * 10 + u32::from(byte - b'0');
    }
    Some(row)
}

/// The letters of a zero-based column: 0 is `A`, 16,383 is `XFD`.
pub fn column_letters(col: u32) -> String {
    let mut letters = String::with_capacity(3);
    push_column_letters(&mut letters, col);
    letters
}

/// Appends to `out` the letters of a zero-based column.
pub fn push_column_letters(out: &mut String, col: u32) {
    let mut letters = [0u8; 7];
    let mut first = letters.len();
    let mut rest = u64::from(col) + 1;
    while rest > 0 {
        first -= 1;
        letters[first] = b'A' + ((rest - 1) % 26) as u8;
        rest = (rest - 1) / 26;
    }
    out.extend(letters[first..].iter().map(|byte| char::from(*byte)));
}

/// The zero-based column of its letters, in any case; `None` if they name no column of the grid.
pub fn parse_column(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 3 || !letters.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let number = letters.bytes().fold(0u32, |acc, b| acc * 26 + u32::from(b.to_ascii_uppercase() - b'A') + 1);
    (number <= MAX_COLS).then(|| number - 1)
}

impl fmt::Display for CellRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", column_letters(self.col()), self.row + 1)
    }
}

impl FromStr for CellRef {
    type Err = RefError;

    fn from_str(text: &str) -> Result<CellRef, RefError> {
        if let Some(cell) = CellRef::parse_a1(text.as_bytes()) {
            return Ok(cell);
        }
        let rest = text.strip_prefix('$').unwrap_or(text);
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let digits = rest[letters..].strip_prefix('$').unwrap_or(&rest[letters..]);
        let is_a1_shaped = letters > 0 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if is_a1_shaped {
            Err(RefError::OutOfGrid(text.to_owned()))
        } else {
            Err(RefError::Syntax(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn corners() {
        assert_eq!(CellRef::A1.to_string(), "A1");
        assert_eq!("XFD1048576".parse::<CellRef>().unwrap(), CellRef::new(1_048_575, 16_383).unwrap());
        assert_eq!("$b$7".parse::<CellRef>().unwrap().to_string(), "B7");
    }

    #[test]
    fn refused() {
        assert_eq!("XFE1".parse::<CellRef>(), Err(RefError::OutOfGrid("XFE1".into())));
        assert_eq!("A1048577".parse::<CellRef>(), Err(RefError::OutOfGrid("A1048577".into())));
        assert_eq!("A0".parse::<CellRef>(), Err(RefError::OutOfGrid("A0".into())));
        for text in ["", "7", "A", "A-1", "A1:B2", "é1", "AAAA1B"] {
            assert_eq!(text.parse::<CellRef>(), Err(RefError::Syntax(text.into())), "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(row in 0..MAX_ROWS, col in 0..MAX_COLS) {
            let cell = CellRef::new(row, col).unwrap();
            prop_assert_eq!(cell.to_string().parse::<CellRef>().unwrap(), cell);
            prop_assert_eq!(parse_column(&column_letters(col)), Some(col));
        }
    }
}
