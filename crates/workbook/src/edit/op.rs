//! The vocabulary of edits: what tools take, what the log keeps and what batch files hold are the same thing.

use serde::{Deserialize, Serialize};

use crate::edit::append::NewRow;
use crate::edit::charts::{NewChart, SeriesInput};
use crate::edit::conditional::ConditionalRule;
use crate::edit::format::FormatPatch;
use crate::edit::images::NewImage;
use crate::edit::input::Input;
use crate::edit::layout::Length;
use crate::edit::links::Link;
use crate::edit::page::PageSetup;
use crate::edit::results::Results;
use crate::edit::validation::Validation;

/// The version of this vocabulary. It grows when an edit of an older log would be understood otherwise.
pub const VERSION: u32 = 1;

/// One edit. Ranges are addresses with their sheet: `Data!B2:C9`, `'Q1 Actuals'!5:7`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// Writes values and formulas. One value fills the whole range (a formula's relative references follow); several are
    /// rows that start at the range's first cell.
    Set {
        /// Where.
        range: String,
        /// Rows of cells.
        values: Vec<Vec<Input>>,
        /// Whether texts are read as a person's typing: `12%`, `1,234.50`, `2026-01-31`, `=A1`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        parse: bool,
    },
    /// Takes away what is in cells.
    Clear {
        /// Where.
        range: String,
        /// What goes; values and formulas if nothing is said.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        what: Vec<Clearable>,
    },
    /// Continues what the first cells of a range hold over the rest of it.
    Fill {
        /// The cells to fill, with those that are continued at one edge.
        range: String,
        /// The cells that are continued; the first row (or column, for `right`) if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// How.
        #[serde(default)]
        kind: FillKind,
    },
    /// Replaces text within constants or formulas.
    Replace {
        /// Where; a whole sheet as `Data!A:XFD`.
        range: String,
        /// What is looked for.
        find: String,
        /// What comes in its place; `$1` is a group of a regular expression.
        with: String,
        /// Whether `find` is a regular expression.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        regex: bool,
        /// Whether upper and lower case differ.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        match_case: bool,
        /// Whether a cell has to match as a whole.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        whole: bool,
        /// Whether texts of formulas are searched rather than constants.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        formulas: bool,
    },
    /// Copies cells; relative references of formulas follow.
    Copy {
        /// The cells.
        range: String,
        /// The first cell of the copy, perhaps on another sheet; a larger range is filled with copies.
        to: String,
        /// What is copied.
        #[serde(default)]
        what: Copied,
    },
    /// Moves cells, and every reference to them with them.
    Move {
        /// The cells.
        range: String,
        /// Where the first one goes, perhaps on another sheet.
        to: String,
    },
    /// Sorts the rows of a range by columns of it.
    Sort {
        /// The rows, without a header.
        range: String,
        /// By what, the most important first.
        by: Vec<SortKey>,
        /// Whether upper and lower case differ.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        match_case: bool,
    },
    /// New rows come in before the first one of the range, as many as it has: `Data!5:7`.
    InsertRows {
        /// The rows.
        range: String,
    },
    /// New columns come in before the first one of the range, as many as it has: `Data!B:C`.
    InsertColumns {
        /// The columns.
        range: String,
    },
    /// Rows go.
    DeleteRows {
        /// The rows.
        range: String,
    },
    /// Columns go.
    DeleteColumns {
        /// The columns.
        range: String,
    },
    /// Empty cells come in; those there and behind them shift down or right.
    InsertCells {
        /// Where, and how many.
        range: String,
        /// `down` or `right`.
        shift: Shift,
    },
    /// Cells go; those behind them shift up or left.
    DeleteCells {
        /// The cells.
        range: String,
        /// `up` or `left`.
        shift: Shift,
    },
    /// A new, empty sheet.
    AddSheet {
        /// Its name.
        name: String,
        /// Where among the tabs, from 1; the last if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<usize>,
    },
    /// A sheet gets another name, and every reference to it with it.
    RenameSheet {
        /// The sheet.
        sheet: String,
        /// Its new name.
        name: String,
    },
    /// A sheet takes another place among the tabs.
    MoveSheet {
        /// The sheet.
        sheet: String,
        /// Where among the tabs, from 1.
        position: usize,
    },
    /// A copy of a sheet: cells, formats, rules, names of its own; without tables, drawings and comments.
    CopySheet {
        /// The sheet.
        sheet: String,
        /// The copy's name.
        name: String,
        /// Where among the tabs, from 1; behind the sheet if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<usize>,
    },
    /// A sheet goes; references to it become `#REF!`.
    DeleteSheet {
        /// The sheet.
        sheet: String,
    },
    /// Shows or hides a sheet.
    SheetVisibility {
        /// The sheet.
        sheet: String,
        /// `visible`, `hidden` or `very_hidden`.
        visibility: Visible,
    },
    /// Changes formats of cells; what is not given stays.
    Style {
        /// Where.
        range: String,
        /// What changes.
        format: Box<FormatPatch>,
    },
    /// Sets the width of columns.
    ColumnWidth {
        /// The columns: `Data!B:D`.
        range: String,
        /// Characters, as reading tells it (a column starts with 9.14), or `auto`: about what its longest text needs.
        width: Length,
    },
    /// Sets the height of rows.
    RowHeight {
        /// The rows: `Data!3:5`.
        range: String,
        /// Points, or `auto`: what their content needs, when the workbook is next shown.
        height: Length,
    },
    /// Hides whole rows or columns.
    Hide {
        /// The rows or columns.
        range: String,
    },
    /// Shows whole rows or columns.
    Show {
        /// The rows or columns.
        range: String,
    },
    /// Groups rows or columns: one level deeper in the outline.
    Group {
        /// The rows or columns.
        range: String,
        /// The level that they get, 0 to 7; one more than now if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<u8>,
    },
    /// Takes rows or columns out of a group.
    Ungroup {
        /// The rows or columns.
        range: String,
        /// The level that they get, 0 to 7; one less than now if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<u8>,
    },
    /// Keeps the first rows and columns in place while the rest scrolls; 0 of both lets all of them scroll.
    Freeze {
        /// The sheet.
        sheet: String,
        /// How many rows.
        #[serde(default)]
        rows: u32,
        /// How many columns.
        #[serde(default)]
        columns: u32,
    },
    /// Changes how a sheet is printed.
    PageSetup(Box<PageSetup>),
    /// Prints a range alone; with a sheet in its place, all of the sheet again.
    PrintArea {
        /// The cells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<String>,
        /// The sheet that loses its print area.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet: Option<String>,
    },
    /// Repeats rows and columns on every printed page; without any, none.
    PrintTitles {
        /// The sheet.
        sheet: String,
        /// Rows: `1:2`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rows: Option<String>,
        /// Columns: `A:B`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        columns: Option<String>,
    },
    /// Makes a defined name, or changes what it stands for.
    DefineName {
        /// The name.
        name: String,
        /// A reference (made absolute) or a formula: `Data!A1:A9`, `=SUM(Data!$B:$B)`, `=0.19`.
        refers_to: String,
        /// The sheet that it belongs to; the whole workbook if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet: Option<String>,
        /// What its author says of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        /// Whether dialogs leave it out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hidden: Option<bool>,
    },
    /// Takes a defined name away; formulas that use it become `#NAME?`.
    DeleteName {
        /// The name.
        name: String,
        /// The sheet that it belongs to, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet: Option<String>,
    },
    /// A rule that changes how cells look.
    ConditionalFormat(Box<ConditionalRule>),
    /// Takes cells out of every rule that changes how they look.
    ClearConditionalFormats {
        /// The cells.
        range: String,
    },
    /// What cells accept.
    Validation(Box<Validation>),
    /// Cells accept anything.
    ClearValidations {
        /// The cells.
        range: String,
    },
    /// Makes one cell of several; their first one stays.
    Merge {
        /// The cells.
        range: String,
        /// Whether each row becomes a cell of its own.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        across: bool,
        /// Whether what is in the other cells may be lost.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        discard: bool,
    },
    /// Parts merged cells again.
    Unmerge {
        /// Where.
        range: String,
    },
    /// Puts the buttons of a filter on the first row of a range; with a sheet in its place, the sheet's filter goes and the
    /// rows that it hid are shown.
    AutoFilter {
        /// Header and data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<String>,
        /// The sheet that loses its filter.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet: Option<String>,
    },
    /// Lets cells lead somewhere.
    Hyperlink(Box<Link>),
    /// Cells lead nowhere; their texts and formats stay.
    ClearHyperlinks {
        /// The cells.
        range: String,
    },
    /// Writes delimited text, read as a person's typing.
    Paste {
        /// The first cell.
        range: String,
        /// The text, quoted as in RFC 4180.
        csv: String,
        /// What parts the fields; a comma, or a tab where the first line has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delimiter: Option<char>,
        /// Whether every field stays a text.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        as_text: bool,
    },
    /// Makes a table of cells. Headers become texts that differ.
    CreateTable {
        /// Header and data.
        range: String,
        /// Its name, which structured references use.
        name: String,
        /// The name of a table style; `TableStyleMedium2` if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        style: Option<String>,
        /// Whether the first row is the header.
        #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
        has_headers: bool,
    },
    /// Lets a table take other cells; its first row stays.
    ResizeTable {
        /// Its name.
        table: String,
        /// Header, data and totals.
        range: String,
    },
    /// Renames a table, also in what refers to it.
    RenameTable {
        /// Its name.
        table: String,
        /// The new one.
        name: String,
    },
    /// Renames a column of a table: its header and what refers to it.
    RenameTableColumn {
        /// The table's name.
        table: String,
        /// The column's header.
        column: String,
        /// The new one.
        name: String,
    },
    /// Makes plain cells of a table; what is in them stays.
    DeleteTable {
        /// Its name.
        table: String,
    },
    /// Adds rows below the data of a table, or of a block of cells: with the formats and formulas of the last row, and above
    /// its totals.
    Append {
        /// A table's name, or header and data of a block, with its footer.
        range: String,
        /// The rows.
        rows: Vec<NewRow>,
        /// How many of the block's last rows are totals or remarks, which stay below the data.
        #[serde(default, skip_serializing_if = "is_none")]
        footer_rows: u32,
    },
    /// Writes a note, in the place of one that the cell has.
    Comment {
        /// The cell.
        cell: String,
        /// What it says.
        text: String,
        /// Who says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        author: Option<String>,
    },
    /// Makes a chart.
    CreateChart(Box<NewChart>),
    /// Leads a chart to other cells; its look stays.
    RetargetChart {
        /// Its sheet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet: Option<String>,
        /// Its name; with a sheet also its position there, from 1.
        chart: String,
        /// What it shows.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        series: Vec<SeriesInput>,
        /// In the place of series: a range with headers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    },
    /// Places a picture.
    PlaceImage(Box<NewImage>),
    /// Takes a chart, a picture or a shape away.
    DeleteObject {
        /// Its sheet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sheet: Option<String>,
        /// Its name.
        name: String,
    },
    /// Takes notes and threads of comments away.
    DeleteComment {
        /// The cells.
        range: String,
    },
    /// Puts what an engine computed in the place of older results. No caller can say it.
    Results(Box<Results>),
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

const fn yes() -> bool {
    true
}

/// What [`Edit::Clear`] takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum Clearable {
    Values,
    Formulas,
    Formats,
    Comments,
    All,
}

/// How [`Edit::Fill`] continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum FillKind {
    /// Numbers and dates by their step, formulas by their relative references, everything else repeated.
    #[default]
    Series,
    /// Everything repeated, relative references following.
    Copy,
}

/// What [`Edit::Copy`] copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Copied {
    /// Values, formulas and formats.
    #[default]
    All,
    /// Values, and results in the place of formulas.
    Values,
    /// Formulas and constants without their formats.
    Formulas,
    /// Formats alone.
    Formats,
}

/// What [`Edit::Sort`] compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SortKey {
    /// A column by its letters.
    pub column: String,
    /// Whether the greatest comes first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub descending: bool,
}

/// Where cells go that make room, or take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum Shift {
    Down,
    Right,
    Up,
    Left,
}

/// Whether a tab is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum Visible {
    Visible,
    Hidden,
    VeryHidden,
}

impl Edit {
    /// The edit's name, as in JSON.
    pub fn name(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        json.get("op").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    }

    /// Whether nothing but what is in cells, and how they look, may change: no place, name, table or reference.
    pub(crate) fn writes_cells_alone(&self) -> bool {
        matches!(
            self,
            Edit::Set { .. }
                | Edit::Clear { .. }
                | Edit::Fill { .. }
                | Edit::Replace { .. }
                | Edit::Copy { .. }
                | Edit::Paste { .. }
                | Edit::Sort { .. }
                | Edit::Style { .. }
                | Edit::ColumnWidth { .. }
                | Edit::RowHeight { .. }
                | Edit::Comment { .. }
                | Edit::DeleteComment { .. }
                | Edit::Results(_)
        )
    }

    /// Whether formulas stay as they are where it neither writes one nor writes over one.
    pub(crate) fn leaves_formulas(&self) -> bool {
        match self {
            // Where arrays spill to is part of them.
            Edit::Results(results) => results.sheets.iter().all(|sheet| sheet.spills.is_empty()),
            _ => self.writes_cells_alone(),
        }
    }

    /// Whether a caller can say it; others are made by the program alone.
    pub fn is_for_callers(&self) -> bool {
        !matches!(self, Edit::Results(_))
    }

    /// The edit's name and what it is about, without any content: `set Data!B2:C9`.
    pub fn summary(&self) -> String {
        if let Edit::Results(results) = self {
            return format!("results of {}", results.engine);
        }
        let json = serde_json::to_value(self).unwrap_or_default();
        let text = |key: &str| json.get(key).and_then(serde_json::Value::as_str);
        let about =
            ["range", "cell", "sheet", "table", "name"].into_iter().find_map(text).unwrap_or_default();
        format!("{} {about}", text("op").unwrap_or_default()).trim_end().to_owned()
    }
}
