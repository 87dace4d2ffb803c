//! `edit_cells`, `edit_format`, `edit_structure`: batches of typed edits of a fork, all or nothing.

use ::forks::{IdempotencyKey, InvalidName, Seq, Staged, StagedId, StagedSummary, Store};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use workbook::edit::Edit;

use crate::{
    arguments::parse_arguments,
    call::Call,
    changed_cells::{ChangedCell, changed_cells},
    error::{ErrorCode, ToolError},
    forks::{Edited, Request, edits, new_id, now, store_error},
    open::ForkReference,
    room::Room,
    tool::Tool,
};

/// Changed cells that an answer tells at most.
const TOLD_CELLS: usize = 100;

/// Edits cells.
#[derive(Debug)]
pub(super) struct EditCells;
/// Edits formats, layout and rules.
#[derive(Debug)]
pub(super) struct EditFormat;
/// Edits rows, columns, sheets and names.
#[derive(Debug)]
pub(super) struct EditStructure;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Fork id.
    workbook: String,
    /// In order, all or none.
    #[serde(default)]
    ops: Vec<Op>,
    /// Tell what would change.
    #[serde(default)]
    preview: bool,
    /// Keep the preview for `apply`.
    #[serde(default)]
    stage: bool,
    /// Staged edits to apply, instead of ops.
    apply: Option<String>,
    /// Refuse another head.
    expected_head: Option<u64>,
    /// The same key is done once.
    idempotency_key: Option<String>,
}

/// One edit as it comes: what is wrong with it is told with its position.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
struct Op(Value);

impl JsonSchema for Op {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Op".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "properties": { "op": { "type": "string" } }, "required": ["op"] })
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Answer {
    fork: String,
    /// The state now: pass it as expected_head.
    head: u64,
    /// Edits applied, or that would be.
    applied: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    preview: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    staged: Option<String>,
    /// Cells that differ now, apart from moving with their rows and columns.
    changed_cells: usize,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    cells: Vec<ChangedCell>,
    /// Results of formulas may be older than their inputs.
    stale: bool,
}

macro_rules! edit_tool {
    ($tool:ident, $name:literal, $title:literal, $description:expr) => {
        impl Tool for $tool {
            const NAME: &'static str = $name;
            const TITLE: &'static str = $title;
            const DESCRIPTION: &'static str = $description;
            type Params = Params;
            type Answer = Answer;

            fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
                run(call, params, Self::NAME)
            }
        }
    };
}

edit_tool!(
    EditCells,
    "edit_cells",
    "Edit cells",
    "Edits cells of a fork. ops: set {range, values: [[…]], parse?} (values: 1, \"007\" text, true, null clears, \"=A1*2\" or \
     {f}, {date: \"2026-01-31\"}, {text}, {error}, {runs: [{text, font?}]}; one value fills the range; parse reads texts as typed), clear {range, what?: \
     [values, formulas, formats, comments, all]}, fill {range, from?, kind?: series|copy}, replace {range, find, with, regex?, match_case?, \
     whole?, formulas?}, copy {range, to, what?: all|values|formulas|formats}, move {range, to}, paste {range, csv, delimiter?, \
     as_text?}, sort {range, by: [{column, descending?}]}, append {range: a table's name or header and data, rows: [[…]] or \
     [{header: value}], footer_rows?} (formats and formulas go on, totals stay below), comment {cell, text, author?}, \
     delete_comment {range}. Ranges: Data!B2:C9, a name, Table[Column]. \
     ops of the other edit tools may be mixed in."
);
edit_tool!(
    EditFormat,
    "edit_format",
    "Edit formats",
    "Edits looks and rules of a fork. ops: style {range, format: {number_format, font: {name, size, bold, italic, strike, \
     underline, color}, fill: {color, pattern}, border: {all|outline|inside|left|right|top|bottom: {style, color}}, alignment: \
     {horizontal, vertical, wrap_text, indent, rotation, shrink_to_fit}, protection: {locked, hidden}}} (what is not given \
     stays; colors #RRGGBB or theme:4:-0.25), column_width {range, width: characters|auto}, row_height {range, height: \
     points|auto}, hide|show {range: whole rows or columns}, group|ungroup {range, level?}, freeze {sheet, rows?, columns?}, \
     page_setup {sheet, orientation?, paper_size?, scale?, fit_to_width?, fit_to_height?, margins?, header|footer?: {left, center, \
     right}, center_horizontally?, gridlines?}, print_area {range} ({sheet} clears), print_titles {sheet, rows?, columns?}, \
     conditional_format {range, rule: {type: cell_is {operator?, values}|expression {formula}|contains_text|begins_with {text}|\
     blanks|errors|duplicate|unique|top {rank}|average {below?}|color_scale {colors}|data_bar {color}|icon_set {icons}}, format?, \
     priority?}, clear_conditional_formats {range}, validation {range, type: list|whole|decimal|date|time|text_length|custom, \
     operator?: between|equal|greater_than|less_or_equal|…, values?, source?, error?, prompt?}, clear_validations {range}."
);
edit_tool!(
    EditStructure,
    "edit_structure",
    "Edit structure",
    "Edits the structure of a fork; every reference follows. ops: insert_rows|delete_rows {range: \"Data!5:7\"}, \
     insert_columns|delete_columns {range: \"Data!B:C\"}, insert_cells {range, shift: down|right}, delete_cells {range, shift: up|left}, add_sheet {name, position?}, rename_sheet {sheet, name}, move_sheet \
     {sheet, position}, copy_sheet {sheet, name, position?}, delete_sheet {sheet}, sheet_visibility {sheet, visibility: \
     visible|hidden|very_hidden}, merge {range, across?, discard?}, unmerge {range}, auto_filter {range} ({sheet} removes it), \
     define_name {name, refers_to, sheet?, comment?}, delete_name {name, sheet?}, hyperlink {range, url or place, tooltip?, text?}, \
     clear_hyperlinks {range}, create_table {range, name, style?, has_headers?}, resize_table {table, range}, rename_table \
     {table, name}, rename_table_column {table, column, name}, delete_table {table}, create_chart {sheet, kind: \
     line|bar|column|pie|scatter|area, data: range with headers (or series: [{values, categories?, name?}]), anchor: \
     \"E2:L20\", title?, x_title?, y_title?, name?}, retarget_chart {chart, sheet?, data or series}, place_image {sheet, anchor, \
     data: Base64 of a PNG, JPEG or GIF, alt_text?, name?}, delete_object {name, sheet?}."
);

fn run(call: &Call, params: Params, tool: &'static str) -> Result<Answer, ToolError> {
    let asked =
        json!([tool, params.workbook, params.ops.iter().map(|op| &op.0).collect::<Vec<_>>(), params.apply]);
    let how = "workbooks are edited in forks: call create_fork with it, and edit the fork";
    let id = ForkReference::to_write(&params.workbook, how)?;
    let wrong = |argument: &'static str| {
        move |error: InvalidName| ToolError::new(ErrorCode::InvalidArgument, error.to_string()).at(argument)
    };
    let applies: Option<StagedId> =
        params.apply.as_deref().map(str::parse).transpose().map_err(wrong("apply"))?;
    let key: Option<IdempotencyKey> =
        params.idempotency_key.as_deref().map(str::parse).transpose().map_err(wrong("idempotency_key"))?;
    let ops = match &applies {
        Some(staged) if params.ops.is_empty() => staged_ops(call, &id, staged)?,
        Some(_) => {
            return Err(ToolError::new(ErrorCode::InvalidArgument, "both ops and apply are given")
                .at("apply")
                .hint("apply staged edits, or give ops"));
        }
        None => parsed(&params.ops)?,
    };
    if params.preview || params.stage {
        let (fork, edited) = call.preview(&id, &ops)?;
        let staged = match params.stage {
            true => Some(stage(call, &id, &edited)?),
            false => None,
        };
        let mut answer = answer_of(call, &id, &edited, fork.head);
        answer.preview = true;
        answer.staged = staged;
        return Ok(answer);
    }
    let request =
        Request { edits: ops, expected: params.expected_head.map(Seq::new), key, applies, asked: &asked };
    let told = |edited: &Edited, seq: Seq| json!(answer_of(call, &id, edited, seq));
    serde_json::from_value(call.apply(&id, &request, &told)?).map_err(|error| {
        ToolError::new(ErrorCode::Internal, format!("the kept answer can't be read: {error}"))
    })
}

/// The edits, or what is wrong with the first that is none.
fn parsed(ops: &[Op]) -> Result<Vec<Edit>, ToolError> {
    if ops.is_empty() {
        return Err(ToolError::new(ErrorCode::InvalidArgument, "no ops are given")
            .at("ops")
            .hint("give for example [{\"op\": \"set\", \"range\": \"Data!B2\", \"values\": [[42]]}]"));
    }
    let parse = |(index, op): (usize, &Op)| {
        let object: Map<String, Value> = op.0.as_object().cloned().unwrap_or_default();
        let edit = parse_arguments::<Edit>(object);
        let edit = edit.and_then(|edit| match edit.is_for_callers() {
            true => Ok(edit),
            false => Err(ToolError::new(ErrorCode::InvalidArgument, "results are computed, not written")
                .at("op")
                .hint("call recalculate")),
        });
        edit.map_err(|error| {
            let location = match error.location.as_deref() {
                Some("arguments") | None => format!("ops[{index}]"),
                Some(inner) => format!("ops[{index}].{inner}"),
            };
            ToolError { location: Some(location), ..error }
        })
    };
    ops.iter().enumerate().map(parse).collect()
}

fn staged_ops(call: &Call, id: &::forks::ForkId, staged: &StagedId) -> Result<Vec<Edit>, ToolError> {
    call.fork(id)?;
    let state = call.forks().open()?;
    let staged = state.store.staged(id, staged).map_err(store_error)?;
    edits::ops_of(&staged.payload)
}

fn stage(call: &Call, id: &::forks::ForkId, edited: &Edited) -> Result<String, ToolError> {
    let staged_id: StagedId = new_id("staged-")
        .parse()
        .map_err(|error: InvalidName| ToolError::new(ErrorCode::Internal, error.to_string()))?;
    let summary = StagedSummary {
        id: staged_id.clone(),
        seq: edited.before.seq,
        summary: edits::summary(&edited.edits),
        created: now(),
    };
    let staged = Staged { summary, payload: edits::payload(&edited.edits)? };
    call.check_state(staged.payload.len() as u64)?;
    call.forks().open()?.store.stage(id, &staged).map_err(store_error)?;
    Ok(staged_id.to_string())
}

fn answer_of(call: &Call, id: &::forks::ForkId, edited: &Edited, head: Seq) -> Answer {
    let changes = changed_cells(&edited.before.draft, &edited.after.draft, TOLD_CELLS);
    let (cells, _) = Room::of(call).fill_half(changes.cells);
    Answer {
        fork: id.to_string(),
        head: head.get(),
        applied: edited.edits.len(),
        preview: false,
        staged: None,
        changed_cells: changes.count,
        cells,
        stale: edited.after.draft.is_stale(),
    }
}
