//! Rows at the bottom that sum up the rows above.

use grid::CellRange;

use crate::regions::look::Looks;
use crate::regions::words::is_total;

/// Rows that are looked at from the bottom.
const MAX_TOTALS: u32 = 5;
/// Columns that are looked at.
const MAX_COLS: u32 = 64;
/// Leading columns that may hold the label.
const LABEL_COLS: u32 = 3;

/// How many rows at the bottom of a rectangle are totals of the `body` rows above; never all of them.
pub(crate) fn count(looks: &Looks<'_>, range: CellRange, body: u32) -> u32 {
    let most = MAX_TOTALS.min(range.height().saturating_sub(body + 1));
    let last = range.end().row();
    let is_total_row =
        |row: &u32| has_total_label(looks, range, *row) || has_total_formulas(looks, range, *row);
    (0..most).map(|up| last - up).take_while(is_total_row).count() as u32
}

fn has_total_label(looks: &Looks<'_>, range: CellRange, row: u32) -> bool {
    let cols = range.start().col()..=range.end().col().min(range.start().col() + LABEL_COLS - 1);
    cols.filter_map(|col| looks.text(row, col)).find(|text| !text.is_empty()).is_some_and(is_total)
}

/// Whether most of the row's numbers are sums or the like over at least two rows that end right above.
fn has_total_formulas(looks: &Looks<'_>, range: CellRange, row: u32) -> bool {
    let cols = range.start().col()..=range.end().col().min(range.start().col() + MAX_COLS - 1);
    let mut data = 0;
    let mut sums = 0;
    for col in cols.filter(|col| looks.kind(row, *col).is_data()) {
        data += 1;
        if looks.formula(row, col).is_some_and(|text| sums_column(&text, col)) {
            sums += 1;
        }
    }
    sums > 0 && sums * 2 > data
}

/// Whether a formula aggregates a range of its own column: `SUM(C2:C9)`, `SUBTOTAL(9,C2:C9)`.
fn sums_column(text: &str, col: u32) -> bool {
    let upper = text.trim().to_ascii_uppercase();
    let Some((function, rest)) = upper.split_once('(') else { return false };
    if !["SUM", "SUBTOTAL", "AVERAGE", "AGGREGATE", "COUNT", "COUNTA", "MIN", "MAX"].contains(&function) {
        return false;
    }
    let last_argument = rest.trim_end_matches(')').rsplit(',').next().unwrap_or_default();
    let Ok(summed) = last_argument.trim().parse::<CellRange>() else { return false };
    summed.width() == 1 && summed.start().col() == col && summed.height() > 1
}
