//! What floats above the cells, described: charts, images, shapes, pivots.

use std::sync::Arc;

use grid::{CellRange, CellRef};

/// Where a drawing object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// From the cell under its top left corner to that under its bottom right one.
    Cells(CellRange),
    /// From a cell, with a size of its own.
    Cell(CellRef),
    /// At a position of the sheet.
    Absolute,
}

/// Where a drawing object stands within its anchor, in EMU: 914,400 to an inch, 9,525 to a pixel at 96 dpi.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Placement {
    /// Right of and below the top left corner of the anchor's first cell, or of the sheet.
    pub from: (i64, i64),
    /// Right of and below the top left corner of the anchor's last cell.
    pub to: (i64, i64),
    /// Width and height of an object that has a size of its own.
    pub size: Option<(i64, i64)>,
}

/// A chart (DrawingML, ECMA-376 Part 1 §21.2; also the newer `chartex`).
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The object's name (`Chart 1`).
    pub name: String,
    /// Kinds of plot in it: `bar`, `line`, `pie`, `scatter`, `waterfall`, …; several in a combined chart.
    pub kinds: Vec<String>,
    /// The title's text, or the reference it is taken from.
    pub title: Option<String>,
    /// Titles of the axes, in file order.
    pub axis_titles: Vec<String>,
    /// Where it stands; `None` on a chart sheet.
    pub anchor: Option<Anchor>,
    /// Where exactly.
    pub placement: Placement,
    /// The series.
    pub series: Vec<ChartSeries>,
    /// The package part.
    pub part: String,
}

/// A series of a chart: each field a reference formula or a literal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartSeries {
    /// Its name.
    pub name: Option<String>,
    /// Categories, or x values.
    pub categories: Option<String>,
    /// Values, or y values.
    pub values: Option<String>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The object's name.
    pub name: String,
    /// Alternative text.
    pub description: Option<String>,
    /// Where it stands.
    pub anchor: Option<Anchor>,
    /// Where exactly.
    pub placement: Placement,
    /// The package part with its bytes, or the external target.
    pub part: String,
    /// Its media type (`image/png`), as the package declares it; `None` for an external one.
    pub media_type: Option<String>,
    /// How many bytes it has, as the package declares it; `None` for an external one.
    pub bytes: Option<u64>,
}

/// Another drawing object: a shape, a text box, a connector, a slicer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The object's name.
    pub name: String,
    /// `shape`, `textbox`, `connector`, `slicer`, `timeline`, `diagram`, `ink`, `graphic`. A group is its members.
    pub kind: String,
    /// The text it shows.
    pub text: Option<String>,
    /// Where it stands.
    pub anchor: Option<Anchor>,
    /// Where exactly.
    pub placement: Placement,
}

/// A pivot table (ECMA-376 Part 1 §18.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PivotTable {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub range: Option<CellRange>,
    /// What it summarises: a range, a table's or a name's, or an external connection.
    pub source: Option<String>,
    /// Row labels.
    pub rows: Vec<String>,
    /// Column labels.
    pub columns: Vec<String>,
    /// Report filters.
    pub filters: Vec<String>,
    /// Values.
    pub values: Vec<PivotField>,
    /// Which items its rows and columns stand for.
    pub layout: Arc<PivotLayout>,
}

/// How a pivot table is laid out over its range.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PivotLayout {
    /// Rows from the top of its range to its first row of values.
    pub first_row: u32,
    /// Columns from the left of its range to its first column of values.
    pub first_column: u32,
    /// Its fields; lines and filters refer to them by position.
    pub fields: Vec<PivotAxisField>,
    /// The rows of values.
    pub rows: Vec<PivotLine>,
    /// The columns of values.
    pub columns: Vec<PivotLine>,
    /// Report filters.
    pub filters: Vec<PivotFilter>,
}

impl PivotLayout {
    /// Bytes that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let lines = self.rows.iter().chain(&self.columns);
        lines.map(|line| size_of::<PivotLine>() + line.items.len() * size_of::<(usize, Arc<str>)>()).sum()
    }
}

/// A field by its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PivotAxisField {
    /// As the pivot table shows it.
    pub caption: String,
    /// As its source has it.
    pub source: String,
}

/// A row or column of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PivotLine {
    /// The items it is about, from the outermost field on, each with its field's position; none for a grand total. Items are
    /// texts: numbers and dates (by serial) as they are in general format.
    pub items: Vec<(usize, Arc<str>)>,
    /// Which of the values it shows, where that differs by line.
    pub value: Option<usize>,
    /// Whether it is a subtotal below its items, rather than the line that names them.
    pub is_subtotal: bool,
}

/// A report filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PivotFilter {
    /// Its field.
    pub field: usize,
    /// The one item that is chosen, if it is one.
    pub item: Option<Arc<str>>,
}

/// A value field of a pivot table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PivotField {
    /// Its caption (`Sum of Amount`).
    pub name: String,
    /// The field that it aggregates (`Amount`).
    pub field: String,
    /// The aggregation: `sum`, `count`, `average`, …
    pub function: String,
}
