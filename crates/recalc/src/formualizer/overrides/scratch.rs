//! A sheet of IronCalc's on which single calls are computed.
//!
//! Its first sheet holds one formula, the call; the second one the cells that the call reads. Nothing is written as text and read
//! again: the formula is put together from the nodes of its tree, so that a call costs about a microsecond and numbers keep
//! their last digit.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use formualizer_common::{ExcelError, ExcelErrorKind, LiteralValue};
use ironcalc_base::Model;
use ironcalc_base::expressions::parser::static_analysis::StaticResult;
use ironcalc_base::expressions::parser::{ArrayNode, Node};
use ironcalc_base::expressions::token::Error;
use ironcalc_base::types::{Cell, FormulaValue, SpillValue};

use crate::formualizer::overrides::arguments::Argument;
use crate::formualizer::signature::{Signature, Signatures};

/// The sheet of the call, and that of its cells.
const CALL_SHEET: usize = 0;
const DATA_SHEET: usize = 1;

/// A place to compute calls.
pub(super) struct Scratch {
    model: Model<'static>,
    signatures: Signatures,
    /// Calls without arguments, by name; `None` where IronCalc does not know the function.
    calls: HashMap<&'static str, Option<Node>>,
    /// Whether the data sheet has cells.
    has_data: bool,
}

impl Scratch {
    /// Computes on the scratch sheet of this thread; within a call, on another one.
    pub(super) fn with<T>(compute: impl FnOnce(&mut Scratch) -> T) -> T {
        thread_local! {
            static SPARE: RefCell<Vec<Scratch>> = const { RefCell::new(Vec::new()) };
        }
        let mut scratch = SPARE.with(|spare| spare.borrow_mut().pop()).unwrap_or_else(Scratch::new);
        let result = compute(&mut scratch);
        SPARE.with(|spare| spare.borrow_mut().push(scratch));
        result
    }

    fn new() -> Scratch {
        let mut model = Model::new_empty("scratch", "en", "UTC", "en")
            .expect("invariant: the locale, the zone and the language are built in");
        model.new_sheet();
        model
            .set_user_input(CALL_SHEET as u32, 1, 1, "=1".to_owned())
            .expect("invariant: the first cell of the first sheet takes a formula");
        Scratch { model, signatures: Signatures::new(), calls: HashMap::new(), has_data: false }
    }

    /// The signature of a function for so many arguments.
    pub(super) fn signature(&mut self, name: &str, arguments: usize) -> Rc<Signature> {
        self.signatures.of(name, arguments)
    }

    /// The result of a call; `None` where IronCalc has none.
    pub(super) fn call(&mut self, name: &'static str, arguments: &[Argument]) -> Option<LiteralValue> {
        let mut call = self.empty_call(name)?;
        if self.has_data {
            self.clear_data();
        }
        let mut next_col = 1;
        let mut nodes = Vec::with_capacity(arguments.len());
        for argument in arguments {
            nodes.push(self.node(argument, &mut next_col)?);
        }
        if let Node::FunctionKind { args, .. } = &mut call {
            *args = nodes;
        }
        self.model.parsed_formulas[CALL_SHEET][0] = (Arc::new(call), StaticResult::Unknown);
        let sheet = self.model.workbook.worksheets.get_mut(CALL_SHEET)?;
        sheet.set_cell_with_dynamic_formula(1, 1, 0, 0, 1, 1).ok()?;
        self.model.evaluate();
        self.result()
    }

    fn empty_call(&mut self, name: &'static str) -> Option<Node> {
        let signatures = &mut self.signatures;
        self.calls.entry(name).or_insert_with(|| signatures.empty_call(name)).clone()
    }

    fn clear_data(&mut self) {
        self.model.workbook.worksheets[DATA_SHEET].sheet_data = Default::default();
        self.model.workbook.shared_strings.clear();
        self.has_data = false;
    }

    fn node(&mut self, argument: &Argument, next_col: &mut i32) -> Option<Node> {
        Some(match argument {
            Argument::Omitted => Node::EmptyArgKind,
            Argument::Value(value) => match value {
                LiteralValue::Int(number) => Node::NumberKind(*number as f64),
                LiteralValue::Number(number) => Node::NumberKind(*number),
                LiteralValue::Text(text) => Node::StringKind(text.clone()),
                LiteralValue::Boolean(value) => Node::BooleanKind(*value),
                LiteralValue::Error(error) => Node::ErrorKind(scratch_error(error.kind)?),
                LiteralValue::Empty => return self.node(&Argument::Cell(LiteralValue::Empty), next_col),
                LiteralValue::Array(rows) => array(rows)?,
                date => Node::NumberKind(date.as_serial_number()?),
            },
            Argument::Array(rows) => array(rows)?,
            Argument::Cell(value) => {
                self.write(1, *next_col, value)?;
                *next_col += 1;
                Node::ReferenceKind {
                    sheet_name: Some("Sheet2".to_owned()),
                    sheet_index: DATA_SHEET as u32,
                    absolute_row: true,
                    absolute_column: true,
                    row: 1,
                    column: *next_col - 1,
                }
            }
            Argument::Cells(rows) => {
                let width = rows.first().map_or(0, Vec::len) as i32;
                let first = *next_col;
                for (row, values) in rows.iter().enumerate() {
                    for (col, value) in values.iter().enumerate() {
                        self.write(row as i32 + 1, first + col as i32, value)?;
                    }
                }
                *next_col += width;
                Node::RangeKind {
                    sheet_name: Some("Sheet2".to_owned()),
                    sheet_index: DATA_SHEET as u32,
                    absolute_row1: true,
                    absolute_column1: true,
                    row1: 1,
                    column1: first,
                    absolute_row2: true,
                    absolute_column2: true,
                    row2: rows.len() as i32,
                    column2: first + width - 1,
                }
            }
        })
    }

    fn write(&mut self, row: i32, col: i32, value: &LiteralValue) -> Option<()> {
        let text = |text: &str, strings: &mut Vec<String>| {
            strings.push(text.to_owned());
            strings.len() as i32 - 1
        };
        let workbook = &mut self.model.workbook;
        let sheet = &mut workbook.worksheets[DATA_SHEET];
        self.has_data = true;
        match value {
            LiteralValue::Empty | LiteralValue::Pending => Ok(()),
            LiteralValue::Int(number) => sheet.set_cell_with_number(row, col, *number as f64, 0),
            LiteralValue::Number(number) => sheet.set_cell_with_number(row, col, *number, 0),
            LiteralValue::Text(written) => {
                let index = text(written, &mut workbook.shared_strings);
                sheet.set_cell_with_string(row, col, index, 0)
            }
            LiteralValue::Boolean(value) => sheet.set_cell_with_boolean(row, col, *value, 0),
            LiteralValue::Error(error) => sheet.set_cell_with_error(row, col, scratch_error(error.kind)?, 0),
            LiteralValue::Array(_) => return None,
            date => sheet.set_cell_with_number(row, col, date.as_serial_number()?, 0),
        }
        .ok()
    }

    fn result(&mut self) -> Option<LiteralValue> {
        let sheet = self.model.workbook.worksheets.get(CALL_SHEET)?;
        let (first, (width, height)) = match sheet.cell(1, 1)?.as_ref() {
            Cell::ArrayFormula { v, r, .. } => (formula_value(v)?, *r),
            Cell::CellFormula { v, .. } => return formula_value(v),
            _ => return None,
        };
        if width * height <= 1 {
            return Some(first);
        }
        let mut rows = Vec::with_capacity(height as usize);
        for row in 1..=height {
            let mut values = Vec::with_capacity(width as usize);
            for col in 1..=width {
                values.push(match sheet.cell(row, col).as_deref() {
                    Some(Cell::SpillCell { v, .. }) => spill_value(v)?,
                    _ => first.clone(),
                });
            }
            rows.push(values);
        }
        // What is there blocks nobody, but costs the next call.
        self.model.workbook.worksheets[CALL_SHEET].sheet_data = Default::default();
        Some(LiteralValue::Array(rows))
    }
}

fn array(rows: &[Vec<LiteralValue>]) -> Option<Node> {
    let item = |value: &LiteralValue| {
        Some(match value {
            LiteralValue::Int(number) => ArrayNode::Number(*number as f64),
            LiteralValue::Number(number) => ArrayNode::Number(*number),
            LiteralValue::Text(text) => ArrayNode::String(text.clone()),
            LiteralValue::Boolean(value) => ArrayNode::Boolean(*value),
            LiteralValue::Error(error) => ArrayNode::Error(scratch_error(error.kind)?),
            LiteralValue::Empty | LiteralValue::Pending => ArrayNode::Empty,
            LiteralValue::Array(_) => return None,
            date => ArrayNode::Number(date.as_serial_number()?),
        })
    };
    rows.iter().map(|row| row.iter().map(item).collect()).collect::<Option<_>>().map(Node::ArrayKind)
}

/// IronCalc's word for an error; `None` for one that only the library has.
fn scratch_error(kind: ExcelErrorKind) -> Option<Error> {
    Some(match kind {
        ExcelErrorKind::Null => Error::NULL,
        ExcelErrorKind::Ref => Error::REF,
        ExcelErrorKind::Name => Error::NAME,
        ExcelErrorKind::Value => Error::VALUE,
        ExcelErrorKind::Div => Error::DIV,
        ExcelErrorKind::Na => Error::NA,
        ExcelErrorKind::Num => Error::NUM,
        ExcelErrorKind::Spill => Error::SPILL,
        ExcelErrorKind::Calc => Error::CALC,
        _ => return None,
    })
}

/// The library's word for an error; `None` for one that says that IronCalc has no result.
fn library_error(error: &Error) -> Option<LiteralValue> {
    let kind = match error {
        Error::NULL => ExcelErrorKind::Null,
        Error::REF => ExcelErrorKind::Ref,
        Error::NAME => ExcelErrorKind::Name,
        Error::VALUE | Error::ERROR => ExcelErrorKind::Value,
        Error::DIV => ExcelErrorKind::Div,
        Error::NA => ExcelErrorKind::Na,
        Error::NUM => ExcelErrorKind::Num,
        Error::SPILL => ExcelErrorKind::Spill,
        Error::CALC => ExcelErrorKind::Calc,
        Error::NIMPL | Error::CIRC => return None,
    };
    Some(LiteralValue::Error(ExcelError::new(kind)))
}

fn formula_value(value: &FormulaValue) -> Option<LiteralValue> {
    Some(match value {
        FormulaValue::Unevaluated => return None,
        FormulaValue::Boolean(value) => LiteralValue::Boolean(*value),
        FormulaValue::Number(number) => LiteralValue::Number(*number),
        FormulaValue::Text(text) => LiteralValue::Text(text.clone()),
        FormulaValue::Error { ei, .. } => return library_error(ei),
    })
}

fn spill_value(value: &SpillValue) -> Option<LiteralValue> {
    Some(match value {
        SpillValue::Boolean(value) => LiteralValue::Boolean(*value),
        SpillValue::Number(number) => LiteralValue::Number(*number),
        SpillValue::Text(text) => LiteralValue::Text(text.clone()),
        SpillValue::Error(error) => return library_error(error),
    })
}
