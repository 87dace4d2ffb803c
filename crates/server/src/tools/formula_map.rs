//! `formula_map`: what a workbook computes where, and what is odd about it.

use analysis::formulas::{
    ErrorCells, FormulaCells, FormulaConstants, FormulaGroup, FormulaMap as Map, Inconsistency, Listed,
    MapOptions, Places, formula_map,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{call::Call, cursor, error::ToolError, room::Room, tool::Tool};

/// Groups of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 50;
/// Ranges that are told of one group.
const RANGES: usize = 5;
/// Findings of one kind.
const FINDINGS: usize = 25;
/// Numbers that are told of one formula.
const CONSTANTS: usize = 10;

/// Maps formulas.
#[derive(Debug)]
pub(super) struct FormulaMap;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// Address, name or sheet (whole workbook).
    range: Option<String>,
    /// Groups of the page (50).
    limit: Option<usize>,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// Numbers of cells and more; what is not told is 0.
    totals: serde_json::Map<String, Value>,
    /// Formulas that are the same in R1C1 notation, in the order of their first cells.
    groups: Vec<Group>,
    /// What a reader should look at, the gravest first; on the first page.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    findings: Vec<Finding>,
    #[serde(skip_serializing_if = "is_zero", default)]
    findings_left_out: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Group {
    ranges: Vec<String>,
    #[serde(skip_serializing_if = "is_zero", default)]
    ranges_left_out: u64,
    cells: u64,
    /// Of the first cell.
    formula: String,
    /// Where it differs from the formula.
    #[serde(skip_serializing_if = "Option::is_none")]
    r1c1: Option<String>,
    /// Formulas whose last result is an error.
    #[serde(skip_serializing_if = "is_zero", default)]
    errors: u64,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum FindingKind {
    Error,
    LostReference,
    Inconsistent,
    External,
    Volatile,
    Constants,
}

/// Where `found` is told, `expected` is what the neighbours in `run` would have there.
#[derive(Debug, Serialize, JsonSchema)]
struct Finding {
    kind: FindingKind,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cells: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    formula: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    constants: Vec<String>,
}

impl Tool for FormulaMap {
    const NAME: &'static str = "formula_map";
    const TITLE: &'static str = "Map formulas";
    const DESCRIPTION: &'static str = "Formulas grouped by pattern, and findings: errors, lost references, inconsistent cells, other workbooks, volatile functions, hard-coded numbers.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let opened = call.open(&params.workbook)?;
        let scope = cursor::scope_of(&json!([Self::NAME, opened.path, opened.state, params.range]));
        let start = usize::try_from(cursor::decode(&scope, params.cursor.as_deref())?).unwrap_or(usize::MAX);
        let within = match &params.range {
            Some(range) => opened.locate(call, range, None)?.areas,
            None => Vec::new(),
        };
        let max_items = call.config().limits.max_items;
        let options = MapOptions {
            within,
            skip_groups: start,
            max_groups: params.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, max_items),
            max_ranges: RANGES,
            max_findings: if start == 0 { FINDINGS.min(max_items) } else { 0 },
        };
        let sheets = opened.book.sheets(call)?;
        let places = Places::new(&opened.book.workbook, &sheets);
        let mut map = formula_map(&places, &options, &|| call.is_stopped())?;

        let mut room = Room::of(call);
        let (findings, findings_left_out) = match start {
            0 => findings(&mut map, &mut room),
            _ => (Vec::new(), 0),
        };
        let groups = map.groups.items.into_iter().map(|group| Group::of(group, &room)).collect();
        let (groups, _) = room.fill(groups);
        let next = start.saturating_add(groups.len()) as u64;
        Ok(Answer {
            totals: totals(&map.totals),
            groups,
            findings,
            findings_left_out,
            next_cursor: (next < map.groups.total).then(|| cursor::encode(&scope, next)),
        })
    }
}

impl Group {
    fn of(group: FormulaGroup, room: &Room) -> Group {
        let sheet = grid::quote(&group.sheet).into_owned();
        Group {
            ranges_left_out: left_out(&group.ranges),
            ranges: group.ranges.items.into_iter().map(|range| format!("{sheet}!{range}")).collect(),
            cells: group.cells,
            r1c1: (group.r1c1 != group.formula).then(|| room.text(group.r1c1)),
            formula: room.text(group.formula),
            errors: group.errors,
        }
    }
}

impl Finding {
    fn new(kind: FindingKind, at: String) -> Finding {
        Finding {
            kind,
            at,
            cells: None,
            formula: None,
            error: None,
            found: None,
            expected: None,
            run: None,
            constants: Vec::new(),
        }
    }

    fn error(cells: ErrorCells, room: &Room) -> Finding {
        Finding {
            formula: Some(room.text(cells.formula)),
            error: Some(cells.error),
            ..Finding::new(FindingKind::Error, cells.at)
        }
    }

    fn inconsistent(cell: Inconsistency, room: &Room) -> Finding {
        Finding {
            found: Some(room.text(cell.found)),
            expected: Some(room.text(cell.expected)),
            run: Some(cell.run),
            ..Finding::new(FindingKind::Inconsistent, cell.at)
        }
    }

    fn cells(kind: FindingKind, cells: FormulaCells, room: &Room) -> Finding {
        Finding {
            cells: Some(cells.cells),
            formula: Some(room.text(cells.formula)),
            ..Finding::new(kind, cells.at)
        }
    }

    fn constants(cells: FormulaConstants, room: &Room) -> Finding {
        Finding {
            cells: Some(cells.cells),
            formula: Some(room.text(cells.formula)),
            constants: cells.constants.into_iter().take(CONSTANTS).map(|text| room.text(text)).collect(),
            ..Finding::new(FindingKind::Constants, cells.at)
        }
    }
}

/// The findings that there is room for, and how many there are besides.
fn findings(map: &mut Map, room: &mut Room) -> (Vec<Finding>, u64) {
    let mut all = Vec::new();
    let mut beyond = 0;
    let of = |kind| move |cells, room: &Room| Finding::cells(kind, cells, room);
    let mut add = |(found, left_out): (Vec<Finding>, u64)| {
        all.extend(found);
        beyond += left_out;
    };
    add(listed(&mut map.errors, room, Finding::error));
    add(listed(&mut map.lost_references, room, of(FindingKind::LostReference)));
    add(listed(&mut map.inconsistent, room, Finding::inconsistent));
    add(listed(&mut map.external, room, of(FindingKind::External)));
    add(listed(&mut map.volatile, room, of(FindingKind::Volatile)));
    add(listed(&mut map.constants, room, Finding::constants));
    let (told, untold) = room.fill_half(all);
    (told, beyond + untold as u64)
}

fn listed<T>(
    list: &mut Listed<T>,
    room: &Room,
    finding: impl Fn(T, &Room) -> Finding,
) -> (Vec<Finding>, u64) {
    let left_out = left_out(list);
    let found = std::mem::take(&mut list.items).into_iter().map(|item| finding(item, room)).collect();
    (found, left_out)
}

fn left_out<T>(list: &Listed<T>) -> u64 {
    list.total - list.items.len() as u64
}

/// The totals that are not 0; formulas and patterns always.
fn totals(totals: &impl Serialize) -> serde_json::Map<String, Value> {
    let Value::Object(mut totals) = json!(totals) else { return serde_json::Map::new() };
    totals.retain(|name, total| total != &json!(0) || matches!(name.as_str(), "formulas" | "patterns"));
    totals
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
