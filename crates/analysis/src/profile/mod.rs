//! What the columns of a table hold: types, gaps, distribution, frequent values, outliers.
//!
//! One scan of the columns that are asked for; the numbers of one column at a time are sorted, which answers distinct
//! values, quantiles and frequencies at once.

mod series;

use std::collections::HashMap;

use grid::{CellRef, ErrorValue};
use number_format::FormatKind;
use workbook::{RawValue, Sheet, StringId, Workbook};

use crate::formulas::{Cancel, Cancelled};
use crate::frame::TableView;
use crate::frame::scan::{Kinds, slices};

pub use series::{Outliers, SeriesProfile};

/// How long the lists of a profile may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileOptions {
    /// Frequent values of each column.
    pub max_top: usize,
    /// Cells of outliers of each column.
    pub max_outliers: usize,
}

impl Default for ProfileOptions {
    fn default() -> ProfileOptions {
        ProfileOptions { max_top: 5, max_outliers: 5 }
    }
}

/// The types of values in a column, by number of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct TypeCounts {
    pub numbers: u64,
    /// Numbers that are shown as dates or times of day.
    pub dates: u64,
    pub texts: u64,
    pub booleans: u64,
    pub errors: u64,
    /// Empty cells, and empty texts.
    pub nulls: u64,
}

/// A value that occurs often.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum TopValue {
    Number(f64),
    /// A number that is shown as a date or time of day.
    Date(f64),
    Text(String),
    Bool(bool),
    Error(ErrorValue),
}

/// What one column holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnProfile {
    /// Its position within the view.
    pub column: usize,
    /// The types of its values.
    pub types: TypeCounts,
    /// Number of cells with a formula.
    pub formulas: u64,
    /// Number of different values; texts that differ in case are different.
    pub distinct: u64,
    /// The values that occur most often, with how often; only those that occur more than once.
    pub top: Vec<(TopValue, u64)>,
    /// Its numbers, if it has any.
    pub numbers: Option<SeriesProfile>,
    /// Its dates as serial numbers, if it has any.
    pub dates: Option<SeriesProfile>,
    /// How most of its dates are shown.
    pub date_kind: Option<FormatKind>,
    /// Characters of its shortest and longest text.
    pub text_lengths: Option<(usize, usize)>,
}

/// Profiles columns of a view, given by their positions within it.
pub fn profile(
    workbook: &Workbook,
    sheet: &Sheet,
    view: &TableView,
    columns: &[usize],
    options: &ProfileOptions,
    cancel: Cancel<'_>,
) -> Result<Vec<ColumnProfile>, Cancelled> {
    columns
        .iter()
        .filter(|column| **column < view.columns.len())
        .map(|column| {
            Scan::of(workbook, sheet, view, *column, cancel).map(|scan| scan.finish(sheet, options))
        })
        .collect()
}

/// The values of one column, by type.
#[derive(Default)]
struct Scan {
    column: usize,
    col: u32,
    numbers: Vec<(f64, u32)>,
    dates: Vec<(f64, u32)>,
    date_kind: Option<FormatKind>,
    /// By table (whether the sheet's own) and id.
    texts: HashMap<(bool, StringId), u64>,
    /// `FALSE`, `TRUE`.
    booleans: [u64; 2],
    errors: HashMap<ErrorValue, u64>,
    formulas: u64,
    rows: u64,
}

impl Scan {
    fn of(
        workbook: &Workbook,
        sheet: &Sheet,
        view: &TableView,
        column: usize,
        cancel: Cancel<'_>,
    ) -> Result<Scan, Cancelled> {
        let col = view.columns[column].col;
        let mut scan = Scan { column, col, rows: view.rows.len() as u64, ..Scan::default() };
        let Some(stored) = sheet.column(col) else { return Ok(scan) };
        let mut kinds = Kinds::new(&workbook.styles);
        for slice in slices(stored, view.rows.clone()) {
            if cancel() {
                return Err(Cancelled);
            }
            let offsets = slice.chunk.offset(slice.indices.start)..=slice.chunk.offset(slice.indices.end - 1);
            scan.formulas +=
                slice.chunk.formulas().iter().filter(|(offset, _)| offsets.contains(offset)).count() as u64;
            for index in slice.indices.clone() {
                let row = slice.row(index);
                match slice.chunk.value_at(index) {
                    RawValue::Empty => {}
                    RawValue::Number(number) => {
                        let kind = kinds.of(slice.chunk.style_at(index));
                        if kind.is_date_time() {
                            scan.date_kind.get_or_insert(kind);
                            scan.dates.push((number, row));
                        } else {
                            scan.numbers.push((number, row));
                        }
                    }
                    RawValue::SharedText(id) => *scan.texts.entry((false, id)).or_default() += 1,
                    RawValue::SheetText(id) => *scan.texts.entry((true, id)).or_default() += 1,
                    RawValue::Bool(value) => scan.booleans[usize::from(value)] += 1,
                    RawValue::Error(error) => *scan.errors.entry(error).or_default() += 1,
                }
            }
        }
        Ok(scan)
    }

    fn finish(self, sheet: &Sheet, options: &ProfileOptions) -> ColumnProfile {
        // The same text may stand in both tables.
        let mut texts: HashMap<&str, u64> = HashMap::with_capacity(self.texts.len());
        for ((is_own, id), count) in &self.texts {
            let table = if *is_own { sheet.own_strings() } else { sheet.shared_strings() };
            *texts.entry(table.get(*id).unwrap_or_default()).or_default() += count;
        }
        texts.remove("");
        let mut types = TypeCounts {
            numbers: self.numbers.len() as u64,
            dates: self.dates.len() as u64,
            texts: texts.values().sum(),
            booleans: self.booleans.iter().sum(),
            errors: self.errors.values().sum(),
            nulls: 0,
        };
        types.nulls = self.rows - types.numbers - types.dates - types.texts - types.booleans - types.errors;

        let at = |row: u32| CellRef::clamped(row, self.col);
        let (numbers, number_runs) = series::profile(self.numbers, options, at);
        let (dates, date_runs) = series::profile(self.dates, options, at);
        let length = |text: &&str| text.chars().count();
        let text_lengths = texts.keys().map(length).min().zip(texts.keys().map(length).max());
        let booleans = [false, true].into_iter().zip(self.booleans).filter(|(_, count)| *count > 0);
        let distinct = number_runs.distinct
            + date_runs.distinct
            + texts.len() as u64
            + booleans.clone().count() as u64
            + self.errors.len() as u64;
        let mut top: Vec<(TopValue, u64)> = Vec::new();
        top.extend(number_runs.top.into_iter().map(|(number, count)| (TopValue::Number(number), count)));
        top.extend(date_runs.top.into_iter().map(|(number, count)| (TopValue::Date(number), count)));
        top.extend(most_frequent(texts, options.max_top));
        top.extend(booleans.map(|(value, count)| (TopValue::Bool(value), count)));
        top.extend(self.errors.into_iter().map(|(error, count)| (TopValue::Error(error), count)));
        top.retain(|(_, count)| *count > 1);
        top.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        top.truncate(options.max_top);
        ColumnProfile {
            column: self.column,
            types,
            formulas: self.formulas,
            distinct,
            top,
            numbers,
            dates,
            date_kind: self.date_kind,
            text_lengths,
        }
    }
}

/// The texts that occur most often; equally frequent ones in their order.
fn most_frequent(texts: HashMap<&str, u64>, most: usize) -> Vec<(TopValue, u64)> {
    let mut frequent: Vec<(&str, u64)> = texts.into_iter().filter(|(_, count)| *count > 1).collect();
    frequent.sort_unstable_by_key(|(text, count)| (std::cmp::Reverse(*count), *text));
    frequent.truncate(most);
    frequent.into_iter().map(|(text, count)| (TopValue::Text(text.to_owned()), count)).collect()
}
