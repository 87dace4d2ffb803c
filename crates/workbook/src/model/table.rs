//! Tables (`ListObject`s).

use grid::CellRange;

use crate::model::rules::AutoFilter;

/// A table (ECMA-376 Part 1 §18.5).
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name that structured references use (`displayName`).
    pub name: String,
    /// Header, data and totals.
    pub range: CellRange,
    /// Header rows: 1, or 0 when hidden.
    pub header_rows: u32,
    /// Totals rows: usually 0 or 1.
    pub totals_rows: u32,
    /// The columns, left to right.
    pub columns: Vec<TableColumn>,
    /// Name of the table style.
    pub style: Option<String>,
    /// Its filter.
    pub auto_filter: Option<AutoFilter>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// The header's text.
    pub name: String,
    /// The formula that fills the column.
    pub formula: Option<String>,
    /// The totals row's function (`sum`, `average`, …) or label.
    pub total: Option<String>,
}

impl Table {
    /// The data rows: without header and totals. `None` when there are none.
    pub fn data_range(&self) -> Option<CellRange> {
        let (start, end) = (self.range.start(), self.range.end());
        let last = end.row().checked_sub(self.totals_rows)?;
        CellRange::from_bounds(start.row() + self.header_rows, start.col(), last, end.col())
    }
}
