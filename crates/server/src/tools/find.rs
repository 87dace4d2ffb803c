//! `find`: where a value, a label, a formula or a note is.

use std::sync::Arc;

use analysis::{
    formulas::Area,
    search::{Matching, Pattern, SearchIn, near_texts, neighbours, search},
};
use grid::{CellRange, CellRef, Value as CellValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use workbook::{Sheet, SheetId, SheetKind, Workbook};

use crate::{
    call::Call,
    cell_json::{cell_json, shortened},
    cursor,
    error::{ErrorCode, ToolError},
    open::Opened,
    tool::Tool,
};

/// Hits of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 20;
/// Characters told of a text.
const MAX_TEXT: usize = 200;

/// Finds cells.
#[derive(Debug)]
pub(super) struct Find;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// What to find: text, a number, an ISO date, TRUE, #N/A.
    text: String,
    /// Where to look (values). Labels are told with the values beside and below.
    r#in: Option<Target>,
    /// (contains).
    r#match: Option<MatchParam>,
    /// Only here: a sheet or an address (whole workbook).
    range: Option<String>,
    #[serde(default)]
    case_sensitive: bool,
    /// Hits of the page (20).
    limit: Option<usize>,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Target {
    Values,
    Labels,
    Formulas,
    Notes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum MatchParam {
    Contains,
    Exact,
    Regex,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    hits: Vec<Hit>,
    total: u64,
    /// Cells told here whose results are older than their inputs: recalculate.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    stale: Vec<String>,
    /// Texts that may have been meant, when nothing was found.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    near_misses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Hit {
    at: String,
    value: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    formula: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<Neighbour>,
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<Neighbour>,
}

/// The value beside or below a label.
#[derive(Debug, Serialize, JsonSchema)]
struct Neighbour {
    at: String,
    value: Value,
}

impl Tool for Find {
    const NAME: &'static str = "find";
    const TITLE: &'static str = "Find cells";
    const DESCRIPTION: &'static str = "Cells whose value, label, formula or note matches a text or regex, in the whole workbook or a part of it.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        if params.text.trim().is_empty() {
            return Err(ToolError::new(ErrorCode::InvalidArgument, "there is nothing to find").at("text"));
        }
        let opened = call.open(&params.workbook)?;
        let book = &opened.book.workbook;
        let target = match params.r#in.unwrap_or(Target::Values) {
            Target::Values => SearchIn::Values,
            Target::Labels => SearchIn::Labels,
            Target::Formulas => SearchIn::Formulas,
            Target::Notes => SearchIn::Notes,
        };
        let matching = match params.r#match.unwrap_or(MatchParam::Contains) {
            MatchParam::Contains => Matching::Contains,
            MatchParam::Exact => Matching::Exact,
            MatchParam::Regex => Matching::Regex,
        };
        let pattern = Pattern::new(&params.text, matching, params.case_sensitive, book.date_system).map_err(
            |error| {
                ToolError::new(ErrorCode::InvalidArgument, error.to_string())
                    .at("text")
                    .hint("look-around and back-references are not supported; or use match: contains")
            },
        )?;
        let scope = cursor::scope_of(&json!([
            Self::NAME,
            opened.path,
            opened.state,
            params.text,
            params.r#in,
            params.r#match,
            params.range,
            params.case_sensitive
        ]));
        let start = cursor::decode(&scope, params.cursor.as_deref())?;
        let limit = params.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, call.config().limits.max_items) as u64;

        let mut total: u64 = 0;
        let mut found: Vec<(Arc<Sheet>, SheetId, CellRef)> = Vec::new();
        let mut searched: Vec<Arc<Sheet>> = Vec::new();
        for area in areas(call, &opened, params.range.as_deref())? {
            let sheet = opened.sheet(call, area.sheet)?;
            let mut visit = |at: CellRef| {
                if (start..start.saturating_add(limit)).contains(&total) {
                    found.push((Arc::clone(&sheet), area.sheet, at));
                }
                total += 1;
            };
            search(book, &sheet, area.range, target, &pattern, &mut visit, &|| call.is_stopped())?;
            searched.push(sheet);
        }
        let mut bytes = call.answer_bytes().saturating_sub(1_000);
        let mut hits = Vec::with_capacity(found.len());
        let mut told_areas = Vec::new();
        for (sheet, id, at) in found {
            let hit = Hit::of(book, &sheet, &opened.quoted_name(id), at, target);
            let cost = json!(hit).to_string().len() + 1;
            if cost > bytes && !hits.is_empty() {
                break;
            }
            bytes = bytes.saturating_sub(cost);
            hits.push(hit);
            told_areas.push(Area { sheet: id, range: CellRange::cell(at) });
        }
        let next = start + hits.len() as u64;
        Ok(Answer {
            stale: opened.stale_within(call, &told_areas)?,
            near_misses: if total == 0 { near(&searched, &params.text, target) } else { Vec::new() },
            next_cursor: (!hits.is_empty() && next < total).then(|| cursor::encode(&scope, next)),
            hits,
            total,
        })
    }
}

/// Where to look: the cells of an address, or every worksheet.
fn areas(call: &Call, opened: &Opened, range: Option<&str>) -> Result<Vec<Area>, ToolError> {
    if let Some(range) = range {
        return Ok(opened.locate(call, range, None)?.areas);
    }
    let book = &opened.book.workbook;
    let cells = |id: &SheetId| matches!(book.tab(*id).kind, SheetKind::Worksheet | SheetKind::Macrosheet);
    Ok(book.sheet_ids().filter(cells).map(|sheet| Area { sheet, range: CellRange::ALL }).collect())
}

fn near(searched: &[Arc<Sheet>], text: &str, target: SearchIn) -> Vec<String> {
    if !matches!(target, SearchIn::Values | SearchIn::Labels) {
        return Vec::new();
    }
    near_texts(searched, text)
}

impl Hit {
    fn of(book: &Workbook, sheet: &Sheet, name: &str, at: CellRef, target: SearchIn) -> Hit {
        let cell = sheet.cell(at);
        let beside = if target == SearchIn::Labels { neighbours(sheet, at) } else { Default::default() };
        let neighbour = |at: CellRef| Neighbour { at: at.to_string(), value: told(book, sheet, at) };
        let comment = sheet.comments.iter().find(|comment| comment.cell == at);
        Hit {
            at: format!("{name}!{at}"),
            value: told(book, sheet, at),
            formula: cell.formula.map(|id| shortened(&format!("={}", sheet.formula_text(at, id)), MAX_TEXT)),
            note: comment
                .filter(|_| target == SearchIn::Notes)
                .map(|comment| shortened(&comment.text, MAX_TEXT)),
            right: beside.right.map(neighbour),
            below: beside.below.map(neighbour),
        }
    }
}

fn told(book: &Workbook, sheet: &Sheet, at: CellRef) -> Value {
    let cell = sheet.cell(at);
    match cell.value {
        CellValue::Text(text) => Value::String(shortened(text, MAX_TEXT)),
        _ => cell_json(book, cell),
    }
}
