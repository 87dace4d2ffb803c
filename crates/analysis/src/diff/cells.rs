//! Changed cells of two sheets whose rows and columns correspond.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use formula::Direction;
use grid::{CellRange, CellRef, Value};
use workbook::{Cell, Column, FormulaId, Sheet, StyleId, Workbook};

use super::{Alignment, Steps, align::align};

/// What of a cell changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// A constant.
    Value,
    /// The formula, or whether there is one.
    Formula,
    /// The result of an unchanged formula.
    Result,
    /// The format alone.
    Format,
}

/// A cell that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellChange {
    /// Where it was.
    pub old: Option<CellRef>,
    /// Where it is.
    pub new: Option<CellRef>,
    /// What changed most.
    pub aspect: Aspect,
    /// Whether the format changed, too.
    pub format: bool,
}

impl CellChange {
    /// Where it is, or was.
    pub fn at(&self) -> CellRef {
        self.new.or(self.old).unwrap_or(CellRef::A1)
    }
}

/// A rectangle of cells of the same change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The cells.
    pub range: CellRange,
    /// What changed.
    pub aspect: Aspect,
}

/// Whether two formats of two workbooks look the same.
pub(super) struct Formats<'a> {
    old: &'a Workbook,
    new: &'a Workbook,
    known: HashMap<(StyleId, StyleId), bool>,
    is_shared: bool,
}

impl<'a> Formats<'a> {
    pub(super) fn new(old: &'a Workbook, new: &'a Workbook) -> Formats<'a> {
        let is_shared = std::sync::Arc::ptr_eq(&old.styles, &new.styles);
        Formats { old, new, known: HashMap::new(), is_shared }
    }

    fn differ(&mut self, old: StyleId, new: StyleId) -> bool {
        if self.is_shared && old == new {
            return false;
        }
        let (before, after) = (&self.old.styles, &self.new.styles);
        *self.known.entry((old, new)).or_insert_with(|| {
            let look = |styles: &workbook::Styles, id: StyleId| {
                let format = styles.format(id).cloned().unwrap_or_default();
                let font = styles.fonts.get(format.font).cloned().unwrap_or_default();
                let fill = styles.fills.get(format.fill).cloned().unwrap_or_default();
                let border = styles.borders.get(format.border).cloned().unwrap_or_default();
                let code = styles.number_format_code(id).to_owned();
                (code, font, fill, border, format.alignment, format.locked, format.hidden)
            };
            look(before, old) != look(after, new)
        })
    }
}

/// How the rows and columns of two sheets correspond.
pub(super) fn aligned(old: &Sheet, new: &Sheet) -> (Alignment, Alignment) {
    /// Changed cells below which lines surely stand where they stood.
    const FEW: usize = 20;
    let changed: usize = columns_of(old, new).iter().map(|col| differing(old, new, *col).len()).sum();
    let cells = old.cell_count().max(new.cell_count()) as usize;
    let same_size = match (old.used_range(), new.used_range()) {
        (Some(old), Some(new)) => old == new,
        (old, new) => old.is_none() && new.is_none(),
    };
    let is_in_place = changed == 0 || same_size && changed <= FEW || changed.saturating_mul(50) < cells;
    if is_in_place {
        return Default::default();
    }
    let hasher = RandomState::new();
    let keys = |sheet: &Sheet| {
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        for (col, column) in sheet.columns() {
            for (row, cell) in column.cells(0..=grid::MAX_ROWS - 1) {
                let value = sheet.resolve_value(cell.value);
                // Results of formulas may change where nothing came or went.
                let key = match (cell.formula, value) {
                    (None, Value::Empty) => continue,
                    (None, value) => hash(&hasher, value),
                    (Some(_), _) => 1,
                };
                add(&mut rows, row, key);
                add(&mut columns, col, key);
            }
        }
        (rows, columns)
    };
    let (old_keys, new_keys) = (keys(old), keys(new));
    (align(&old_keys.0, &new_keys.0), align(&old_keys.1, &new_keys.1))
}

fn add(keys: &mut Vec<u64>, line: u32, key: u64) {
    let line = line as usize;
    if keys.len() <= line {
        keys.resize(line + 1, 0);
    }
    keys[line] = keys[line].wrapping_add(key).max(1);
}

fn hash(hasher: &RandomState, value: Value<'_>) -> u64 {
    match value {
        Value::Empty => 0,
        Value::Number(number) => hasher.hash_one(number.to_bits()),
        Value::Text(text) => hasher.hash_one(text),
        Value::Bool(value) => hasher.hash_one((0u8, value)),
        Value::Error(error) => hasher.hash_one((1u8, error.as_str())),
    }
}

fn columns_of(old: &Sheet, new: &Sheet) -> Vec<u32> {
    let mut columns: Vec<u32> = old.columns().chain(new.columns()).map(|(col, _)| col).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Rows of a column whose stored cells differ.
fn differing(old: &Sheet, new: &Sheet, col: u32) -> Vec<u32> {
    let empty = Column::default();
    old.column(col).unwrap_or(&empty).differing_rows(new.column(col).unwrap_or(&empty))
}

/// Formulas that have other texts under the same id: those that followed cells that were moved.
fn changed_formulas(old: &Sheet, new: &Sheet) -> HashSet<FormulaId> {
    let texts = old.formulas().iter().zip(new.formulas().iter());
    texts.filter(|((_, before), (_, after))| before != after).map(|((id, _), _)| id).collect()
}

/// Rows of a column with one of these formulas.
fn with_formulas(sheet: &Sheet, col: u32, wanted: &HashSet<FormulaId>) -> Vec<u32> {
    let chunks = sheet.column(col).into_iter().flat_map(Column::chunks);
    let rows = chunks
        .flat_map(|(base, chunk)| chunk.formulas().iter().map(move |(row, id)| (base + u32::from(*row), id)));
    rows.filter(|(_, id)| wanted.contains(id)).map(|(row, _)| row).collect()
}

/// Every cell that changed, in the order of rows.
pub(super) fn changes(
    old: &Sheet,
    new: &Sheet,
    rows: &Alignment,
    columns: &Alignment,
    steps: &Steps,
    formats: &mut Formats<'_>,
) -> Vec<CellChange> {
    let mut found = Vec::new();
    let is_in_place = rows.is_identity() && columns.is_identity();
    // Texts may read the same in other tables of texts: what is stored tells only what cannot differ.
    let may_share = is_in_place
        && steps.resizes.is_empty()
        && steps.renames.is_empty()
        && std::ptr::eq(old.shared_strings(), new.shared_strings());
    if may_share {
        let moved = changed_formulas(old, new);
        for col in columns_of(old, new) {
            let mut rows = differing(old, new, col);
            if !moved.is_empty() {
                rows.extend(with_formulas(new, col, &moved));
            }
            for row in rows {
                let at = CellRef::clamped(row, col);
                compare(old, new, Some(at), Some(at), steps, formats, &mut found);
            }
        }
    } else {
        let moves: Vec<_> =
            columns.steps(Direction::Column).into_iter().chain(rows.steps(Direction::Row)).collect();
        let place = |at: CellRef| {
            moves
                .iter()
                .try_fold(CellRange::cell(at), |range, step| step.moved_range(range))
                .map(CellRange::start)
        };
        for (at, _) in old.cells_by_row(CellRange::ALL) {
            if let Some(to) = place(at) {
                compare(old, new, Some(at), Some(to), steps, formats, &mut found);
            }
        }
        // Cells that are new where their lines are not; those of new lines are told by the lines.
        let is_new = |lines: &[(u32, u32)], line: u32| {
            lines.iter().any(|(first, count)| (*first..first + count).contains(&line))
        };
        let back: Vec<_> = moves.iter().rev().map(|step| inverse(*step)).collect();
        for (at, _) in new.cells_by_row(CellRange::ALL) {
            if is_new(&rows.inserted, at.row()) || is_new(&columns.inserted, at.col()) {
                continue;
            }
            let from = back.iter().try_fold(CellRange::cell(at), |range, step| step.moved_range(range));
            let is_known = from.is_some_and(|from| {
                let cell = old.cell(from.start());
                cell.value != Value::Empty || cell.formula.is_some() || cell.style != StyleId::default()
            });
            if !is_known {
                compare(old, new, from.map(CellRange::start), Some(at), steps, formats, &mut found);
            }
        }
    }
    found.sort_unstable_by_key(CellChange::at);
    found.dedup();
    found
}

fn inverse(step: formula::Resize) -> formula::Resize {
    let change = match step.change {
        formula::Change::Insert(count) => formula::Change::Delete(count),
        formula::Change::Delete(count) => formula::Change::Insert(count),
    };
    formula::Resize { change, ..step }
}

fn compare(
    old: &Sheet,
    new: &Sheet,
    from: Option<CellRef>,
    to: Option<CellRef>,
    steps: &Steps,
    formats: &mut Formats<'_>,
    found: &mut Vec<CellChange>,
) {
    let cell = |sheet, at: Option<CellRef>| at.map(|at| Sheet::cell(sheet, at)).unwrap_or_default();
    let (before, after): (Cell<'_>, Cell<'_>) = (cell(old, from), cell(new, to));
    let format = formats.differ(before.style, after.style);
    let text = |sheet: &Sheet, at: Option<CellRef>, cell: Cell<'_>| {
        at.zip(cell.formula).map(|(at, id)| sheet.formula_text(at, id).into_owned())
    };
    let aspect = match (text(old, from, before), text(new, to, after)) {
        (None, None) => (before.value != after.value).then_some(Aspect::Value),
        (Some(a), Some(b)) if a == b || steps.followed(&a, &new.name) == b => {
            (before.value != after.value).then_some(Aspect::Result)
        }
        _ => Some(Aspect::Formula),
    };
    let aspect = aspect.or(format.then_some(Aspect::Format));
    found.extend(aspect.map(|aspect| CellChange { old: from, new: to, aspect, format }));
}

/// Rectangles of the same change: runs down each column, then equal runs side by side.
pub(super) fn groups(changes: &[CellChange]) -> Vec<Group> {
    let mut places: Vec<(u32, u32, Aspect)> =
        changes.iter().map(|change| (change.at().col(), change.at().row(), change.aspect)).collect();
    places.sort_unstable();
    // By first row, last row and aspect: the columns of runs that end so far.
    let mut runs: Vec<(u32, u32, u32, Aspect)> = Vec::new();
    for (col, row, aspect) in places {
        match runs.last_mut() {
            Some(run) if run.0 == col && run.2 + 1 == row && run.3 == aspect => run.2 = row,
            _ => runs.push((col, row, row, aspect)),
        }
    }
    let mut open: BTreeMap<(u32, u32, Aspect), (u32, u32)> = BTreeMap::new();
    let mut done: Vec<Group> = Vec::new();
    let close = |(first, last, aspect): (u32, u32, Aspect), (from, to): (u32, u32)| {
        let range = CellRange::new(CellRef::clamped(first, from), CellRef::clamped(last, to));
        Group { range, aspect }
    };
    for (col, first, last, aspect) in runs {
        let key = (first, last, aspect);
        match open.get_mut(&key) {
            Some(columns) if columns.1 + 1 == col => columns.1 = col,
            _ => done.extend(open.insert(key, (col, col)).map(|columns| close(key, columns))),
        }
    }
    done.extend(open.into_iter().map(|(key, columns)| close(key, columns)));
    done.sort_unstable_by_key(|group| (group.range.start(), group.range.end()));
    done
}
