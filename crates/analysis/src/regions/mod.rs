//! Where a sheet's tables, key-value blocks and notes are, over the whole sheet, in time linear in its cells.
//!
//! What the file declares as tables and pivot tables is certain, and taken out first (`declared`). Of the other occupied
//! cells those that touch make rectangles (`occupancy`, `components`), which are taken apart where they hold several
//! things (`split`), put together where blank rows or columns cut through one (`join`), and told what they are
//! (`header`, `totals`, `kind`). Whatever is decided is decided by a bounded look into a rectangle (`sample`) or by
//! counts from one pass over its cells (`rows`), so that a sheet of millions of cells costs milliseconds.
//!
//! Regions never overlap. Nothing here depends on a language but the word lists in `words`, which add to the evidence
//! and never are all of it for a table of numbers.

mod components;
mod header;
mod join;
mod kind;
mod look;
mod occupancy;
mod rows;
mod sample;
mod split;
mod totals;
mod words;

use grid::CellRange;
use serde::Serialize;
use workbook::{PivotTable, Sheet, SheetId, Table, Workbook};

use crate::formulas::{Cancel, Cancelled};
use crate::frame::TableView;
use crate::regions::components::{Components, unite_overlapping, unite_stacked};
use crate::regions::header::Header;
use crate::regions::look::Looks;
use crate::regions::split::{Declared, Piece};

/// Rectangles that are looked into at most; the smallest ones beyond are only counted.
const MAX_PATCHES: usize = 10_000;

/// What a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionKind {
    /// Rows under a header that names the columns.
    Table,
    /// Labels with one value each: side by side, or one above the other.
    KeyValue,
    /// Values under column labels and beside row labels: a crosstab, a financial statement over periods.
    Matrix,
    /// Texts for people to read.
    Note,
    /// Rows without a header.
    Data,
}

/// A region of a sheet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Region {
    /// `region1`, …: top to bottom, then left to right.
    pub id: String,
    /// Its cells: headers and totals included, its title not.
    #[serde(serialize_with = "as_text")]
    pub range: CellRange,
    /// What it is.
    pub kind: RegionKind,
    /// The text above it that names it.
    pub title: Option<String>,
    /// Leading rows that name the columns.
    pub header_rows: u32,
    /// Leading columns that name the rows.
    pub header_cols: u32,
    /// Rows at the bottom that sum up the others.
    pub total_rows: u32,
    /// The columns' names, where a header names them, up to [`Options::max_columns`].
    pub columns: Vec<String>,
    /// The rows between headers and totals.
    #[serde(serialize_with = "as_optional_text")]
    pub data_range: Option<CellRange>,
    /// The name of the table that the file declares here.
    pub table_name: Option<String>,
    /// How sure all of this is, 0 to 1.
    pub confidence: f32,
    /// What speaks for it.
    pub evidence: Vec<&'static str>,
}

/// The regions of a sheet.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Regions {
    /// Top to bottom, then left to right.
    pub regions: Vec<Region>,
    /// How many more there are.
    pub omitted: usize,
}

/// How much is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Regions at most. Ids do not depend on it.
    pub max_regions: usize,
    /// Column names of one region at most.
    pub max_columns: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { max_regions: 100, max_columns: 200 }
    }
}

fn as_text<S: serde::Serializer>(range: &CellRange, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(range)
}

fn as_optional_text<S: serde::Serializer>(
    range: &Option<CellRange>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match range {
        Some(range) => serializer.collect_str(range),
        None => serializer.serialize_none(),
    }
}

/// Finds the regions of a sheet.
pub fn detect(
    workbook: &Workbook,
    sheet: &Sheet,
    options: &Options,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Regions, Cancelled> {
    let detector =
        Detector { workbook, sheet, options, looks: Looks::new(workbook, sheet), cancel: is_cancelled };
    detector.run()
}

struct Detector<'a> {
    workbook: &'a Workbook,
    sheet: &'a Sheet,
    options: &'a Options,
    looks: Looks<'a>,
    cancel: Cancel<'a>,
}

impl Detector<'_> {
    fn run(&self) -> Result<Regions, Cancelled> {
        let mut pieces = self.declared();
        let taken: Vec<CellRange> = pieces.iter().map(|piece| piece.range).collect();
        let mut components = Components::default();
        occupancy::visit_rows(self.sheet, &taken, self.cancel, |row, runs| components.add_row(row, runs))?;
        let mut patches = components.finish();
        if patches.len() > MAX_PATCHES {
            patches = unite_stacked(patches);
        }
        let beyond = patches.len().saturating_sub(MAX_PATCHES);
        if beyond > 0 {
            patches.select_nth_unstable_by_key(MAX_PATCHES, |patch| std::cmp::Reverse(patch.cells));
            patches.truncate(MAX_PATCHES);
        }
        for patch in unite_overlapping(patches) {
            if (self.cancel)() {
                return Err(Cancelled);
            }
            pieces.extend(split::split(&self.looks, patch.range));
        }
        let mut pieces = join::join(&self.looks, pieces, self.cancel)?;
        pieces.sort_by_key(|piece| piece.range);
        debug_assert!(
            pieces.windows(2).all(|pair| pair[0].range.intersect(pair[1].range).is_none()),
            "regions do not overlap"
        );
        let omitted = pieces.len().saturating_sub(self.options.max_regions) + beyond;
        let numbered = (1..).zip(pieces).take(self.options.max_regions);
        let regions = numbered.map(|(number, piece)| self.described(number, piece)).collect();
        Ok(Regions { regions, omitted })
    }

    /// What the file says is a table or a pivot table.
    fn declared(&self) -> Vec<Piece> {
        let table = |table: &Table| Piece {
            range: table.range,
            title: None,
            header: Header { rows: table.header_rows, strength: 1.0, ..Header::default() },
            declared: Some(Declared { table: Some(table.clone()), is_matrix: false }),
        };
        let pivot = |pivot: &PivotTable| {
            let found = split::piece(&self.looks, pivot.range?, None);
            let is_matrix = !pivot.columns.is_empty();
            let rows = found.header.rows.max(1 + u32::from(is_matrix)).min(found.range.height());
            let header = Header { rows, strength: 1.0, ..found.header };
            Some(Piece { header, declared: Some(Declared { table: None, is_matrix }), ..found })
        };
        let mut pieces: Vec<Piece> = Vec::new();
        let declared = self.sheet.tables.iter().map(table).chain(self.sheet.pivots.iter().filter_map(pivot));
        for piece in declared.take(MAX_PATCHES) {
            // Broken files declare tables over each other.
            if pieces.iter().all(|other| other.range.intersect(piece.range).is_none()) {
                pieces.push(piece);
            }
        }
        pieces
    }

    fn described(&self, number: usize, piece: Piece) -> Region {
        let Piece { range, title, header, declared } = piece;
        let found = match &declared {
            Some(declared) => kind::declared(&self.looks, range, &header, declared),
            None => kind::classify(&self.looks, range, &header),
        };
        let table = declared.and_then(|declared| declared.table);
        let header_rows = found.header_rows;
        let body = header_rows + found.total_rows;
        let data_range = (range.height() > body).then(|| {
            let (start, end) = (range.start(), range.end());
            CellRange::from_bounds(
                start.row() + header_rows,
                start.col(),
                end.row() - found.total_rows,
                end.col(),
            )
        });
        Region {
            id: format!("region{number}"),
            range,
            kind: found.kind,
            title,
            header_rows,
            header_cols: found.header_cols,
            total_rows: found.total_rows,
            columns: match &table {
                Some(table) => self.column_names(TableView::of_table(self.id(), table)),
                None if header_rows > 0 => self.columns(range, header_rows),
                None => Vec::new(),
            },
            data_range: data_range.flatten(),
            table_name: table.map(|table| table.name),
            confidence: found.confidence,
            evidence: found.evidence,
        }
    }

    fn columns(&self, range: CellRange, header_rows: u32) -> Vec<String> {
        let width = range.width().min(self.options.max_columns.try_into().unwrap_or(u32::MAX));
        let (start, end) = (range.start(), range.end());
        let Some(last) = width.checked_sub(1) else { return Vec::new() };
        let Some(range) = CellRange::from_bounds(start.row(), start.col(), end.row(), start.col() + last)
        else {
            return Vec::new();
        };
        self.column_names(TableView::of_range(self.workbook, self.id(), self.sheet, range, header_rows))
    }

    fn column_names(&self, view: TableView) -> Vec<String> {
        view.columns.into_iter().take(self.options.max_columns).map(|column| column.name).collect()
    }

    fn id(&self) -> SheetId {
        self.workbook.sheet_id(&self.sheet.name).unwrap_or(SheetId(0))
    }
}
