//! `table_profile`: what the columns of a table hold.

use analysis::{
    formulas::Area,
    frame::TableView,
    profile::{ColumnProfile, ProfileOptions, SeriesProfile, TopValue, profile},
};
use grid::{CellRange, DateSystem, column_letters};
use number_format::FormatKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    call::Call,
    cell_json::{number_json, shortened, value_json},
    cursor,
    error::ToolError,
    tool::Tool,
};

/// Columns of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 30;
/// Characters of a frequent text that are told.
const MAX_TEXT: usize = 100;

/// Profiles a table.
#[derive(Debug)]
pub(super) struct TableProfile;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// As in read_table.
    range: String,
    /// Header rows (detected).
    header_rows: Option<u32>,
    /// Only these columns.
    columns: Option<Vec<String>>,
    /// Columns of the page (30).
    limit: Option<usize>,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    rows: u64,
    columns: Vec<ColumnEntry>,
    /// Cells told here whose results are older than their inputs: recalculate.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    stale: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    notices: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ColumnEntry {
    name: String,
    /// The column's letters.
    column: String,
    /// What most of its values are.
    r#type: &'static str,
    /// Cells of each type, when there are several.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    types: Map<String, Value>,
    nulls: u64,
    distinct: u64,
    #[serde(skip_serializing_if = "is_zero", default)]
    formulas: u64,
    /// Of its numbers, or of its dates if there are more of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<Stats>,
    /// The most frequent values and how often they occur.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    top: Vec<(Value, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_lengths: Option<(usize, usize)>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Stats {
    min: Value,
    max: Value,
    mean: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_deviation: Option<f64>,
    /// The 5th, 25th, 50th, 75th and 95th percentile.
    quantiles: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outliers: Option<OutlierEntry>,
}

/// Values more than three interquartile ranges beyond the quartiles.
#[derive(Debug, Serialize, JsonSchema)]
struct OutlierEntry {
    count: u64,
    /// The range of the other values.
    others: [Value; 2],
    cells: Vec<(String, Value)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Tool for TableProfile {
    const NAME: &'static str = "table_profile";
    const TITLE: &'static str = "Profile a table";
    const DESCRIPTION: &'static str = "Types, nulls, distinct values, distribution, frequent values and outliers of each column of a table.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let opened = call.open(&params.workbook)?;
        let book = &opened.book.workbook;
        let target = opened.table_target(call, &params.range, params.header_rows)?;
        let view = &target.view;
        let columns: Vec<usize> = match &params.columns {
            Some(names) => names.iter().map(|name| view.column(name)).collect::<Result<_, _>>()?,
            None => (0..view.columns.len()).collect(),
        };
        let scope = cursor::scope_of(&json!([
            Self::NAME,
            opened.path,
            opened.state,
            params.range,
            params.header_rows,
            params.columns
        ]));
        let start = cursor::decode(&scope, params.cursor.as_deref())?;
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(columns.len());
        let limit = params.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, call.config().limits.max_items);
        let page = &columns[start..(start + limit).min(columns.len())];

        let mut bytes = call.answer_bytes().saturating_sub(500);
        let mut entries = Vec::with_capacity(page.len());
        for column in page {
            let stop = || call.is_stopped();
            let options = ProfileOptions::default();
            for profile in profile(book, &target.sheet, view, &[*column], &options, &stop)? {
                entries.push(ColumnEntry::of(&profile, view, book.date_system));
            }
            let cost = entries.last().map_or(0, |entry| json!(entry).to_string().len() + 1);
            if cost > bytes && entries.len() > 1 {
                entries.pop();
                break;
            }
            bytes = bytes.saturating_sub(cost);
        }
        let next = start + entries.len();
        let told = columns[start..next].iter().filter_map(|column| {
            let (col, data) = (view.columns[*column].col, view.data_range()?);
            let range = CellRange::from_bounds(data.start().row(), col, data.end().row(), col)?;
            Some(Area { sheet: view.sheet, range })
        });
        let stale = opened.stale_within(call, &told.collect::<Vec<_>>())?;
        let name = opened.quoted_name(view.sheet);
        Ok(Answer {
            range: view.data_range().map(|range| format!("{name}!{range}")),
            rows: view.rows.len() as u64,
            columns: entries,
            stale,
            notices: target.notices,
            next_cursor: (next < columns.len()).then(|| cursor::encode(&scope, next as u64)),
        })
    }
}

impl ColumnEntry {
    fn of(profile: &ColumnProfile, view: &TableView, dates: DateSystem) -> ColumnEntry {
        let column = &view.columns[profile.column];
        let types = profile.types;
        let mut counts = [
            ("number", types.numbers),
            ("date", types.dates),
            ("text", types.texts),
            ("boolean", types.booleans),
            ("error", types.errors),
        ];
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let found: Vec<(&'static str, u64)> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        let date_kind = profile.date_kind.unwrap_or(FormatKind::Date);
        let stats = match (&profile.numbers, &profile.dates) {
            (_, Some(series)) if types.dates > types.numbers => {
                Some(Stats::of_dates(series, date_kind, dates))
            }
            (Some(series), _) => Some(Stats::of_numbers(series)),
            _ => None,
        };
        let top = profile.top.iter().map(|(value, count)| {
            let value = match value {
                TopValue::Number(number) => number_json(*number, FormatKind::General, dates),
                TopValue::Date(serial) => number_json(*serial, date_kind, dates),
                TopValue::Text(text) => json!(shortened(text, MAX_TEXT)),
                TopValue::Bool(value) => json!(value),
                TopValue::Error(error) => json!(error.as_str()),
            };
            (value, *count)
        });
        ColumnEntry {
            name: column.name.clone(),
            column: column_letters(column.col),
            r#type: found.first().map_or("empty", |(name, _)| name),
            types: match found.len() {
                0 | 1 => Map::new(),
                _ => found.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect(),
            },
            nulls: types.nulls,
            distinct: profile.distinct,
            formulas: profile.formulas,
            stats,
            top: top.collect(),
            text_lengths: profile.text_lengths,
        }
    }
}

impl Stats {
    fn of_numbers(series: &SeriesProfile) -> Stats {
        let plain = |number: f64| value_json(grid::Value::Number(number));
        Stats {
            sum: Some(series.sum),
            standard_deviation: Some(series.standard_deviation),
            ..Stats::of(series, plain)
        }
    }

    fn of_dates(series: &SeriesProfile, kind: FormatKind, dates: DateSystem) -> Stats {
        // Between two days lies a moment.
        let moment = |serial: f64| match (kind, serial.fract() == 0.0) {
            (FormatKind::Date, false) => number_json(serial, FormatKind::DateTime, dates),
            _ => number_json(serial, kind, dates),
        };
        Stats::of(series, moment)
    }

    fn of(series: &SeriesProfile, value: impl Fn(f64) -> Value) -> Stats {
        let outliers = series.outliers.as_ref().map(|outliers| OutlierEntry {
            count: outliers.count,
            others: [value(outliers.bounds.0), value(outliers.bounds.1)],
            cells: outliers.cells.iter().map(|(at, number)| (at.to_string(), value(*number))).collect(),
        });
        Stats {
            min: value(series.min),
            max: value(series.max),
            mean: value(series.mean),
            sum: None,
            standard_deviation: None,
            quantiles: series.quantiles.iter().map(|quantile| value(*quantile)).collect(),
            outliers,
        }
    }
}
