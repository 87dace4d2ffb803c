//! One sheet: its cells, and everything that belongs to it.

mod edit;

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::Arc;

use grid::{CellRange, CellRef, Value};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::cells::{Cell, CellsByRow};
use crate::model::chunk::{Chunk, FormulaId, RawCell, RawValue, StyleId};
use crate::model::column::Column;
use crate::model::drawing::{Chart, ChartSeries, Image, PivotTable, Shape};
use crate::model::formulas::{Formula, Formulas};
use crate::model::rules::{AutoFilter, ConditionalFormat, DataValidation};
use crate::model::strings::StringTable;
use crate::model::table::Table;

/// A sheet by its zero-based position among the workbook's tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SheetId(pub u32);

/// What kind of tab it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SheetKind {
    /// Cells.
    Worksheet,
    /// A chart that fills the tab.
    Chartsheet,
    /// An Excel 5.0 dialog.
    Dialogsheet,
    /// Excel 4.0 macros.
    Macrosheet,
}

/// Whether the tab is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Shown.
    Visible,
    /// Hidden; a user can unhide it.
    Hidden,
    /// Hidden from the dialog too; only code can show it.
    VeryHidden,
}

/// Properties of one row, where they differ from the default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowProps {
    /// Zero-based row.
    pub row: u32,
    /// Height in points, if set.
    pub height: Option<f32>,
    /// Whether it is hidden (by hand, by a filter or by a collapsed outline).
    pub hidden: bool,
    /// Outline level, 0 to 7.
    pub outline_level: u8,
    /// The row's own format.
    pub style: Option<StyleId>,
}

/// Properties of neighbouring columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColumnSpan {
    /// First zero-based column.
    pub first: u32,
    /// Last zero-based column.
    pub last: u32,
    /// Width in characters, if set.
    pub width: Option<f32>,
    /// Whether they are hidden.
    pub hidden: bool,
    /// Outline level, 0 to 7.
    pub outline_level: u8,
    /// The columns' own format.
    pub style: Option<StyleId>,
}

/// A note or a threaded comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Where it is.
    pub cell: CellRef,
    /// Who wrote it.
    pub author: String,
    /// Its text.
    pub text: String,
    /// When, as the file says it (ISO 8601); threaded comments only.
    pub created: Option<String>,
    /// Whether it is a threaded comment rather than a note.
    pub threaded: bool,
    /// Whether the thread is marked as done.
    pub resolved: bool,
    /// Replies in order.
    pub replies: Vec<Reply>,
}

/// A reply within a threaded comment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in Comment")]
pub struct Reply {
    pub author: String,
    pub text: String,
    pub created: Option<String>,
}

/// Where a hyperlink leads; never followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HyperlinkTarget {
    /// A URL, a mail address or a file.
    External(String),
    /// A place in this workbook.
    Internal(String),
}

/// A hyperlink over cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hyperlink {
    /// The cells that lead there.
    pub range: CellRange,
    /// Where it leads.
    pub target: HyperlinkTarget,
    /// The text shown on hovering.
    pub tooltip: Option<String>,
}

/// Rows and columns that stay when the sheet scrolls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct FreezePane {
    pub rows: u32,
    pub columns: u32,
}

/// Protection of a sheet; it locks editing in programs, not reading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SheetProtection {
    /// Whether a password is needed to lift it.
    pub has_password: bool,
    /// Ranges that may be edited all the same, with their titles.
    pub editable_ranges: Vec<(String, Vec<CellRange>)>,
}

/// One sheet, loaded.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are their names; each type says more")]
pub struct Sheet {
    pub name: String,
    pub kind: SheetKind,
    pub visibility: Visibility,
    /// The range that the file says it uses; it may lie.
    pub declared_dimension: Option<CellRange>,
    pub rows: Vec<RowProps>,
    pub column_spans: Vec<ColumnSpan>,
    /// Width of the other columns in characters.
    pub default_column_width: Option<f32>,
    /// Height of the other rows in points.
    pub default_row_height: Option<f32>,
    pub merges: Vec<CellRange>,
    pub tables: Vec<Table>,
    pub comments: Vec<Comment>,
    pub hyperlinks: Vec<Hyperlink>,
    pub validations: Vec<DataValidation>,
    pub conditional_formats: Vec<ConditionalFormat>,
    pub auto_filter: Option<AutoFilter>,
    pub charts: Vec<Chart>,
    pub images: Vec<Image>,
    pub shapes: Vec<Shape>,
    pub pivots: Vec<PivotTable>,
    /// Number of sparkline groups.
    pub sparkline_groups: u32,
    pub freeze: Option<FreezePane>,
    /// Whether the sheet's first view shows lines between its cells.
    pub shows_gridlines: bool,
    pub protection: Option<SheetProtection>,
    /// Tab colour and other things worth a word that no field holds, e.g. `slicers: 2`.
    pub notes: Vec<String>,
    /// The package part, or the empty string for other formats.
    pub part: String,
    columns: Vec<(u32, Column)>,
    formulas: Formulas,
    own_strings: StringTable,
    shared_strings: Arc<StringTable>,
}

impl Sheet {
    /// The cell at a position; an empty one where nothing is stored.
    pub fn cell(&self, at: CellRef) -> Cell<'_> {
        self.column(at.col())
            .and_then(|column| column.get(at.row()))
            .map(|raw| self.resolve(raw))
            .unwrap_or_default()
    }

    /// A stored cell, with its text looked up.
    pub fn resolve(&self, raw: RawCell) -> Cell<'_> {
        Cell { value: self.resolve_value(raw.value), style: raw.style, formula: raw.formula }
    }

    /// A stored value, with its text looked up. An id that points nowhere reads as an empty text.
    pub fn resolve_value(&self, raw: RawValue) -> Value<'_> {
        match raw {
            RawValue::Empty => Value::Empty,
            RawValue::Number(number) => Value::Number(number),
            RawValue::SharedText(id) => Value::Text(self.shared_strings.get(id).unwrap_or_default()),
            RawValue::SheetText(id) => Value::Text(self.own_strings.get(id).unwrap_or_default()),
            RawValue::Bool(value) => Value::Bool(value),
            RawValue::Error(error) => Value::Error(error),
        }
    }

    /// The column, if it has any cell.
    pub fn column(&self, col: u32) -> Option<&Column> {
        self.columns.binary_search_by_key(&col, |(at, _)| *at).ok().map(|found| &self.columns[found].1)
    }

    /// The columns that have cells, left to right, with their zero-based positions.
    pub fn columns(&self) -> impl Iterator<Item = (u32, &Column)> {
        self.columns.iter().map(|(col, column)| (*col, column))
    }

    /// The columns within bounds that have cells.
    pub fn columns_in(&self, cols: RangeInclusive<u32>) -> impl Iterator<Item = (u32, &Column)> {
        let from = self.columns.partition_point(|(col, _)| col < cols.start());
        self.columns[from..]
            .iter()
            .take_while(move |(col, _)| col <= cols.end())
            .map(|(col, column)| (*col, column))
    }

    /// The stored cells of a range, row by row.
    pub fn cells_by_row(&self, range: CellRange) -> CellsByRow<'_> {
        CellsByRow::new(self, range)
    }

    /// The first row in `first..=last` that may have a cell in these columns: a chunk's granularity, never too late.
    pub(crate) fn next_occupied_row(&self, cols: RangeInclusive<u32>, first: u32, last: u32) -> Option<u32> {
        let next = |(_, column): (u32, &Column)| column.cells(first..=last).next().map(|(row, _)| row);
        self.columns_in(cols).filter_map(next).min()
    }

    /// The text of a cell's formula, without `=`: a shared one shifted to `at`, others as stored.
    pub fn formula_text(&self, at: CellRef, id: FormulaId) -> Cow<'_, str> {
        debug_assert!(self.cell(at).formula == Some(id), "the id belongs to the cell");
        self.formulas.get(id).text_at(at)
    }

    /// The stored formulas.
    pub fn formulas(&self) -> &Formulas {
        &self.formulas
    }

    /// Texts of this sheet alone.
    pub fn own_strings(&self) -> &StringTable {
        &self.own_strings
    }

    /// Texts of the workbook.
    pub fn shared_strings(&self) -> &StringTable {
        &self.shared_strings
    }

    /// Number of stored cells: with a value, a formula or a format.
    pub fn cell_count(&self) -> u64 {
        self.columns.iter().map(|(_, column)| column.len() as u64).sum()
    }

    /// Number of cells with a formula.
    pub fn formula_count(&self) -> u64 {
        let formulas = |(_, column): &(u32, Column)| -> u64 {
            column.chunks().map(|(_, chunk)| chunk.formulas().len() as u64).sum()
        };
        self.columns.iter().map(formulas).sum()
    }

    /// The smallest range around every cell with a value or a formula.
    pub fn used_range(&self) -> Option<CellRange> {
        self.columns
            .iter()
            .filter_map(|(col, column)| {
                let (first, last) = column.content_rows()?;
                CellRange::from_bounds(first, *col, last, *col)
            })
            .reduce(CellRange::union)
    }

    /// Properties of a row, if it has any.
    pub fn row_props(&self, row: u32) -> Option<&RowProps> {
        self.rows.binary_search_by_key(&row, |props| props.row).ok().map(|found| &self.rows[found])
    }

    /// Properties of a column, if it has any.
    pub fn column_span(&self, col: u32) -> Option<&ColumnSpan> {
        let after = self.column_spans.partition_point(|span| span.first <= col);
        self.column_spans[..after].last().filter(|span| col <= span.last)
    }

    /// Bytes that the sheet costs, the workbook's shared strings aside.
    pub fn bytes(&self) -> usize {
        let columns: usize =
            self.columns.iter().map(|(_, column)| column.bytes() + size_of::<(u32, Column)>()).sum();
        let rules = self.merges.capacity() * size_of::<CellRange>()
            + self.rows.capacity() * size_of::<RowProps>()
            + self.column_spans.capacity() * size_of::<ColumnSpan>()
            + self.hyperlinks.len() * 2 * size_of::<Hyperlink>()
            + self.comments.len() * 2 * size_of::<Comment>()
            + self.validations.len() * 2 * size_of::<DataValidation>()
            + self.conditional_formats.len() * 2 * size_of::<ConditionalFormat>();
        let series: usize = self.charts.iter().map(|chart| chart.series.len()).sum();
        let objects = self.charts.len() * 2 * size_of::<Chart>()
            + series * 2 * size_of::<ChartSeries>()
            + self.images.len() * 2 * size_of::<Image>()
            + self.shapes.len() * 2 * size_of::<Shape>()
            + self.pivots.len() * 2 * size_of::<PivotTable>()
            + self.pivots.iter().map(|pivot| pivot.layout.bytes()).sum::<usize>();
        columns + rules + objects + self.formulas.bytes() + self.own_strings.bytes()
    }
}

/// Collects a sheet's cells under a budget.
///
/// Cells may come in any order and more than once (the last one stays); in row order each costs a few nanoseconds.
pub struct SheetBuilder {
    sheet: Sheet,
    /// By column; empty ones are dropped at the end.
    columns: Vec<Column>,
    cells: u64,
    chunks: u64,
    max_cells: u64,
    max_bytes: u64,
}

impl SheetBuilder {
    /// An empty worksheet. `limits.max_cells` bounds its cells, and those of [`SheetBuilder::counting_from`].
    pub fn new(name: &str, shared_strings: Arc<StringTable>, limits: &Limits) -> SheetBuilder {
        SheetBuilder {
            sheet: Sheet {
                name: name.to_owned(),
                kind: SheetKind::Worksheet,
                visibility: Visibility::Visible,
                declared_dimension: None,
                rows: Vec::new(),
                column_spans: Vec::new(),
                default_column_width: None,
                default_row_height: None,
                merges: Vec::new(),
                tables: Vec::new(),
                comments: Vec::new(),
                hyperlinks: Vec::new(),
                validations: Vec::new(),
                conditional_formats: Vec::new(),
                auto_filter: None,
                charts: Vec::new(),
                images: Vec::new(),
                shapes: Vec::new(),
                pivots: Vec::new(),
                sparkline_groups: 0,
                freeze: None,
                shows_gridlines: true,
                protection: None,
                notes: Vec::new(),
                part: String::new(),
                columns: Vec::new(),
                formulas: Formulas::default(),
                own_strings: StringTable::default(),
                shared_strings,
            },
            columns: Vec::new(),
            cells: 0,
            chunks: 0,
            max_cells: limits.max_cells,
            max_bytes: limits.max_sheet_bytes,
        }
    }

    /// Everything but the cells, to be filled in.
    pub fn sheet_mut(&mut self) -> &mut Sheet {
        &mut self.sheet
    }

    /// Counts the cells that the workbook's other sheets have already.
    #[must_use]
    pub fn counting_from(mut self, cells: u64) -> SheetBuilder {
        self.cells = cells;
        self
    }

    /// Writes a cell.
    pub fn set(&mut self, at: CellRef, cell: RawCell) -> Result<(), OpenError> {
        let col = at.col() as usize;
        if col >= self.columns.len() {
            self.columns.resize_with(col + 1, Column::default);
        }
        self.cells += 1;
        if self.cells > self.max_cells {
            return Err(OpenError::OverBudget {
                what: "cells".to_owned(),
                limit: self.max_cells,
                option: "SPREADSHEET_MCP_MAX_WORKBOOK_CELLS",
            });
        }
        if self.columns[col].set(at.row(), cell) {
            self.chunks += 1;
            self.check_bytes()?;
        }
        Ok(())
    }

    /// The cell that was written at a position.
    pub fn get(&self, at: CellRef) -> Option<RawCell> {
        self.columns.get(at.col() as usize)?.get(at.row())
    }

    /// A lower estimate of the cost so far, checked whenever a chunk or a text is added.
    fn check_bytes(&self) -> Result<(), OpenError> {
        let estimate = self.chunks * (size_of::<Chunk>() as u64 + 32)
            + self.cells * 8
            + self.sheet.own_strings.text_bytes() as u64
            + self.sheet.formulas.bytes() as u64;
        if estimate > self.max_bytes {
            return Err(OpenError::OverBudget {
                what: "bytes of one sheet".to_owned(),
                limit: self.max_bytes,
                option: "SPREADSHEET_MCP_MAX_SHEET_BYTES",
            });
        }
        Ok(())
    }

    /// Keeps a text of this sheet alone.
    pub fn text(&mut self, text: &str) -> Result<RawValue, OpenError> {
        self.check_bytes()?;
        let id = self.sheet.own_strings.intern(text).ok_or(OpenError::OverBudget {
            what: "bytes of one sheet".to_owned(),
            limit: u64::from(u32::MAX),
            option: "SPREADSHEET_MCP_MAX_SHEET_BYTES",
        })?;
        Ok(RawValue::SheetText(id))
    }

    /// Keeps a formula; cells refer to it by the id.
    pub fn formula(&mut self, formula: Formula) -> Result<FormulaId, OpenError> {
        self.check_bytes()?;
        self.sheet.formulas.push(formula).ok_or(OpenError::OverBudget {
            what: "formulas of one sheet".to_owned(),
            limit: u64::from(u32::MAX),
            option: "SPREADSHEET_MCP_MAX_SHEET_BYTES",
        })
    }

    /// The sheet, without reserve.
    pub fn finish(self) -> Sheet {
        let mut sheet = self.sheet;
        sheet.columns = self
            .columns
            .into_iter()
            .enumerate()
            .filter(|(_, column)| !column.is_empty())
            .map(|(col, mut column)| {
                column.shrink();
                (col as u32, column)
            })
            .collect();
        sheet.own_strings.shrink();
        sheet.rows.sort_unstable_by_key(|props| props.row);
        sheet.rows.dedup_by_key(|props| props.row);
        sheet.column_spans.sort_unstable_by_key(|span| span.first);
        sheet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet_of(cells: &[(&str, f64)]) -> Sheet {
        let mut builder = SheetBuilder::new("Data", Arc::default(), &Limits::default());
        for (at, number) in cells {
            let cell = RawCell { value: RawValue::Number(*number), ..RawCell::default() };
            builder.set(at.parse().unwrap(), cell).unwrap();
        }
        builder.finish()
    }

    #[test]
    fn reads_row_by_row() {
        let sheet = sheet_of(&[("C9000", 4.0), ("A1", 1.0), ("C1", 2.0), ("B3", 3.0)]);
        let order: Vec<String> = sheet.cells_by_row(CellRange::ALL).map(|(at, _)| at.to_string()).collect();
        assert_eq!(order, ["A1", "C1", "B3", "C9000"]);
        let part: Vec<String> =
            sheet.cells_by_row("B2:C9000".parse().unwrap()).map(|(at, _)| at.to_string()).collect();
        assert_eq!(part, ["B3", "C9000"]);
        assert_eq!(sheet.used_range().unwrap().to_string(), "A1:C9000");
    }

    #[test]
    fn the_budget_counts_cells_and_chunks() {
        let limits = Limits { max_cells: 2, ..Limits::default() };
        let mut builder = SheetBuilder::new("Data", Arc::default(), &limits);
        let cell = RawCell::default();
        assert!(builder.set(CellRef::A1, cell).is_ok());
        assert!(builder.set(CellRef::clamped(1, 0), cell).is_ok());
        assert!(matches!(builder.set(CellRef::clamped(2, 0), cell), Err(OpenError::OverBudget { .. })));

        let limits = Limits { max_sheet_bytes: 1000, ..Limits::default() };
        let mut builder = SheetBuilder::new("Data", Arc::default(), &limits);
        let spread = (0..100).try_for_each(|col| builder.set(CellRef::clamped(0, col), cell));
        assert!(matches!(spread, Err(OpenError::OverBudget { .. })));
    }
}
