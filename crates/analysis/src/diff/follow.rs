//! Whether a formula is still the same one after rows, columns and sheets moved.

use formula::{Axis, Corner, RefKind, Sheets, Token, TokenKind, lex, to_r1c1};
use grid::CellRef;

use crate::diff::lines::Alignment;

/// Rows and columns of one pair of sheets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) rows: Alignment,
    pub(crate) cols: Alignment,
}

/// What became of the sheets that formulas point to.
pub(crate) trait Sheetwise {
    /// The new name of an old sheet, and what became of its rows and columns.
    fn sheet(&self, old_name: &str) -> Option<(&str, &Layout)>;
}

/// Whether the new text means what the old one did: the same text, the same pattern, or references that followed.
pub(crate) fn is_same(
    (old, old_at): (&str, CellRef),
    (new, new_at): (&str, CellRef),
    home: &Layout,
    sheets: &dyn Sheetwise,
) -> bool {
    old == new
        || followed(old, new, home, sheets)
        || (old_at != new_at && to_r1c1(old, old_at) == to_r1c1(new, new_at))
}

fn followed(old: &str, new: &str, home: &Layout, sheets: &dyn Sheetwise) -> bool {
    let (mut old, mut new) = (lex(old), lex(new));
    loop {
        match (old.next(), new.next()) {
            (None, None) => return true,
            (Some(old), Some(new)) if token_followed(&old, &new, home, sheets) => {}
            _ => return false,
        }
    }
}

fn token_followed(old: &Token<'_>, new: &Token<'_>, home: &Layout, sheets: &dyn Sheetwise) -> bool {
    let layout = if old.prefix_len == 0 && new.prefix_len == 0 {
        Some(home)
    } else {
        let (from, to) = (old.prefix(), new.prefix());
        match (&from.sheets, &to.sheets) {
            (Sheets::One(from_name), Sheets::One(to_name)) if from.book.is_none() && to.book.is_none() => {
                match sheets.sheet(from_name) {
                    Some((name, layout)) if name.to_lowercase() == to_name.to_lowercase() => Some(layout),
                    _ => None,
                }
            }
            _ => None,
        }
    };
    let Some(layout) = layout else { return old.text == new.text };
    match (old.kind, new.kind) {
        (TokenKind::Reference(from), TokenKind::Reference(to)) => reference_followed(from, to, layout),
        (from, to) => from == to && old.body() == new.body(),
    }
}

fn reference_followed(old: RefKind, new: RefKind, layout: &Layout) -> bool {
    match (old, new) {
        (RefKind::Cell(old), RefKind::Cell(new)) => {
            axis_moved(old.row, new.row, &layout.rows) && axis_moved(old.col, new.col, &layout.cols)
        }
        (RefKind::Range(old_a, old_b), RefKind::Range(new_a, new_b)) => {
            let rows = |corner: Corner| corner.row;
            let cols = |corner: Corner| corner.col;
            span_moved((rows(old_a), rows(old_b)), (rows(new_a), rows(new_b)), &layout.rows)
                && span_moved((cols(old_a), cols(old_b)), (cols(new_a), cols(new_b)), &layout.cols)
        }
        (RefKind::Columns(old_a, old_b), RefKind::Columns(new_a, new_b)) => {
            span_moved((old_a, old_b), (new_a, new_b), &layout.cols)
        }
        (RefKind::Rows(old_a, old_b), RefKind::Rows(new_a, new_b)) => {
            span_moved((old_a, old_b), (new_a, new_b), &layout.rows)
        }
        (RefKind::Lost, RefKind::Lost) => true,
        _ => false,
    }
}

fn axis_moved(old: Axis, new: Axis, lines: &Alignment) -> bool {
    old.absolute == new.absolute && lines.to_new(old.index) == Some(new.index)
}

/// Both ends of a range as they are written, which need not be their order.
fn span_moved(old: (Axis, Axis), new: (Axis, Axis), lines: &Alignment) -> bool {
    if old.0.absolute != new.0.absolute || old.1.absolute != new.1.absolute {
        return false;
    }
    let (old, new) = ((old.0.index, old.1.index), (new.0.index, new.1.index));
    let each = lines.to_new(old.0) == Some(new.0) && lines.to_new(old.1) == Some(new.1);
    let ordered = |(a, b): (u32, u32)| (a.min(b), a.max(b));
    let (first, last) = ordered(old);
    each || old == new
        || (lines.first_to_new(first), lines.last_to_new(last)) == (ordered(new).0, Some(ordered(new).1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::lines::Run;

    struct Sales(Layout);

    impl Sheetwise for Sales {
        fn sheet(&self, old_name: &str) -> Option<(&str, &Layout)> {
            (old_name == "Sales").then_some(("Sales 2", &self.0))
        }
    }

    /// Two rows came in before row 4 of the formula's own sheet; row 2 went from `Sales`, which was renamed.
    #[track_caller]
    fn check(old: &str, new: &str, expected: bool) {
        let runs = vec![Run { old: 0, new: 0, len: 3 }, Run { old: 3, new: 5, len: 10 }];
        let home = Layout { rows: Alignment::new(runs, vec![], (13, 15)), cols: Alignment::identity() };
        let runs = vec![Run { old: 0, new: 0, len: 1 }, Run { old: 2, new: 1, len: 10 }];
        let sales = Layout { rows: Alignment::new(runs, vec![], (12, 11)), cols: Alignment::identity() };
        let at = "H1".parse().unwrap();
        assert_eq!(is_same((old, at), (new, at), &home, &Sales(sales)), expected, "{old} {new}");
    }

    #[test]
    fn references_follow_what_moved() {
        check("A5+1", "A7+1", true);
        check("A5+1", "A7+2", false);
        check("A5+1", "A8+1", false);
        check("$A$5", "$A$7", true);
        check("$A$5", "$A7", false);
        check("SUM(A1:A9)", "SUM(A1:A11)", true);
        check("SUM(A1:A9)", "SUM(A1:A10)", false);
        check("SUM(A:A)", "SUM(A:A)", true);
        check("Sales!B3*2", "'Sales 2'!B2*2", true);
        check("Sales!B3*2", "'Sales 3'!B2*2", false);
        check("SUM(Sales!B1:B2)", "SUM('Sales 2'!B1:B1)", true);
        check("Sales!B2", "'Sales 2'!#REF!", false);
        check("1", "A1", false);
    }
}
