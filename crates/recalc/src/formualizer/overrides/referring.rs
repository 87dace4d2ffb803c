//! Functions of references: the library's own, with what they lack.

use std::sync::Arc;

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::args::ArgSchema;
use formualizer_eval::function::{FamilyKernel, FnCaps, Function};
use formualizer_eval::function_contract::{FunctionDependencyContract, FunctionSemanticContract};
use formualizer_eval::traits::{ArgumentHandle, CalcValue, FunctionContext};
use formualizer_parse::parser::ReferenceType;

/// One of [`NAMES`].
pub(super) struct Referring {
    pub(super) name: &'static str,
    pub(super) own: Arc<dyn Function>,
}

/// Every one of them.
pub(super) const NAMES: &[&str] = &["ISFORMULA", "SHEET", "SHEETS", "TYPE"];

/// What Excel shows for the type of an error.
const TYPE_OF_ERROR: f64 = 16.0;

impl Referring {
    /// The value that the library's own function does not compute as Excel does.
    fn value<'b>(
        &self,
        args: &[ArgumentHandle<'_, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<Option<CalcValue<'b>>, ExcelError> {
        let found = |value: LiteralValue| Ok(Some(CalcValue::Scalar(value)));
        match (self.name, args) {
            ("TYPE", [arg]) => match arg.value() {
                Err(error) if error.kind == ExcelErrorKind::Cancelled => Err(error),
                Err(_) | Ok(CalcValue::Scalar(LiteralValue::Error(_))) => {
                    found(LiteralValue::Number(TYPE_OF_ERROR))
                }
                _ => Ok(None),
            },
            ("SHEETS", [arg]) => {
                let Ok(reference) = arg.as_reference_or_eval() else { return Ok(None) };
                match ctx.inspect_reference(&reference)?.and_then(|info| info.sheet_count) {
                    Some(count) => found(LiteralValue::Number(count as f64)),
                    None => Ok(None),
                }
            }
            ("SHEET", [arg]) if arg.as_reference_or_eval().is_err() => match arg.value() {
                // A number is the name of no sheet.
                Ok(CalcValue::Scalar(LiteralValue::Number(_) | LiteralValue::Int(_))) => {
                    found(LiteralValue::Error(ExcelError::new(ExcelErrorKind::Na)))
                }
                _ => Ok(None),
            },
            ("ISFORMULA", [arg]) => {
                let Ok(reference) = arg.as_reference_or_eval() else { return Ok(None) };
                let Some(cell) = ctx.inspect_reference(&reference)?.and_then(|info| info.first_cell) else {
                    return Ok(None);
                };
                found(LiteralValue::Boolean(ctx.formula_text_at_cell(cell)?.is_some()))
            }
            _ => Ok(None),
        }
    }
}

impl Function for Referring {
    fn name(&self) -> &'static str {
        self.name
    }

    fn caps(&self) -> FnCaps {
        self.own.caps()
    }

    fn family_kernel(&self) -> Option<FamilyKernel> {
        self.own.family_kernel()
    }

    fn min_args(&self) -> usize {
        self.own.min_args()
    }

    fn variadic(&self) -> bool {
        self.own.variadic()
    }

    fn arg_schema(&self) -> &'static [ArgSchema] {
        self.own.arg_schema()
    }

    fn dependency_contract(&self, arity: usize) -> Option<FunctionDependencyContract> {
        self.own.dependency_contract(arity)
    }

    fn semantic_contract(&self, arity: usize) -> Option<FunctionSemanticContract> {
        self.own.semantic_contract(arity)
    }

    fn eval<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        self.dispatch(args, ctx)
    }

    fn eval_reference<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Option<Result<ReferenceType, ExcelError>> {
        self.own.eval_reference(args, ctx)
    }

    fn dispatch<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        match self.value(args, ctx)? {
            Some(value) => Ok(value),
            None => self.own.dispatch(args, ctx),
        }
    }
}
