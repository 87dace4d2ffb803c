//! A function that IronCalc computes, or the library's own where that is the better one.

use std::sync::Arc;

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::engine::{CancelToken, DateSystem};
use formualizer_eval::function::{FamilyKernel, FnCaps, Function};
use formualizer_eval::traits::{ArgumentHandle, CalcValue, FunctionContext};

use formualizer_parse::parser::{ASTNodeType, ReferenceType};

use crate::formualizer::MAX_ARRAY_CELLS;
use crate::formualizer::corrected::conditions;
use crate::formualizer::overrides::arguments::{Argument, evaluated};
use crate::formualizer::overrides::exact;
use crate::formualizer::overrides::faults;
use crate::formualizer::overrides::join::limited;
use crate::formualizer::overrides::scratch::Scratch;
use crate::formualizer::overrides::spread::{calculated, error};
use crate::formualizer::overrides::suits::{
    OF_DATES, beyond_table, has_error_condition, is_early, is_like_excel, is_own_like_excel,
};
use crate::formualizer::overrides::table::{MAX_CELLS, Rule, SMALL_CELLS};
use crate::formualizer::overrides::texts;
use crate::formualizer::overrides::whole::{counted, open};
use crate::formualizer::signature::{Meant, Signature};

/// A replaced function.
pub(super) struct Delegate {
    name: &'static str,
    rule: Rule,
    /// The library's own.
    own: Option<Arc<dyn Function>>,
    /// Whether the library may index columns to compute calls together.
    is_indexed: bool,
}

impl Delegate {
    pub(super) fn new(name: &'static str, rule: Rule, own: Option<Arc<dyn Function>>) -> Delegate {
        Delegate { name, rule, own, is_indexed: true }
    }

    /// The same, computed call by call.
    pub(super) fn without_index(self) -> Delegate {
        Delegate { is_indexed: false, ..self }
    }

    fn max_cells(&self, args: &[ArgumentHandle<'_, '_>]) -> u64 {
        match (self.rule, &self.own) {
            // These it computes here, or not at all.
            (Rule::WhenSmall, Some(_)) if self.name == "AGGREGATE" => MAX_ARRAY_CELLS,
            (Rule::WhenSmall, Some(_)) if self.name == "COUNT" && args.iter().any(is_computed_array) => {
                MAX_ARRAY_CELLS
            }
            // The library takes an error for a result, not for what is looked for.
            (Rule::WhenSmall, Some(_)) if has_error_condition(self.name, args) => MAX_CELLS,
            (Rule::WhenSmall, Some(_)) => SMALL_CELLS,
            _ => MAX_CELLS,
        }
    }

    fn is_lifted(&self) -> bool {
        matches!(self.rule, Rule::Lifted | Rule::LiftedByFirst)
    }

    /// Whether an argument that is one value is an array.
    fn has_arrays(&self, args: &[ArgumentHandle<'_, '_>], signature: &Signature) -> bool {
        let looked_at = if self.rule == Rule::LiftedByFirst { 1 } else { args.len() };
        args.iter().zip(&signature.arguments).take(looked_at).any(|(arg, meant)| {
            *meant == Meant::Value
                && match arg.value() {
                    Ok(CalcValue::Range(view)) => view.dims() != (1, 1),
                    Ok(CalcValue::Scalar(LiteralValue::Array(rows))) => {
                        rows.len() != 1 || rows.first().is_none_or(|row| row.len() != 1)
                    }
                    _ => false,
                }
        })
    }

    /// The result; `None` where the library's own function has to compute it.
    fn delegated<'b>(
        &self,
        args: &[ArgumentHandle<'_, 'b>],
        scratch: &mut Scratch,
        dates: DateSystem,
        stop: Option<&CancelToken>,
    ) -> Result<Option<LiteralValue>, ExcelError> {
        let signature = scratch.signature(self.name, args.len());
        if self.is_lifted() && !self.has_arrays(args, &signature) && is_own_like_excel(self.name, args) {
            return Ok(None);
        }
        let beyond = beyond_table(self.name, args);
        let of_conditions = conditions(self.name, args.len());
        let mut left = self.max_cells(args);
        let mut arguments = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            let meant = signature.arguments.get(index).copied().unwrap_or(Meant::Cells);
            let Some(argument) = evaluated(arg, meant != Meant::Value)? else { return Ok(None) };
            match left.checked_sub(argument.cells()) {
                Some(rest) => left = rest,
                None => return Ok(beyond.map(error)),
            }
            let argument = match argument.read() {
                // IronCalc looks up in cells only.
                Argument::Array(rows) if meant != Meant::Value && LOOK_UP.contains(&self.name) => {
                    Argument::Cells(rows)
                }
                // What takes cells takes one as it takes several.
                Argument::Cell(value) if AGGREGATES.contains(&self.name) => {
                    Argument::Cells(vec![vec![value]])
                }
                // What is tested is cells, also where it is one.
                Argument::Value(value) | Argument::Cell(value)
                    if of_conditions.as_ref().is_some_and(|conditions| !conditions.contains(&index))
                        && (is_reference(arg) || !matches!(value, LiteralValue::Error(_))) =>
                {
                    Argument::Cells(vec![vec![value]])
                }
                argument => argument,
            };
            arguments.push(argument);
        }
        texts::write(self.name, &mut arguments);
        exact::adapt(self.name, &mut arguments, dates);
        if self.name == "AGGREGATE" {
            return Ok(exact::computed(self.name, &arguments, dates));
        }
        if let Some(fault) = beyond
            && arguments[0].rows().is_none()
        {
            // What is not there is told before what can't be taken from it.
            arguments[2] = Argument::Value(LiteralValue::Number(1.0));
            let found = called(self.name, &arguments, dates, scratch);
            let missing = found.filter(|found| matches!(found, LiteralValue::Error(_)));
            return Ok(Some(missing.unwrap_or_else(|| error(fault))));
        }
        if !is_like_excel(self.name, &arguments) {
            return Ok(None);
        }
        let is_spread = |index: &usize| {
            signature.arguments.get(*index) == Some(&Meant::Value) && arguments[*index].rows().is_some()
        };
        let spread: Vec<usize> = (0..arguments.len()).filter(is_spread).collect();
        if spread.is_empty() {
            if matches!(self.name, "COUNTIF" | "COUNTIFS")
                && let Some(open) = args.iter().find_map(open)
            {
                return Ok(counted(self.name, open, arguments, scratch));
            }
            return Ok(called(self.name, &arguments, dates, scratch));
        }
        let shape = |index: &usize| arguments[*index].shape();
        let height = spread.iter().map(|index| shape(index).0).max().unwrap_or(0);
        let width = spread.iter().map(|index| shape(index).1).max().unwrap_or(0);
        if height as u64 * width as u64 > MAX_ARRAY_CELLS {
            return Ok(None);
        }
        let mut one = arguments.clone();
        let mut rows = Vec::with_capacity(height);
        for row in 0..height {
            go_on(stop)?;
            let mut values = Vec::with_capacity(width);
            for col in 0..width {
                for index in &spread {
                    one[*index] = picked(&arguments[*index], row, col);
                }
                let is_outside = |index: &usize| {
                    matches!(&one[*index], Argument::Value(LiteralValue::Error(error)) if error.kind == ExcelErrorKind::Na
                        && is_beyond(shape(index), row, col))
                };
                let value = match spread.iter().any(is_outside) {
                    true => LiteralValue::Error(ExcelError::new(ExcelErrorKind::Na)),
                    false => match called(self.name, &one, dates, scratch) {
                        Some(LiteralValue::Array(rows)) => first(rows),
                        Some(value) => value,
                        None => return Ok(None),
                    },
                };
                values.push(value);
            }
            rows.push(values);
        }
        Ok(Some(LiteralValue::Array(rows)))
    }
}

/// The result of one call; `None` where there is none, or not that of Excel.
fn called(
    name: &'static str,
    arguments: &[Argument],
    dates: DateSystem,
    scratch: &mut Scratch,
) -> Option<LiteralValue> {
    if let Some(result) = exact::computed(name, arguments, dates) {
        return Some(result);
    }
    if let ("IMSUM" | "IMPRODUCT", [first, rest @ ..]) = (name, arguments)
        && rest.len() != 1
    {
        // It takes two of them at a time.
        return rest.iter().try_fold(one_value(first)?, |so_far, next| {
            scratch.call(name, &[Argument::Value(so_far), next.clone()])
        });
    }
    let result = scratch.call(name, arguments).filter(|result| !is_early(name, result))?;
    Some(exact::mended(name, arguments, result, dates))
}

fn one_value(argument: &Argument) -> Option<LiteralValue> {
    match argument {
        Argument::Value(value) | Argument::Cell(value) => Some(value.clone()),
        _ => None,
    }
}

/// Whether an argument is written as a cell.
fn is_reference(arg: &ArgumentHandle<'_, '_>) -> bool {
    matches!(arg.ast().node_type, ASTNodeType::Reference { .. })
}

/// Whether an argument is an array that was written or computed.
fn is_computed_array(arg: &ArgumentHandle<'_, '_>) -> bool {
    match arg.value() {
        Ok(CalcValue::Range(view)) => view.sheet_name() == "__tmp",
        Ok(CalcValue::Scalar(value)) => matches!(value, LiteralValue::Array(_)),
        _ => false,
    }
}

/// Functions that leave out the texts of cells, also of a single one.
const AGGREGATES: &[&str] = &["MAXA", "MINA", "SUMX2MY2", "SUMX2PY2", "SUMXMY2"];
/// Functions that look something up.
const LOOK_UP: &[&str] = &["HLOOKUP", "LOOKUP", "MATCH", "VLOOKUP", "XLOOKUP", "XMATCH"];
/// An error, once the calculation is to end.
fn go_on(stop: Option<&CancelToken>) -> Result<(), ExcelError> {
    match stop.is_some_and(CancelToken::is_cancelled) {
        true => Err(ExcelError::new(ExcelErrorKind::Cancelled)),
        false => Ok(()),
    }
}

fn first(rows: Vec<Vec<LiteralValue>>) -> LiteralValue {
    rows.into_iter().flatten().next().unwrap_or(LiteralValue::Empty)
}

/// Whether an array has nothing for a place: a single row or column is for all of them.
fn is_beyond((rows, cols): (usize, usize), row: usize, col: usize) -> bool {
    (rows > 1 && row >= rows) || (cols > 1 && col >= cols)
}

/// The one value of an array that counts for a place.
fn picked(argument: &Argument, row: usize, col: usize) -> Argument {
    let missing = || Argument::Value(LiteralValue::Error(ExcelError::new(ExcelErrorKind::Na)));
    let Some(rows) = argument.rows() else { return argument.clone() };
    let (height, width) = (rows.len(), rows.first().map_or(0, Vec::len));
    let row = if height == 1 { 0 } else { row };
    let col = if width == 1 { 0 } else { col };
    let Some(value) = rows.get(row).and_then(|row| row.get(col)) else { return missing() };
    match (argument, value) {
        // A number is the same wherever it comes from, and costs no cell.
        (Argument::Cells(_), LiteralValue::Number(_) | LiteralValue::Int(_)) | (Argument::Array(_), _) => {
            Argument::Value(value.clone())
        }
        _ => Argument::Cell(value.clone()),
    }
}

impl Function for Delegate {
    fn name(&self) -> &'static str {
        self.name
    }

    fn caps(&self) -> FnCaps {
        match (self.rule, &self.own) {
            (Rule::WhenSmall | Rule::Lifted | Rule::LiftedByFirst, Some(own)) => own.caps(),
            _ => FnCaps::PURE | FnCaps::MAY_SPILL,
        }
    }

    fn family_kernel(&self) -> Option<FamilyKernel> {
        let own = self.own.as_ref()?.family_kernel();
        if self.is_lifted() {
            // It computes single values.
            return own;
        }
        // What was computed for the same arguments is the same.
        own.filter(|_| self.is_indexed)
            .filter(|kernel| matches!(kernel, FamilyKernel::Lookup | FamilyKernel::CriteriaAggregate))
    }

    fn variadic(&self) -> bool {
        true
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
        self.own.as_ref()?.eval_reference(args, ctx)
    }

    fn dispatch<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        faults::walked(|| self.computed(args, ctx))
    }
}

impl Delegate {
    fn computed<'b>(
        &self,
        args: &[ArgumentHandle<'_, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        // IronCalc knows one epoch only.
        let is_other_epoch = ctx.date_system() == DateSystem::Excel1904
            && (OF_DATES.contains(&self.name) || matches!(self.name, "DATE" | "DATEVALUE" | "VALUE"));
        let result = match is_other_epoch {
            true => None,
            false => {
                let stop = ctx.cancellation_token();
                go_on(stop.as_ref())?;
                let dates = ctx.date_system();
                Scratch::with(|scratch| self.delegated(args, scratch, dates, stop.as_ref()))?
            }
        };
        match (result, &self.own) {
            (Some(value), _) => Ok(calculated(value, ctx)),
            (None, Some(own)) => match faults::first(self.name, args, ctx)? {
                Some(fault) => Ok(fault),
                None => own.dispatch(args, ctx).map(limited),
            },
            (None, None) => Ok(CalcValue::Scalar(LiteralValue::Error(ExcelError::new(ExcelErrorKind::Num)))),
        }
    }
}
