//! Traces: what some cells are computed from, and what is computed from them.
//!
//! A range that a formula reads stays one node; dependents of one pattern are one node. So the answer follows the
//! formulas as their author wrote them, and stays small where 10,000 cells do the same.

use std::collections::HashMap;
use std::sync::Arc;

use grid::{CellRange, Value};
use serde::Serialize;

use crate::formulas::cycles::{Cell, cycles};
use crate::formulas::index::{DependencyIndex, Link, Read};
use crate::formulas::sources::{Leaf, LeafKind};
use crate::formulas::{Area, Cancel, Cancelled, Listed, Places};

/// Characters of a text that a node shows.
const MAX_TEXT: usize = 200;
/// Circular references that a trace tells.
const MAX_CYCLES: usize = 5;
/// Cells of one circular reference that a trace names.
const MAX_CYCLE_CELLS: usize = 20;
/// Blocks that the search for circular references looks at, about 0.1 s of work.
const MAX_CYCLE_STEPS: u64 = 100_000;

/// Which way a trace goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TraceDirection {
    /// To what the cells are computed from.
    Precedents,
    /// To what is computed from the cells.
    Dependents,
    /// Both ways.
    Both,
}

/// How far a trace goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceOptions {
    /// Which way.
    pub direction: TraceDirection,
    /// Steps away from the targets.
    pub depth: u32,
    /// Nodes at most.
    pub max_nodes: usize,
    /// Edges at most.
    pub max_edges: usize,
}

impl Default for TraceOptions {
    fn default() -> TraceOptions {
        TraceOptions { direction: TraceDirection::Precedents, depth: 3, max_nodes: 100, max_edges: 400 }
    }
}

/// A part of the graph of dependencies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// The targets, then what was found from them, nearest first.
    pub nodes: Vec<TraceNode>,
    /// Who reads whom.
    pub edges: Vec<TraceEdge>,
    /// Circular references among what the targets are computed from.
    pub cycles: Listed<TraceCycle>,
    /// Whether the search for circular references ended before it had seen everything.
    #[serde(skip_serializing_if = "is_false")]
    pub cycles_partial: bool,
    /// What the limits left out; `None` if the trace is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncation>,
}

/// What the limits left out of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Truncation {
    /// Nodes at the last step that have neighbours further away.
    pub beyond_depth: u64,
    /// Links to nodes that found no room, from nodes that are there.
    pub beyond_max_nodes: u64,
    /// Edges that found no room.
    pub beyond_max_edges: u64,
}

/// A place in a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceNode {
    /// Its number, which edges use: its position in the list.
    pub id: u32,
    /// The place: `Sheet!A1`, `Sheet!B2:B500`, `[Book.xlsx]Sheet1!A1`, or a name.
    pub at: String,
    /// The same as a place, where it has cells.
    #[serde(skip)]
    pub area: Option<Area>,
    /// What it is.
    pub kind: NodeKind,
    /// Why it is in the trace.
    pub role: TraceRole,
    /// Steps away from the targets.
    pub depth: u32,
    /// Number of cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells: Option<u64>,
    /// Number of cells among them that have a formula.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formulas: Option<u64>,
    /// The formula of the cell, or of the first one where all cells share one pattern; what a name stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// The value of a single cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<TraceValue>,
    /// Whether `INDIRECT` or `OFFSET` reads more than the trace can tell.
    #[serde(skip_serializing_if = "is_false")]
    pub dynamic: bool,
    /// Whether its cells read each other, as in a running balance.
    #[serde(skip_serializing_if = "is_false")]
    pub chained: bool,
    /// Whether it is part of a circular reference.
    #[serde(skip_serializing_if = "is_false")]
    pub in_cycle: bool,
    /// Whether a limit kept neighbours of it out.
    #[serde(skip_serializing_if = "is_false")]
    pub more: bool,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// One cell.
    Cell,
    /// Several cells.
    Range,
    /// Something in another workbook; not fetched.
    External,
    /// Something deleted.
    Lost,
    /// Something that the workbook has no name for.
    Unknown,
    /// A name that stands for a constant.
    Name,
}

/// Why a node is in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum TraceRole {
    Target,
    Precedent,
    Dependent,
}

/// A value as a node shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the variants are their types")]
pub enum TraceValue {
    Number(f64),
    /// A text, cut after 200 characters, or an error's.
    Text(String),
    Bool(bool),
}

/// One node reads another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceEdge {
    /// The node that is read.
    pub from: u32,
    /// The node that reads it.
    pub to: u32,
    /// The name, table or structured reference that the formula uses for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}

/// A circular reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceCycle {
    /// Each cell reads the next, and the last one the first.
    pub cells: Listed<String>,
}

/// Traces from `targets` as far as the options allow.
pub fn trace(
    places: &Places<'_>,
    index: &DependencyIndex,
    targets: &[Area],
    options: &TraceOptions,
    cancel: Cancel<'_>,
) -> Result<Trace, Cancelled> {
    let mut tracer = Tracer {
        places,
        index,
        options,
        cancel,
        numbers: HashMap::new(),
        edges: HashMap::new(),
        trace: Trace {
            nodes: Vec::new(),
            edges: Vec::new(),
            cycles: Listed::default(),
            cycles_partial: false,
            truncated: None,
        },
        left_out: Truncation::default(),
    };
    for target in targets {
        tracer.node(Read::Area(*target), TraceRole::Target, 0);
    }
    let roots = tracer.trace.nodes.len();
    if matches!(options.direction, TraceDirection::Precedents | TraceDirection::Both) {
        tracer.follow(TraceRole::Precedent, roots)?;
    }
    if matches!(options.direction, TraceDirection::Dependents | TraceDirection::Both) {
        tracer.follow(TraceRole::Dependent, roots)?;
    }
    tracer.cycles(targets)?;
    let mut trace = tracer.trace;
    trace.truncated = (tracer.left_out != Truncation::default()).then_some(tracer.left_out);
    Ok(trace)
}

struct Tracer<'p, 'w> {
    places: &'p Places<'w>,
    index: &'p DependencyIndex,
    options: &'p TraceOptions,
    cancel: Cancel<'p>,
    numbers: HashMap<Read, u32>,
    edges: HashMap<(u32, u32, Option<Arc<str>>), ()>,
    trace: Trace,
    left_out: Truncation,
}

impl Tracer<'_, '_> {
    /// Follows one direction from the first `roots` nodes, breadth first.
    fn follow(&mut self, role: TraceRole, roots: usize) -> Result<(), Cancelled> {
        let mut level: Vec<u32> = (0..roots as u32).collect();
        let mut followed: Vec<bool> = Vec::new();
        for depth in 0..=self.options.depth {
            let mut next = Vec::new();
            for number in level {
                if (self.cancel)() {
                    return Err(Cancelled);
                }
                followed.resize(self.trace.nodes.len().max(followed.len()), false);
                if std::mem::replace(&mut followed[number as usize], true) {
                    continue;
                }
                let Some(area) = self.trace.nodes[number as usize].area else { continue };
                if depth == self.options.depth {
                    self.stop_at(number, area, role);
                } else {
                    next.extend(self.expand(number, area, role, depth + 1));
                }
            }
            level = next;
        }
        Ok(())
    }

    /// Notes whether a node that is not followed has neighbours.
    fn stop_at(&mut self, number: u32, area: Area, role: TraceRole) {
        let goes_on = match role {
            TraceRole::Dependent => self.index.has_dependents(area),
            TraceRole::Precedent | TraceRole::Target => self.index.has_precedents(area),
        };
        if goes_on {
            self.left_out.beyond_depth += 1;
            self.trace.nodes[number as usize].more = true;
        }
    }

    /// Adds the neighbours of a node and returns those to follow.
    fn expand(&mut self, number: u32, area: Area, role: TraceRole, depth: u32) -> Vec<u32> {
        let links = match role {
            TraceRole::Dependent => self.index.dependents(area),
            TraceRole::Precedent | TraceRole::Target => self.index.precedents(area),
        };
        let mut found = Vec::new();
        for Link { to, via } in links {
            let parts = match &to {
                Read::Area(other) if !area.range.is_single() && other.sheet == area.sheet => {
                    if other.range.intersect(area.range).is_some() {
                        self.trace.nodes[number as usize].chained = true;
                    }
                    let rest = without(other.range, area.range).into_iter();
                    rest.map(|range| Read::Area(Area { sheet: other.sheet, range })).collect()
                }
                _ => vec![to],
            };
            for part in parts {
                let Some(neighbour) = self.node(part, role, depth) else {
                    self.left_out.beyond_max_nodes += 1;
                    self.trace.nodes[number as usize].more = true;
                    continue;
                };
                let (from, to) =
                    if role == TraceRole::Dependent { (number, neighbour) } else { (neighbour, number) };
                self.edge(from, to, via.clone());
                found.push(neighbour);
            }
        }
        found
    }

    fn edge(&mut self, from: u32, to: u32, via: Option<Arc<str>>) {
        if self.edges.contains_key(&(from, to, via.clone())) {
            return;
        }
        if self.trace.edges.len() >= self.options.max_edges {
            self.left_out.beyond_max_edges += 1;
            return;
        }
        self.trace.edges.push(TraceEdge { from, to, via: via.as_deref().map(str::to_owned) });
        self.edges.insert((from, to, via), ());
    }

    /// The number of a node, made now if it is new; `None` if there is no room for it.
    fn node(&mut self, what: Read, role: TraceRole, depth: u32) -> Option<u32> {
        if let Some(number) = self.numbers.get(&what) {
            return Some(*number);
        }
        let id = self.trace.nodes.len() as u32;
        if role != TraceRole::Target && self.trace.nodes.len() >= self.options.max_nodes {
            return None;
        }
        let node = match &what {
            Read::Area(area) => self.area_node(id, *area, role, depth),
            Read::Leaf(leaf) => leaf_node(id, leaf, role, depth),
        };
        self.trace.nodes.push(node);
        self.numbers.insert(what, id);
        Some(id)
    }

    fn area_node(&self, id: u32, area: Area, role: TraceRole, depth: u32) -> TraceNode {
        let blocks = self.index.blocks_in(area);
        let parts = || blocks.iter().filter_map(|block| Some((block, block.range.intersect(area.range)?)));
        let formulas = parts().map(|(block, part)| if block.is_array { 1 } else { part.area() }).sum::<u64>();
        let shared = match blocks.as_slice() {
            [block] if block.range.contains_range(area.range) => {
                self.places.formula(area.sheet, block.representative(area.range.start()))
            }
            _ => None,
        };
        let is_single = area.range.is_single();
        TraceNode {
            id,
            at: self.places.address(area),
            area: Some(area),
            kind: if is_single { NodeKind::Cell } else { NodeKind::Range },
            role,
            depth,
            cells: (!is_single).then(|| area.range.area()),
            formulas: (!is_single).then_some(formulas),
            formula: shared,
            value: is_single.then(|| self.value(area)).flatten(),
            dynamic: blocks.iter().any(|block| block.is_dynamic),
            chained: false,
            in_cycle: false,
            more: false,
        }
    }

    fn value(&self, area: Area) -> Option<TraceValue> {
        match self.places.sheet(area.sheet).cell(area.range.start()).value {
            Value::Empty => None,
            Value::Number(number) => Some(TraceValue::Number(number)),
            Value::Bool(value) => Some(TraceValue::Bool(value)),
            Value::Error(error) => Some(TraceValue::Text(error.to_string())),
            Value::Text(text) => Some(TraceValue::Text(match text.char_indices().nth(MAX_TEXT) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text.to_owned(),
            })),
        }
    }

    fn cycles(&mut self, targets: &[Area]) -> Result<(), Cancelled> {
        let cycles = cycles(self.index, targets, MAX_CYCLES, MAX_CYCLE_STEPS, self.cancel)?;
        self.trace.cycles_partial = cycles.is_partial;
        for circle in &cycles.found {
            for (sheet, at) in circle {
                let cell = Read::Area(Area { sheet: *sheet, range: CellRange::cell(*at) });
                if let Some(number) = self.numbers.get(&cell) {
                    self.trace.nodes[*number as usize].in_cycle = true;
                }
            }
            let mut cells = Listed::default();
            for cell in circle {
                cells.push_up_to(MAX_CYCLE_CELLS, || self.cell_address(*cell));
            }
            self.trace.cycles.push_up_to(MAX_CYCLES, || TraceCycle { cells });
        }
        Ok(())
    }

    fn cell_address(&self, (sheet, at): Cell) -> String {
        self.places.address(Area { sheet, range: CellRange::cell(at) })
    }
}

fn leaf_node(id: u32, leaf: &Leaf, role: TraceRole, depth: u32) -> TraceNode {
    TraceNode {
        id,
        at: leaf.label.to_string(),
        area: None,
        kind: match leaf.kind {
            LeafKind::External => NodeKind::External,
            LeafKind::Lost => NodeKind::Lost,
            LeafKind::Unknown => NodeKind::Unknown,
            LeafKind::Name => NodeKind::Name,
        },
        role,
        depth,
        cells: None,
        formulas: None,
        formula: leaf.refers_to.as_deref().map(str::to_owned),
        value: None,
        dynamic: false,
        chained: false,
        in_cycle: false,
        more: false,
    }
}

/// What of `range` lies outside of `hole`: up to four rectangles, all of it if they do not meet.
fn without(range: CellRange, hole: CellRange) -> Vec<CellRange> {
    let Some(shared) = range.intersect(hole) else { return vec![range] };
    let (start, end) = (range.start(), range.end());
    let (first, last) = (shared.start(), shared.end());
    let part = |from: (u32, u32), to: (u32, u32)| CellRange::from_bounds(from.0, from.1, to.0, to.1);
    let above = first.row().checked_sub(1).and_then(|row| part((start.row(), start.col()), (row, end.col())));
    let left = first.col().checked_sub(1).and_then(|col| part((first.row(), start.col()), (last.row(), col)));
    let right = part((first.row(), last.col() + 1), (last.row(), end.col()));
    let below = part((last.row() + 1, start.col()), (end.row(), end.col()));
    [above, left, right, below].into_iter().flatten().collect()
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_remains_around_a_hole() {
        for (range, hole, rest) in [
            ("A1:C9", "B2:B3", "A1:C1 A2:A3 C2:C3 A4:C9"),
            ("A1:A9", "A2:A99", "A1"),
            ("A1:A9", "B1:B9", "A1:A9"),
            ("A1:A9", "A1:A9", ""),
            ("B:B", "B5", "B1:B4 B6:B1048576"),
        ] {
            let found = without(range.parse().unwrap(), hole.parse().unwrap());
            let found: Vec<String> = found.iter().map(CellRange::to_string).collect();
            assert_eq!(found.join(" "), rest, "{range} without {hole}");
        }
    }
}
