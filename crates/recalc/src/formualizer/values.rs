//! Values on their way into the engine and out of it.

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::arrow_store::{CellIngest, OverlayValue, map_error_code};
use grid::{ErrorValue, Value};

use crate::Computed;

/// The engine's word for an error value; those that only data types and clouds know come close enough as `#VALUE!`.
pub(super) fn error_kind(error: ErrorValue) -> ExcelErrorKind {
    match error {
        ErrorValue::Null => ExcelErrorKind::Null,
        ErrorValue::Div0 => ExcelErrorKind::Div,
        ErrorValue::Ref => ExcelErrorKind::Ref,
        ErrorValue::Name => ExcelErrorKind::Name,
        ErrorValue::Num => ExcelErrorKind::Num,
        ErrorValue::NA => ExcelErrorKind::Na,
        ErrorValue::Spill => ExcelErrorKind::Spill,
        ErrorValue::Calc => ExcelErrorKind::Calc,
        _ => ExcelErrorKind::Value,
    }
}

/// The cell's error value; `#CALC!` and its like for what no cell shows.
pub(super) fn error_value(kind: ExcelErrorKind) -> ErrorValue {
    match kind {
        ExcelErrorKind::Null => ErrorValue::Null,
        ExcelErrorKind::Ref => ErrorValue::Ref,
        ExcelErrorKind::Name => ErrorValue::Name,
        ExcelErrorKind::Div => ErrorValue::Div0,
        ExcelErrorKind::Na => ErrorValue::NA,
        ExcelErrorKind::Num => ErrorValue::Num,
        ExcelErrorKind::Spill => ErrorValue::Spill,
        ExcelErrorKind::Calc => ErrorValue::Calc,
        _ => ErrorValue::Value,
    }
}

/// A stored value as columns take it in.
pub(super) fn ingest(value: Value<'_>) -> CellIngest<'_> {
    match value {
        Value::Empty => CellIngest::Empty,
        Value::Number(number) => CellIngest::Number(number),
        Value::Text(text) => CellIngest::Text(text),
        Value::Bool(value) => CellIngest::Boolean(value),
        Value::Error(error) => CellIngest::ErrorCode(map_error_code(error_kind(error))),
    }
}

/// A stored value as single cells of sparse sheets take it in.
pub(super) fn overlay(value: Value<'_>) -> OverlayValue {
    match value {
        Value::Empty => OverlayValue::Empty,
        Value::Number(number) => OverlayValue::Number(number),
        Value::Text(text) => OverlayValue::Text(text.into()),
        Value::Bool(value) => OverlayValue::Boolean(value),
        Value::Error(error) => OverlayValue::Error(map_error_code(error_kind(error))),
    }
}

/// A stored value as edits take it.
pub(super) fn literal(value: Value<'_>) -> LiteralValue {
    match value {
        Value::Empty => LiteralValue::Empty,
        Value::Number(number) => LiteralValue::Number(number),
        Value::Text(text) => LiteralValue::Text(text.to_owned()),
        Value::Bool(value) => LiteralValue::Boolean(value),
        Value::Error(error) => LiteralValue::Error(ExcelError::new(error_kind(error))),
    }
}

/// What the engine computed. Dates come as serial numbers: the engine is told so.
pub(super) fn computed(value: LiteralValue) -> Computed {
    match value {
        LiteralValue::Int(number) => Computed::number(number as f64),
        LiteralValue::Number(number) => Computed::number(number),
        LiteralValue::Text(text) => Computed::text(text),
        LiteralValue::Boolean(value) => Computed::Bool(value),
        LiteralValue::Empty | LiteralValue::Pending => Computed::Empty,
        LiteralValue::Error(error) => Computed::Error(error_value(error.kind)),
        LiteralValue::Array(rows) => {
            rows.into_iter().flatten().next().map_or(Computed::Error(ErrorValue::Calc), computed)
        }
        date => date.as_serial_number().map_or(Computed::Error(ErrorValue::Value), Computed::number),
    }
}
