//! Functions of the library whose results need a touch.

use std::sync::Arc;

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::engine::range_view::RangeView;
use formualizer_eval::function::{FamilyKernel, FnCaps, Function};
use formualizer_eval::traits::{ArgumentHandle, CalcValue, FunctionContext};

use formualizer_parse::parser::{ASTNodeType, ReferenceType};
use grid::{MAX_COLS, MAX_ROWS};

use crate::formualizer::overrides::arguments::{Argument, evaluated};

/// `IFERROR` and `IFNA`: of arrays, each value has the replacement beside it.
pub(super) struct Replacing {
    pub(super) name: &'static str,
    pub(super) own: Arc<dyn Function>,
}

impl Replacing {
    fn is_replaced(&self, value: &LiteralValue) -> bool {
        match value {
            LiteralValue::Error(error) => self.name == "IFERROR" || error.kind == ExcelErrorKind::Na,
            _ => false,
        }
    }

    /// The result where both are arrays; `None` elsewhere.
    fn spread(&self, args: &[ArgumentHandle<'_, '_>]) -> Result<Option<Vec<Vec<LiteralValue>>>, ExcelError> {
        let [value, replacement] = args else { return Ok(None) };
        // What is one value is left to the library, which then may not look at the replacement.
        match value.value() {
            Ok(CalcValue::Range(view)) if view.dims() != (1, 1) => {}
            Ok(CalcValue::Scalar(LiteralValue::Array(_))) => {}
            _ => return Ok(None),
        }
        let (Some(value), Some(replacement)) = (evaluated(value, false)?, evaluated(replacement, false)?)
        else {
            return Ok(None);
        };
        let (
            Argument::Array(values) | Argument::Cells(values),
            Argument::Array(others) | Argument::Cells(others),
        ) = (value.read(), replacement.read())
        else {
            return Ok(None);
        };
        let size = |rows: &[Vec<LiteralValue>]| (rows.len(), rows.first().map_or(0, Vec::len));
        let (one, other) = (size(&values), size(&others));
        let at = |rows: &[Vec<LiteralValue>], (height, width): (usize, usize), row: usize, col: usize| {
            let row = if height == 1 { 0 } else { row };
            let col = if width == 1 { 0 } else { col };
            let missing = || LiteralValue::Error(ExcelError::new(ExcelErrorKind::Na));
            rows.get(row).and_then(|row| row.get(col)).cloned().unwrap_or_else(missing)
        };
        let spread = (0..one.0.max(other.0)).map(|row| {
            let cells = (0..one.1.max(other.1)).map(|col| {
                let value = at(&values, one, row, col);
                if self.is_replaced(&value) { at(&others, other, row, col) } else { value }
            });
            cells.collect()
        });
        Ok(Some(spread.collect()))
    }
}

impl Function for Replacing {
    fn name(&self) -> &'static str {
        self.name
    }

    fn caps(&self) -> FnCaps {
        self.own.caps()
    }

    fn family_kernel(&self) -> Option<FamilyKernel> {
        self.own.family_kernel()
    }

    fn variadic(&self) -> bool {
        true
    }

    fn eval<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        match self.spread(args)? {
            Some(rows) => Ok(CalcValue::Range(RangeView::from_owned_rows(rows, ctx.date_system()))),
            None => self.own.dispatch(args, ctx),
        }
    }

    fn dispatch<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        self.eval(args, ctx)
    }
}

/// `ROW` and `COLUMN`: of several cells, the number of each line.
pub(super) struct Lines {
    pub(super) name: &'static str,
    pub(super) own: Arc<dyn Function>,
}

impl Lines {
    /// The numbers of several lines; `None` for a single one.
    fn several(&self, args: &[ArgumentHandle<'_, '_>]) -> Option<Vec<Vec<LiteralValue>>> {
        let [arg] = args else { return None };
        let Ok(ReferenceType::Range { start_row, start_col, end_row, end_col, .. }) =
            arg.as_reference_or_eval()
        else {
            return None;
        };
        let numbers = |first: Option<u32>, last: Option<u32>, size: u32| {
            let (first, last) = (first.unwrap_or(1), last.unwrap_or(size));
            let numbers = first.min(last)..=first.max(last);
            numbers.map(|number| LiteralValue::Number(f64::from(number)))
        };
        let rows: Vec<Vec<LiteralValue>> = match self.name {
            "ROW" => numbers(start_row, end_row, MAX_ROWS).map(|number| vec![number]).collect(),
            _ => vec![numbers(start_col, end_col, MAX_COLS).collect()],
        };
        (rows.len() > 1 || rows.first().is_some_and(|row| row.len() > 1)).then_some(rows)
    }
}

impl Function for Lines {
    fn name(&self) -> &'static str {
        self.name
    }

    fn caps(&self) -> FnCaps {
        self.own.caps()
    }

    fn variadic(&self) -> bool {
        true
    }

    fn eval<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        // An address that is none is no cell's.
        if let [arg] = args
            && matches!(arg.ast().node_type, ASTNodeType::Function { .. })
            && match arg.as_reference_or_eval() {
                Ok(reference) => {
                    matches!(reference, ReferenceType::NamedRange(_))
                        || ctx.inspect_reference(&reference).is_err()
                }
                Err(fault) => matches!(fault.kind, ExcelErrorKind::Ref | ExcelErrorKind::Name),
            }
        {
            let fault = ExcelError::new(ExcelErrorKind::Ref);
            return Ok(CalcValue::Scalar(LiteralValue::Error(fault)));
        }
        match self.several(args) {
            Some(rows) => Ok(CalcValue::Range(RangeView::from_owned_rows(rows, ctx.date_system()))),
            None => self.own.dispatch(args, ctx),
        }
    }

    fn dispatch<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        self.eval(args, ctx)
    }
}
