//! `recalculate`: results of formulas, computed anew; what changed, what failed, and what could not be computed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ::forks::{IdempotencyKey, InvalidName, Seq};
use analysis::{diff::error_cell, formulas::Area};
use recalc::{Refusal, Source};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use workbook::{Cell, edit::Input};

use super::what_if::WhatIf;
use crate::{
    call::Call,
    cell_json::cell_json,
    error::{ErrorCode, ToolError},
    forks::{Edited, Live, Request},
    open::{ForkReference, Opened},
    recalc::{Computation, EngineParam, Loaded, Scope},
    room::Room,
    tool::Tool,
    verify_engines::{Disagreements, verify_engines},
};

/// Changed cells that an answer tells at most.
const TOLD_CELLS: usize = 100;
/// New errors that an answer tells at most.
const TOLD_ERRORS: usize = 20;

/// Recalculates forks.
#[derive(Debug)]
pub(super) struct Recalculate;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Fork id.
    workbook: String,
    #[serde(default)]
    engine: EngineParam,
    /// Only these sheets and what they need.
    sheets: Option<Vec<String>>,
    /// Only what these cells need, e.g. ["Summary!B2"]. With what_if: what is told.
    targets: Option<Vec<String>>,
    /// Sets of inputs, e.g. [{"Inputs!B2": 0.05}]: tells the targets for each.
    what_if: Option<Vec<BTreeMap<String, Json>>>,
    /// Refuse another head.
    expected_head: Option<u64>,
    /// The same key is done once.
    idempotency_key: Option<String>,
}

/// A value as edits say it.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Json(pub(super) Input);

impl JsonSchema for Json {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Input".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({})
    }
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct Answer {
    fork: String,
    /// The state now.
    head: u64,
    /// formualizer, ironcalc or libreoffice.
    engine: String,
    /// Formulas computed.
    formulas: u64,
    changed_cells: usize,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    cells: Vec<ChangedResult>,
    #[serde(skip_serializing_if = "is_zero", default)]
    new_error_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    new_errors: Vec<NewError>,
    /// Formulas that were not computed; they keep their values.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    not_computed: Vec<NotComputed>,
    /// Cells that stay older than their inputs.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    stale: Vec<String>,
    /// Other workbooks, read from copies in the file.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    copies_of: Vec<String>,
    /// Functions that no engine is known to compute exactly as Excel does, and how many cells use them.
    #[serde(skip_serializing_if = "Option::is_none")]
    unverified: Option<Unverified>,
    /// Of engine verify: {engines, agree, differ, cells}.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    verified: Option<Disagreements>,
    /// Of what_if: {targets, base, rows}, a row of targets for each set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    what_if: Option<WhatIf>,
    /// Whether the engine had the fork loaded already.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    incremental: bool,
    milliseconds: u64,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ChangedResult {
    cell: String,
    old: Value,
    new: Value,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct NewError {
    cell: String,
    error: String,
    /// Where it comes from, if from another cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct NotComputed {
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    cells: usize,
    first: String,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Unverified {
    functions: Vec<String>,
    cells: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Tool for Recalculate {
    const NAME: &'static str = "recalculate";
    const TITLE: &'static str = "Recalculate";
    const DESCRIPTION: &'static str = "Computes the formulas of a fork by the engine that reproduces Excel for them: \
        changed results, new errors with their causes, what stays stale. what_if tells targets for \
        sets of inputs without changing the fork; engine verify compares the engines.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let how = "results are written to forks: call create_fork with it, and recalculate the fork";
        let id = ForkReference::to_write(&params.workbook, how)?;
        let replayed = call.replayed(&id, None)?;
        let opened = Opened::from(&replayed);
        let targets = targets(call, &opened, &params)?;
        if let Some(sets) = &params.what_if {
            let what_if =
                WhatIf::evaluated(call, &replayed.live, params.engine, &params.targets, &targets, sets)?;
            return Ok(Answer {
                fork: id.to_string(),
                head: replayed.live.seq.get(),
                engine: what_if.engine.clone(),
                milliseconds: what_if.milliseconds,
                what_if: Some(what_if),
                ..Answer::default()
            });
        }
        if params.engine == EngineParam::Verify {
            let verified = verify_engines(call, &replayed.live)?;
            return Ok(Answer {
                fork: id.to_string(),
                head: replayed.live.seq.get(),
                engine: "verify".to_owned(),
                formulas: verified.formulas,
                milliseconds: verified.milliseconds,
                verified: Some(verified),
                ..Answer::default()
            });
        }
        let key: Option<IdempotencyKey> =
            params.idempotency_key.as_deref().map(str::parse).transpose().map_err(|error: InvalidName| {
                ToolError::new(ErrorCode::InvalidArgument, error.to_string()).at("idempotency_key")
            })?;
        let scope = if targets.is_empty() { Scope::Workbook } else { Scope::Targets(targets) };
        recalculated(call, &id, params.engine, &scope, params.expected_head.map(Seq::new), key)
    }
}

/// Computes a fork, and writes the results to its log.
///
/// # Errors
/// When it can't be computed, or is at another state than the caller believes.
pub(super) fn recalculated(
    call: &Call,
    id: &::forks::ForkId,
    engine: EngineParam,
    scope: &Scope,
    expected: Option<Seq>,
    key: Option<IdempotencyKey>,
) -> Result<Answer, ToolError> {
    let asked = json!(["recalculate", id.to_string(), engine, format!("{scope:?}")]);
    let request = Request { edits: Vec::new(), expected, key, applies: None, asked: &asked };
    let report: Mutex<Option<Answer>> = Mutex::new(None);
    let make = |live: &Live| {
        let computation = call.computed(id, live, engine, scope)?;
        let loaded = Loaded::of(&live.draft, &live.book, call)?;
        let edit = computation.edit(loaded.source(), live.draft.is_stale());
        let answer = Answer::of(call, &computation, loaded.source())?;
        *report.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        edit.map(|edit| call.work_out(&live.draft, &[edit])).transpose()
    };
    let told = |edited: &Edited, seq: Seq| {
        let mut answer = report.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        let after = Live { seq, ..edited.after.clone() };
        call.engine_follows(id, &edited.before, &after);
        // Causes and what stays old are those of the workbook with its results.
        if let Err(error) = answer.complete(call, &after) {
            tracing::debug!(code = error.code.as_str(), "the answer could not be completed");
        }
        answer.fork = id.to_string();
        answer.head = seq.get();
        json!(answer)
    };
    serde_json::from_value(call.apply_made(id, &request, &make, &told)?).map_err(|error| {
        ToolError::new(ErrorCode::Internal, format!("the kept answer can't be read: {error}"))
    })
}

/// The cells that are asked for; none for all.
fn targets(call: &Call, opened: &Opened, params: &Params) -> Result<Vec<Area>, ToolError> {
    let mut areas = Vec::new();
    for address in params.targets.iter().flatten() {
        areas.extend(opened.locate(call, address, None)?.areas);
    }
    for name in params.sheets.iter().flatten() {
        let Some(sheet) = opened.optional_sheet_id(Some(name))? else { continue };
        areas.push(Area { sheet, range: grid::CellRange::ALL });
    }
    Ok(areas)
}

impl Answer {
    fn of(call: &Call, computation: &Computation, source: Source<'_>) -> Result<Answer, ToolError> {
        let address = |sheet: workbook::SheetId, at: grid::CellRef| {
            format!("{}!{at}", grid::quote(&source.book.tab(sheet).name))
        };
        let changes = &computation.collected.changes;
        let told = changes.iter().take(TOLD_CELLS).map(|change| {
            let old = source.sheets[change.sheet.0 as usize].cell(change.at);
            let new = Cell { value: change.new.value(), ..old };
            ChangedResult {
                cell: address(change.sheet, change.at),
                old: cell_json(source.book, old),
                new: cell_json(source.book, new),
            }
        });
        let (cells, _) = Room::of(call).fill_half(told.collect());
        let new_errors: Vec<_> = computation.new_errors(source.sheets).collect();
        let errors = new_errors.iter().take(TOLD_ERRORS).map(|change| NewError {
            cell: address(change.sheet, change.at),
            error: match change.new.value() {
                grid::Value::Error(error) => error.to_string(),
                _ => String::new(),
            },
            cause: None,
        });
        let not_computed = computation.refusals().into_iter().map(|((why, function), refused)| NotComputed {
            why: reason(why).to_owned(),
            function: function.map(String::from),
            cells: refused.len(),
            first: refused.first().map(|first| address(first.sheet, first.at)).unwrap_or_default(),
        });
        let unverified = (!computation.unverified.is_empty()).then(|| Unverified {
            functions: computation.unverified.iter().map(ToString::to_string).collect(),
            cells: computation.unverified_cells(source),
        });
        Ok(Answer {
            engine: computation.engine.to_owned(),
            formulas: computation.collected.formulas,
            changed_cells: changes.len(),
            cells,
            new_error_count: new_errors.len(),
            new_errors: errors.collect(),
            not_computed: not_computed.collect(),
            copies_of: copies_of(source),
            unverified: unverified.filter(|unverified| unverified.cells > 0),
            incremental: computation.was_warm,
            milliseconds: computation.took.as_millis() as u64,
            ..Answer::default()
        })
    }

    /// What only the workbook with its results tells.
    fn complete(&mut self, call: &Call, live: &Live) -> Result<(), ToolError> {
        let book = &live.book.workbook;
        for error in &mut self.new_errors {
            let Some((name, at)) = error.cell.rsplit_once('!') else { continue };
            let name = name.trim_matches('\'').replace("''", "'");
            let (Some(id), Ok(at)) = (book.sheet_id(&name), at.parse()) else { continue };
            error.cause = error_cell(book, id, at, call)?.cause;
        }
        let stale = live.book.stale(call)?;
        self.stale = stale
            .areas()
            .take(TOLD_ERRORS)
            .map(|area| format!("{}!{}", grid::quote(&book.tab(area.sheet).name), area.range))
            .collect();
        Ok(())
    }
}

/// The other workbooks that formulas read, where the file keeps copies of their cells.
fn copies_of(source: Source<'_>) -> Vec<String> {
    let links = source.book.external_links.iter().filter(|link| !link.part.is_empty());
    let reads = |text: &str| formula::reads_other_book(text);
    let names = || source.book.names.iter().any(|name| reads(&name.refers_to));
    let formulas =
        || source.sheets.iter().any(|sheet| sheet.formulas().iter().any(|(_, formula)| reads(&formula.text)));
    match links.clone().next().is_some() && (formulas() || names()) {
        true => links.map(|link| link.target.clone()).collect(),
        false => Vec::new(),
    }
}

fn reason(why: Refusal) -> &'static str {
    match why {
        Refusal::UnknownFunction => "the engine does not know the function",
        Refusal::Syntax => "the engine does not understand the formula",
        Refusal::Outside => "it reads another workbook, the network or a program, which is never done",
        Refusal::Unsupported => "the engine does not compute formulas of this kind",
        Refusal::Circular => "it leads back to itself, and the workbook does not ask for iterations",
    }
}
