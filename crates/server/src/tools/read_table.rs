//! `read_table`: rows of a table, filtered, sorted, sampled and paged.

use std::fmt::Write as _;

use analysis::{
    formulas::Area,
    frame::{Query, Rows, Sample, TableView, run},
};
use grid::CellRange;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use workbook::{Cell, Workbook};

use crate::{
    call::Call,
    cell_json::cell_json,
    cursor,
    error::{ErrorCode, ToolError},
    table_filter::{FilterParam, parse_filters, parse_sort},
    tool::Tool,
};

/// Rows of a page unless asked otherwise.
const DEFAULT_LIMIT: u64 = 50;
/// Where drawing at random starts: the same sample for the same question.
const SEED: u64 = 1;

/// Reads rows of a table.
#[derive(Debug)]
pub(super) struct ReadTable;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// A region ("Data!region1"), table, name, sheet or address.
    range: String,
    /// Header rows (detected).
    header_rows: Option<u32>,
    /// Only these columns, in this order.
    columns: Option<Vec<String>>,
    /// All have to hold.
    filters: Option<Vec<FilterParam>>,
    /// Columns, most important first; "-Amount" for descending.
    sort: Option<Vec<String>>,
    /// Which of the matching rows (first).
    sample: Option<SampleParam>,
    /// Rows of the page (50); 0 only counts.
    limit: Option<u64>,
    /// (rows).
    format: Option<Format>,
    /// Values as the sheet shows them.
    #[serde(default)]
    text: bool,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SampleParam {
    First,
    Last,
    Even,
    Random,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    Rows,
    Columns,
    Csv,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// The data of the table, without headers and totals.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    columns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Vec<Value>>>,
    /// By column.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csv: Option<String>,
    /// Where the rows are on the sheet, e.g. ["2:51"].
    sheet_rows: Vec<String>,
    matching: u64,
    total: u64,
    /// Cells told here whose results are older than their inputs: recalculate.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    stale: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    notices: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Tool for ReadTable {
    const NAME: &'static str = "read_table";
    const TITLE: &'static str = "Read a table";
    const DESCRIPTION: &'static str = "Rows of a table or region: choose columns, filter, sort, sample, page. sheet_overview tells the regions.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let opened = call.open(&params.workbook)?;
        let book = &opened.book.workbook;
        let target = opened.table_target(call, &params.range, params.header_rows)?;
        let (sheet, view) = (&target.sheet, &target.view);
        let sample = params.sample.unwrap_or(SampleParam::First);
        let asked = json!([
            Self::NAME,
            opened.path,
            opened.state,
            params.range,
            params.header_rows,
            params.filters,
            params.sort,
            sample
        ]);
        let scope = cursor::scope_of(&asked);
        let offset = cursor::decode(&scope, params.cursor.as_deref())?;
        let columns = params.columns.unwrap_or_default();
        let width = if columns.is_empty() { view.columns.len() } else { columns.len() }.max(1);
        let most = (call.config().limits.max_cells / width).max(1) as u64;
        let query = Query {
            columns,
            filters: parse_filters(params.filters.unwrap_or_default())?,
            sort: parse_sort(params.sort.unwrap_or_default(), view),
            offset,
            limit: Some(params.limit.unwrap_or(DEFAULT_LIMIT).min(most)),
            sample: match sample {
                SampleParam::First => Sample::First,
                SampleParam::Last => Sample::Last,
                SampleParam::Even => Sample::Even,
                SampleParam::Random => Sample::Random { seed: SEED },
            },
            skip_hidden: false,
        };
        let rows = run(book, sheet, view, &query, &|| call.is_stopped())?;
        let page = Page::fill(book, view, &rows, params.text, call.answer_bytes().saturating_sub(1_000))?;
        let told = page.rows.len();
        call.metrics().work.told_cells((told * page.columns.len()) as u64);
        let next = if sample == SampleParam::First && told > 0 && (told as u64) + offset < rows.matching {
            Some(offset + told as u64)
        } else {
            None
        };
        let mut notices = target.notices;
        let hidden = rows.rows[..told].iter().filter(|row| rows.is_hidden(**row)).count();
        if hidden > 0 {
            notices.push(format!("{hidden} of these rows are hidden on the sheet"));
        }
        if sample != SampleParam::First && told < rows.rows.len() {
            notices.push(format!("{} rows of the sample found no room", rows.rows.len() - told));
        }
        let stale = opened.stale_within(call, &told_areas(view, &rows.columns, &rows.rows[..told]))?;
        let name = opened.quoted_name(view.sheet);
        let mut answer = Answer {
            range: view.data_range().map(|range| format!("{name}!{range}")),
            columns: page.columns,
            rows: None,
            data: None,
            csv: None,
            sheet_rows: row_spans(&rows.rows[..told]),
            matching: rows.matching,
            total: view.rows.len() as u64,
            stale,
            notices,
            next_cursor: next.map(|position| cursor::encode(&scope, position)),
        };
        match params.format.unwrap_or(Format::Rows) {
            Format::Rows => answer.rows = Some(page.rows),
            Format::Columns => answer.data = Some(transposed(&answer.columns, page.rows)),
            Format::Csv => answer.csv = Some(csv(&answer.columns, &page.rows)),
        }
        Ok(answer)
    }
}

/// The cells of a page: runs of rows, by column.
fn told_areas(view: &TableView, columns: &[usize], rows: &[u32]) -> Vec<Area> {
    let mut sorted = rows.to_vec();
    sorted.sort_unstable();
    let mut areas: Vec<Area> = Vec::new();
    for run in sorted.chunk_by(|above, below| above + 1 == *below) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        areas.extend(columns.iter().filter_map(|column| {
            let col = view.columns[*column].col;
            Some(Area { sheet: view.sheet, range: CellRange::from_bounds(*first, col, *last, col)? })
        }));
    }
    areas
}

/// The rows that fit.
struct Page {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Page {
    fn fill(
        book: &Workbook,
        view: &TableView,
        rows: &Rows<'_>,
        as_text: bool,
        mut bytes: usize,
    ) -> Result<Page, ToolError> {
        let columns: Vec<String> =
            rows.columns.iter().map(|index| view.columns[*index].name.clone()).collect();
        bytes = bytes.saturating_sub(columns.iter().map(|name| name.len() + 3).sum());
        let json = |cell: Cell<'_>| match (as_text, cell.value) {
            (true, value) if !value.is_empty() => {
                Value::String(book.styles.text(value, cell.style, book.date_system))
            }
            _ => cell_json(book, cell),
        };
        let mut cells: Vec<_> = (0..columns.len()).map(|index| rows.cells(index)).collect();
        let mut page = Page { columns, rows: Vec::with_capacity(rows.rows.len().min(1_000)) };
        for _ in &rows.rows {
            let row: Vec<Value> =
                cells.iter_mut().map(|column| column.next().map_or(Value::Null, json)).collect();
            let cost = row.iter().map(|value| value.to_string().len() + 1).sum::<usize>() + 12;
            if cost > bytes {
                if page.rows.is_empty() {
                    return Err(ToolError::new(
                        ErrorCode::ResponseTooLarge,
                        "one row is larger than an answer may be",
                    )
                    .at("columns")
                    .hint("ask for fewer columns, or raise SPREADSHEET_MCP_MAX_RESPONSE_BYTES"));
                }
                break;
            }
            bytes -= cost;
            page.rows.push(row);
        }
        Ok(page)
    }
}

fn transposed(columns: &[String], rows: Vec<Vec<Value>>) -> Map<String, Value> {
    let mut data: Vec<Vec<Value>> = columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        for (column, value) in data.iter_mut().zip(row) {
            column.push(value);
        }
    }
    columns.iter().cloned().zip(data.into_iter().map(Value::Array)).collect()
}

/// RFC 4180, with a line for the names of the columns.
fn csv(columns: &[String], rows: &[Vec<Value>]) -> String {
    let mut out = String::new();
    push_line(&mut out, columns.iter().map(|name| Value::String(name.clone())));
    for row in rows {
        push_line(&mut out, row.iter().cloned());
    }
    out
}

fn push_line(out: &mut String, fields: impl Iterator<Item = Value>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.push(',');
        }
        match field {
            Value::Null => {}
            Value::String(text) if text.contains(['"', ',', '\n', '\r']) => {
                out.push('"');
                out.push_str(&text.replace('"', "\"\""));
                out.push('"');
            }
            Value::String(text) => out.push_str(&text),
            // Writing to a string does not fail.
            other => drop(write!(out, "{other}")),
        }
    }
    out.push('\n');
}

/// Rows of the sheet as spans: `2:51`.
fn row_spans(rows: &[u32]) -> Vec<String> {
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for row in rows {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *row => *last = *row,
            _ => spans.push((*row, *row)),
        }
    }
    let written = |(first, last): &(u32, u32)| match first == last {
        true => (first + 1).to_string(),
        false => format!("{}:{}", first + 1, last + 1),
    };
    spans.iter().map(written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_as_spans() {
        assert_eq!(row_spans(&[1, 2, 3, 9, 5, 4]), ["2:4", "10", "6", "5"]);
    }

    #[test]
    fn fields_are_quoted_where_csv_needs_it() {
        let rows =
            [vec![json!(1.5), json!("a,b"), Value::Null], vec![json!("say \"x\""), json!(true), json!("")]];
        let columns = ["n", "a\nb", "c"].map(str::to_owned);
        assert_eq!(csv(&columns, &rows), "n,\"a\nb\",c\n1.5,\"a,b\",\n\"say \"\"x\"\"\",true,\n");
    }
}
