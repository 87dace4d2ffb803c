//! `sheet_overview`: where a sheet's tables, key-value blocks and notes are.

use analysis::{
    formulas::Area,
    frame::{Query, TableView, run},
    regions::{Region, RegionKind},
};
use grid::{CellRange, CellRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use workbook::{Sheet, SheetId, Workbook};

use crate::{
    call::Call,
    cell_json::{cell_json, shortened},
    cursor,
    error::ToolError,
    open::Opened,
    tool::Tool,
};

/// Regions of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 20;
/// Rows shown of each region.
const SAMPLE_ROWS: u64 = 3;
/// Columns shown of each region.
const SAMPLE_COLUMNS: usize = 30;
/// Characters shown of a text.
const MAX_TEXT: usize = 80;

/// Shows what is on a sheet.
#[derive(Debug)]
pub(super) struct SheetOverview;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// The sheet's name.
    sheet: String,
    /// Regions of the page (20).
    limit: Option<usize>,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    sheet: String,
    /// Absent when the sheet is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<String>,
    cells: u64,
    formulas: u64,
    regions: Vec<RegionEntry>,
    region_count: usize,
    next_steps: Vec<String>,
    /// Cells of samples whose results are older than their inputs.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    stale: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RegionEntry {
    /// What read_table takes as `range`.
    id: String,
    /// Headers and totals included, the title not.
    range: String,
    kind: RegionKindName,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    header_rows: u32,
    #[serde(skip_serializing_if = "is_zero", default)]
    header_cols: u32,
    #[serde(skip_serializing_if = "is_zero", default)]
    total_rows: u32,
    data_rows: u32,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    columns: Vec<String>,
    /// The first rows.
    sample: Vec<Vec<Value>>,
    confidence: f64,
    evidence: Vec<String>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RegionKindName {
    Table,
    KeyValue,
    Matrix,
    Note,
    Data,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Tool for SheetOverview {
    const NAME: &'static str = "sheet_overview";
    const TITLE: &'static str = "Overview of a sheet";
    const DESCRIPTION: &'static str = "Regions of a sheet (tables, key-value blocks, notes) with bounds, headers, confidence and sample rows.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let opened = call.open(&params.workbook)?;
        let id = opened.sheet_id(&params.sheet)?;
        let sheet = opened.sheet(call, id)?;
        let found = opened.book.regions(id, call)?;
        let scope = cursor::scope_of(&json!([Self::NAME, opened.path, opened.state, sheet.name]));
        let start = cursor::decode(&scope, params.cursor.as_deref())?;
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(found.regions.len());
        let limit = params.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, call.config().limits.max_items);
        let page = &found.regions[start..(start + limit).min(found.regions.len())];

        let name = opened.quoted_name(id);
        let mut bytes = call.answer_bytes().saturating_sub(1_000);
        let mut regions = Vec::with_capacity(page.len());
        for region in page {
            let view =
                TableView::of_range(&opened.book.workbook, id, &sheet, region.range, region.header_rows);
            let entry = RegionEntry {
                id: format!("{name}!{}", region.id),
                sample: sample(&opened.book.workbook, &sheet, view, region, call)?,
                ..RegionEntry::of(region)
            };
            let cost = json!(entry).to_string().len() + 1;
            if cost > bytes && !regions.is_empty() {
                break;
            }
            bytes = bytes.saturating_sub(cost);
            regions.push(entry);
        }
        let next = start + regions.len();
        let told: Vec<Area> =
            found.regions[start..next].iter().filter_map(|region| sampled(id, region)).collect();
        Ok(Answer {
            stale: opened.stale_within(call, &told)?,
            sheet: sheet.name.clone(),
            used: sheet.used_range().map(|range| range.to_string()),
            cells: sheet.cell_count(),
            formulas: sheet.formula_count(),
            region_count: found.regions.len() + found.omitted,
            next_steps: next_steps(&opened, &name, &sheet, page),
            regions,
            next_cursor: (next < found.regions.len()).then(|| cursor::encode(&scope, next as u64)),
        })
    }
}

impl RegionEntry {
    fn of(region: &Region) -> RegionEntry {
        RegionEntry {
            id: region.id.clone(),
            range: region.range.to_string(),
            kind: match region.kind {
                RegionKind::Table => RegionKindName::Table,
                RegionKind::KeyValue => RegionKindName::KeyValue,
                RegionKind::Matrix => RegionKindName::Matrix,
                RegionKind::Note => RegionKindName::Note,
                RegionKind::Data => RegionKindName::Data,
            },
            title: region.title.as_deref().map(|title| shortened(title, MAX_TEXT)),
            table: region.table_name.clone(),
            header_rows: region.header_rows,
            header_cols: region.header_cols,
            total_rows: region.total_rows,
            data_rows: region.data_range.map_or(0, CellRange::height),
            columns: region
                .columns
                .iter()
                .take(SAMPLE_COLUMNS)
                .map(|name| shortened(name, MAX_TEXT))
                .collect(),
            sample: Vec::new(),
            confidence: (f64::from(region.confidence) * 100.0).round() / 100.0,
            evidence: region.evidence.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The cells that a sample is of.
fn sampled(sheet: SheetId, region: &Region) -> Option<Area> {
    let data = region.data_range?;
    let last_row = data.end().row().min(data.start().row() + SAMPLE_ROWS as u32 - 1);
    let last_col = data.end().col().min(data.start().col() + SAMPLE_COLUMNS as u32 - 1);
    Some(Area { sheet, range: CellRange::new(data.start(), CellRef::clamped(last_row, last_col)) })
}

/// The first rows below the headers; long texts are cut.
fn sample(
    book: &Workbook,
    sheet: &Sheet,
    mut view: TableView,
    region: &Region,
    call: &Call,
) -> Result<Vec<Vec<Value>>, ToolError> {
    view.columns.truncate(SAMPLE_COLUMNS);
    view.rows.end =
        region.data_range.map_or(view.rows.start, |range| range.end().row() + 1).max(view.rows.start);
    let query = Query { limit: Some(SAMPLE_ROWS), ..Query::default() };
    let rows = run(book, sheet, &view, &query, &|| call.is_stopped())?;
    let mut sample: Vec<Vec<Value>> = vec![Vec::with_capacity(view.columns.len()); rows.rows.len()];
    for column in 0..view.columns.len() {
        for (row, cell) in sample.iter_mut().zip(rows.cells(column)) {
            row.push(match cell_json(book, cell) {
                Value::String(text) => Value::String(shortened(&text, MAX_TEXT)),
                value => value,
            });
        }
    }
    Ok(sample)
}

/// Where to go from here: the largest table, its profile, the formulas.
fn next_steps(opened: &Opened, name: &str, sheet: &Sheet, regions: &[Region]) -> Vec<String> {
    let tables = regions.iter().filter(|region| region.kind != RegionKind::Note);
    let mut steps = Vec::new();
    if let Some(largest) = tables.max_by_key(|region| region.range.area()) {
        let range = largest.table_name.clone().unwrap_or_else(|| format!("{name}!{}", largest.id));
        steps.push(format!("read_table range \"{range}\""));
        if largest.header_rows > 0 {
            steps.push(format!("table_profile range \"{range}\""));
        }
    }
    if sheet.formula_count() > 0 {
        steps.push(format!("formula_map range \"{name}\""));
    }
    if regions.is_empty() && opened.book.workbook.tabs.len() > 1 {
        steps.push("describe_workbook".to_owned());
    }
    steps
}
