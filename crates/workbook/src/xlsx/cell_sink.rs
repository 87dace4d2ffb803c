//! From what a `c` element says to what the model holds, whichever scanner read it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use formula_kind::array_or_table;
use grid::{CellRange, CellRef, DateSystem, ErrorValue, MAX_ROWS};
use ooxml::decode_xstring;

use crate::error::OpenError;
use crate::iso8601;
use crate::model::{
    Formula, FormulaId, FormulaKind, Oddity, RawCell, RawValue, RowProps, SheetBuilder, StringId, StyleId,
};

/// Oddities told of one sheet; the rest are counted.
const MAX_ODDITIES: usize = 20;

/// Cells of shared groups that may wait for their master; real files have the master first.
const MAX_ORPHANS: usize = 1 << 20;

/// `ST_CellType` (ECMA-376 Part 1 §18.18.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum CellType {
    #[default]
    Number,
    SharedString,
    FormulaString,
    InlineString,
    Bool,
    Error,
    Date,
}

impl CellType {
    pub(super) fn from_attribute(text: &[u8]) -> CellType {
        match text {
            b"s" => CellType::SharedString,
            b"str" => CellType::FormulaString,
            b"inlineStr" => CellType::InlineString,
            b"b" => CellType::Bool,
            b"e" => CellType::Error,
            b"d" => CellType::Date,
            _ => CellType::Number,
        }
    }
}

/// The attributes of a `c` element.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CellTag {
    /// `None` where the attribute is missing, so that the position follows from the cell before.
    pub(super) at: Option<CellRef>,
    pub(super) style: u32,
    pub(super) kind: CellType,
    /// One-based index into the workbook's cell metadata, or 0.
    pub(super) metadata: u32,
    /// One-based index into the workbook's value metadata, or 0.
    pub(super) value_metadata: u32,
}

/// `ST_CellFormulaType` (ECMA-376 Part 1 §18.18.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum FormulaType {
    #[default]
    Normal,
    Shared,
    Array,
    DataTable,
}

impl FormulaType {
    pub(super) fn from_attribute(text: &[u8]) -> FormulaType {
        match text {
            b"shared" => FormulaType::Shared,
            b"array" => FormulaType::Array,
            b"dataTable" => FormulaType::DataTable,
            _ => FormulaType::Normal,
        }
    }
}

/// An `f` element.
#[derive(Debug, Clone, Default)]
pub(super) struct FormulaTag<'t> {
    pub(super) kind: FormulaType,
    pub(super) range: Option<CellRange>,
    pub(super) shared_index: Option<u32>,
    /// `r1` and `r2` of a data table.
    pub(super) inputs: [Option<String>; 2],
    pub(super) text: Cow<'t, str>,
}

/// What a sheet's cells need to know of the workbook.
pub(super) struct Context {
    pub(super) part: String,
    pub(super) dates: DateSystem,
    /// Number of shared strings.
    pub(super) shared_strings: u32,
    /// Cell metadata that marks dynamic arrays, by zero-based index.
    pub(super) dynamic_arrays: Arc<Vec<bool>>,
    /// Errors that value metadata stands for, by zero-based index.
    pub(super) rich_errors: Arc<Vec<Option<ErrorValue>>>,
}

/// Fills a sheet with cells.
pub(super) struct CellSink<'a> {
    context: &'a Context,
    builder: &'a mut SheetBuilder,
    shared: HashMap<u32, FormulaId>,
    /// Cells of shared groups whose master has not come yet.
    orphans: Vec<(u32, CellRef, RawCell)>,
    oddities: Vec<Oddity>,
    odd_count: u64,
}

impl<'a> CellSink<'a> {
    pub(super) fn new(context: &'a Context, builder: &'a mut SheetBuilder) -> CellSink<'a> {
        CellSink {
            context,
            builder,
            shared: HashMap::new(),
            orphans: Vec::new(),
            oddities: Vec::new(),
            odd_count: 0,
        }
    }

    pub(super) fn odd(&mut self, place: impl ToString, what: impl Into<String>) {
        self.odd_count += 1;
        if self.oddities.len() < MAX_ODDITIES {
            let place = format!("{} {}", self.context.part, place.to_string());
            self.oddities.push(Oddity { place, what: what.into() });
        }
    }

    pub(super) fn row(&mut self, props: RowProps) {
        let is_default =
            props.height.is_none() && !props.hidden && props.outline_level == 0 && props.style.is_none();
        let rows = &mut self.builder.sheet_mut().rows;
        // A sheet may repeat a row, but has no reason to list more of them than there are.
        if !is_default && rows.len() < MAX_ROWS as usize {
            rows.push(props);
        }
    }

    /// The value that the bytes of a `v` element stand for, in the common cases that need no second look.
    #[inline]
    pub(super) fn plain_value(&self, kind: CellType, text: &[u8]) -> Option<RawValue> {
        match kind {
            CellType::Number => parse_number(text).map(RawValue::Number),
            CellType::SharedString => parse_index(text)
                .filter(|index| *index < self.context.shared_strings)
                .map(|index| RawValue::SharedText(StringId(index))),
            CellType::Bool if text == b"0" || text == b"1" => Some(RawValue::Bool(text == b"1")),
            _ => None,
        }
    }

    /// A cell with a value and a format, without a formula.
    #[inline]
    pub(super) fn plain(&mut self, at: CellRef, style: u32, value: RawValue) -> Result<(), OpenError> {
        self.builder.set(at, RawCell { value, style: StyleId(style), formula: None })
    }

    /// Any cell. `text` is what `v` or `is` says, unescaped; `None` without either.
    pub(super) fn cell(
        &mut self,
        at: CellRef,
        tag: &CellTag,
        text: Option<&str>,
        formula: Option<FormulaTag<'_>>,
    ) -> Result<(), OpenError> {
        let value = match text {
            Some(text) => match self.rich_error(tag) {
                Some(error) => RawValue::Error(error),
                None => self.value(at, tag.kind, text)?,
            },
            // A formula's empty text comes without `v` from some writers.
            None if tag.kind == CellType::FormulaString && formula.is_some() => self.builder.text("")?,
            None => RawValue::Empty,
        };
        let mut cell = RawCell { value, style: StyleId(tag.style), formula: None };
        if let Some(formula) = formula {
            cell.formula = self.formula(at, tag, formula, cell)?;
        }
        self.builder.set(at, cell)
    }

    /// The error that a cell shows where its value is that for programs that do not know it.
    fn rich_error(&self, tag: &CellTag) -> Option<ErrorValue> {
        let index = (tag.value_metadata as usize).checked_sub(1).filter(|_| tag.kind == CellType::Error)?;
        self.context.rich_errors.get(index).copied().flatten()
    }

    fn value(&mut self, at: CellRef, kind: CellType, text: &str) -> Result<RawValue, OpenError> {
        match kind {
            CellType::Number => Ok(self.number(at, text)?),
            CellType::SharedString => {
                let index = parse_index(text.trim().as_bytes());
                if let Some(index) = index.filter(|index| *index < self.context.shared_strings) {
                    return Ok(RawValue::SharedText(StringId(index)));
                }
                self.odd(at, format!("the shared string {} is missing", text.trim()));
                self.builder.text("")
            }
            CellType::FormulaString | CellType::InlineString => self.builder.text(&decode_xstring(text)),
            CellType::Bool => Ok(RawValue::Bool(matches!(text.trim(), "1" | "true" | "TRUE"))),
            CellType::Error => Ok(RawValue::Error(text.trim().parse().unwrap_or_else(|()| {
                self.odd(at, "its error value is not known");
                ErrorValue::Unknown
            }))),
            CellType::Date => match iso8601::date_serial(text.trim(), self.context.dates) {
                Some(serial) => Ok(RawValue::Number(serial)),
                None => Ok(self.number(at, text)?),
            },
        }
    }

    fn number(&mut self, at: CellRef, text: &str) -> Result<RawValue, OpenError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(RawValue::Empty);
        }
        match trimmed.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(RawValue::Number(number)),
            Ok(_) => {
                self.odd(at, "its number is not finite");
                Ok(RawValue::Error(ErrorValue::Num))
            }
            Err(_) => {
                self.odd(at, "its value is not the number that its type says; read as text");
                self.builder.text(text)
            }
        }
    }

    fn formula(
        &mut self,
        at: CellRef,
        tag: &CellTag,
        formula: FormulaTag<'_>,
        cell: RawCell,
    ) -> Result<Option<FormulaId>, OpenError> {
        if formula.kind == FormulaType::Shared
            && let Some(index) = formula.shared_index
        {
            if formula.text.is_empty() {
                let known = self.shared.get(&index).copied();
                if known.is_none() && self.orphans.len() < MAX_ORPHANS {
                    self.orphans.push((index, at, cell));
                } else if known.is_none() {
                    self.odd(at, "its shared formula is missing");
                }
                return Ok(known);
            }
            // A text within a group that has its master already is the cell's own.
            if formula.range.is_some() || !self.shared.contains_key(&index) {
                let kind = FormulaKind::Shared { master: at };
                let id = self.builder.formula(Formula { text: formula.text.into(), kind })?;
                self.shared.insert(index, id);
                return Ok(Some(id));
            }
        }
        let is_dynamic =
            tag.metadata > 0 && self.context.dynamic_arrays.get(tag.metadata as usize - 1) == Some(&true);
        match array_or_table(at, formula, is_dynamic) {
            Some(formula) => self.builder.formula(formula).map(Some),
            None => Ok(None),
        }
    }

    /// Gives the cells whose master came late their formula, and tells what was odd.
    pub(super) fn finish(mut self) -> Result<Vec<Oddity>, OpenError> {
        for (index, at, cell) in std::mem::take(&mut self.orphans) {
            match self.shared.get(&index) {
                Some(id) => self.builder.set(at, RawCell { formula: Some(*id), ..cell })?,
                None => self.odd(at, "its shared formula is missing"),
            }
        }
        let untold = self.odd_count - self.oddities.len() as u64;
        if untold > 0 {
            let what = format!("{untold} more cells are odd");
            self.oddities.push(Oddity { place: self.context.part.clone(), what });
        }
        Ok(self.oddities)
    }
}

mod formula_kind {
    //! Formulas that stand for themselves.

    use super::{FormulaTag, FormulaType};
    use crate::model::{Formula, FormulaKind};
    use grid::CellRef;

    pub(super) fn array_or_table(at: CellRef, tag: FormulaTag<'_>, dynamic: bool) -> Option<Formula> {
        let range = tag.range.unwrap_or(grid::CellRange::cell(at));
        match tag.kind {
            FormulaType::DataTable => {
                let [row, column] = tag.inputs.map(Option::unwrap_or_default);
                Some(Formula {
                    text: format!("TABLE({row},{column})").into(),
                    kind: FormulaKind::DataTable { range },
                })
            }
            _ if tag.text.is_empty() => None,
            FormulaType::Array => {
                Some(Formula { text: tag.text.into(), kind: FormulaKind::Array { range, dynamic } })
            }
            _ => Some(Formula { text: tag.text.into(), kind: FormulaKind::Normal }),
        }
    }
}

/// A number of up to 15 significant digits without an exponent, exactly; anything else by the standard library.
pub(super) fn parse_number(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some(_) => (false, text),
        None => return None,
    };
    if digits.len() > 16 {
        return parse_any_number(text);
    }
    let mut mantissa = 0u64;
    let mut decimals = None;
    for (index, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if decimals.is_none() => decimals = Some(digits.len() - index - 1),
            _ => return parse_any_number(text),
        }
    }
    if digits.is_empty() || (digits.len() == 1 && decimals.is_some()) || mantissa > 1 << 53 {
        return parse_any_number(text);
    }
    // Both operands are exact, so that the one division rounds correctly (Clinger 1990).
    let number = mantissa as f64 / POWERS[decimals.unwrap_or(0)];
    Some(if is_negative { -number } else { number })
}

fn parse_any_number(text: &[u8]) -> Option<f64> {
    let is_plain = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    let number: f64 = std::str::from_utf8(text).ok().filter(|_| is_plain)?.parse().ok()?;
    number.is_finite().then_some(number)
}

fn parse_index(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter()
        .try_fold(0u32, |index, byte| byte.is_ascii_digit().then(|| index * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_equal_the_standard_library(number in proptest::num::f64::NORMAL, digits in 0..18usize) {
            for text in [format!("{number}"), format!("{number:.digits$e}"), format!("{:.digits$}", number % 1e9)] {
                prop_assert_eq!(parse_number(text.as_bytes()), text.parse::<f64>().ok());
            }
        }
    }

    #[test]
    fn not_numbers() {
        for text in ["", ".", "-", "1.2.3", "NaN", "inf", "1e400", "0x1", " 1"] {
            assert_eq!(parse_number(text.as_bytes()), None, "{text}");
        }
    }
}
