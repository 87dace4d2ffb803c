//! Whether a change of structure means the same to every cell of a shared formula.

use grid::{CellRange, CellRef};

use crate::lex;
use crate::restructure::{Change, Resize, points_to};
use crate::slot::{Direction, Slot, token_slots};

impl Resize {
    /// Whether everything from `first` to `last` stays, or moves by the same distance.
    fn is_alike(self, first: i64, last: i64) -> bool {
        let at = i64::from(self.at);
        match self.change {
            Change::Insert(count) => {
                let end = i64::from(self.size()) - i64::from(count);
                last < at || (first >= at && last < end)
            }
            Change::Delete(count) => last < at || first >= at + i64::from(count),
        }
    }
}

/// Whether the cells of a shared formula still read one formula after a change of `sheet`: then its text changes as that
/// of its `master` does. `cells` are the bounds of the group, which its master is in.
pub fn stays_shared(
    formula: &str,
    master: CellRef,
    cells: CellRange,
    sheet: &str,
    is_home: bool,
    change: Resize,
) -> bool {
    let along = |cell: CellRef| match change.direction {
        Direction::Row => i64::from(cell.row()),
        Direction::Column => i64::from(cell.col()),
    };
    let (first, last) = (along(cells.start()), along(cells.end()));
    if is_home && !change.is_alike(first, last) {
        return false;
    }
    let folded = sheet.to_lowercase();
    let (back, forth) = (first - along(master), last - along(master));
    let is_alike = |slot: Slot| {
        let index = i64::from(slot.index);
        let (low, high) = if slot.absolute { (index, index) } else { (index + back, index + forth) };
        // An absolute reference changes alike for all, but beside a relative one it might cross it.
        slot.direction != change.direction || (low >= 0 && change.is_alike(low, high))
    };
    lex(formula)
        .filter(|token| points_to(token, &folded, is_home))
        .all(|token| token_slots(&token).into_iter().flatten().all(is_alike))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(formula: &str, at: u32, change: Change, expected: bool) {
        let change = Resize { direction: Direction::Row, at: at - 1, change, band: None };
        let (master, cells) = ("C10".parse().unwrap(), "C10:C20".parse().unwrap());
        assert_eq!(stays_shared(formula, master, cells, "Data", true, change), expected, "{formula}");
    }

    #[test]
    fn groups_break_where_the_change_parts_them() {
        check("A10*2", 5, Change::Insert(1), true);
        check("A10*2", 10, Change::Insert(1), true);
        check("A10*2", 15, Change::Insert(1), false);
        check("A10*2", 21, Change::Insert(1), true);
        check("A1*2", 5, Change::Insert(1), false);
        check("$A$1*2", 5, Change::Insert(1), true);
        check("A:A+Other!A1", 5, Change::Insert(1), true);
        check("A10*2", 3, Change::Delete(2), true);
        check("A3*2", 3, Change::Delete(2), false);
        check("A10+A1048576", 1, Change::Insert(1), false);
    }
}
