//! `diff`: what differs between two workbooks, or two states of a fork; and assertions about cells.

use std::sync::Arc;

use analysis::diff::{self, Aspect, Assertion, Diff as Found, Expected, ItemChange, SheetDiff, SheetStatus};
use formula::Direction;
use grid::{CellRange, CellRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use workbook::{Sheet, SheetId, Workbook};

use crate::{
    call::Call,
    cell_json, cursor,
    error::{ErrorCode, ToolError},
    open::{ForkReference, Opened},
    room::Room,
    tool::Tool,
};

/// Compares workbooks.
#[derive(Debug)]
pub(super) struct Diff;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Fork or workbook, as it is now.
    workbook: String,
    /// What it is compared with: a fork, fork@checkpoint, a workbook; the fork's base if left out.
    against: Option<String>,
    /// Only this sheet.
    sheet: Option<String>,
    /// Tell every cell instead of ranges.
    #[serde(default)]
    cells: bool,
    /// Assertions about cells of `workbook`: [{cell, equals | between: [low, high] | error: false | formula | empty: true, tolerance}].
    #[serde(default)]
    verify: Vec<Check>,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    cell: String,
    equals: Option<Value>,
    between: Option<Vec<Option<f64>>>,
    error: Option<bool>,
    formula: Option<String>,
    empty: Option<bool>,
    tolerance: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// Nothing differs.
    identical: bool,
    /// Sheets that differ.
    sheets: Vec<SheetEntry>,
    /// Changed ranges, or cells.
    changes: Vec<Change>,
    /// Of all pages.
    change_count: usize,
    /// Names, tables, rules, objects, layout.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    items: Vec<ItemEntry>,
    #[serde(skip_serializing_if = "is_zero", default)]
    items_untold: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    sheets_reordered: bool,
    errors: ErrorCounts,
    /// In the order of the assertions.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    verified: Vec<Verified>,
    /// Results of formulas may be older than their inputs.
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[derive(Debug, Serialize, JsonSchema)]
struct SheetEntry {
    sheet: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    inserted: Vec<String>,
    /// Where they were.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    deleted: Vec<String>,
    values: usize,
    formulas: usize,
    results: usize,
    formats: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Change {
    range: String,
    change: &'static str,
    /// Where it was, if elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null", default)]
    old: Value,
    #[serde(skip_serializing_if = "Value::is_null", default)]
    new: Value,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ItemEntry {
    #[serde(skip_serializing_if = "String::is_empty", default)]
    sheet: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    name: String,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ErrorCounts {
    new: usize,
    resolved: usize,
    remaining: usize,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    cells: Vec<ErrorEntry>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ErrorEntry {
    cell: String,
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Verified {
    cell: String,
    holds: bool,
    actual: String,
}

impl Tool for Diff {
    const NAME: &'static str = "diff";
    const TITLE: &'static str = "Compare";
    const DESCRIPTION: &'static str = "What differs between a fork and its base, a checkpoint or another workbook: rows and \
        columns that came and went, changed ranges (value, formula, result, format apart), names, tables, rules, objects, \
        errors. verify checks cells.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let new = call.open(&params.workbook)?;
        let old = call.open(&other(&params)?)?;
        let scope = cursor::scope_of(&json!([
            Self::NAME,
            new.path,
            new.state,
            old.path,
            old.state,
            params.sheet,
            params.cells
        ]));
        let start = usize::try_from(cursor::decode(&scope, params.cursor.as_deref())?).unwrap_or(usize::MAX);
        let only = new.optional_sheet_id(params.sheet.as_deref())?;
        let (before, after) = (&old.book.workbook, &new.book.workbook);
        let mut found = diff::diff(before, after, call)?;
        if let Some(id) = only {
            found.sheets.retain(|sheet| sheet.new == Some(id));
        }
        let mut room = Room::of(call);
        let changes = changes(&found, params.cells);
        let mut told = Vec::new();
        let is_first = start == 0;
        let mut items = Vec::new();
        let mut items_untold = 0;
        if is_first {
            (items, items_untold) = room.fill_half(item_entries(&found));
        }
        for (sheet, change) in changes.iter().skip(start) {
            call.check()?;
            let entry = change_entry(before, after, sheet, *change, call)?;
            if !room.take(&entry) && !told.is_empty() {
                break;
            }
            told.push(entry);
        }
        let next = start.saturating_add(told.len());
        let verified =
            params.verify.iter().map(|check| check.verified(call, &new)).collect::<Result<Vec<_>, _>>()?;
        Ok(Answer {
            identical: found.sheets.is_empty() && found.names.is_empty() && !found.reordered,
            sheets: found.sheets.iter().map(SheetEntry::of).collect(),
            changes: told,
            change_count: changes.len(),
            items,
            items_untold,
            sheets_reordered: found.reordered,
            errors: ErrorCounts::of(&found),
            verified,
            stale: new.book.is_any_stale(call)?,
            next_cursor: (next < changes.len()).then(|| cursor::encode(&scope, next as u64)),
        })
    }
}

/// What the workbook is compared with.
fn other(params: &Params) -> Result<String, ToolError> {
    if let Some(against) = &params.against {
        return Ok(against.clone());
    }
    match ForkReference::parse(&params.workbook)? {
        Some(reference) => Ok(format!("{}@base", reference.fork)),
        None => Err(ToolError::new(
            ErrorCode::InvalidArgument,
            "a file has no base that it could be compared with",
        )
        .at("against")
        .hint("name a fork or another workbook")),
    }
}

/// A changed rectangle, with the one cell that it is.
#[derive(Debug, Clone, Copy)]
struct Changed {
    range: CellRange,
    aspect: Aspect,
    from: Option<CellRef>,
}

fn changes(found: &Found, each_cell: bool) -> Vec<(&SheetDiff, Changed)> {
    let mut all = Vec::new();
    for sheet in &found.sheets {
        let from = |range: CellRange| {
            let cell = sheet.cells.binary_search_by_key(&range.start(), diff::CellChange::at).ok()?;
            sheet.cells[cell].old
        };
        if each_cell {
            let cells = sheet.cells.iter();
            all.extend(cells.map(|cell| {
                (sheet, Changed { range: CellRange::cell(cell.at()), aspect: cell.aspect, from: cell.old })
            }));
        } else {
            let groups = sheet.groups().into_iter();
            all.extend(groups.map(|group| {
                (sheet, Changed { range: group.range, aspect: group.aspect, from: from(group.range) })
            }));
        }
    }
    all
}

fn change_entry(
    old: &Workbook,
    new: &Workbook,
    sheet: &SheetDiff,
    change: Changed,
    call: &Call,
) -> Result<Change, ToolError> {
    let told = |book: &Workbook, id: Option<SheetId>, at: Option<CellRef>| -> Result<Value, ToolError> {
        let (Some(id), Some(at)) = (id, at) else { return Ok(Value::Null) };
        Ok(cell_value(book, &*book.sheet(id, call)?, at, change.aspect))
    };
    let at = change.range.start();
    let is_cell = change.range.is_single();
    let (before, after) = match is_cell {
        true => (told(old, sheet.old, change.from)?, told(new, sheet.new, Some(at))?),
        false => (Value::Null, Value::Null),
    };
    let aspect = match change.aspect {
        Aspect::Value => "value",
        Aspect::Formula => "formula",
        Aspect::Result => "result",
        Aspect::Format => "format",
    };
    Ok(Change {
        range: format!("{}!{}", grid::quote(&sheet.name), change.range),
        change: aspect,
        from: change.from.filter(|from| *from != at).map(|from| from.to_string()),
        old: before,
        new: after,
    })
}

fn cell_value(book: &Workbook, sheet: &Sheet, at: CellRef, aspect: Aspect) -> Value {
    let cell = sheet.cell(at);
    match (aspect, cell.formula) {
        (Aspect::Format, _) => Value::from(book.styles.number_format_code(cell.style)),
        (Aspect::Formula, Some(id)) => Value::from(format!("={}", sheet.formula_text(at, id))),
        _ => cell_json::cell_json(book, cell),
    }
}

fn item_entries(found: &Found) -> Vec<ItemEntry> {
    let entry = |sheet: &str, item: &diff::Item| ItemEntry {
        sheet: sheet.to_owned(),
        kind: item.kind,
        name: item.key.clone(),
        change: match item.change {
            ItemChange::Added => "added",
            ItemChange::Removed => "removed",
            ItemChange::Changed => "changed",
        },
        old: item.old.clone().filter(|text| !text.is_empty()),
        new: item.new.clone().filter(|text| !text.is_empty()),
    };
    let names = found.names.iter().map(|item| entry("", item));
    let others = found.sheets.iter().flat_map(|sheet| sheet.items.iter().map(move |item| (sheet, item)));
    names.chain(others.map(|(sheet, item)| entry(&sheet.name, item))).collect()
}

impl SheetEntry {
    fn of(sheet: &SheetDiff) -> SheetEntry {
        let count = |aspect: Aspect| sheet.cells.iter().filter(|cell| cell.aspect == aspect).count();
        let lines = |rows: &[diff::Lines], columns: &[diff::Lines]| {
            let rows = rows.iter().map(|lines| written(*lines, Direction::Row));
            rows.chain(columns.iter().map(|lines| written(*lines, Direction::Column))).collect()
        };
        SheetEntry {
            sheet: sheet.name.clone(),
            status: match sheet.status {
                SheetStatus::Added => "added",
                SheetStatus::Removed => "removed",
                SheetStatus::Kept => "changed",
            },
            old_name: sheet.old_name.clone(),
            inserted: lines(&sheet.rows.inserted, &sheet.columns.inserted),
            deleted: lines(&sheet.rows.deleted, &sheet.columns.deleted),
            values: count(Aspect::Value),
            formulas: count(Aspect::Formula),
            results: count(Aspect::Result),
            formats: sheet.cells.iter().filter(|cell| cell.format).count(),
        }
    }
}

/// `5:7` or `B:C`.
fn written((first, count): diff::Lines, direction: Direction) -> String {
    let last = first + count.saturating_sub(1);
    match direction {
        Direction::Row => format!("{}:{}", first + 1, last + 1),
        Direction::Column => format!("{}:{}", grid::column_letters(first), grid::column_letters(last)),
    }
}

impl ErrorCounts {
    fn of(found: &Found) -> ErrorCounts {
        let cells = found.errors.new.iter().map(|cell| ErrorEntry {
            cell: cell.at.clone(),
            error: cell.error.clone(),
            cause: cell.cause.clone(),
        });
        ErrorCounts {
            new: found.errors.new_count,
            resolved: found.errors.resolved_count,
            remaining: found.errors.remaining_count,
            cells: cells.collect(),
        }
    }
}

impl Check {
    fn verified(&self, call: &Call, opened: &Opened) -> Result<Verified, ToolError> {
        let area = opened.locate_one(call, &self.cell, None)?;
        let sheet: Arc<Sheet> = opened.sheet(call, area.sheet)?;
        let assertion = Assertion { at: area.range.start(), expected: self.expected()? };
        let checked = diff::verify(&opened.book.workbook, &sheet, &assertion);
        Ok(Verified { cell: self.cell.clone(), holds: checked.holds, actual: checked.actual })
    }

    fn expected(&self) -> Result<Expected, ToolError> {
        /// How far a number may be off where nothing is said: what fifteen digits leave open.
        const TOLERANCE: f64 = 1e-9;
        let wrong = || {
            ToolError::new(
                ErrorCode::InvalidArgument,
                format!("the assertion about {:?} says not one thing", self.cell),
            )
            .at("verify")
            .hint("give one of equals, between, error, formula, empty")
        };
        let given = [
            self.equals.is_some(),
            self.between.is_some(),
            self.error.is_some(),
            self.formula.is_some(),
            self.empty.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            return Err(wrong());
        }
        if let Some(value) = &self.equals {
            return Ok(match value {
                Value::Number(number) => {
                    let value = number.as_f64().unwrap_or_default();
                    let tolerance = self.tolerance.unwrap_or(TOLERANCE * value.abs().max(1.0));
                    Expected::Number { value, tolerance }
                }
                Value::String(text) => Expected::Text(text.clone()),
                Value::Bool(value) => Expected::Text(if *value { "TRUE" } else { "FALSE" }.to_owned()),
                Value::Null => Expected::Empty,
                Value::Array(_) | Value::Object(_) => return Err(wrong()),
            });
        }
        match (&self.between, self.error, &self.formula, self.empty) {
            (Some(bounds), ..) => match bounds.as_slice() {
                [low, high] => Ok(Expected::Between(*low, *high)),
                _ => Err(wrong()),
            },
            (_, Some(error), ..) => Ok(Expected::Error(error)),
            (_, _, Some(formula), _) => Ok(Expected::Formula(formula.clone())),
            (_, _, _, Some(true)) => Ok(Expected::Empty),
            _ => Err(wrong()),
        }
    }
}
