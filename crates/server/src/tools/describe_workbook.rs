//! `describe_workbook`: what is in a workbook, what is hidden in it, and what is odd about it.

use std::sync::Arc;

use grid::quote;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use workbook::{DefinedName, HyperlinkTarget, Properties, Sheet, SheetKind, Tab, Visibility, Workbook};

use crate::{call::Call, cell_json::shortened, cursor, error::ToolError, room::Room, tool::Tool};

/// Sheets of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 50;
/// Entries of the other lists: they are for orientation, their totals are told.
const LISTED: usize = 50;
/// Characters told of a text.
const MAX_TEXT: usize = 200;
/// Column names told of a table.
const MAX_COLUMNS: usize = 50;

/// Describes a workbook.
#[derive(Debug)]
pub(super) struct DescribeWorkbook;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// Sheets of the page (50).
    limit: Option<usize>,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    id: String,
    path: String,
    format: &'static str,
    file_bytes: u64,
    sheet_count: usize,
    sheets: Vec<SheetEntry>,
    names: Vec<NameEntry>,
    name_count: usize,
    tables: Vec<TableEntry>,
    table_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    charts: Vec<ObjectEntry>,
    chart_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pivots: Vec<ObjectEntry>,
    pivot_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    external_links: Vec<String>,
    /// What a reader should know before trusting it.
    notices: Vec<String>,
    /// Calls that usually come next.
    next_steps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SheetEntry {
    name: String,
    /// Range with values or formulas; absent when the sheet is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<String>,
    cells: u64,
    formulas: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility: Option<&'static str>,
    /// Counts of what else is on the sheet, e.g. "merges 3".
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    has: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NameEntry {
    name: String,
    refers_to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TableEntry {
    name: String,
    at: String,
    columns: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ObjectEntry {
    name: String,
    sheet: String,
    about: String,
}

impl Tool for DescribeWorkbook {
    const NAME: &'static str = "describe_workbook";
    const TITLE: &'static str = "Describe a workbook";
    const DESCRIPTION: &'static str = "Sheets with sizes, defined names, tables, charts, pivots, links, what is hidden or odd. Call it before reading a workbook.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let opened = call.open(&params.workbook)?;
        let book = &opened.book.workbook;
        let sheets = opened.book.sheets(call)?;
        let scope = cursor::scope_of(&json!([Self::NAME, opened.path, opened.state]));
        let start = usize::try_from(cursor::decode(&scope, params.cursor.as_deref())?).unwrap_or(usize::MAX);
        let limit = params.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, call.config().limits.max_items);
        let start = start.min(sheets.len());
        let page = &sheets[start..(start + limit).min(sheets.len())];
        let names: Vec<&DefinedName> =
            book.names.iter().filter(|name| !name.hidden && !name.is_builtin()).collect();

        let mut room = Room::of(call);
        let mut half = room.half();
        let (entries, _) = half.fill(page.iter().map(|sheet| SheetEntry::of(sheet)).collect());
        room.give_back(half);
        let next = start + entries.len();
        // What the whole workbook has is told once.
        let listed = if start == 0 { LISTED } else { 0 };
        let mut notices = if start == 0 { notices(book, &sheets) } else { Vec::new() };
        if start == 0 && opened.book.is_any_stale(call)? {
            notices.push("some results are older than their inputs: call recalculate".to_owned());
        }
        let (notices, _) = room.fill_half(notices);
        let (tables, _) =
            room.fill_half(sheets.iter().flat_map(|sheet| tables(sheet)).take(listed).collect());
        let (names_told, _) =
            room.fill_half(names.iter().take(listed).map(|name| NameEntry::of(name, book)).collect());
        let (charts, _) =
            room.fill_half(sheets.iter().flat_map(|sheet| charts(sheet)).take(listed).collect());
        let (pivots, _) =
            room.fill_half(sheets.iter().flat_map(|sheet| pivots(sheet)).take(listed).collect());
        let links = book.external_links.iter().take(listed).map(|link| shortened(&link.target, MAX_TEXT));
        let (external_links, _) = room.fill_half(links.collect());
        Ok(Answer {
            id: opened.id.to_string(),
            path: opened.path.clone(),
            format: book.format.extension(),
            file_bytes: opened.file_bytes,
            sheet_count: sheets.len(),
            sheets: entries,
            name_count: names.len(),
            names: names_told,
            table_count: sheets.iter().map(|sheet| sheet.tables.len()).sum(),
            tables,
            chart_count: sheets.iter().map(|sheet| sheet.charts.len()).sum(),
            charts,
            pivot_count: sheets.iter().map(|sheet| sheet.pivots.len()).sum(),
            pivots,
            external_links,
            notices,
            next_steps: next_steps(&sheets),
            next_cursor: (next < sheets.len()).then(|| cursor::encode(&scope, next as u64)),
        })
    }
}

impl SheetEntry {
    fn of(sheet: &Sheet) -> SheetEntry {
        let hidden_rows = sheet.rows.iter().filter(|row| row.hidden).count();
        let hidden_columns: u32 =
            sheet.column_spans.iter().filter(|span| span.hidden).map(|span| span.last - span.first + 1).sum();
        let counts = [
            ("tables", sheet.tables.len()),
            ("charts", sheet.charts.len()),
            ("pivots", sheet.pivots.len()),
            ("images", sheet.images.len()),
            ("shapes", sheet.shapes.len()),
            ("comments", sheet.comments.len()),
            ("hyperlinks", sheet.hyperlinks.len()),
            ("merges", sheet.merges.len()),
            ("validations", sheet.validations.len()),
            ("conditional formats", sheet.conditional_formats.len()),
            ("sparkline groups", sheet.sparkline_groups as usize),
            ("hidden rows", hidden_rows),
            ("hidden columns", hidden_columns as usize),
        ];
        let mut has: Vec<String> = counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{what} {count}"))
            .collect();
        if let Some(filter) = &sheet.auto_filter {
            has.push(format!("autofilter {}", filter.range));
        }
        if let Some(freeze) = sheet.freeze {
            has.push(format!("frozen rows {} columns {}", freeze.rows, freeze.columns));
        }
        if sheet.protection.is_some() {
            has.push("protection".to_owned());
        }
        SheetEntry {
            name: sheet.name.clone(),
            used: sheet.used_range().map(|range| range.to_string()),
            cells: sheet.cell_count(),
            formulas: sheet.formula_count(),
            kind: match sheet.kind {
                SheetKind::Worksheet => None,
                SheetKind::Chartsheet => Some("chartsheet"),
                SheetKind::Dialogsheet => Some("dialogsheet"),
                SheetKind::Macrosheet => Some("macrosheet"),
            },
            visibility: visibility(sheet.visibility),
            has,
        }
    }
}

fn visibility(visibility: Visibility) -> Option<&'static str> {
    match visibility {
        Visibility::Visible => None,
        Visibility::Hidden => Some("hidden"),
        Visibility::VeryHidden => Some("very hidden"),
    }
}

impl NameEntry {
    fn of(name: &DefinedName, book: &Workbook) -> NameEntry {
        NameEntry {
            name: name.name.clone(),
            refers_to: shortened(&name.refers_to, MAX_TEXT),
            scope: name.scope.map(|sheet| book.tab(sheet).name.clone()),
        }
    }
}

fn tables(sheet: &Sheet) -> impl Iterator<Item = TableEntry> {
    sheet.tables.iter().map(|table| TableEntry {
        name: table.name.clone(),
        at: format!("{}!{}", quote(&sheet.name), table.range),
        columns: table
            .columns
            .iter()
            .take(MAX_COLUMNS)
            .map(|column| shortened(&column.name, MAX_TEXT))
            .collect(),
    })
}

fn charts(sheet: &Sheet) -> impl Iterator<Item = ObjectEntry> {
    sheet.charts.iter().map(|chart| {
        let title = chart.title.as_ref().map(|title| format!(" \"{title}\"")).unwrap_or_default();
        let values: Vec<&str> =
            chart.series.iter().filter_map(|series| series.values.as_deref()).take(5).collect();
        ObjectEntry {
            name: chart.name.clone(),
            sheet: sheet.name.clone(),
            about: shortened(
                &format!("{}{title} of {}", chart.kinds.join("+"), values.join(", ")),
                2 * MAX_TEXT,
            ),
        }
    })
}

fn pivots(sheet: &Sheet) -> impl Iterator<Item = ObjectEntry> {
    sheet.pivots.iter().map(|pivot| {
        let values: Vec<&str> = pivot.values.iter().map(|field| field.name.as_str()).collect();
        let fields: Vec<&str> = pivot.rows.iter().chain(&pivot.columns).map(String::as_str).collect();
        let by = if fields.is_empty() { String::new() } else { format!(" by {}", fields.join(", ")) };
        let at = pivot.range.map(|range| format!(" at {range}")).unwrap_or_default();
        let source = pivot.source.as_deref().unwrap_or("an unknown source");
        ObjectEntry {
            name: pivot.name.clone(),
            sheet: sheet.name.clone(),
            about: shortened(&format!("{}{by}{at}, from {source}", values.join(", ")), 2 * MAX_TEXT),
        }
    })
}

/// Names of hidden tabs, a bounded list.
fn hidden(tabs: &[Tab], wanted: Visibility) -> Option<String> {
    let names: Vec<&str> =
        tabs.iter().filter(|tab| tab.visibility == wanted).map(|tab| tab.name.as_str()).collect();
    let listed = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    let what = if wanted == Visibility::Hidden { "hidden" } else { "very hidden" };
    (!names.is_empty()).then(|| format!("{} {what} sheets: {listed}", names.len()))
}

/// What wrote the workbook, and who changed it last and when.
fn provenance(properties: &Properties) -> Option<String> {
    let mut told = Vec::new();
    told.extend(properties.application.as_ref().map(|program| format!("written with {program}")));
    told.extend(properties.creator.as_ref().map(|who| format!("created by {who}")));
    let by = properties.last_modified_by.as_ref().map(|who| format!(" by {who}")).unwrap_or_default();
    told.extend(properties.modified.as_ref().map(|when| format!("last changed {when}{by}")));
    (!told.is_empty()).then(|| shortened(&told.join(", "), 2 * MAX_TEXT))
}

fn notices(book: &Workbook, sheets: &[Arc<Sheet>]) -> Vec<String> {
    let mut notices = Vec::new();
    notices.extend(provenance(&book.properties));
    notices.extend(hidden(&book.tabs, Visibility::Hidden));
    notices.extend(hidden(&book.tabs, Visibility::VeryHidden));
    if book.date_system == grid::DateSystem::Date1904 {
        notices.push("dates count from 1904".to_owned());
    }
    if !book.calc.automatic {
        notices.push("calculation is manual: results may be older than inputs".to_owned());
    }
    if book.calc.full_calc_on_load {
        notices.push("asks for a recalculation on opening: results may be older than inputs".to_owned());
    }
    if book.calc.iterate {
        notices.push("circular references are iterated".to_owned());
    }
    if let Some(vba) = &book.vba {
        let signed = if vba.signed { ", signed" } else { "" };
        notices.push(format!("contains macros (VBA{signed}); they are never executed"));
    }
    if book.protection.is_some_and(|protection| protection.lock_structure) {
        notices.push("the structure of the workbook is protected".to_owned());
    }
    if book.signed {
        notices.push("the package is digitally signed".to_owned());
    }
    if !book.external_links.is_empty() {
        notices
            .push(format!("refers to {} other workbooks; they are not fetched", book.external_links.len()));
    }
    for connection in book.connections.iter().take(LISTED) {
        notices.push(shortened(&format!("data connection: {connection}"), 2 * MAX_TEXT));
    }
    let outside = sheets
        .iter()
        .flat_map(|sheet| &sheet.hyperlinks)
        .filter(|link| matches!(link.target, HyperlinkTarget::External(_)))
        .count();
    if outside > 0 {
        notices.push(format!("{outside} hyperlinks lead out of the workbook"));
    }
    let odd = book
        .oddities
        .iter()
        .map(|oddity| shortened(&format!("{}: {}", oddity.place, oddity.what), 2 * MAX_TEXT));
    let noted = sheets.iter().flat_map(|sheet| {
        sheet.notes.iter().map(|note| shortened(&format!("{}: {note}", sheet.name), 2 * MAX_TEXT))
    });
    let all: Vec<String> = odd.chain(noted).collect();
    let untold = all.len().saturating_sub(LISTED);
    notices.extend(all.into_iter().take(LISTED));
    if untold > 0 {
        notices.push(format!("{untold} more oddities"));
    }
    notices
}

/// Where to go from here: the tables, or the largest visible sheets.
fn next_steps(sheets: &[Arc<Sheet>]) -> Vec<String> {
    let mut steps: Vec<String> = sheets
        .iter()
        .flat_map(|sheet| sheet.tables.iter())
        .take(2)
        .map(|table| format!("read_table range \"{}\"", table.name))
        .collect();
    let mut visible: Vec<&Arc<Sheet>> = sheets
        .iter()
        .filter(|sheet| sheet.visibility == Visibility::Visible && sheet.cell_count() > 0)
        .collect();
    visible.sort_by_key(|sheet| std::cmp::Reverse(sheet.cell_count()));
    steps.extend(visible.iter().take(3).map(|sheet| format!("sheet_overview sheet \"{}\"", sheet.name)));
    if sheets.iter().any(|sheet| sheet.formula_count() > 0) {
        steps.push("formula_map".to_owned());
    }
    steps
}
