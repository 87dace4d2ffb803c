//! A function that IronCalc computes, or the library's own where that is the better one.

use std::sync::Arc;

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::engine::DateSystem;
use formualizer_eval::engine::range_view::RangeView;
use formualizer_eval::function::{FamilyKernel, FnCaps, Function};
use formualizer_eval::traits::{ArgumentHandle, CalcValue, FunctionContext};

use crate::formualizer::MAX_ARRAY_CELLS;
use crate::formualizer::overrides::arguments::{Argument, evaluated};
use crate::formualizer::overrides::scratch::Scratch;
use crate::formualizer::overrides::table::{MAX_CELLS, Rule, SMALL_CELLS};
use crate::formualizer::signature::Meant;

/// A replaced function.
pub(super) struct Delegate {
    name: &'static str,
    rule: Rule,
    /// The library's own.
    own: Option<Arc<dyn Function>>,
}

impl Delegate {
    pub(super) fn new(name: &'static str, rule: Rule, own: Option<Arc<dyn Function>>) -> Delegate {
        Delegate { name, rule, own }
    }

    fn max_cells(&self) -> u64 {
        match (self.rule, &self.own) {
            (Rule::WhenSmall, Some(_)) => SMALL_CELLS,
            _ => MAX_CELLS,
        }
    }

    /// The result; `None` where the library's own function has to compute it.
    fn delegated<'b>(
        &self,
        args: &[ArgumentHandle<'_, 'b>],
        scratch: &mut Scratch,
    ) -> Result<Option<LiteralValue>, ExcelError> {
        let signature = scratch.signature(self.name, args.len());
        let mut left = self.max_cells();
        let mut arguments = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            let meant = signature.arguments.get(index).copied().unwrap_or(Meant::Cells);
            let Some(argument) = evaluated(arg, meant != Meant::Value)? else { return Ok(None) };
            match left.checked_sub(argument.cells()) {
                Some(rest) => left = rest,
                None => return Ok(None),
            }
            arguments.push(argument.read());
        }
        if !is_like_excel(self.name, &arguments) {
            return Ok(None);
        }
        let is_spread = |index: &usize| {
            signature.arguments.get(*index) == Some(&Meant::Value) && arguments[*index].rows().is_some()
        };
        let spread: Vec<usize> = (0..arguments.len()).filter(is_spread).collect();
        if spread.is_empty() {
            let result = scratch.call(self.name, &arguments);
            return Ok(result.filter(|result| !is_early(self.name, result)));
        }
        let shape = |index: &usize| {
            let rows = arguments[*index].rows().map_or(0, Vec::len);
            (rows, arguments[*index].rows().and_then(|rows| rows.first()).map_or(0, Vec::len))
        };
        let height = spread.iter().map(|index| shape(index).0).max().unwrap_or(0);
        let width = spread.iter().map(|index| shape(index).1).max().unwrap_or(0);
        if height as u64 * width as u64 > MAX_ARRAY_CELLS {
            return Ok(None);
        }
        let mut one = arguments.clone();
        let mut rows = Vec::with_capacity(height);
        for row in 0..height {
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
                    false => match scratch.call(self.name, &one) {
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

/// Functions of dates whose first argument is one.
const OF_DATES: &[&str] = &[
    "DATEDIF",
    "DAYS",
    "DAYS360",
    "EDATE",
    "EOMONTH",
    "ISOWEEKNUM",
    "NETWORKDAYS",
    "NETWORKDAYS.INTL",
    "WEEKNUM",
    "WORKDAY",
    "WORKDAY.INTL",
    "YEARFRAC",
];
/// The first day after the one that never was, 29 February 1900: IronCalc numbers those before it otherwise.
const MARCH_1900: f64 = 61.0;

/// Whether IronCalc takes these arguments as Excel does.
fn is_like_excel(name: &str, arguments: &[Argument]) -> bool {
    match name {
        // Excel takes as many cells to add as there are to compare, whatever is written.
        "SUMIF" | "AVERAGEIF" => match arguments {
            [Argument::Cells(tested), _, Argument::Cells(added)] => {
                tested.len() == added.len() && tested.first().map(Vec::len) == added.first().map(Vec::len)
            }
            [Argument::Cell(_), _, Argument::Cell(_)] => true,
            [_, _, _] => false,
            _ => true,
        },
        _ if OF_DATES.contains(&name) => match arguments.first() {
            Some(Argument::Cell(LiteralValue::Empty) | Argument::Omitted) => false,
            Some(
                Argument::Value(LiteralValue::Number(number)) | Argument::Cell(LiteralValue::Number(number)),
            ) => *number >= MARCH_1900 || *number < 0.0,
            _ => true,
        },
        _ => true,
    }
}

/// Whether the result is a day that IronCalc numbers otherwise.
fn is_early(name: &str, result: &LiteralValue) -> bool {
    matches!(name, "DATE" | "EDATE" | "EOMONTH" | "WORKDAY" | "WORKDAY.INTL")
        && matches!(result, LiteralValue::Number(number) if *number < MARCH_1900)
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
    match argument {
        Argument::Cells(_) => Argument::Cell(value.clone()),
        _ => Argument::Value(value.clone()),
    }
}

impl Function for Delegate {
    fn name(&self) -> &'static str {
        self.name
    }

    fn caps(&self) -> FnCaps {
        match (self.rule, &self.own) {
            (Rule::WhenSmall, Some(own)) => own.caps(),
            _ => FnCaps::PURE | FnCaps::MAY_SPILL,
        }
    }

    fn family_kernel(&self) -> Option<FamilyKernel> {
        // What was computed for the same arguments is the same.
        let own = self.own.as_ref()?.family_kernel();
        own.filter(|kernel| matches!(kernel, FamilyKernel::Lookup | FamilyKernel::CriteriaAggregate))
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

    fn dispatch<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        // IronCalc knows one epoch only.
        let is_other_epoch = ctx.date_system() == DateSystem::Excel1904
            && (OF_DATES.contains(&self.name)
                || matches!(self.name, "DATE" | "DATEVALUE" | "TEXT" | "VALUE"));
        let result = match is_other_epoch {
            true => None,
            false => Scratch::with(|scratch| self.delegated(args, scratch))?,
        };
        match (result, &self.own) {
            (Some(LiteralValue::Array(rows)), _) => {
                Ok(CalcValue::Range(RangeView::from_owned_rows(rows, ctx.date_system())))
            }
            (Some(value), _) => Ok(CalcValue::Scalar(value)),
            (None, Some(own)) => own.dispatch(args, ctx),
            (None, None) => Ok(CalcValue::Scalar(LiteralValue::Error(ExcelError::new(ExcelErrorKind::Num)))),
        }
    }
}
