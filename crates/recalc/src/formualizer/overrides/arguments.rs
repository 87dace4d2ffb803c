//! The arguments of a call, evaluated.

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::engine::range_view::RangeView;
use formualizer_eval::traits::{ArgumentHandle, CalcValue};
use formualizer_parse::parser::ASTNodeType;

use crate::formualizer::overrides::spread::size;

/// An argument as IronCalc gets it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    /// Left out: nothing between commas.
    Omitted,
    /// A value that was written or computed.
    Value(LiteralValue),
    /// What one cell holds.
    Cell(LiteralValue),
    /// An array that was written or computed.
    Array(Vec<Vec<LiteralValue>>),
    /// What several cells hold.
    Cells(Vec<Vec<LiteralValue>>),
}

impl Argument {
    /// Several values, if it is some.
    pub(super) fn rows(&self) -> Option<&Vec<Vec<LiteralValue>>> {
        match self {
            Argument::Array(rows) | Argument::Cells(rows) => Some(rows),
            _ => None,
        }
    }

    /// How many rows and columns it has.
    pub(super) fn shape(&self) -> (usize, usize) {
        self.rows().map_or((1, 1), |rows| size(rows))
    }
}

/// An argument that is evaluated, but whose cells are not read yet.
pub(super) enum Evaluated<'b> {
    Ready(Argument),
    View(RangeView<'b>),
}

impl Evaluated<'_> {
    /// Cells that reading it takes.
    pub(super) fn cells(&self) -> u64 {
        match self {
            Evaluated::Ready(Argument::Array(rows) | Argument::Cells(rows)) => {
                (rows.len() * rows.first().map_or(0, Vec::len)) as u64
            }
            Evaluated::Ready(_) => 1,
            Evaluated::View(view) => {
                let (rows, cols) = view.dims();
                rows as u64 * cols as u64
            }
        }
    }

    pub(super) fn read(self) -> Argument {
        match self {
            Evaluated::Ready(argument) => argument,
            Evaluated::View(view) => {
                let (rows, cols) = view.dims();
                let read =
                    (0..rows).map(|row| (0..cols).map(|col| view.get_cell(row, col)).collect()).collect();
                // What was computed lies on a sheet of no workbook.
                if view.sheet_name() == "__tmp" { Argument::Array(read) } else { Argument::Cells(read) }
            }
        }
    }
}

/// Evaluates an argument; `None` for a function that is handed over. `tells_cells` asks to tell a cell from its value.
///
/// # Errors
/// When the calculation is cancelled.
pub(super) fn evaluated<'b>(
    handle: &ArgumentHandle<'_, 'b>,
    tells_cells: bool,
) -> Result<Option<Evaluated<'b>>, ExcelError> {
    if handle.is_omitted() {
        return Ok(Some(Evaluated::Ready(Argument::Omitted)));
    }
    let value = match handle.value() {
        Ok(CalcValue::Callable(_)) => return Ok(None),
        Ok(CalcValue::Range(view)) => match view.as_1x1() {
            Some(value) if view.sheet_name() == "__tmp" => Argument::Value(value),
            Some(value) => Argument::Cell(value),
            None => return Ok(Some(Evaluated::View(view))),
        },
        Ok(CalcValue::Scalar(LiteralValue::Array(rows))) => Argument::Array(rows),
        // Only a cell is empty.
        Ok(CalcValue::Scalar(LiteralValue::Empty) | CalcValue::AnnotatedScalar(LiteralValue::Empty, _)) => {
            Argument::Cell(LiteralValue::Empty)
        }
        Ok(CalcValue::Scalar(value) | CalcValue::AnnotatedScalar(value, _)) => {
            let may_differ = matches!(
                value,
                LiteralValue::Text(_)
                    | LiteralValue::Boolean(_)
                    | LiteralValue::Error(_)
                    | LiteralValue::Empty
            );
            let is_cell = || match &handle.ast().node_type {
                ASTNodeType::Reference { .. } => true,
                ASTNodeType::Function { .. } => handle.as_reference_or_eval().is_ok(),
                _ => false,
            };
            match tells_cells && may_differ && is_cell() {
                true => Argument::Cell(value),
                false => Argument::Value(value),
            }
        }
        Err(error) if error.kind == ExcelErrorKind::Cancelled => return Err(error),
        Err(error) => Argument::Value(LiteralValue::Error(error)),
    };
    Ok(Some(Evaluated::Ready(value)))
}
