//! Following the structure of a sheet: references move as rows and columns come and go, and sheets are renamed.
//!
//! As Excel does it: a range grows where something comes into it and shrinks where a part of it goes; what goes whole
//! becomes `#REF!`; whole columns do not care for rows. References over several sheets (`Jan:Mar!A1`) stay, for only one
//! of the sheets changed.

use std::fmt::Write;

use grid::{CellRange, MAX_COLS, MAX_ROWS, push_column_letters, quote};

use crate::relocate::range_of;
use crate::slot::{Direction, Slot, token_slots};
use crate::{Operator, Sheets, Token, TokenKind, lex};

/// Rows or columns that come into a sheet, or go from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resize {
    /// What comes or goes.
    pub direction: Direction,
    /// The zero-based row or column before which they come, or the first one that goes.
    pub at: u32,
    /// How many come or go.
    pub change: Change,
    /// For cells that shift rather than whole rows or columns: the first and the last column (row) that they shift in. What
    /// reaches beyond those does not follow.
    pub band: Option<(u32, u32)>,
}

/// How many rows or columns come or go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum Change {
    Insert(u32),
    Delete(u32),
}

impl Resize {
    pub(crate) fn size(self) -> u32 {
        match self.direction {
            Direction::Row => MAX_ROWS,
            Direction::Column => MAX_COLS,
        }
    }

    /// Where the rows or columns from `first` to `last` are afterwards; `None` if none of them is left.
    pub fn moved(self, first: u32, last: u32) -> Option<(u32, u32)> {
        let end_of_grid = self.size() - 1;
        match self.change {
            Change::Insert(count) => {
                let shifted = |index: u32| if index < self.at { index } else { index.saturating_add(count) };
                let first = shifted(first);
                (first <= end_of_grid).then(|| (first, shifted(last).min(end_of_grid)))
            }
            Change::Delete(count) => {
                let pulled = |index: u32| index.saturating_sub(count).max(self.at);
                let first = if first < self.at { first } else { pulled(first) };
                // One past the last, so that a range may become empty.
                let behind = if last < self.at { last + 1 } else { pulled(last + 1) };
                (first < behind).then(|| (first, behind - 1))
            }
        }
    }
}

impl Resize {
    /// Where a row or column was before; `None` if it is new.
    pub fn origin(self, index: u32) -> Option<u32> {
        match self.change {
            _ if index < self.at => Some(index),
            Change::Insert(count) => (index - self.at).checked_sub(count).map(|behind| self.at + behind),
            Change::Delete(count) => Some(index.saturating_add(count)).filter(|index| *index < self.size()),
        }
    }

    /// Whether a range lies within the columns (rows) that shift.
    pub fn has_band(self, range: CellRange) -> bool {
        let (start, end) = (range.start(), range.end());
        let across = match self.direction {
            Direction::Row => (start.col(), end.col()),
            Direction::Column => (start.row(), end.row()),
        };
        self.band.is_none_or(|(first, last)| first <= across.0 && across.1 <= last)
    }

    /// Where the cells of a range are afterwards, as a reference to it follows; `None` if none of them is left.
    pub fn moved_range(self, range: CellRange) -> Option<CellRange> {
        let (start, end) = (range.start(), range.end());
        if !self.has_band(range) {
            return Some(range);
        }
        let (rows, columns) = match self.direction {
            // Whole columns do not care for rows, and whole rows not for columns.
            Direction::Row if start.row() == 0 && end.row() == MAX_ROWS - 1 => return Some(range),
            Direction::Column if start.col() == 0 && end.col() == MAX_COLS - 1 => return Some(range),
            Direction::Row => (self.moved(start.row(), end.row())?, (start.col(), end.col())),
            Direction::Column => ((start.row(), end.row()), self.moved(start.col(), end.col())?),
        };
        CellRange::from_bounds(rows.0, columns.0, rows.1, columns.1)
    }
}

/// The formula after a change of `sheet`; `None` if it stays as it is. `is_home` tells whether the formula stands on that
/// sheet, so that references without one are meant, too.
pub fn resize(formula: &str, sheet: &str, is_home: bool, change: Resize) -> Option<String> {
    let folded = sheet.to_lowercase();
    let mut out = String::new();
    let mut copied = 0;
    let mut skips_spill = false;
    for token in lex(formula) {
        if std::mem::take(&mut skips_spill) && token.kind == TokenKind::Operator(Operator::Spill) {
            copied = token.span().end;
            continue;
        }
        if !points_to(&token, &folded, is_home) {
            continue;
        }
        if change.band.is_some() && !range_of(&token).is_some_and(|range| change.has_band(range)) {
            continue;
        }
        let slots = token_slots(&token).map(|slot| slot.filter(|slot| slot.direction == change.direction));
        let mut found = slots.into_iter().flatten();
        let Some(one) = found.next() else { continue };
        let other = found.next();
        let (first, last) = ordered(one, other);
        match change.moved(first.index, last.index) {
            Some((to_first, to_last)) if (to_first, to_last) == (first.index, last.index) => {}
            Some((to_first, to_last)) => {
                // In the order in which they are written, which need not be their own.
                let is_reversed = one.start != first.start;
                let targets = if is_reversed { [to_last, to_first] } else { [to_first, to_last] };
                for (slot, to) in [Some(one), other].into_iter().flatten().zip(targets) {
                    out.push_str(&formula[copied..slot.start]);
                    push_index(&mut out, slot.direction, to);
                    copied = slot.end;
                }
            }
            None => {
                out.push_str(&formula[copied..token.start + token.prefix_len]);
                out.push_str("#REF!");
                copied = token.span().end;
                skips_spill = true;
            }
        }
    }
    finish(formula, out, copied)
}

/// The formula after the sheet `from` was renamed; `None` if it does not mention it.
pub fn rename_sheet(formula: &str, from: &str, to: &str) -> Option<String> {
    let folded = from.to_lowercase();
    let mut out = String::new();
    let mut copied = 0;
    for token in lex(formula).filter(|token| token.prefix_len > 0) {
        let prefix = token.prefix();
        if prefix.book.is_some() {
            continue;
        }
        let renamed = |name: &str| (name.to_lowercase() == folded).then_some(to);
        let written = match &prefix.sheets {
            Sheets::One(name) => renamed(name).map(|to| quote(to).into_owned()),
            Sheets::Span(first, last) => match (renamed(first), renamed(last)) {
                (None, None) => None,
                (new_first, new_last) => Some(span(new_first.unwrap_or(first), new_last.unwrap_or(last))),
            },
            Sheets::Current | Sheets::Lost => None,
        };
        if let Some(written) = written {
            out.push_str(&formula[copied..token.start]);
            out.push_str(&written);
            out.push('!');
            copied = token.start + token.prefix_len;
        }
    }
    finish(formula, out, copied)
}

/// `Jan:Mar`, or `'Q 1:Q 4'` where one of them needs quotes.
pub(crate) fn span(first: &str, last: &str) -> String {
    let is_plain = |name: &str| quote(name) == name;
    if is_plain(first) && is_plain(last) {
        return format!("{first}:{last}");
    }
    format!("'{}:{}'", first.replace('\'', "''"), last.replace('\'', "''"))
}

pub(crate) fn points_to(token: &Token<'_>, folded: &str, is_home: bool) -> bool {
    if !matches!(token.kind, TokenKind::Reference(_)) {
        return false;
    }
    let prefix = token.prefix();
    match &prefix.sheets {
        _ if prefix.book.is_some() => false,
        Sheets::Current => is_home,
        Sheets::One(name) => name.to_lowercase() == folded,
        Sheets::Span(..) | Sheets::Lost => false,
    }
}

/// The lesser and the greater of a reference's rows or columns; a single one is both.
fn ordered(one: Slot, other: Option<Slot>) -> (Slot, Slot) {
    match other {
        Some(other) if other.index < one.index => (other, one),
        other => (one, other.unwrap_or(one)),
    }
}

pub(crate) fn push_index(out: &mut String, direction: Direction, index: u32) {
    match direction {
        Direction::Row => write!(out, "{}", index + 1).expect("invariant: writing to a String never fails"),
        Direction::Column => push_column_letters(out, index),
    }
}

/// What was written, and the rest of the formula; `None` if nothing was.
pub(crate) fn finish(formula: &str, mut out: String, copied: usize) -> Option<String> {
    if copied == 0 {
        return None;
    }
    out.push_str(&formula[copied..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROWS: fn(u32, Change) -> Resize =
        |at, change| Resize { direction: Direction::Row, at: at - 1, change, band: None };

    #[track_caller]
    fn check(formula: &str, change: Resize, expected: &str) {
        let found = resize(formula, "Data", true, change);
        assert_eq!(found.as_deref().unwrap_or(formula), expected, "{formula}");
    }

    #[test]
    fn rows_come() {
        let two_at_five = ROWS(5, Change::Insert(2));
        check("A4+A5+$A$6", two_at_five, "A4+A7+$A$8");
        check("SUM(A1:A4)+SUM(A1:A5)+SUM(a5:a9)", two_at_five, "SUM(A1:A4)+SUM(A1:A7)+SUM(a7:a11)");
        check("SUM(B9:A1)", two_at_five, "SUM(B11:A1)");
        check("A:A+5:6+1:4", two_at_five, "A:A+7:8+1:4");
        check("A5:A1048576", two_at_five, "A7:A1048576");
        check("A1048576", two_at_five, "#REF!");
        check("\"A5\"&Sales[A5]&LOG10(A5)&A5x", two_at_five, "\"A5\"&Sales[A5]&LOG10(A7)&A5x");
    }

    #[test]
    fn rows_go() {
        let two_at_five = ROWS(5, Change::Delete(2));
        check("A4+A5+A6+A7", two_at_five, "A4+#REF!+#REF!+A5");
        check("SUM(A1:A9)+SUM(A5:A6)+SUM(A4:A5)", two_at_five, "SUM(A1:A7)+SUM(#REF!)+SUM(A4:A4)");
        check("SUM(A6:A9)+SUM($A$9:$A$6)", two_at_five, "SUM(A5:A7)+SUM($A$7:$A$5)");
        check("5:5+4:8+A:B", two_at_five, "#REF!+4:6+A:B");
        check("A5#+A7#", two_at_five, "#REF!+A5#");
        check("A1:A1048576", two_at_five, "A1:A1048574");
    }

    #[test]
    fn columns_come_and_go() {
        let columns = |at, change| Resize { direction: Direction::Column, at, change, band: None };
        check("A1+B1+XFD1+B:C+1:2", columns(1, Change::Insert(1)), "A1+C1+#REF!+C:D+1:2");
        check("A1:C3+B2+C:C", columns(1, Change::Delete(1)), "A1:B3+#REF!+B:B");
    }

    #[test]
    fn only_the_sheet_that_changed_is_followed() {
        let change = ROWS(1, Change::Insert(1));
        check("Data!A1+'data'!A1+Other!A1+[1]Data!A1", change, "Data!A2+'data'!A2+Other!A1+[1]Data!A1");
        check("Jan:Mar!A1", change, "Jan:Mar!A1");
        assert_eq!(resize("A1+Data!A1", "Data", false, change).as_deref(), Some("A1+Data!A2"));
        assert_eq!(resize("A1+Other!A1", "Data", false, change), None);
        check("Data!A1", ROWS(1, Change::Delete(1)), "Data!#REF!");
    }

    #[test]
    fn sheets_are_renamed_wherever_they_are_named() {
        let check = |formula: &str, to: &str, expected: &str| {
            assert_eq!(
                rename_sheet(formula, "Data", to).as_deref().unwrap_or(formula),
                expected,
                "{formula}"
            );
        };
        check(
            "Data!A1+DATA!Rate+'Data'!B:B",
            "Q1 Actuals",
            "'Q1 Actuals'!A1+'Q1 Actuals'!Rate+'Q1 Actuals'!B:B",
        );
        check("'Data'!A1", "New", "New!A1");
        check("Data:Mar!A1+Jan:Data!A1", "It's", "'It''s:Mar'!A1+'Jan:It''s'!A1");
        check("Jan:Data!A1", "Feb", "Jan:Feb!A1");
        check("Other!A1+[1]Data!A1+\"Data!A1\"", "New", "Other!A1+[1]Data!A1+\"Data!A1\"");
    }

    proptest! {
        /// What comes and goes again leaves the formula as it was.
        #[test]
        fn going_undoes_coming(
            rows in prop::collection::vec((1..1_000u32, 1..1_000u32), 1..4),
            at in 1..1_200u32,
            count in 1..500u32,
        ) {
            let parts: Vec<String> = rows.iter().map(|(a, b)| format!("SUM(A{a}:$B${b})+C{a}")).collect();
            let formula = parts.join("*");
            let come = resize(&formula, "Data", true, ROWS(at, Change::Insert(count))).unwrap_or(formula.clone());
            let gone = resize(&come, "Data", true, ROWS(at, Change::Delete(count))).unwrap_or(come);
            prop_assert_eq!(gone, formula);
        }
    }
}
