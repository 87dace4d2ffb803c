//! Rules over ranges: validations, conditional formats, filters.

use grid::CellRange;

/// A data validation (ECMA-376 Part 1 §18.3.1.32).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataValidation {
    /// The cells it applies to.
    pub ranges: Vec<CellRange>,
    /// `whole`, `decimal`, `list`, `date`, `time`, `textLength`, `custom` or `none`.
    pub kind: String,
    /// `between`, `greaterThan`, …; where the kind has one.
    pub operator: Option<String>,
    /// First operand or the list's source.
    pub formula1: Option<String>,
    /// Second operand of `between` and `notBetween`.
    pub formula2: Option<String>,
    /// Whether an empty cell is accepted.
    pub allow_blank: bool,
    /// Input message.
    pub prompt: Option<String>,
    /// Error message.
    pub error: Option<String>,
}

/// One rule of a conditional format (ECMA-376 Part 1 §18.3.1.10, and its 2009 extension).
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionalFormat {
    /// The cells it applies to.
    pub ranges: Vec<CellRange>,
    /// `cellIs`, `expression`, `colorScale`, `dataBar`, `iconSet`, `top10`, … as the file says.
    pub kind: String,
    /// Evaluated in ascending order.
    pub priority: i32,
    /// `greaterThan`, `containsText`, …; where the kind has one.
    pub operator: Option<String>,
    /// The operands.
    pub formulas: Vec<String>,
    /// Whether later rules are skipped where this one holds.
    pub stop_if_true: bool,
    /// Index of the differential format that it applies.
    pub dxf: Option<u32>,
    /// Icon set, colours of a scale or bar: a short description.
    pub detail: Option<String>,
}

/// An autofilter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoFilter {
    /// Header and data.
    pub range: CellRange,
    /// The columns that filter.
    pub columns: Vec<FilterColumn>,
}

/// One filtering column of an autofilter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterColumn {
    /// Zero-based column within the filter's range.
    pub column: u32,
    /// What it lets through: a short description (`values: a, b`, `greaterThan 5`, `top10`).
    pub criteria: String,
}
