//! What takes single values, over arrays: each place gets a value of its own.

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::engine::range_view::RangeView;
use formualizer_eval::traits::{ArgumentHandle, CalcValue, FunctionContext};

use crate::formualizer::MAX_ARRAY_CELLS;
use crate::formualizer::overrides::arguments::{Argument, evaluated};

/// An error as a value.
pub(super) fn error(kind: ExcelErrorKind) -> LiteralValue {
    LiteralValue::Error(ExcelError::new(kind))
}

/// How many rows and columns some values take.
pub(super) fn size(rows: &[Vec<LiteralValue>]) -> (usize, usize) {
    (rows.len(), rows.first().map_or(0, Vec::len))
}

/// What an array has for a place, where a single row or column is for all of them; `None` beyond it.
pub(super) fn at(rows: &[Vec<LiteralValue>], row: usize, col: usize) -> Option<&LiteralValue> {
    let (height, width) = size(rows);
    let row = if height == 1 { 0 } else { row };
    let col = if width == 1 { 0 } else { col };
    rows.get(row)?.get(col)
}

/// A result as the library takes it.
pub(super) fn calculated<'b>(value: LiteralValue, ctx: &dyn FunctionContext<'b>) -> CalcValue<'b> {
    match value {
        LiteralValue::Array(rows) => CalcValue::Range(RangeView::from_owned_rows(rows, ctx.date_system())),
        value => CalcValue::Scalar(value),
    }
}

/// Computes a function of single values over the values of its arguments, or over each place of arrays among them. What is left
/// out is empty.
///
/// # Errors
/// When the calculation is cancelled.
pub(super) fn spread(
    args: &[ArgumentHandle<'_, '_>],
    compute: &dyn Fn(&[LiteralValue]) -> LiteralValue,
) -> Result<LiteralValue, ExcelError> {
    let mut singles = Vec::with_capacity(args.len());
    let mut arrays = Vec::new();
    let mut shape = (1, 1);
    for (index, arg) in args.iter().enumerate() {
        let Some(argument) = evaluated(arg, false)? else { return Ok(error(ExcelErrorKind::Value)) };
        if argument.cells() > MAX_ARRAY_CELLS {
            return Ok(error(ExcelErrorKind::Num));
        }
        match argument.read() {
            Argument::Omitted => singles.push(LiteralValue::Empty),
            Argument::Value(value) | Argument::Cell(value) => singles.push(value),
            Argument::Array(rows) | Argument::Cells(rows) => {
                let (height, width) = size(&rows);
                shape = (shape.0.max(height), shape.1.max(width));
                singles.push(LiteralValue::Empty);
                arrays.push((index, rows));
            }
        }
    }
    if arrays.is_empty() {
        return Ok(compute(&singles));
    }
    if shape.0 as u64 * shape.1 as u64 > MAX_ARRAY_CELLS {
        return Ok(error(ExcelErrorKind::Num));
    }
    let rows = (0..shape.0).map(|row| {
        let values = (0..shape.1).map(|col| {
            for (index, rows) in &arrays {
                match at(rows, row, col) {
                    Some(value) => singles[*index] = value.clone(),
                    None => return error(ExcelErrorKind::Na),
                }
            }
            compute(&singles)
        });
        values.collect()
    });
    Ok(LiteralValue::Array(rows.collect()))
}
