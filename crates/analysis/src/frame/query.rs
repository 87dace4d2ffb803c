//! Filtering, ordering and paging the rows of a table.

use std::ops::Range;

use workbook::{Cell, RawValue, Sheet, Styles, Workbook};

use crate::formulas::{Cancel, Cancelled};
use crate::frame::condition::{Condition, Test};
use crate::frame::order::ordered;
use crate::frame::scan::{Kinds, Verdicts, slices};
use crate::frame::selection::Selection;
use crate::frame::view::{NoSuchColumn, TableView};

/// A condition on a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The column's name.
    pub column: String,
    /// What has to hold of its cells.
    pub condition: Condition,
}

/// A column to order by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// The column's name.
    pub column: String,
    /// Whether the greatest come first.
    pub descending: bool,
}

/// Which of the matching rows are answered with, where not all are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sample {
    /// From the offset on.
    #[default]
    First,
    /// The last ones.
    Last,
    /// At even distances, the first and the last included.
    Even,
    /// Drawn at random, the same ones for the same seed.
    Random {
        /// Where the drawing starts.
        seed: u64,
    },
}

/// A question to a table. The default asks for everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// The columns to answer with, in this order; all of them when empty.
    pub columns: Vec<String>,
    /// Conditions that all have to hold.
    pub filters: Vec<Filter>,
    /// The order, most important first; without it the sheet's.
    pub sort: Vec<SortKey>,
    /// Rows to pass over; of [`Sample::First`] only.
    pub offset: u64,
    /// Rows at most.
    pub limit: Option<u64>,
    /// Which rows, when there are more.
    pub sample: Sample,
    /// Whether rows that the sheet hides are left out.
    pub skip_hidden: bool,
}

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A column that is not there.
    #[error(transparent)]
    NoSuchColumn(#[from] NoSuchColumn),
    /// The caller asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// The rows of an answer; their values are read from the sheet when asked for.
pub struct Rows<'a> {
    sheet: &'a Sheet,
    /// The columns as positions within the view.
    pub columns: Vec<usize>,
    /// Zero-based positions of those columns on the sheet.
    cols: Vec<u32>,
    /// Zero-based rows of the sheet, in the order asked for.
    pub rows: Vec<u32>,
    /// How many rows match in all.
    pub matching: u64,
    /// Where the next page starts, if there is one.
    pub next_offset: Option<u64>,
}

impl<'a> Rows<'a> {
    /// The cells of the `index`th column of the answer, row by row; panics if there is none, as a slice would.
    pub fn cells(&self, index: usize) -> impl Iterator<Item = Cell<'a>> + '_ {
        let column = self.sheet.column(self.cols[index]);
        self.rows.iter().map(move |row| {
            let raw = column.and_then(|column| column.get(*row));
            raw.map(|raw| self.sheet.resolve(raw)).unwrap_or_default()
        })
    }

    /// Whether the sheet hides a row.
    pub fn is_hidden(&self, row: u32) -> bool {
        self.sheet.row_props(row).is_some_and(|props| props.hidden)
    }
}

/// Answers a query over `view`, a table on `sheet`.
pub fn run<'a>(
    workbook: &Workbook,
    sheet: &'a Sheet,
    view: &TableView,
    query: &Query,
    cancel: Cancel<'_>,
) -> Result<Rows<'a>, QueryError> {
    let position = |name: &String| view.column(name);
    let columns: Vec<usize> = match query.columns.as_slice() {
        [] => (0..view.columns.len()).collect(),
        names => names.iter().map(position).collect::<Result<_, _>>()?,
    };
    let col = |name: &str| view.column(name).map(|index| view.columns[index].col);
    let mut filters = Vec::with_capacity(query.filters.len());
    for filter in &query.filters {
        filters.push((col(&filter.column)?, Test::new(&filter.condition, workbook.date_system)));
    }
    let mut keys = Vec::with_capacity(query.sort.len());
    for key in &query.sort {
        keys.push((col(&key.column)?, key.descending));
    }

    let mut selection = match query.skip_hidden {
        true => shown_rows(sheet, view.rows.clone()),
        false => Selection::All(view.rows.clone()),
    };
    for (col, test) in &filters {
        selection = matching(sheet, &workbook.styles, *col, test, selection, cancel)?;
    }
    let total = selection.count();
    let positions = positions(query, total);
    let rows = if keys.is_empty() {
        selection.at(&positions)
    } else {
        let wanted = positions.last().map_or(0, |last| *last as usize + 1);
        let sorted = ordered(sheet, &selection, &keys, wanted, cancel)?;
        positions.iter().filter_map(|position| sorted.get(*position as usize).copied()).collect()
    };
    let reached = query.offset.saturating_add(rows.len() as u64);
    let next_offset =
        (query.sample == Sample::First && !rows.is_empty() && reached < total).then_some(reached);
    let cols = columns.iter().map(|index| view.columns[*index].col).collect();
    Ok(Rows { sheet, columns, cols, rows, matching: total, next_offset })
}

fn shown_rows(sheet: &Sheet, rows: Range<u32>) -> Selection {
    let from = sheet.rows.partition_point(|props| props.row < rows.start);
    let end = rows.end;
    let within = sheet.rows[from..].iter().take_while(|props| props.row < end);
    let mut hidden = within.filter(|props| props.hidden).peekable();
    if hidden.peek().is_none() {
        return Selection::All(rows);
    }
    let mut shown = Selection::filled(rows, true);
    hidden.for_each(|props| shown.set(props.row, false));
    shown
}

/// The rows of `selection` whose cell in a column passes the test.
fn matching(
    sheet: &Sheet,
    styles: &Styles,
    col: u32,
    test: &Test,
    selection: Selection,
    cancel: Cancel<'_>,
) -> Result<Selection, Cancelled> {
    let rows = selection.bounds();
    let mut found = Selection::filled(rows.clone(), test.empty());
    let Some(column) = sheet.column(col) else { return Ok(selection.and(found)) };
    let mut shared = Verdicts::new(sheet.shared_strings());
    let mut own = Verdicts::new(sheet.own_strings());
    let mut kinds = Kinds::new(styles);
    for slice in slices(column, rows) {
        if cancel() {
            return Err(Cancelled);
        }
        for index in slice.indices.clone() {
            let row = slice.row(index);
            if !selection.contains(row) {
                continue;
            }
            let passes = match slice.chunk.value_at(index) {
                RawValue::Empty => continue,
                RawValue::Number(number) => {
                    let is_date = test.asks_dates && kinds.of(slice.chunk.style_at(index)).is_date_time();
                    test.number(number, is_date)
                }
                RawValue::SharedText(id) => shared.of(id, |text| test.text(text)),
                RawValue::SheetText(id) => own.of(id, |text| test.text(text)),
                RawValue::Bool(value) => test.bool(value),
                RawValue::Error(error) => test.error(error),
            };
            found.set(row, passes);
        }
    }
    Ok(selection.and(found))
}

/// Which of `total` rows are answered with, ascending.
fn positions(query: &Query, total: u64) -> Vec<u64> {
    let count = query.limit.unwrap_or(total).min(total);
    match query.sample {
        Sample::First => {
            let first = query.offset.min(total);
            (first..first.saturating_add(query.limit.unwrap_or(total)).min(total)).collect()
        }
        Sample::Last => (total - count..total).collect(),
        Sample::Even if count < 2 => (0..count).collect(),
        Sample::Even => (0..count).map(|step| step * (total - 1) / (count - 1)).collect(),
        Sample::Random { seed } => draw(total, count, seed),
    }
}

/// `count` distinct numbers below `total`, each set of them equally likely (R. W. Floyd's sampling).
fn draw(total: u64, count: u64, seed: u64) -> Vec<u64> {
    let mut state = seed;
    let mut drawn = std::collections::BTreeSet::new();
    for last in total - count..total {
        let candidate = splitmix(&mut state) % (last + 1);
        if !drawn.insert(candidate) {
            drawn.insert(last);
        }
    }
    drawn.into_iter().collect()
}

/// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators").
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
