//! Functions of the library whose results need a touch.

use std::sync::Arc;

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::engine::range_view::RangeView;
use formualizer_eval::function::{FamilyKernel, FnCaps, Function, FunctionResolution};
use formualizer_eval::traits::{ArgumentHandle, CalcValue, FunctionContext};
use formualizer_parse::parser::ReferenceType;

use crate::formualizer::overrides::arguments::{Argument, evaluated};

/// `INDIRECT`: a text that is no reference is `#REF!`, not the error of what reads it.
pub(super) struct Indirect(pub(super) Arc<dyn Function>);

impl Indirect {
    fn adjusted(args: &[ArgumentHandle<'_, '_>], error: ExcelError) -> ExcelError {
        let is_handed_over = args.iter().any(|arg| match arg.value() {
            Ok(value) => matches!(value.as_scalar(), Some(LiteralValue::Error(_))),
            Err(_) => true,
        });
        match error.kind {
            ExcelErrorKind::Value | ExcelErrorKind::Name if !is_handed_over => {
                ExcelError::new(ExcelErrorKind::Ref)
            }
            _ => error,
        }
    }
}

impl Function for Indirect {
    fn name(&self) -> &'static str {
        "INDIRECT"
    }

    fn caps(&self) -> FnCaps {
        self.0.caps()
    }

    fn variadic(&self) -> bool {
        true
    }

    fn eval<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        match self.0.dispatch(args, ctx) {
            Ok(CalcValue::Scalar(LiteralValue::Error(error))) => {
                Ok(CalcValue::Scalar(LiteralValue::Error(Indirect::adjusted(args, error))))
            }
            Err(error) => Err(Indirect::adjusted(args, error)),
            value => value,
        }
    }

    fn dispatch<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        self.eval(args, ctx)
    }

    fn eval_reference<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Option<Result<ReferenceType, ExcelError>> {
        let reference = self.0.eval_reference(args, ctx)?;
        Some(reference.map_err(|error| Indirect::adjusted(args, error)))
    }

    fn resolve_reference_or_value<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
        value_fallback: &dyn Fn() -> Result<CalcValue<'b>, ExcelError>,
    ) -> Result<FunctionResolution<'b>, ExcelError> {
        match self.0.resolve_reference_or_value(args, ctx, value_fallback) {
            Ok(FunctionResolution::ReferenceError(error)) => {
                Ok(FunctionResolution::ReferenceError(Indirect::adjusted(args, error)))
            }
            resolution => resolution,
        }
    }
}

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
