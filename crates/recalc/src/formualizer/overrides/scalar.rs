//! Functions of single values that are computed here, also over each place of arrays.

use std::sync::Arc;

use formualizer_common::{DateSystem, ExcelError, LiteralValue};
use formualizer_eval::function::{FamilyKernel, FnCaps, Function};
use formualizer_eval::traits::{ArgumentHandle, CalcValue, FunctionContext};

use crate::formualizer::overrides::spread::{calculated, spread};

/// What computes: values in, of which none is an error or an array, one value out.
pub(super) type Compute = fn(&[LiteralValue], DateSystem) -> LiteralValue;

/// A function of single values.
pub(super) struct Scalar {
    pub(super) name: &'static str,
    pub(super) compute: Compute,
    /// The library's own, whose results over columns of numbers are the same.
    pub(super) own: Option<Arc<dyn Function>>,
}

impl Function for Scalar {
    fn name(&self) -> &'static str {
        self.name
    }

    fn caps(&self) -> FnCaps {
        FnCaps::PURE
    }

    fn family_kernel(&self) -> Option<FamilyKernel> {
        self.own.as_ref()?.family_kernel()
    }

    fn variadic(&self) -> bool {
        true
    }

    fn eval<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        let dates = ctx.date_system();
        let compute = |values: &[LiteralValue]| {
            let fault = values.iter().find(|value| matches!(value, LiteralValue::Error(_)));
            fault.cloned().unwrap_or_else(|| (self.compute)(values, dates))
        };
        spread(args, &compute).map(|value| calculated(value, ctx))
    }

    fn dispatch<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        self.eval(args, ctx)
    }
}
