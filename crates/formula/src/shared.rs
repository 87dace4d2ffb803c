//! Moving the relative references of a formula, as the cells that share a formula do.
//!
//! A reference that leaves the grid comes back in at the other side: a shared formula holds its relative references
//! as offsets, and Excel takes the sum modulo the grid's size (as `=R[-1]C`, entered in row 1, becomes a reference
//! to row 1,048,576). Copying a cell gives `#REF!` there, but the cells of a shared group were never copied. A
//! library that refuses such a formula, as openpyxl does, loses it. Wrapping also makes every shift reversible.

use std::fmt::Write;

use grid::{MAX_COLS, MAX_ROWS, push_column_letters};

use crate::lex;
use crate::slot::{Direction, Slot, token_slots};

/// The formula of a shared group, lexed once and written for each of its cells.
#[derive(Debug, Clone)]
pub struct SharedFormula {
    text: Box<str>,
    slots: Box<[Slot]>,
}

impl SharedFormula {
    /// Prepares the formula of the group's first cell.
    pub fn new(formula: &str) -> SharedFormula {
        SharedFormula { text: formula.into(), slots: slots(formula).collect() }
    }

    /// The formula of the group's first cell.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The formula of the cell `rows` down and `cols` to the right of the group's first one.
    pub fn at(&self, rows: i64, cols: i64) -> String {
        let mut formula = String::new();
        self.write_at(rows, cols, &mut formula);
        formula
    }

    /// Appends to `out` what [`SharedFormula::at`] returns, so that many cells can use one buffer.
    pub fn write_at(&self, rows: i64, cols: i64, out: &mut String) {
        splice(&self.text, self.slots.iter().copied(), rows, cols, out);
    }
}

/// The formula with its relative references moved by `rows` down and `cols` to the right; all else is kept byte by
/// byte. Moved column letters come out in upper case.
pub fn shift(formula: &str, rows: i64, cols: i64) -> String {
    let mut shifted = String::new();
    splice(formula, slots(formula), rows, cols, &mut shifted);
    shifted
}

fn splice(formula: &str, slots: impl Iterator<Item = Slot>, rows: i64, cols: i64, out: &mut String) {
    out.reserve(formula.len() + 8);
    let mut copied = 0;
    for slot in slots {
        let (delta, size) = match slot.direction {
            Direction::Row => (rows, MAX_ROWS),
            Direction::Column => (cols, MAX_COLS),
        };
        if delta == 0 {
            continue;
        }
        out.push_str(&formula[copied..slot.start]);
        copied = slot.end;
        let moved = wrap(i64::from(slot.index) + delta % i64::from(size), size);
        match slot.direction {
            Direction::Row => {
                write!(out, "{}", moved + 1).expect("invariant: writing to a String never fails");
            }
            Direction::Column => push_column_letters(out, moved),
        }
    }
    out.push_str(&formula[copied..]);
}

fn wrap(index: i64, size: u32) -> u32 {
    u32::try_from(index.rem_euclid(i64::from(size)))
        .expect("invariant: a remainder is smaller than its divisor")
}

/// The relative rows and columns of a formula.
fn slots(formula: &str) -> impl Iterator<Item = Slot> {
    let written = lex(formula).flat_map(|token| token_slots(&token).into_iter().flatten());
    written.filter(|slot| !slot.absolute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(formula: &str, rows: i64, cols: i64, expected: &str) {
        assert_eq!(shift(formula, rows, cols), expected, "{formula}");
        assert_eq!(SharedFormula::new(formula).at(rows, cols), expected, "{formula}");
    }

    #[test]
    fn relative_references_move() {
        check("A1+$A1+A$1+$A$1", 2, 1, "B3+$A3+B$1+$A$1");
        check("SUM(A1:B2,C:D,$C:D,5:6,$5:6)", 1, 1, "SUM(B2:C3,D:E,$C:E,6:7,$5:7)");
        check("=Sheet1!A1*'It''s A1'!B2", 1, 0, "=Sheet1!A2*'It''s A1'!B3");
        check(
            "Jan:Mar!A1+[1]Sheet1!A1+'C:\\A1\\[B2.xlsx]C3'!D4",
            1,
            1,
            "Jan:Mar!B2+[1]Sheet1!B2+'C:\\A1\\[B2.xlsx]C3'!E5",
        );
        check("A9:INDEX(B:B,3)", 1, 1, "B10:INDEX(C:C,3)");
        check("Z9&AZ99&ZZ1", 1, 1, "AA10&BA100&AAA2");
        check("C10", -1, -2, "A9");
        check("A1#+@A1", 1, 0, "A2#+@A2");
    }

    #[test]
    fn everything_else_stays() {
        for formula in [
            "LOG10(1)",
            "\"A1 \"\"A1\"\" A1\"",
            "Table1[A1]",
            "Table1[[#This Row],[A1]:[B2]]",
            "R1C1+A1B+_A1+TRUE",
            "{1,2;3,\"A1\"}",
            "Sheet1!#REF!+#REF!",
            "A1048577+XFE1+A0",
            "'A1",
        ] {
            check(formula, 3, 5, formula);
        }
    }

    #[test]
    fn off_the_grid_wraps() {
        check("A1", -1, -1, "XFD1048576");
        check("XFD1048576", 1, 1, "A1");
        check("A1:A3", -1, 0, "A1048576:A2");
        check("A1", i64::MAX, i64::MIN, "A1048576");
    }

    #[test]
    fn only_the_moved_axis_is_written_anew() {
        check("  a1 +\tb$2\n", 1, 0, "  a2 +\tb$2\n");
    }

    fn formula_like() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "A1",
            "$B$2",
            "C$3:D4",
            "E:F",
            "7:8",
            "XFD1048576",
            "Sheet1!A1",
            "'a b'!",
            "[1]",
            "(",
            ")",
            ",",
            " ",
            ":",
            "+",
            "#",
            "SUM(",
            "\"A1\"",
            "T[A1]",
            "1E+5",
            "{",
            "}",
            "é",
            "'",
            "[",
            "!",
            "#REF!",
            "A",
            "1",
            "$",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_shift_is_identity(formula in prop_oneof![formula_like(), any::<String>()]) {
            prop_assert_eq!(shift(&formula, 0, 0), formula);
        }

        #[test]
        fn a_shift_is_reversible(
            formula in formula_like(),
            rows in -2_000_000i64..2_000_000,
            cols in -40_000i64..40_000,
        ) {
            let there = shift(&formula, rows, cols);
            prop_assert_eq!(shift(&there, -rows, -cols), formula);
        }

        #[test]
        fn shifted_cells_share_their_r1c1_form(
            formula in formula_like(),
            row in 0u32..1000,
            col in 0u32..1000,
        ) {
            let first = grid::CellRef::A1;
            let moved = grid::CellRef::new(row, col).unwrap();
            let shifted = shift(&formula, i64::from(row), i64::from(col));
            if !formula.contains("XFD") {
                prop_assert_eq!(crate::to_r1c1(&formula, first), crate::to_r1c1(&shifted, moved));
                prop_assert_eq!(crate::pattern_key(&formula, first), crate::pattern_key(&shifted, moved));
            }
        }
    }
}
