//! Addresses by row and column number: `R4C1`, `R[-1]C`, `Data!R1C1:R9C2`.

use formualizer_common::{DateSystem, ExcelErrorKind, LiteralValue};
use formualizer_parse::parser::ReferenceType;
use grid::{MAX_COLS, MAX_ROWS};

use crate::formualizer::overrides::convert::number_of;
use crate::formualizer::overrides::spread::error;

/// What a formula calls where it says how an address is written.
pub(in crate::formualizer) const BY_LETTERS: &str = "@A1";

/// An address of no cell.
const NOWHERE: &str = "#REF!";

/// The address by letters: of an address, whether it is by letters already, and the row and column of the formula.
pub(super) fn by_letters(values: &[LiteralValue], _: DateSystem) -> LiteralValue {
    let [address, is_by_letters, row, col] = values else { return error(ExcelErrorKind::Value) };
    let (Some(is_by_letters), Some(row), Some(col)) =
        (number_of(is_by_letters), number_of(row), number_of(col))
    else {
        return error(ExcelErrorKind::Value);
    };
    let nowhere = || LiteralValue::Text(NOWHERE.to_owned());
    // No text of another value is an address, and names stand for cells no more.
    let LiteralValue::Text(text) = address else { return nowhere() };
    if is_by_letters != 0.0 {
        return match ReferenceType::from_string(text) {
            Ok(ReferenceType::NamedRange(_)) | Err(_) => nowhere(),
            Ok(_) => address.clone(),
        };
    }
    reference(text, row as u32, col as u32)
        .map_or_else(nowhere, |reference| LiteralValue::Text(reference.to_excel_string()))
}

/// The reference that an address means in a cell (its row and column from 1 on); `None` for what is no such address.
fn reference(text: &str, row: u32, col: u32) -> Option<ReferenceType> {
    let (sheet, cells) = match text.trim().rsplit_once('!') {
        Some((prefix, cells)) => (Some(grid::unquote(prefix).into_owned()), cells),
        None => (None, text.trim()),
    };
    let (first, last) = match cells.split_once(':') {
        Some((first, last)) => (corner(first, row, col)?, corner(last, row, col)?),
        None => {
            let corner = corner(cells, row, col)?;
            (corner, corner)
        }
    };
    match (first, last) {
        ((Some(row), Some(col)), _) if first == last => {
            Some(ReferenceType::Cell { sheet, row, col, row_abs: true, col_abs: true })
        }
        _ => {
            let (start_row, end_row) = ordered(first.0, last.0)?;
            let (start_col, end_col) = ordered(first.1, last.1)?;
            Some(ReferenceType::Range {
                sheet,
                start_row,
                start_col,
                end_row,
                end_col,
                start_row_abs: true,
                start_col_abs: true,
                end_row_abs: true,
                end_col_abs: true,
            })
        }
    }
}

/// Both ends of a range in one direction, of which either has both or none.
fn ordered(first: Option<u32>, last: Option<u32>) -> Option<(Option<u32>, Option<u32>)> {
    match (first, last) {
        (Some(first), Some(last)) => Some((Some(first.min(last)), Some(first.max(last)))),
        (None, None) => Some((None, None)),
        _ => None,
    }
}

/// A row and a column, of which one may be missing.
fn corner(text: &str, row: u32, col: u32) -> Option<(Option<u32>, Option<u32>)> {
    let (found_row, rest) = part(text, 'R', row, MAX_ROWS)?;
    let (found_col, rest) = part(rest, 'C', col, MAX_COLS)?;
    (rest.is_empty() && (found_row.is_some() || found_col.is_some())).then_some((found_row, found_col))
}

/// The number after a letter, counted from `own` where it stands in brackets or is missing, and what follows it.
fn part(text: &str, letter: char, own: u32, max: u32) -> Option<(Option<u32>, &str)> {
    let Some(rest) = text.strip_prefix(letter).or_else(|| text.strip_prefix(letter.to_ascii_lowercase()))
    else {
        return Some((None, text));
    };
    let (number, rest) = match rest.strip_prefix('[') {
        Some(inner) => {
            let (offset, rest) = inner.split_once(']')?;
            (i64::from(own) + offset.parse::<i64>().ok()?, rest)
        }
        None => {
            let end = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
            let number = if end == 0 { i64::from(own) } else { rest[..end].parse().ok()? };
            (number, &rest[end..])
        }
    };
    let number = u32::try_from(number).ok().filter(|number| (1..=max).contains(number))?;
    Some((Some(number), rest))
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = reference(text, 5, 3).map(|reference| reference.to_excel_string());
        assert_eq!(found.unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn addresses_are_fixed_or_from_the_cell() {
        check("R4C1", "$A$4");
        check("r4c1", "$A$4");
        check("RC", "$C$5");
        check("R[-1]C[2]", "$E$4");
        check("R1C1:R3C2", "$A$1:$B$3");
        check("R3C2:R1C1", "$A$1:$B$3");
        check("'My data'!R1C1", "'My data'!$A$1");
        check("R2", "$2:$2");
        check("C[1]", "$D:$D");
        for text in ["A1", "R0C1", "R[-5]C", "R1C1:C2", "RCX", "", "R1C16385"] {
            check(text, "");
        }
    }
}
