//! Cells, rows and columns as hashes: what is the same in two workbooks although its place is not.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use formula::{TokenKind, lex};
use grid::Value;
use workbook::{Column, FormulaId, RawCell, Sheet};

use crate::formulas::{Cancel, Cancelled};

/// Bins of a [`Sketch`].
const BINS: usize = 32;

/// One sheet whose cells are hashed.
pub(crate) struct Side<'a> {
    pub(crate) sheet: &'a Sheet,
    /// By formula: its text without references, so that it stays the same wherever they go.
    skeletons: RefCell<HashMap<FormulaId, u64>>,
}

impl<'a> Side<'a> {
    pub(crate) fn new(sheet: &'a Sheet) -> Side<'a> {
        Side { sheet, skeletons: RefCell::default() }
    }

    /// The hash of a cell; 0 without value and formula.
    fn cell(&self, raw: RawCell) -> u64 {
        match raw.formula {
            Some(id) => *self.skeletons.borrow_mut().entry(id).or_insert_with(|| {
                let mut hasher = DefaultHasher::new();
                for token in lex(&self.sheet.formulas().get(id).text) {
                    if !matches!(token.kind, TokenKind::Reference(_) | TokenKind::Start) {
                        token.text.hash(&mut hasher);
                    }
                }
                hasher.finish() | 1
            }),
            None => self.value(raw),
        }
    }

    fn value(&self, raw: RawCell) -> u64 {
        match self.sheet.resolve_value(raw.value) {
            Value::Empty => 0,
            Value::Number(number) => mixed((number + 0.0).to_bits(), 1),
            Value::Bool(value) => mixed(u64::from(value), 2),
            Value::Error(error) => mixed(error as u64, 3),
            Value::Text("") => 0,
            Value::Text(text) => {
                let mut hasher = DefaultHasher::new();
                text.hash(&mut hasher);
                hasher.finish() | 1
            }
        }
    }

    /// One hash for each of the rows; 0 for blank ones. `columns` are positions in this sheet with what they are called
    /// on both sides.
    pub(crate) fn rows(
        &self,
        rows: Range<u32>,
        columns: &[(u32, u32)],
        cancel: Cancel<'_>,
    ) -> Result<Vec<u64>, Cancelled> {
        let len = (rows.end - rows.start) as usize;
        let mut hashes = vec![0u64; len];
        if len == 0 {
            return Ok(hashes);
        }
        let mut results = vec![0u64; len];
        let mut has_constant = vec![false; len];
        for (col, called) in columns {
            let Some(column) = self.sheet.column(*col) else { continue };
            if cancel() {
                return Err(Cancelled);
            }
            for (row, raw) in column.cells(rows.start..=rows.end - 1) {
                let hash = self.cell(raw);
                if hash == 0 {
                    continue;
                }
                let index = (row - rows.start) as usize;
                hashes[index] = hashes[index].wrapping_add(mixed(hash, u64::from(*called) + 4)).max(1);
                if raw.formula.is_some() {
                    results[index] = results[index].wrapping_add(mixed(self.value(raw), u64::from(*called)));
                } else {
                    has_constant[index] = true;
                }
            }
        }
        // Rows of nothing but equal formulas are told apart by what they yield.
        for ((hash, result), has_constant) in hashes.iter_mut().zip(results).zip(has_constant) {
            if *hash != 0 && !has_constant {
                *hash = hash.wrapping_add(result).max(1);
            }
        }
        Ok(hashes)
    }

    /// The cells of one row, as the columns are called on both sides.
    pub(crate) fn row_cells(&self, row: u32, columns: &[(u32, u32)]) -> Vec<(u32, u64)> {
        let cell = |(col, called): &(u32, u32)| {
            let hash = self.cell(self.sheet.column(*col)?.get(row)?);
            (hash != 0).then_some((*called, hash))
        };
        columns.iter().filter_map(cell).collect()
    }

    /// What a column holds, whatever the order.
    pub(crate) fn sketch(&self, column: &Column) -> Sketch {
        let mut sketch = Sketch::default();
        for (_, raw) in column.cells(0..=u32::MAX) {
            let hash = self.cell(raw);
            if hash != 0 {
                sketch.add(mixed(hash, 0));
            }
        }
        sketch
    }
}

/// A set of cells in brief (MinHash with one permutation): comparing two tells how much they have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sketch {
    bins: [u64; BINS],
    /// Equal for equal contents.
    pub(crate) sum: u64,
}

impl Default for Sketch {
    fn default() -> Sketch {
        Sketch { bins: [u64::MAX; BINS], sum: 0 }
    }
}

impl Sketch {
    fn add(&mut self, hash: u64) {
        let bin = &mut self.bins[(hash % BINS as u64) as usize];
        *bin = (*bin).min(hash);
        self.sum = self.sum.wrapping_add(hash).max(1);
    }

    /// How much of both they have in common, 0 to 1.
    pub(crate) fn likeness(&self, other: &Sketch) -> f32 {
        let mut used = 0u16;
        let mut equal = 0u16;
        for (a, b) in self.bins.iter().zip(&other.bins) {
            used += u16::from(*a != u64::MAX || *b != u64::MAX);
            equal += u16::from(*a == *b && *a != u64::MAX);
        }
        f32::from(equal) / f32::from(used.max(1))
    }

    /// The sketch of both contents together.
    pub(crate) fn merge(&mut self, other: &Sketch) {
        for (bin, other) in self.bins.iter_mut().zip(&other.bins) {
            *bin = (*bin).min(*other);
        }
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// The finalizer of splitmix64.
fn mixed(value: u64, salt: u64) -> u64 {
    let mut bits = value.wrapping_add((salt + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) | 1
}
