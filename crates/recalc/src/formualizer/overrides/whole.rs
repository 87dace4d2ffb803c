//! Whole columns and rows, of which only the cells in use are read.

use formualizer_common::LiteralValue;
use formualizer_eval::traits::ArgumentHandle;
use formualizer_parse::parser::ReferenceType;
use grid::{MAX_COLS, MAX_ROWS};

use crate::formualizer::overrides::arguments::Argument;
use crate::formualizer::overrides::scratch::Scratch;

/// Whole columns or rows, of which only what is used was read.
#[derive(Clone, Copy)]
pub(super) enum Open {
    Columns,
    Rows,
}

/// Whether an argument is whole columns or rows.
pub(super) fn open(arg: &ArgumentHandle<'_, '_>) -> Option<Open> {
    match arg.as_reference() {
        Ok(ReferenceType::Range { start_row: None, end_row: None, .. }) => Some(Open::Columns),
        Ok(ReferenceType::Range { start_col: None, end_col: None, .. }) => Some(Open::Rows),
        _ => None,
    }
}

/// What is counted in whole columns or rows: also the cells beyond what is used, which all are alike.
pub(super) fn counted(
    name: &'static str,
    open: Open,
    mut arguments: Vec<Argument>,
    scratch: &mut Scratch,
) -> Option<LiteralValue> {
    let along = |argument: &Argument| match open {
        Open::Columns => argument.shape().0,
        Open::Rows => argument.shape().1,
    };
    let used = arguments.iter().filter(|argument| argument.rows().is_some()).map(along).max()?;
    let mut counted_to = |length: usize| {
        for argument in &mut arguments {
            if let Argument::Cells(rows) = argument {
                let width = rows.first().map_or(1, Vec::len);
                match open {
                    Open::Columns => rows.resize_with(length, || vec![LiteralValue::Empty; width]),
                    Open::Rows => rows.iter_mut().for_each(|row| row.resize(length, LiteralValue::Empty)),
                }
            }
        }
        scratch.call(name, &arguments)
    };
    match (counted_to(used)?, counted_to(used + 1)?) {
        (LiteralValue::Number(counted), LiteralValue::Number(one_more)) => {
            let all = match open {
                Open::Columns => MAX_ROWS,
                Open::Rows => MAX_COLS,
            };
            Some(LiteralValue::Number(counted + (one_more - counted) * (f64::from(all) - used as f64)))
        }
        (counted, _) => Some(counted),
    }
}
