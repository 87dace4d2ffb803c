//! `SUMIF` and its like over large ranges: the library leaves out the errors among the cells that they add up, where Excel yields
//! the first of those that meet the conditions.
//!
//! Errors are looked for only where the added cells have any at all. The library also computes columns of such formulas together,
//! from an index that knows no errors either; [`WATCHED`], put around a condition, keeps it from that where there are some.

use std::cell::Cell;

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use formualizer_eval::engine::range_view::RangeView;
use formualizer_eval::function::{FnCaps, Function};
use formualizer_eval::traits::{ArgumentHandle, CalcValue, FunctionContext};
use formualizer_parse::parser::ReferenceType;

use crate::formualizer::overrides::arguments::{Argument, evaluated};
use crate::formualizer::overrides::scratch::Scratch;
use crate::formualizer::overrides::whole::{Open, open};

/// What a formula calls for a condition: with the cells that are added up, as the numbers of their first and last row and column
/// (0 for one that is open), and the name of their sheet.
pub(in crate::formualizer) const WATCHED: &str = "@WATCHED";
/// Cells with errors that are tested at a time.
const BLOCK: usize = 256;

thread_local! {
    /// Whether a call is computed by itself.
    static IS_WALKED: Cell<bool> = const { Cell::new(false) };
}

/// Computes a call by itself.
pub(super) fn walked<T>(compute: impl FnOnce() -> T) -> T {
    let was = IS_WALKED.replace(true);
    let result = compute();
    IS_WALKED.set(was);
    result
}

/// The error that a call yields for one of the cells that it adds up; the library computes what has none.
///
/// # Errors
/// When the calculation is cancelled.
pub(super) fn first<'b>(
    name: &'static str,
    args: &[ArgumentHandle<'_, 'b>],
    ctx: &dyn FunctionContext<'b>,
) -> Result<Option<CalcValue<'b>>, ExcelError> {
    match roles(name, args.len()) {
        Some((added, tested)) => first_fault(args, ctx, added, &tested),
        None => Ok(None),
    }
}

/// Which argument is added up, and which ones are tested.
fn roles(name: &str, arguments: usize) -> Option<(usize, Vec<usize>)> {
    match (name, arguments) {
        ("SUMIF" | "AVERAGEIF", 2) => Some((0, vec![0])),
        ("SUMIF" | "AVERAGEIF", 3) => Some((2, vec![0])),
        ("SUMIFS" | "AVERAGEIFS" | "MAXIFS" | "MINIFS", 3..) if arguments % 2 == 1 => {
            Some((0, (1..arguments).step_by(2).collect()))
        }
        _ => None,
    }
}

fn view<'b>(arg: &ArgumentHandle<'_, 'b>, ctx: &dyn FunctionContext<'b>) -> Option<RangeView<'b>> {
    match arg.value() {
        Ok(CalcValue::Range(view)) => Some(view),
        _ => match arg.as_reference() {
            Ok(cell @ ReferenceType::Cell { .. }) => ctx.resolve_range_view(cell, ctx.current_sheet()).ok(),
            _ => None,
        },
    }
}

/// The first line of an argument, also where only the used part of it is in view.
fn origin(arg: &ArgumentHandle<'_, '_>, view: &RangeView<'_>) -> (usize, usize) {
    match open(arg) {
        Some(Open::Columns) => (0, view.start_col()),
        Some(Open::Rows) => (view.start_row(), 0),
        None => (view.start_row(), view.start_col()),
    }
}

fn first_fault<'b>(
    args: &[ArgumentHandle<'_, 'b>],
    ctx: &dyn FunctionContext<'b>,
    added: usize,
    tested: &[usize],
) -> Result<Option<CalcValue<'b>>, ExcelError> {
    let Some(sum) = view(&args[added], ctx) else { return Ok(None) };
    let Some(views) = tested.iter().map(|index| view(&args[*index], ctx)).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let (top, left) = origin(&args[added], &sum);
    // As many cells are added up as are tested, whatever is written.
    let (rows, cols) = views[0].dims();
    let sum = if open(&args[added]).is_some() { sum } else { sum.expand_to(rows, cols) };
    if is_plain(&sum) {
        return Ok(None);
    }
    let faults = faults(&sum)?;
    if faults.is_empty() {
        return Ok(None);
    }
    let mut conditions = Vec::with_capacity(tested.len());
    for index in tested {
        match evaluated(&args[index + 1], false)? {
            Some(condition) if condition.cells() == 1 => conditions.push(condition.read()),
            _ => return Ok(None),
        }
    }
    let origins: Vec<(usize, usize)> =
        tested.iter().zip(&views).map(|(index, view)| origin(&args[*index], view)).collect();
    for block in faults.chunks(BLOCK) {
        // What is no error at the end makes a range of it in any case.
        let values = block.iter().map(|(row, col)| vec![sum.get_cell(*row, *col)]);
        let mut arguments = vec![column(values)];
        for ((view, origin), condition) in views.iter().zip(&origins).zip(&conditions) {
            let beside = |(row, col): &(usize, usize)| {
                let row = (origin.0 + sum.start_row() + row).checked_sub(top + view.start_row());
                let col = (origin.1 + sum.start_col() + col).checked_sub(left + view.start_col());
                match (row, col) {
                    (Some(row), Some(col)) if row < view.dims().0 && col < view.dims().1 => {
                        vec![view.get_cell(row, col)]
                    }
                    _ => vec![LiteralValue::Empty],
                }
            };
            arguments.push(column(block.iter().map(beside)));
            arguments.push(condition.clone());
        }
        if let Some(fault @ LiteralValue::Error(_)) =
            Scratch::with(|scratch| scratch.call("SUMIFS", &arguments))
        {
            return Ok(Some(CalcValue::Scalar(fault)));
        }
    }
    Ok(None)
}

fn column(values: impl Iterator<Item = Vec<LiteralValue>>) -> Argument {
    Argument::Cells(values.chain([vec![LiteralValue::Empty]]).collect())
}

/// The cells of a view that hold errors.
fn faults(view: &RangeView<'_>) -> Result<Vec<(usize, usize)>, ExcelError> {
    let mut found = Vec::new();
    for slice in view.errors_slices() {
        let (first, _, columns) = slice?;
        for (col, errors) in columns.iter().enumerate() {
            if errors.values().iter().fold(0, |any, code| any | code) != 0 {
                let codes = errors.iter().enumerate();
                let coded = codes.filter(|(_, code)| code.is_some_and(|code| code != 0));
                found.extend(coded.map(|(row, _)| (first + row, col)));
            }
        }
    }
    Ok(found)
}

/// Whether the columns of a view hold neither errors nor results of formulas.
fn is_plain(view: &RangeView<'_>) -> bool {
    let sheet = view.sheet();
    (view.start_col()..=view.end_col()).all(|col| {
        let chunk = |index: usize| sheet.columns.get(col).and_then(|column| column.chunk(index));
        let is_plain = |index: usize| {
            chunk(index).is_none_or(|chunk| {
                chunk.errors.is_none() && chunk.overlay.is_empty() && chunk.computed_overlay.is_empty()
            })
        };
        (0..sheet.chunk_starts.len()).all(is_plain)
    })
}

/// A condition; none where the cells that are added up have errors and the call is not computed by itself.
pub(super) struct Watched;

impl Watched {
    fn has_faults<'b>(args: &[ArgumentHandle<'_, 'b>], ctx: &dyn FunctionContext<'b>) -> Option<bool> {
        let part = |index: usize| match args.get(index)?.value().ok()? {
            CalcValue::Scalar(LiteralValue::Number(number)) => Some(number as u32),
            CalcValue::Scalar(LiteralValue::Int(number)) => Some(number as u32),
            _ => None,
        };
        let line = |index: usize| part(index).map(|line| (line > 0).then_some(line));
        let sheet = match args.get(5)?.value().ok()? {
            CalcValue::Scalar(LiteralValue::Text(name)) if !name.is_empty() => Some(name),
            _ => None,
        };
        let cells = ReferenceType::range_with_abs(
            sheet,
            line(1)?,
            line(2)?,
            line(3)?,
            line(4)?,
            true,
            true,
            true,
            true,
        );
        let view = ctx.resolve_range_view(&cells, ctx.current_sheet()).ok()?;
        if is_plain(&view) {
            return Some(false);
        }
        faults(&view).ok().map(|faults| !faults.is_empty())
    }
}

impl Function for Watched {
    fn name(&self) -> &'static str {
        WATCHED
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
        match args {
            [condition, ..] if IS_WALKED.get() || Watched::has_faults(args, ctx) == Some(false) => {
                condition.value()
            }
            _ => Err(ExcelError::new(ExcelErrorKind::NImpl)),
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
