//! The R1C1 form of a formula: the same text for every cell of a block that computes the same.

use std::fmt::Write;

use grid::CellRef;

use crate::{Axis, Corner, RefKind, TokenKind, lex};

/// Identifies the R1C1 form of a formula: equal for equal forms, and different for different ones but by an
/// accident of 2⁻¹²⁸. Fit for grouping, not against someone who looks for collisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PatternKey(u128);

/// The formula of the cell `at` in R1C1 notation: `A1+$B$2` in `A2` is `R[-1]C+R2C2`. All but references is kept
/// byte by byte, sheet prefixes included.
pub fn to_r1c1(formula: &str, at: CellRef) -> String {
    let mut text = String::with_capacity(formula.len() + 16);
    walk(formula, at, &mut text);
    text
}

/// A key of what [`to_r1c1`] returns, without the cost of writing it.
pub fn pattern_key(formula: &str, at: CellRef) -> PatternKey {
    let mut lanes = Lanes([0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344]);
    walk(formula, at, &mut lanes);
    let [low, high] = lanes.0;
    PatternKey(u128::from(high) << 64 | u128::from(low))
}

/// Takes a formula's R1C1 form piece by piece.
trait Sink {
    fn literal(&mut self, text: &str);
    /// One row (`R`) or column (`C`), seen from `origin`.
    fn axis(&mut self, letter: char, axis: Axis, origin: u32);
}

fn walk(formula: &str, at: CellRef, sink: &mut impl Sink) {
    let mut taken = 0;
    for token in lex(formula) {
        let TokenKind::Reference(kind) = token.kind else { continue };
        if kind == RefKind::Lost {
            continue;
        }
        sink.literal(&formula[taken..token.start + token.prefix_len]);
        taken = token.span().end;
        match kind {
            RefKind::Cell(cell) => corner(sink, cell, at),
            RefKind::Range(first, last) => {
                corner(sink, first, at);
                sink.literal(":");
                corner(sink, last, at);
            }
            RefKind::Columns(first, last) => {
                sink.axis('C', first, at.col());
                sink.literal(":");
                sink.axis('C', last, at.col());
            }
            RefKind::Rows(first, last) => {
                sink.axis('R', first, at.row());
                sink.literal(":");
                sink.axis('R', last, at.row());
            }
            RefKind::Lost => {}
        }
    }
    sink.literal(&formula[taken..]);
}

fn corner(sink: &mut impl Sink, corner: Corner, at: CellRef) {
    sink.axis('R', corner.row, at.row());
    sink.axis('C', corner.col, at.col());
}

impl Sink for String {
    fn literal(&mut self, text: &str) {
        self.push_str(text);
    }

    fn axis(&mut self, letter: char, axis: Axis, origin: u32) {
        self.push(letter);
        let offset = i64::from(axis.index) - i64::from(origin);
        let written = match (axis.absolute, offset) {
            (true, _) => write!(self, "{}", axis.index + 1),
            (false, 0) => Ok(()),
            (false, _) => write!(self, "[{offset}]"),
        };
        written.expect("invariant: writing to a String never fails");
    }
}

/// Two independent 64-bit hashes by folded multiplication, as in wyhash.
struct Lanes([u64; 2]);

impl Lanes {
    fn word(&mut self, word: u64) {
        const FACTORS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93];
        for (lane, factor) in self.0.iter_mut().zip(FACTORS) {
            let product = u128::from(*lane ^ word).wrapping_mul(u128::from(factor));
            // Adding the factor keeps a lane from staying at zero once it gets there.
            *lane = ((product >> 64) as u64 ^ product as u64).wrapping_add(factor);
        }
    }
}

impl Sink for Lanes {
    fn literal(&mut self, text: &str) {
        self.word(text.len() as u64);
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = [0u8; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(last));
    }

    fn axis(&mut self, letter: char, axis: Axis, origin: u32) {
        let place = if axis.absolute { axis.index } else { axis.index.wrapping_sub(origin) };
        let tag = u64::from(letter) << 1 | u64::from(axis.absolute);
        self.word(tag << 32 | u64::from(place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(formula: &str, at: &str, expected: &str) {
        assert_eq!(to_r1c1(formula, at.parse().unwrap()), expected);
    }

    #[test]
    fn notation() {
        check("A1+$B$2", "A2", "R[-1]C+R2C2");
        check("SUM(B$1:B9)", "B10", "SUM(R1C:R[-1]C)");
        check("SUM(A:A)", "B1", "SUM(C[-1]:C[-1])");
        check("SUM($A:C)", "C1", "SUM(C1:C)");
        check("SUM(1:$3)", "A2", "SUM(R[-1]:R3)");
        check("'Q 1'!A1&Jan:Mar!$C2", "B2", "'Q 1'!R[-1]C[-1]&Jan:Mar!RC3");
        check("=IF(A1=\"A1\",1.5,Sheet1!#REF!)", "A1", "=IF(RC=\"A1\",1.5,Sheet1!#REF!)");
        check("LOG10(A1)+R1C1+Table1[A1]", "A1", "LOG10(RC)+R1C1+Table1[A1]");
    }

    #[test]
    fn keys_are_equal_exactly_when_the_forms_are() {
        let cells = ["A1", "B2", "C9", "XFD1048576"].map(|cell| cell.parse::<CellRef>().unwrap());
        let formulas = [
            "A1", "B2", "$A1", "A$1", "$A$1", "A1:B2", "A:A", "1:1", "A1 ", "S!A1", "", "A1+B2", "B2+C3",
            "A1+A1",
        ];
        let all: Vec<(String, PatternKey)> = cells
            .iter()
            .flat_map(|at| formulas.iter().map(|formula| (to_r1c1(formula, *at), pattern_key(formula, *at))))
            .collect();
        for (form, key) in &all {
            for (other_form, other_key) in &all {
                assert_eq!(form == other_form, key == other_key, "{form} {other_form}");
            }
        }
    }
}
