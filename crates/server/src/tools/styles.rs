//! `styles`: which formats are used where, and the rules that change or check cells.

use std::sync::Arc;

use analysis::{
    formulas::{Area, Listed},
    resolve::written,
    styles::{FormatUse, census, describe_condition, describe_validation},
};
use grid::CellRange;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use workbook::{Sheet, SheetId, Workbook};

use crate::{call::Call, cursor, error::ToolError, open::Opened, room::Room, tool::Tool};

/// Formats of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 50;
/// Ranges that are told of one format or rule.
const RANGES: usize = 5;
/// Rules of each kind, and named styles.
const LISTED: usize = 50;

/// Tells formats.
#[derive(Debug)]
pub(super) struct Styles;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// Address, name or sheet (whole workbook).
    range: Option<String>,
    /// Formats of the page (50).
    limit: Option<usize>,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// Looks of cells, the most used first.
    formats: Vec<FormatEntry>,
    format_count: usize,
    /// On the first page, as are the lists below.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    conditional_formats: Vec<RuleEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    validations: Vec<RuleEntry>,
    #[serde(skip_serializing_if = "is_zero", default)]
    rules_left_out: usize,
    /// Names that the workbook offers, used or not.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    named_styles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FormatEntry {
    look: String,
    /// Unless it is General.
    #[serde(skip_serializing_if = "Option::is_none")]
    number_format: Option<String>,
    cells: u64,
    /// The largest ones.
    ranges: Vec<String>,
    #[serde(skip_serializing_if = "is_zero", default)]
    ranges_left_out: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RuleEntry {
    rule: String,
    ranges: Vec<String>,
    #[serde(skip_serializing_if = "is_zero", default)]
    ranges_left_out: usize,
    /// What a person is told who selects the cell, or enters something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Tool for Styles {
    const NAME: &'static str = "styles";
    const TITLE: &'static str = "Tell styles";
    const DESCRIPTION: &'static str =
        "Which formats are used where, conditional formats, data validations and named styles.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let opened = call.open(&params.workbook)?;
        let book = &opened.book.workbook;
        let scope = cursor::scope_of(&json!([Self::NAME, opened.path, opened.state, params.range]));
        let start = usize::try_from(cursor::decode(&scope, params.cursor.as_deref())?).unwrap_or(usize::MAX);
        let limit = params.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, call.config().limits.max_items);
        let areas = areas(&opened, call, params.range.as_deref())?;
        let cells = areas.iter().map(|(area, sheet)| (*area, sheet.as_ref()));
        let uses = census(&book.styles, cells, RANGES, &|| call.is_stopped())?;

        let mut room = Room::of(call);
        let rules = if start == 0 { Rules::of(book, &areas, &mut room) } else { Rules::default() };
        let page = uses.iter().skip(start).take(limit);
        let (formats, _) = room.fill(page.map(|used| FormatEntry::of(book, used, &room)).collect());
        let next = start.saturating_add(formats.len());
        Ok(Answer {
            formats,
            format_count: uses.len(),
            conditional_formats: rules.conditions,
            validations: rules.validations,
            rules_left_out: rules.left_out,
            named_styles: rules.named_styles,
            next_cursor: (next < uses.len()).then(|| cursor::encode(&scope, next as u64)),
        })
    }
}

/// The wanted cells, with their sheets.
fn areas(opened: &Opened, call: &Call, range: Option<&str>) -> Result<Vec<(Area, Arc<Sheet>)>, ToolError> {
    let Some(range) = range else {
        let sheets = opened.book.sheets(call)?.into_iter().enumerate();
        let whole = |index: usize| Area { sheet: SheetId(index as u32), range: CellRange::ALL };
        return Ok(sheets.map(|(index, sheet)| (whole(index), sheet)).collect());
    };
    let located = opened.locate(call, range, None)?.areas;
    located.into_iter().map(|area| Ok((area, opened.sheet(call, area.sheet)?))).collect()
}

impl FormatEntry {
    fn of(book: &Workbook, used: &FormatUse, room: &Room) -> FormatEntry {
        let look = if used.look.is_empty() { "plain" } else { &used.look };
        let Listed { items, total } = &used.ranges;
        FormatEntry {
            look: room.text(look.to_owned()),
            number_format: (used.number_format != "General").then(|| room.text(used.number_format.clone())),
            cells: used.cells,
            ranges: items.iter().map(|area| written(book, *area)).collect(),
            ranges_left_out: *total as usize - items.len(),
        }
    }
}

/// What is told besides the formats of cells.
#[derive(Default)]
struct Rules {
    conditions: Vec<RuleEntry>,
    validations: Vec<RuleEntry>,
    named_styles: Vec<String>,
    left_out: usize,
}

impl Rules {
    fn of(book: &Workbook, areas: &[(Area, Arc<Sheet>)], room: &mut Room) -> Rules {
        let mut conditions = RuleList::default();
        let mut validations = RuleList::default();
        for (area, sheet) in areas {
            let mut by_priority: Vec<_> = sheet.conditional_formats.iter().collect();
            by_priority.sort_by_key(|rule| rule.priority);
            for rule in by_priority {
                conditions.add(book, *area, &rule.ranges, || (room.text(describe_condition(rule)), None));
            }
            for rule in &sheet.validations {
                let message =
                    || rule.prompt.as_ref().or(rule.error.as_ref()).map(|text| room.text(text.clone()));
                validations
                    .add(book, *area, &rule.ranges, || (room.text(describe_validation(rule)), message()));
            }
        }
        let mut part = room.half();
        let (told_conditions, untold_conditions) = part.fill_half(conditions.entries);
        let (told_validations, untold_validations) = part.fill_half(validations.entries);
        let names = book.styles.named_styles.iter().map(|style| style.name.clone());
        let names = names.filter(|name| name != "Normal").take(LISTED).collect();
        let (named_styles, _) = part.fill_half(names);
        room.give_back(part);
        Rules {
            conditions: told_conditions,
            validations: told_validations,
            named_styles,
            left_out: conditions.left_out + validations.left_out + untold_conditions + untold_validations,
        }
    }
}

/// Rules that touch the wanted cells.
#[derive(Default)]
struct RuleList {
    entries: Vec<RuleEntry>,
    left_out: usize,
}

impl RuleList {
    fn add(
        &mut self,
        book: &Workbook,
        area: Area,
        ranges: &[CellRange],
        words: impl FnOnce() -> (String, Option<String>),
    ) {
        if !ranges.iter().any(|range| range.intersect(area.range).is_some()) {
            return;
        }
        if self.entries.len() >= LISTED {
            self.left_out += 1;
            return;
        }
        let told = ranges.iter().take(RANGES);
        let (rule, message) = words();
        self.entries.push(RuleEntry {
            rule,
            ranges: told.map(|range| written(book, Area { range: *range, ..area })).collect(),
            ranges_left_out: ranges.len().saturating_sub(RANGES),
            message,
        });
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
