//! Cells that are cut and pasted, and sheets that go: references follow the cells, or are lost.

use grid::{CellRange, MAX_COLS, MAX_ROWS, quote};

use crate::restructure::{finish, push_index, span};
use crate::slot::{Direction, token_slots};
use crate::{Sheets, Token, TokenKind, lex};

/// Cells on their way to another place.
#[derive(Debug, Clone, Copy)]
pub struct Relocation<'a> {
    /// The sheet that they were on.
    pub from_sheet: &'a str,
    /// Where they were.
    pub range: CellRange,
    /// The sheet that they come to.
    pub to_sheet: &'a str,
    /// How many rows down they go.
    pub rows: i64,
    /// How many columns to the right they go.
    pub columns: i64,
}

/// A formula after cells were cut and pasted; `None` if it stays as it is. `home` is the sheet that the formula was on,
/// `new_home` the one that it is on now: another one if it was moved itself.
pub fn relocate(formula: &str, home: &str, new_home: &str, change: Relocation<'_>) -> Option<String> {
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let mut out = String::new();
    let mut copied = 0;
    for token in lex(formula) {
        if !matches!(token.kind, TokenKind::Reference(_)) || token.prefix().book.is_some() {
            continue;
        }
        let prefix = token.prefix();
        let (sheet, is_named) = match &prefix.sheets {
            Sheets::Current => (home, false),
            Sheets::One(name) => (name.as_ref(), true),
            Sheets::Span(..) | Sheets::Lost => continue,
        };
        let moves = same(sheet, change.from_sheet)
            && range_of(&token).is_some_and(|range| change.range.contains_range(range));
        let new_sheet = if moves { change.to_sheet } else { sheet };
        let needs_name = is_named || !same(new_sheet, new_home);
        let is_renamed = needs_name && (!is_named || !same(new_sheet, sheet));
        if !moves && !is_renamed {
            continue;
        }
        out.push_str(&formula[copied..token.start]);
        copied = token.start + token.prefix_len;
        if is_renamed {
            out.push_str(&quote(new_sheet));
            out.push('!');
        } else {
            out.push_str(&formula[token.start..copied]);
        }
        if moves {
            for slot in token_slots(&token).into_iter().flatten() {
                let by = match slot.direction {
                    Direction::Row => change.rows,
                    Direction::Column => change.columns,
                };
                out.push_str(&formula[copied..slot.start]);
                // The caller has made sure that the cells land inside of the grid.
                push_index(
                    &mut out,
                    slot.direction,
                    u32::try_from(i64::from(slot.index) + by).unwrap_or(slot.index),
                );
                copied = slot.end;
            }
        }
    }
    if copied == 0 { None } else { finish(formula, out, copied) }
}

/// The cells that a reference means, on whichever sheet.
pub(crate) fn range_of(token: &Token<'_>) -> Option<CellRange> {
    let slots = token_slots(token);
    let bounds = |direction: Direction, size: u32| {
        let mut found =
            slots.iter().flatten().filter(|slot| slot.direction == direction).map(|slot| slot.index);
        match (found.next(), found.next()) {
            (Some(one), Some(other)) => (one.min(other), one.max(other)),
            (Some(one), None) => (one, one),
            (None, _) => (0, size - 1),
        }
    };
    slots.iter().flatten().next()?;
    let (rows, columns) = (bounds(Direction::Row, MAX_ROWS), bounds(Direction::Column, MAX_COLS));
    CellRange::from_bounds(rows.0, columns.0, rows.1, columns.1)
}

/// The formula after a sheet was deleted; `None` if it does not mention it. `order` are the sheets' names as the tabs stood
/// before: a reference over several sheets shrinks to those that are left.
pub fn lose_sheet(formula: &str, sheet: &str, order: &[&str]) -> Option<String> {
    let folded = sheet.to_lowercase();
    let is_it = |name: &str| name.to_lowercase() == folded;
    let position = |name: &str| order.iter().position(|known| known.to_lowercase() == name.to_lowercase());
    let mut out = String::new();
    let mut copied = 0;
    for token in lex(formula).filter(|token| token.prefix_len > 0) {
        let prefix = token.prefix();
        if prefix.book.is_some() {
            continue;
        }
        let written = match &prefix.sheets {
            Sheets::One(name) if is_it(name) => "#REF!".to_owned(),
            Sheets::Span(first, last) if is_it(first) || is_it(last) => {
                let bounds = position(first).zip(position(last));
                let left = bounds.map(|(a, b)| (a.min(b), a.max(b))).filter(|(a, b)| a != b).map(|(a, b)| {
                    if is_it(order[a]) { (order[a + 1], order[b]) } else { (order[a], order[b - 1]) }
                });
                match left {
                    Some((first, last)) if first == last => format!("{}!", quote(first)),
                    Some((first, last)) => format!("{}!", span(first, last)),
                    None => "#REF!".to_owned(),
                }
            }
            _ => continue,
        };
        out.push_str(&formula[copied..token.start]);
        out.push_str(&written);
        copied = token.start + token.prefix_len;
        if !matches!(token.kind, TokenKind::Reference(_)) && written == "#REF!" {
            // Only a reference keeps its cells behind the lost sheet.
            copied = token.span().end;
        }
    }
    finish(formula, out, copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(formula: &str, home: &str, new_home: &str, expected: &str) {
        let change = Relocation {
            from_sheet: "Data",
            range: "B2:C9".parse().unwrap(),
            to_sheet: "Other One",
            rows: 10,
            columns: 1,
        };
        assert_eq!(
            relocate(formula, home, new_home, change).as_deref().unwrap_or(formula),
            expected,
            "{formula}"
        );
    }

    #[test]
    fn references_follow_what_is_moved() {
        check("B2+SUM(B2:C9)+A1+B1:C9", "Data", "Data", "'Other One'!C12+SUM('Other One'!C12:D19)+A1+B1:C9");
        check("B2+A1+'Other One'!A1", "Data", "Other One", "C12+Data!A1+'Other One'!A1");
        check("Data!$B$2+data!B:B+Third!B2", "Third", "Third", "'Other One'!$C$12+data!B:B+Third!B2");
        check("[1]Data!B2&\"B2\"", "Data", "Data", "[1]Data!B2&\"B2\"");
        let within = Relocation {
            from_sheet: "Data",
            range: "B2".parse().unwrap(),
            to_sheet: "Data",
            rows: 3,
            columns: 0,
        };
        assert_eq!(relocate("B2*B3", "Data", "Data", within).as_deref(), Some("B5*B3"));
        assert_eq!(relocate("B3", "Data", "Data", within), None);
    }

    #[test]
    fn references_to_a_lost_sheet_are_lost() {
        let order = ["Jan", "Feb", "Mar"];
        let check = |formula: &str, sheet: &str, expected: &str| {
            assert_eq!(lose_sheet(formula, sheet, &order).as_deref().unwrap_or(formula), expected);
        };
        check("Feb!A1+'feb'!Rate+Jan!A1", "Feb", "#REF!A1+#REF!+Jan!A1");
        check("SUM(Jan:Mar!A1)", "Jan", "SUM(Feb:Mar!A1)");
        check("SUM(Jan:Mar!A1)", "Mar", "SUM(Jan:Feb!A1)");
        check("SUM(Jan:Mar!A1)", "Feb", "SUM(Jan:Mar!A1)");
        check("SUM(Jan:Feb!A1)", "Feb", "SUM(Jan!A1)");
    }
}
