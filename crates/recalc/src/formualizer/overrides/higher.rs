//! Functions that apply a function: `MAP`, `REDUCE` and their like, in the form that `lambdas` gives them.

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::engine::CancelToken;
use formualizer_eval::engine::range_view::RangeView;
use formualizer_eval::function::{FnCaps, Function};
use formualizer_eval::interpreter::{LocalBinding, LocalEnv};
use formualizer_eval::traits::{ArgumentHandle, CalcValue, FunctionContext};
use formualizer_parse::parser::{ASTNodeType, ReferenceType};

use crate::formualizer::MAX_ARRAY_CELLS;
use crate::formualizer::overrides::arguments::{Argument, evaluated};
use crate::formualizer::overrides::spread::at;

/// A function that applies the function whose parameters and body are its last arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Higher(pub(super) &'static str);

/// `MAP` over arrays of which each has a value for a place of the largest: what a formula calls that hands an array to a function
/// of single values.
pub(in crate::formualizer) const SPREAD: &str = "@MAP";
/// Every one of them.
pub(super) const NAMES: &[&str] =
    &[SPREAD, "MAP", "REDUCE", "SCAN", "BYROW", "BYCOL", "MAKEARRAY", "ISOMITTED"];

/// Asked before each application whether to go on.
type Stop<'a> = Option<&'a CancelToken>;

/// What is applied.
struct Applied<'c, 'a, 'b> {
    parameters: Vec<String>,
    body: &'c ArgumentHandle<'a, 'b>,
    env: LocalEnv,
    stop: Option<CancelToken>,
}

impl Applied<'_, '_, '_> {
    fn to(&self, values: &[LiteralValue]) -> Result<LiteralValue, ExcelError> {
        if self.stop.as_ref().is_some_and(CancelToken::is_cancelled) {
            return Err(ExcelError::new(ExcelErrorKind::Cancelled));
        }
        let mut env = self.env.clone();
        for (name, value) in self.parameters.iter().zip(values) {
            env = env.with_binding(name, LocalBinding::Value(value.clone()));
        }
        match self.body.value_with_env(env) {
            Ok(CalcValue::Callable(_)) => Ok(LiteralValue::Error(ExcelError::new(ExcelErrorKind::Calc))),
            Ok(value) => Ok(value.into_literal()),
            Err(error) if error.kind == ExcelErrorKind::Cancelled => Err(error),
            Err(error) => Ok(LiteralValue::Error(error)),
        }
    }

    /// One value: arrays of arrays there are none.
    fn to_one(&self, values: &[LiteralValue]) -> Result<LiteralValue, ExcelError> {
        Ok(match self.to(values)? {
            LiteralValue::Array(rows) if rows.len() == 1 && rows[0].len() == 1 => one(&rows),
            LiteralValue::Array(_) => LiteralValue::Error(ExcelError::new(ExcelErrorKind::Calc)),
            value => value,
        })
    }
}

fn one(rows: &[Vec<LiteralValue>]) -> LiteralValue {
    rows.first().and_then(|row| row.first()).cloned().unwrap_or(LiteralValue::Empty)
}

fn fault(kind: ExcelErrorKind) -> Result<LiteralValue, ExcelError> {
    Ok(LiteralValue::Error(ExcelError::new(kind)))
}

/// The values of an argument, row by row.
fn rows(handle: &ArgumentHandle<'_, '_>) -> Result<Vec<Vec<LiteralValue>>, ExcelError> {
    let Some(argument) = evaluated(handle, false)? else {
        return Err(ExcelError::new(ExcelErrorKind::Value));
    };
    if argument.cells() > MAX_ARRAY_CELLS {
        return Err(ExcelError::new(ExcelErrorKind::Num));
    }
    Ok(match argument.read() {
        Argument::Omitted => vec![vec![LiteralValue::Empty]],
        Argument::Value(value) | Argument::Cell(value) => vec![vec![value]],
        Argument::Array(rows) | Argument::Cells(rows) => rows,
    })
}

impl Higher {
    fn applied<'c, 'a, 'b>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        count: usize,
        stop: Stop<'_>,
    ) -> Option<Applied<'c, 'a, 'b>> {
        let (body, before) = args.split_last()?;
        let named = before.get(before.len().checked_sub(count)?..)?;
        let name = |arg: &ArgumentHandle<'a, 'b>| match &arg.ast().node_type {
            ASTNodeType::Reference { reference: ReferenceType::NamedRange(name), .. } => Some(name.clone()),
            _ => None,
        };
        let parameters = named.iter().map(name).collect::<Option<_>>()?;
        Some(Applied { parameters, body, env: body.current_env(), stop: stop.cloned() })
    }

    fn compute(&self, args: &[ArgumentHandle<'_, '_>], stop: Stop<'_>) -> Result<LiteralValue, ExcelError> {
        match (self.0, args.len()) {
            ("MAP" | SPREAD, count) if count >= 3 && count % 2 == 1 => self.map(args, count / 2, stop),
            ("REDUCE" | "SCAN", 5) => self.fold(args, stop),
            ("BYROW" | "BYCOL", 3) => self.by_line(args, stop),
            ("MAKEARRAY", 5) => self.make(args, stop),
            _ => fault(ExcelErrorKind::Value),
        }
    }

    fn map(
        &self,
        args: &[ArgumentHandle<'_, '_>],
        count: usize,
        stop: Stop<'_>,
    ) -> Result<LiteralValue, ExcelError> {
        let Some(applied) = self.applied(args, count, stop) else { return fault(ExcelErrorKind::Value) };
        let arrays = args[..count].iter().map(rows).collect::<Result<Vec<_>, _>>()?;
        let height = arrays.iter().map(Vec::len).max().unwrap_or(0);
        let width = arrays.iter().map(|rows| rows.first().map_or(0, Vec::len)).max().unwrap_or(0);
        let value = |rows: &Vec<Vec<LiteralValue>>, row: usize, col: usize| {
            let missing = || LiteralValue::Error(ExcelError::new(ExcelErrorKind::Na));
            let value = match self.0 {
                SPREAD => at(rows, row, col),
                _ => rows.get(row).and_then(|row| row.get(col)),
            };
            value.cloned().unwrap_or_else(missing)
        };
        if self.0 == SPREAD && (height, width) == (1, 1) {
            let values: Vec<LiteralValue> = arrays.iter().map(|rows| value(rows, 0, 0)).collect();
            return applied.to(&values);
        }
        let mapped = (0..height).map(|row| {
            let cells = (0..width).map(|col| {
                let values: Vec<LiteralValue> = arrays.iter().map(|rows| value(rows, row, col)).collect();
                applied.to_one(&values)
            });
            cells.collect::<Result<Vec<_>, _>>()
        });
        Ok(LiteralValue::Array(mapped.collect::<Result<_, _>>()?))
    }

    fn fold(&self, args: &[ArgumentHandle<'_, '_>], stop: Stop<'_>) -> Result<LiteralValue, ExcelError> {
        let Some(applied) = self.applied(args, 2, stop) else { return fault(ExcelErrorKind::Value) };
        let array = rows(&args[1])?;
        let is_scan = self.0 == "SCAN";
        let mut so_far = match args[0].is_omitted() {
            true => None,
            false => Some(args[0].value()?.into_literal()),
        };
        let mut scanned = Vec::with_capacity(array.len());
        for row in array {
            let mut line = Vec::with_capacity(row.len());
            for value in row {
                let next = match so_far.take() {
                    // Without a first value, the first item is it.
                    None => value,
                    Some(before) if is_scan => applied.to_one(&[before, value])?,
                    Some(before) => applied.to(&[before, value])?,
                };
                if is_scan {
                    line.push(next.clone());
                }
                so_far = Some(next);
            }
            scanned.push(line);
        }
        match is_scan {
            true => Ok(LiteralValue::Array(scanned)),
            false => Ok(so_far.unwrap_or(LiteralValue::Empty)),
        }
    }

    fn by_line(&self, args: &[ArgumentHandle<'_, '_>], stop: Stop<'_>) -> Result<LiteralValue, ExcelError> {
        let Some(applied) = self.applied(args, 1, stop) else { return fault(ExcelErrorKind::Value) };
        let array = rows(&args[0])?;
        if self.0 == "BYROW" {
            let lines =
                array.into_iter().map(|row| Ok(vec![applied.to_one(&[LiteralValue::Array(vec![row])])?]));
            return Ok(LiteralValue::Array(lines.collect::<Result<_, ExcelError>>()?));
        }
        let width = array.first().map_or(0, Vec::len);
        let line = (0..width).map(|col| {
            let column = array.iter().map(|row| vec![row[col].clone()]).collect();
            applied.to_one(&[LiteralValue::Array(column)])
        });
        Ok(LiteralValue::Array(vec![line.collect::<Result<_, _>>()?]))
    }

    fn make(&self, args: &[ArgumentHandle<'_, '_>], stop: Stop<'_>) -> Result<LiteralValue, ExcelError> {
        let Some(applied) = self.applied(args, 2, stop) else { return fault(ExcelErrorKind::Value) };
        let size = |arg: &ArgumentHandle<'_, '_>| match arg.value()?.into_literal() {
            LiteralValue::Number(number) if number >= 1.0 => Ok(Some(number as u64)),
            LiteralValue::Int(number) if number >= 1 => Ok(Some(number as u64)),
            LiteralValue::Error(error) => Err(error),
            _ => Ok(None),
        };
        let (Some(height), Some(width)) = (size(&args[0])?, size(&args[1])?) else {
            return fault(ExcelErrorKind::Value);
        };
        if height.saturating_mul(width) > MAX_ARRAY_CELLS {
            return fault(ExcelErrorKind::Num);
        }
        let made = (1..=height).map(|row| {
            let cells = (1..=width).map(|col| {
                applied.to_one(&[LiteralValue::Number(row as f64), LiteralValue::Number(col as f64)])
            });
            cells.collect::<Result<Vec<_>, _>>()
        });
        Ok(LiteralValue::Array(made.collect::<Result<_, _>>()?))
    }
}

impl Function for Higher {
    fn name(&self) -> &'static str {
        self.0
    }

    fn caps(&self) -> FnCaps {
        FnCaps::PURE | FnCaps::SHORT_CIRCUIT | FnCaps::LOCAL_ENVIRONMENT | FnCaps::MAY_SPILL
    }

    fn variadic(&self) -> bool {
        true
    }

    fn eval<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        match self.compute(args, ctx.cancellation_token().as_ref()) {
            Ok(LiteralValue::Array(rows)) => {
                Ok(CalcValue::Range(RangeView::from_owned_rows(rows, ctx.date_system())))
            }
            Ok(value) => Ok(CalcValue::Scalar(value)),
            Err(error) if error.kind == ExcelErrorKind::Cancelled => Err(error),
            Err(error) => Ok(CalcValue::Scalar(LiteralValue::Error(error))),
        }
    }
}
