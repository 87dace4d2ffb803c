//! Ranges that grow with the data they end with.

use grid::quote;

use crate::slot::{Direction, token_slots};
use crate::{RefKind, Sheets, TokenKind, lex};

/// The formula after `by` rows came below the data that ends in `last` (zero-based): ranges of several cells on `sheet` that
/// end there end with the new ones; `None` if there are none. `is_home` tells whether the formula stands on that sheet.
pub fn grow_ranges(formula: &str, sheet: &str, is_home: bool, last: u32, by: u32) -> Option<String> {
    let folded = quote(sheet).to_lowercase();
    let mut out = String::new();
    let mut copied = 0;
    for token in lex(formula) {
        if !matches!(token.kind, TokenKind::Reference(RefKind::Range(..))) || token.prefix().book.is_some() {
            continue;
        }
        let is_meant = match &token.prefix().sheets {
            Sheets::Current => is_home,
            Sheets::One(name) => quote(name).to_lowercase() == folded,
            Sheets::Span(..) | Sheets::Lost => false,
        };
        let rows = token_slots(&token).into_iter().flatten().filter(|slot| slot.direction == Direction::Row);
        let end = rows.max_by_key(|slot| slot.index);
        if let Some(end) = end.filter(|end| is_meant && end.index == last) {
            out.push_str(&formula[copied..end.start]);
            out.push_str(&(end.index + by + 1).to_string());
            copied = end.end;
        }
    }
    (copied > 0).then(|| out + &formula[copied..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_end_with_the_data_grow() {
        let check = |formula: &str, expected: &str| {
            let found = grow_ranges(formula, "My Data", true, 8, 3);
            assert_eq!(found.as_deref().unwrap_or(formula), expected);
        };
        check("SUM(B2:B9)+SUM($B$2:B$9)*B9", "SUM(B2:B12)+SUM($B$2:B$12)*B9");
        check("SUM(B9:B2)+SUM(B2:B8)+SUM(B9:B10)", "SUM(B12:B2)+SUM(B2:B8)+SUM(B9:B10)");
        check(
            "SUM('my data'!B2:B9,Other!B2:B9,[1]A!B2:B9)+B:B",
            "SUM('my data'!B2:B12,Other!B2:B9,[1]A!B2:B9)+B:B",
        );
        assert_eq!(grow_ranges("SUM(B2:B9)", "My Data", false, 8, 3), None);
    }
}
