//! Cells as `c` elements (ECMA-376 Part 1 §18.3.1.4), written from the model.

use std::collections::HashMap;
use std::io::Write as _;

use grid::{CellRef, ErrorValue, push_column_letters};
use ooxml::{encode_xstring, escape_text};

use crate::edit::rich_text::item;
use crate::model::{FormulaKind, RawCell, RawValue, Sheet, StringId};

/// What cells need to know of the workbook that they are written into.
pub(crate) struct CellWriter<'a> {
    /// The prefix of the sheet's elements, with its colon; mostly empty.
    pub(crate) prefix: &'a str,
    pub(crate) sheet: &'a Sheet,
    /// Where the sheet's own texts are in the shared string table that is saved; those missing are written inline.
    pub(crate) shared: &'a HashMap<StringId, u32>,
    /// One-based index of the cell metadata that marks dynamic arrays.
    pub(crate) dynamic_array: Option<u32>,
}

impl CellWriter<'_> {
    /// Writes a cell that has anything to write.
    pub(crate) fn write(&self, out: &mut Vec<u8>, at: CellRef, cell: RawCell) {
        if cell == RawCell::default() {
            return;
        }
        let p = self.prefix;
        let formula =
            cell.formula.map(|id| (self.sheet.formulas().get(id), self.sheet.formulas().get(id).text_at(at)));
        let has_formula = formula.is_some();
        push(out, format_args!("<{p}c r=\"{at}\""));
        if cell.style.0 != 0 {
            push(out, format_args!(" s=\"{}\"", cell.style.0));
        }
        match cell.value {
            RawValue::SharedText(_) if !has_formula => out.extend_from_slice(b" t=\"s\""),
            RawValue::SheetText(id) if !has_formula => {
                let kind = if self.shared.contains_key(&id) { "s" } else { "inlineStr" };
                push(out, format_args!(" t=\"{kind}\""));
            }
            value => self.write_result_type(out, value),
        }
        if let Some((formula, _)) = &formula
            && matches!(formula.kind, FormulaKind::Array { dynamic: true, .. })
            && let Some(index) = self.dynamic_array
        {
            push(out, format_args!(" cm=\"{index}\""));
        }
        if !has_formula && cell.value == RawValue::Empty {
            out.extend_from_slice(b"/>");
            return;
        }
        out.push(b'>');
        if let Some((formula, text)) = &formula {
            match &formula.kind {
                FormulaKind::Array { range, .. } => {
                    push(out, format_args!("<{p}f t=\"array\" ref=\"{range}\">{}</{p}f>", escape_text(text)));
                }
                FormulaKind::DataTable { range } => {
                    push(out, format_args!("{}", data_table(p, &range.to_string(), text)));
                }
                FormulaKind::Normal | FormulaKind::Shared { .. } => {
                    push(out, format_args!("<{p}f>{}</{p}f>", escape_text(text)));
                }
            }
        }
        self.write_value(out, cell.value, has_formula);
        push(out, format_args!("</{p}c>"));
    }

    /// The type attribute that a formula's result needs.
    pub(crate) fn write_result_type(&self, out: &mut Vec<u8>, value: RawValue) {
        let kind: &[u8] = match value {
            RawValue::SharedText(_) | RawValue::SheetText(_) => b" t=\"str\"",
            RawValue::Bool(_) => b" t=\"b\"",
            RawValue::Error(_) => b" t=\"e\"",
            RawValue::Number(_) | RawValue::Empty => b"",
        };
        out.extend_from_slice(kind);
    }

    /// Writes the element of a value.
    pub(crate) fn write_value(&self, out: &mut Vec<u8>, value: RawValue, has_formula: bool) {
        let p = self.prefix;
        let text = match value {
            RawValue::Empty => return,
            RawValue::Number(number) => number_text(number),
            RawValue::Bool(value) => u8::from(value).to_string(),
            RawValue::Error(error) if has_formula => stored_error(error).to_string(),
            RawValue::Error(error) => error.to_string(),
            RawValue::SharedText(id) if !has_formula => id.0.to_string(),
            RawValue::SheetText(id) if !has_formula => match self.shared.get(&id) {
                Some(index) => index.to_string(),
                None => {
                    let text = self.sheet.own_strings().get(id).unwrap_or_default();
                    let runs = self.sheet.own_strings().runs(id);
                    push(out, format_args!("<{p}is>{}</{p}is>", item(p, text, runs)));
                    return;
                }
            },
            RawValue::SharedText(_) | RawValue::SheetText(_) => {
                let text = self.sheet.stored_text(value).unwrap_or_default();
                let space = space_attribute(text);
                push(out, format_args!("<{p}v{space}>{}</{p}v>", escape_text(&encode_xstring(text))));
                return;
            }
        };
        push(out, format_args!("<{p}v>{}</{p}v>", escape_text(&text)));
    }
}

/// The error as files store it as a result: newer ones as `#VALUE!`, as Excel does for the sake of older programs.
fn stored_error(error: ErrorValue) -> ErrorValue {
    match error {
        ErrorValue::Spill
        | ErrorValue::Connect
        | ErrorValue::Blocked
        | ErrorValue::Unknown
        | ErrorValue::Field
        | ErrorValue::Calc
        | ErrorValue::Busy
        | ErrorValue::External
        | ErrorValue::Python => ErrorValue::Value,
        known => known,
    }
}

/// `<t>` with a text, its white space kept.
pub(crate) fn text_element(prefix: &str, text: &str) -> String {
    let space = space_attribute(text);
    format!("<{prefix}t{space}>{}</{prefix}t>", escape_text(&encode_xstring(text)))
}

fn space_attribute(text: &str) -> &'static str {
    let is_space = |c: Option<char>| c.is_some_and(|c| c.is_ascii_whitespace());
    if is_space(text.chars().next()) || is_space(text.chars().next_back()) {
        " xml:space=\"preserve\""
    } else {
        ""
    }
}

/// A what-if table from its formula `TABLE(row input, column input)`.
pub(crate) fn data_table(prefix: &str, range: &str, text: &str) -> String {
    let inputs = text.strip_prefix("TABLE(").and_then(|rest| rest.strip_suffix(')')).unwrap_or_default();
    let (row, column) = inputs.split_once(',').unwrap_or((inputs, ""));
    let both = !row.is_empty() && !column.is_empty();
    let mut element = format!("<{prefix}f t=\"dataTable\" ref=\"{range}\"");
    if both {
        element.push_str(&format!(" dt2D=\"1\" dtr=\"1\" r1=\"{row}\" r2=\"{column}\""));
    } else if !row.is_empty() {
        element.push_str(&format!(" dt2D=\"0\" dtr=\"1\" r1=\"{row}\""));
    } else {
        element.push_str(&format!(" dt2D=\"0\" dtr=\"0\" r1=\"{column}\""));
    }
    element.push_str("/>");
    element
}

/// The shortest text that reads as the same number.
pub(crate) fn number_text(number: f64) -> String {
    // Debug turns to exponents where Display would write hundreds of digits.
    let text = format!("{number:?}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Appends formatted text.
pub(crate) fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("invariant: writing to a Vec never fails");
}

/// Appends a cell's address.
pub(crate) fn push_address(out: &mut Vec<u8>, row: u32, col: u32) {
    let mut letters = String::with_capacity(3);
    push_column_letters(&mut letters, col);
    out.extend_from_slice(letters.as_bytes());
    push_integer(out, row + 1);
}

/// Appends a number in decimal, faster than formatting.
pub(crate) fn push_integer(out: &mut Vec<u8>, mut number: u32) {
    let mut digits = [0u8; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
