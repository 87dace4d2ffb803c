//! Where the rows and columns of a reference stand in the text.

use crate::{RefKind, Token, TokenKind};

/// A row or column as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    /// Bytes of the formula: its letters or digits, without `$`.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Zero-based.
    pub(crate) index: u32,
    pub(crate) direction: Direction,
    pub(crate) absolute: bool,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum Direction {
    Row,
    Column,
}

/// The rows and columns of one token, in the order in which they are written.
pub(crate) fn token_slots(token: &Token<'_>) -> [Option<Slot>; 4] {
    use Direction::{Column, Row};
    let TokenKind::Reference(kind) = token.kind else { return [None; 4] };
    let axes = match kind {
        RefKind::Cell(cell) => [Some((Column, cell.col)), Some((Row, cell.row)), None, None],
        RefKind::Range(first, last) => [
            Some((Column, first.col)),
            Some((Row, first.row)),
            Some((Column, last.col)),
            Some((Row, last.row)),
        ],
        RefKind::Columns(first, last) => [Some((Column, first)), Some((Column, last)), None, None],
        RefKind::Rows(first, last) => [Some((Row, first)), Some((Row, last)), None, None],
        RefKind::Lost => return [None; 4],
    };
    let body = token.body().as_bytes();
    let body_start = token.start + token.prefix_len;
    let mut read = 0;
    axes.map(|axis| {
        let (direction, axis) = axis?;
        let separators = body[read..].iter().take_while(|byte| matches!(byte, b'$' | b':')).count();
        let first = read + separators;
        let belongs = match direction {
            Direction::Row => u8::is_ascii_digit,
            Direction::Column => u8::is_ascii_alphabetic,
        };
        read = first + body[first..].iter().take_while(|byte| belongs(byte)).count();
        let (start, end) = (body_start + first, body_start + read);
        Some(Slot { start, end, index: axis.index, direction, absolute: axis.absolute })
    })
}
