//! `formula_trace`: what cells are computed from, and what is computed from them.

use std::collections::HashMap;

use analysis::formulas::{
    Area, NodeKind, Places, Trace, TraceDirection, TraceNode, TraceOptions, TraceRole, TraceValue, trace,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use workbook::Workbook;

use crate::{
    call::Call,
    cell_json::cell_json,
    error::{ErrorCode, ToolError},
    room::Room,
    tool::Tool,
};

/// Nodes unless asked otherwise.
const DEFAULT_LIMIT: usize = 100;
/// Steps unless asked otherwise.
const DEFAULT_DEPTH: u32 = 3;
/// Edges for each node that may be told.
const EDGES_PER_NODE: usize = 4;

/// Traces formulas.
#[derive(Debug)]
pub(super) struct FormulaTrace;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    workbook: String,
    /// Cells to start from.
    range: String,
    /// Which way (precedents).
    direction: Option<Direction>,
    /// Steps (3).
    depth: Option<u32>,
    /// Nodes (100).
    limit: Option<usize>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Precedents,
    Dependents,
    Both,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// The nearest first.
    nodes: Vec<Node>,
    /// Cells told here whose results are older than their inputs: recalculate.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    stale: Vec<String>,
    /// Circular references: each cell reads the next, and the last one the first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    cycles: Vec<Vec<String>>,
    /// Whether there may be further circular references.
    #[serde(skip_serializing_if = "is_false", default)]
    more_cycles: bool,
    /// Counts of what is beyond depth and limits.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty", default)]
    left_out: serde_json::Map<String, Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Node {
    at: String,
    role: TraceRoleName,
    depth: u32,
    /// What it is if not cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// Of a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    cells: Option<u64>,
    /// Cells of a range that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    formulas: Option<u64>,
    /// Of the first cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    formula: Option<String>,
    /// Of a single cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    /// Nodes, with the name that the formula uses for them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    reads: Vec<String>,
    #[serde(skip_serializing_if = "is_zero", default)]
    reads_left_out: usize,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    flags: Vec<&'static str>,
}

/// Why a node is there.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum TraceRoleName {
    Target,
    Precedent,
    Dependent,
}

impl Tool for FormulaTrace {
    const NAME: &'static str = "formula_trace";
    const TITLE: &'static str = "Trace formulas";
    const DESCRIPTION: &'static str = "What cells are computed from, or what depends on them, step by step through sheets, names and tables.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        if params.depth == Some(0) || params.limit == Some(0) {
            return Err(ToolError::new(ErrorCode::InvalidArgument, "depth and limit start at 1")
                .hint("leave them out for 3 steps and 100 nodes"));
        }
        let opened = call.open(&params.workbook)?;
        let targets = opened.locate(call, &params.range, None)?.areas;
        let max_nodes = params.limit.unwrap_or(DEFAULT_LIMIT).min(call.config().limits.max_items);
        let options = TraceOptions {
            direction: match params.direction.unwrap_or(Direction::Precedents) {
                Direction::Precedents => TraceDirection::Precedents,
                Direction::Dependents => TraceDirection::Dependents,
                Direction::Both => TraceDirection::Both,
            },
            // Nothing is further away than there may be nodes.
            depth: params.depth.unwrap_or(DEFAULT_DEPTH).min(max_nodes as u32),
            max_nodes,
            max_edges: max_nodes * EDGES_PER_NODE,
        };
        let sheets = opened.book.sheets(call)?;
        let places = Places::new(&opened.book.workbook, &sheets);
        let index = opened.book.dependencies(&places, call)?;
        let trace = trace(&places, &index, &targets, &options, &|| call.is_stopped())?;
        let told: Vec<Area> = trace.nodes.iter().filter_map(|node| node.area).collect();
        let stale = opened.stale_within(call, &told)?;
        Ok(Answer { stale, ..Answer::of(&opened.book.workbook, &places, trace, Room::of(call)) })
    }
}

impl Answer {
    fn of(workbook: &Workbook, places: &Places<'_>, trace: Trace, mut room: Room) -> Answer {
        let found = trace.cycles.items.iter().map(|cycle| room.texts(cycle.cells.items.clone()).0).collect();
        let (cycles, untold_cycles) = room.fill_half(found);
        let more_cycles = trace.cycles_partial || trace.cycles.is_truncated() || untold_cycles > 0;

        let mut reads = reads(&trace);
        let left_out = trace.truncated.unwrap_or_default();
        let mut nodes = trace.nodes;
        nodes.sort_by_key(|node| node.depth);
        let nodes = nodes.into_iter().map(|node| {
            let reads = reads.remove(&node.id).unwrap_or_default();
            Node::of(workbook, places, node, reads, &room)
        });
        let (nodes, untold) = room.clone().fill(nodes.collect());
        let counts = [
            ("beyond_depth", left_out.beyond_depth),
            ("beyond_limit", left_out.beyond_max_nodes + left_out.beyond_max_edges + untold as u64),
        ];
        let counted = counts.into_iter().filter(|(_, count)| *count > 0);
        Answer {
            nodes,
            stale: Vec::new(),
            cycles,
            more_cycles,
            left_out: counted.map(|(what, count)| (what.to_owned(), json!(count))).collect(),
        }
    }
}

/// What each node reads: `Inputs!B8 as TaxRate`.
fn reads(trace: &Trace) -> HashMap<u32, Vec<String>> {
    let mut reads: HashMap<u32, Vec<String>> = HashMap::new();
    for edge in &trace.edges {
        let at = &trace.nodes[edge.from as usize].at;
        let read = match &edge.via {
            Some(name) => format!("{at} as {name}"),
            None => at.clone(),
        };
        reads.entry(edge.to).or_default().push(read);
    }
    reads
}

impl Node {
    fn of(
        workbook: &Workbook,
        places: &Places<'_>,
        node: TraceNode,
        reads: Vec<String>,
        room: &Room,
    ) -> Node {
        let value = match (&node.value, node.area) {
            (Some(TraceValue::Text(text)), _) => Some(json!(room.text(text.clone()))),
            (Some(_), Some(area)) => {
                Some(cell_json(workbook, places.sheet(area.sheet).cell(area.range.start())))
            }
            _ => None,
        };
        let (reads, reads_left_out) = room.texts(reads);
        let flags = [
            (node.more, "more"),
            (node.chained, "chained"),
            (node.in_cycle, "in_cycle"),
            (node.dynamic, "dynamic"),
        ];
        Node {
            at: room.text(node.at),
            role: match node.role {
                TraceRole::Target => TraceRoleName::Target,
                TraceRole::Precedent => TraceRoleName::Precedent,
                TraceRole::Dependent => TraceRoleName::Dependent,
            },
            depth: node.depth,
            kind: match node.kind {
                NodeKind::Cell | NodeKind::Range => None,
                NodeKind::External => Some("other workbook"),
                NodeKind::Lost => Some("lost"),
                NodeKind::Unknown => Some("unknown"),
                NodeKind::Name => Some("name"),
            },
            cells: node.cells,
            formulas: node.formulas.filter(|count| *count > 0),
            formula: node.formula.map(|formula| room.text(formula)),
            value,
            reads,
            reads_left_out,
            flags: flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect(),
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
