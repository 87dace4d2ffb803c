//! The formulas of a sheet as blocks: rectangles whose cells share one R1C1 form.

use std::collections::HashMap;

use formula::{PatternKey, pattern_key};
use grid::{CellRange, CellRef};
use workbook::{FormulaId, FormulaKind, Sheet};

use crate::formulas::{Cancel, Cancelled};

/// A formula that many cells share in R1C1 notation.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// A cell that has it.
    pub(crate) example: CellRef,
    pub(crate) formula: FormulaId,
    /// How it applies to the cells.
    pub(crate) flavor: Flavor,
    /// Cells with this formula; an array formula counts once.
    pub(crate) cells: u64,
}

/// What tells apart formulas with the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Flavor {
    Plain,
    /// An array formula or a data table over so many rows and columns.
    Array {
        rows: u32,
        cols: u32,
    },
}

impl Flavor {
    /// Whether one formula fills several cells; an array formula of one cell is like any other.
    pub(crate) const fn is_spread(self) -> bool {
        match self {
            Flavor::Plain => false,
            Flavor::Array { rows, cols } => rows > 1 || cols > 1,
        }
    }
}

/// Neighbours along a line (a column, or a row) that share a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) pattern: u32,
}

/// A rectangle whose cells share a pattern, or the cells that show an array formula's results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) range: CellRange,
    pub(crate) pattern: u32,
}

/// The formulas of one sheet.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pub(crate) patterns: Vec<Pattern>,
    /// By their top left cells, row by row.
    pub(crate) blocks: Vec<Block>,
    /// The columns that have formulas, left to right, with their runs from top to bottom; arrays over several cells
    /// are left out.
    pub(crate) columns: Vec<(u32, Vec<Run>)>,
}

impl Blocks {
    /// Collects the formulas of a sheet, in time linear in them but for the last sorting of blocks.
    pub(crate) fn collect(sheet: &Sheet, cancel: Cancel<'_>) -> Result<Blocks, Cancelled> {
        let mut collector =
            Collector { sheet, by_key: HashMap::new(), by_formula: Vec::new(), found: Blocks::default() };
        for (col, column) in sheet.columns() {
            if cancel() {
                return Err(Cancelled);
            }
            let mut runs: Vec<Run> = Vec::new();
            for (base, chunk) in column.chunks() {
                for (offset, id) in chunk.formulas() {
                    collector.add(&mut runs, CellRef::clamped(base + u32::from(*offset), col), *id);
                }
                if cancel() {
                    return Err(Cancelled);
                }
            }
            if !runs.is_empty() {
                collector.found.columns.push((col, runs));
            }
        }
        let mut found = collector.found;
        merge_columns(&found.columns, &mut found.blocks);
        found.blocks.sort_unstable_by_key(|block| (block.range, block.pattern));
        Ok(found)
    }

    /// The cells that show results of array formulas over several cells.
    pub(crate) fn arrays(&self) -> impl Iterator<Item = CellRange> + '_ {
        self.blocks
            .iter()
            .filter(|block| self.patterns[block.pattern as usize].flavor.is_spread())
            .map(|block| block.range)
    }
}

struct Collector<'a> {
    sheet: &'a Sheet,
    by_key: HashMap<(PatternKey, Flavor), u32>,
    /// The pattern of a shared group, known after its first cell; `u32::MAX` before.
    by_formula: Vec<u32>,
    found: Blocks,
}

impl Collector<'_> {
    fn add(&mut self, runs: &mut Vec<Run>, at: CellRef, id: FormulaId) {
        let formula = self.sheet.formulas().get(id);
        let flavor = match formula.kind {
            FormulaKind::Normal | FormulaKind::Shared { .. } => Flavor::Plain,
            FormulaKind::Array { range, .. } | FormulaKind::DataTable { range } => {
                Flavor::Array { rows: range.height(), cols: range.width() }
            }
        };
        let pattern = match formula.kind {
            FormulaKind::Shared { master } => self.shared_pattern(id, at, master),
            _ => self.pattern(pattern_key(&formula.text, at), flavor, at, id),
        };
        self.found.patterns[pattern as usize].cells += 1;
        if let FormulaKind::Array { range, .. } | FormulaKind::DataTable { range } = formula.kind
            && !range.is_single()
        {
            self.found.blocks.push(Block { range, pattern });
            return;
        }
        match runs.last_mut() {
            Some(run) if run.pattern == pattern && run.last + 1 == at.row() => run.last += 1,
            _ => runs.push(Run { first: at.row(), last: at.row(), pattern }),
        }
    }

    /// All cells of a shared group have its pattern: one look at the text serves them all.
    fn shared_pattern(&mut self, id: FormulaId, at: CellRef, master: CellRef) -> u32 {
        if self.by_formula.is_empty() {
            self.by_formula = vec![u32::MAX; self.sheet.formulas().len()];
        }
        let known = self.by_formula[id.0 as usize];
        if known != u32::MAX {
            return known;
        }
        let key = pattern_key(&self.sheet.formulas().get(id).text, master);
        let pattern = self.pattern(key, Flavor::Plain, at, id);
        self.by_formula[id.0 as usize] = pattern;
        pattern
    }

    fn pattern(&mut self, key: PatternKey, flavor: Flavor, at: CellRef, id: FormulaId) -> u32 {
        let next = self.found.patterns.len() as u32;
        let pattern = *self.by_key.entry((key, flavor)).or_insert(next);
        if pattern == next {
            self.found.patterns.push(Pattern { example: at, formula: id, flavor, cells: 0 });
        }
        pattern
    }
}

/// Merges runs over the same rows in neighbouring columns.
fn merge_columns(columns: &[(u32, Vec<Run>)], blocks: &mut Vec<Block>) {
    // Rectangles that end in the column before, by their rows and pattern.
    let mut open: HashMap<(u32, u32, u32), usize> = HashMap::new();
    let mut previous = None;
    for (col, runs) in columns {
        let mut next_open = HashMap::with_capacity(runs.len());
        let is_next = previous.is_some_and(|previous| previous + 1 == *col);
        for run in runs {
            let key = (run.first, run.last, run.pattern);
            let cells = CellRange::new(CellRef::clamped(run.first, *col), CellRef::clamped(run.last, *col));
            let extended = if is_next { open.get(&key).copied() } else { None };
            let index = match extended {
                Some(index) => {
                    blocks[index].range = blocks[index].range.union(cells);
                    index
                }
                None => {
                    blocks.push(Block { range: cells, pattern: run.pattern });
                    blocks.len() - 1
                }
            };
            next_open.insert(key, index);
        }
        open = next_open;
        previous = Some(*col);
    }
}
