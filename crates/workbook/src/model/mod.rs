//! What a workbook is, once read.

mod book;
mod cells;
mod chunk;
mod color;
mod column;
mod drawing;
mod formulas;
mod names;
mod rules;
mod sheet;
mod strings;
mod styles;
mod table;

pub use book::{
    CalcSettings, ExternalLink, FileFormat, LinkedSheet, Oddity, Properties, SheetLoader, Tab, VbaProject,
    Watch, Workbook, WorkbookProtection,
};
pub use cells::{Cell, CellsByRow};
pub use chunk::{CHUNK_ROWS, Chunk, FormulaId, RawCell, RawValue, StringId, StyleId};
pub use color::tinted;
pub use column::Column;
pub use drawing::{
    Anchor, Chart, ChartSeries, Image, PivotAxisField, PivotField, PivotFilter, PivotLayout, PivotLine,
    PivotTable, Placement, Shape,
};
pub use formulas::{Formula, FormulaKind, Formulas};
pub use names::DefinedName;
pub use rules::{AutoFilter, ConditionalFormat, DataValidation, FilterColumn};
pub use sheet::{
    ColumnSpan, Comment, FreezePane, Hyperlink, HyperlinkTarget, Reply, RowProps, Sheet, SheetBuilder,
    SheetId, SheetKind, SheetProtection, Visibility,
};
pub use strings::StringTable;
pub use styles::{
    Alignment, Border, BorderEdge, CellFormat, Color, Fill, Font, NamedStyle, NumberFormatCode, Styles,
};
pub use table::{Table, TableColumn};
