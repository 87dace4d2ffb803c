//! Texts put together: `&`, `CONCATENATE`, `CONCAT` and `TEXTJOIN`.

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::function::{FnCaps, Function};
use formualizer_eval::traits::{ArgumentHandle, CalcValue, FunctionContext};

use crate::computed::{MAX_TEXT, is_too_long};
use crate::formualizer::MAX_ARRAY_CELLS;
use crate::formualizer::overrides::arguments::{Argument, Evaluated, evaluated};
use crate::formualizer::overrides::convert::text_of;
use crate::formualizer::overrides::spread::{calculated, error, spread};

/// What a formula calls that was written with `&`.
pub(in crate::formualizer) const OPERATOR: &str = "&";
/// Bytes of a text above which it has more characters than a cell takes, whichever they are.
const MAX_BYTES: usize = 3 * MAX_TEXT;

/// A function that puts texts together.
pub(super) struct Join(pub(super) &'static str);

/// Every one of them.
pub(super) const NAMES: &[&str] = &[OPERATOR, "CONCATENATE", "CONCAT", "TEXTJOIN"];

impl Join {
    fn compute(&self, args: &[ArgumentHandle<'_, '_>]) -> Result<LiteralValue, ExcelError> {
        match (self.0, args) {
            (_, []) => Ok(error(ExcelErrorKind::Value)),
            (OPERATOR | "CONCATENATE", _) => spread(args, &one_after_the_other),
            ("TEXTJOIN", [separators, skips_empty, texts @ ..]) if !texts.is_empty() => {
                joined(separators, skips_empty, texts)
            }
            ("TEXTJOIN", _) => Ok(error(ExcelErrorKind::Value)),
            _ => Ok(match texts_of(args)? {
                Ok(texts) => put_together(texts.iter().map(String::as_str)),
                Err(fault) => LiteralValue::Error(fault),
            }),
        }
    }
}

fn one_after_the_other(values: &[LiteralValue]) -> LiteralValue {
    let mut joined = String::new();
    for value in values {
        if joined.len() > MAX_BYTES {
            return error(ExcelErrorKind::Value);
        }
        match (value, text_of(value)) {
            (LiteralValue::Text(text), _) => joined.push_str(text),
            (_, Some(text)) => joined.push_str(&text),
            (LiteralValue::Error(_), _) => return value.clone(),
            _ => return error(ExcelErrorKind::Value),
        }
    }
    limited_text(joined)
}

/// Texts one after the other, as far as a cell takes them.
fn put_together<'t>(texts: impl Iterator<Item = &'t str>) -> LiteralValue {
    let mut joined = String::new();
    for text in texts {
        joined.push_str(text);
        if joined.len() > MAX_BYTES {
            return error(ExcelErrorKind::Value);
        }
    }
    limited_text(joined)
}

/// A text, or `#VALUE!` for one that is longer than a cell takes.
fn limited_text(text: String) -> LiteralValue {
    match is_too_long(&text) {
        true => error(ExcelErrorKind::Value),
        false => LiteralValue::Text(text),
    }
}

/// The same of a result.
pub(super) fn limited(result: CalcValue<'_>) -> CalcValue<'_> {
    match &result {
        CalcValue::Scalar(LiteralValue::Text(text)) if is_too_long(text) => {
            CalcValue::Scalar(error(ExcelErrorKind::Value))
        }
        _ => result,
    }
}

/// The texts of all values of some arguments, or the first error among them.
fn texts_of(args: &[ArgumentHandle<'_, '_>]) -> Result<Result<Vec<String>, ExcelError>, ExcelError> {
    let fault = |kind| Ok(Err(ExcelError::new(kind)));
    let mut texts = Vec::with_capacity(args.len());
    for arg in args {
        let Some(argument) = evaluated(arg, false)? else { return fault(ExcelErrorKind::Value) };
        if argument.cells() > MAX_ARRAY_CELLS {
            return fault(ExcelErrorKind::Num);
        }
        let values = match argument.read() {
            Argument::Omitted => vec![LiteralValue::Empty],
            Argument::Value(value) | Argument::Cell(value) => vec![value],
            Argument::Array(rows) | Argument::Cells(rows) => rows.into_iter().flatten().collect(),
        };
        for value in values {
            match (text_of(&value), value) {
                (Some(text), _) => texts.push(text),
                (None, LiteralValue::Error(fault)) => return Ok(Err(fault)),
                (None, _) => return fault(ExcelErrorKind::Value),
            }
        }
    }
    Ok(Ok(texts))
}

fn joined(
    separators: &ArgumentHandle<'_, '_>,
    skips_empty: &ArgumentHandle<'_, '_>,
    texts: &[ArgumentHandle<'_, '_>],
) -> Result<LiteralValue, ExcelError> {
    let separators = match texts_of(std::slice::from_ref(separators))? {
        Ok(separators) => separators,
        Err(fault) => return Ok(LiteralValue::Error(fault)),
    };
    let skips_empty = match evaluated(skips_empty, false)?.map(Evaluated::read) {
        Some(Argument::Omitted) => true,
        Some(Argument::Value(value) | Argument::Cell(value)) => match value {
            LiteralValue::Error(fault) => return Ok(LiteralValue::Error(fault)),
            LiteralValue::Text(text) if text.eq_ignore_ascii_case("true") => true,
            LiteralValue::Text(text) if text.eq_ignore_ascii_case("false") => false,
            LiteralValue::Text(_) => return Ok(error(ExcelErrorKind::Value)),
            LiteralValue::Boolean(value) => value,
            LiteralValue::Number(number) => number != 0.0,
            LiteralValue::Int(number) => number != 0,
            _ => false,
        },
        _ => return Ok(error(ExcelErrorKind::Value)),
    };
    let texts = match texts_of(texts)? {
        Ok(texts) => texts,
        Err(fault) => return Ok(LiteralValue::Error(fault)),
    };
    let mut joined = String::new();
    let kept = texts.iter().filter(|text| !(skips_empty && text.is_empty()));
    // They are taken in turn.
    let mut turns = separators.iter().cycle();
    for (index, text) in kept.enumerate() {
        if index > 0 {
            joined.push_str(turns.next().map_or("", String::as_str));
        }
        joined.push_str(text);
        if joined.len() > MAX_BYTES {
            return Ok(error(ExcelErrorKind::Value));
        }
    }
    Ok(limited_text(joined))
}

impl Function for Join {
    fn name(&self) -> &'static str {
        self.0
    }

    fn caps(&self) -> FnCaps {
        FnCaps::PURE
    }

    fn variadic(&self) -> bool {
        true
    }

    fn eval<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        self.compute(args).map(|value| calculated(value, ctx))
    }

    fn dispatch<'a, 'b, 'c>(
        &self,
        args: &'c [ArgumentHandle<'a, 'b>],
        ctx: &dyn FunctionContext<'b>,
    ) -> Result<CalcValue<'b>, ExcelError> {
        self.eval(args, ctx)
    }
}
