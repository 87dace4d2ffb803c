//! What differs between two workbooks, or two states of one: sheets, rows and columns first, then the cells that are left.
//!
//! What two states share (chunks, sheets) costs nothing. Rows and columns that came or went are found first, and old formulas
//! follow them, so that `A5` that became `A6` under a new row is no change.

mod align;
mod cells;
mod errors;
mod items;
mod verify;

use std::sync::Arc;

use formula::{Direction, Resize};
use workbook::{OpenError, Sheet, SheetId, Watch, Workbook};

pub use align::{Alignment, Lines};
pub use cells::{Aspect, CellChange, Group};
pub use errors::{ErrorCell, Errors, error_cell};
pub use items::{Item, ItemChange};
pub use verify::{Assertion, Checked, Expected, verify};

/// What became of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum SheetStatus {
    Added,
    Removed,
    Kept,
}

/// What differs in one sheet.
#[derive(Debug)]
pub struct SheetDiff {
    /// Its name now, or the one that it had.
    pub name: String,
    /// The name that it had, if it was renamed.
    pub old_name: Option<String>,
    /// Whether it came, went or stayed.
    pub status: SheetStatus,
    /// In the old workbook.
    pub old: Option<SheetId>,
    /// In the new workbook.
    pub new: Option<SheetId>,
    /// Rows that came and went.
    pub rows: Alignment,
    /// Columns that came and went.
    pub columns: Alignment,
    /// Every changed cell, in the order of rows.
    pub cells: Vec<CellChange>,
    /// Names, tables, rules, objects, layout.
    pub items: Vec<Item>,
}

impl SheetDiff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.status == SheetStatus::Kept
            && self.old_name.is_none()
            && self.rows.is_identity()
            && self.columns.is_identity()
            && self.cells.is_empty()
            && self.items.is_empty()
    }

    /// Neighbouring cells of the same change, as rectangles.
    pub fn groups(&self) -> Vec<Group> {
        cells::groups(&self.cells)
    }
}

/// What differs between two workbooks.
#[derive(Debug)]
pub struct Diff {
    /// Sheets with a difference: those there are now in their order, then those that are gone.
    pub sheets: Vec<SheetDiff>,
    /// Defined names.
    pub names: Vec<Item>,
    /// Whether the sheets that both have stand in another order.
    pub reordered: bool,
    /// Errors that came, went and stayed.
    pub errors: Errors,
}

/// How references in formulas of the old workbook read in the new one.
#[derive(Debug, Default)]
struct Steps {
    renames: Vec<(String, String)>,
    /// By the name that the sheet has now.
    resizes: Vec<(String, Resize)>,
}

impl Steps {
    /// An old formula of the sheet that is now called `home`.
    fn followed(&self, formula: &str, home: &str) -> String {
        let mut text = formula.to_owned();
        for (from, to) in &self.renames {
            text = formula::rename_sheet(&text, from, to).unwrap_or(text);
        }
        for (sheet, resize) in &self.resizes {
            let is_home = sheet.eq_ignore_ascii_case(home);
            text = formula::resize(&text, sheet, is_home, *resize).unwrap_or(text);
        }
        text
    }
}

/// Compares two workbooks.
///
/// # Errors
/// When a sheet can't be read, or the caller stops.
pub fn diff(old: &Workbook, new: &Workbook, watch: &dyn Watch) -> Result<Diff, OpenError> {
    let pairs = paired(old, new, watch)?;
    let mut steps = Steps::default();
    let mut alignments = Vec::new();
    for (old_id, new_id) in &pairs {
        let (Some(old_id), Some(new_id)) = (old_id, new_id) else {
            alignments.push((Alignment::default(), Alignment::default()));
            continue;
        };
        let (before, after) = (old.sheet(*old_id, watch)?, new.sheet(*new_id, watch)?);
        if before.name != after.name {
            steps.renames.push((before.name.clone(), after.name.clone()));
        }
        let (rows, columns) = match Arc::ptr_eq(&before, &after) {
            true => (Alignment::default(), Alignment::default()),
            false => cells::aligned(&before, &after),
        };
        let resizes = columns.steps(Direction::Column).into_iter().chain(rows.steps(Direction::Row));
        steps.resizes.extend(resizes.map(|resize| (after.name.clone(), resize)));
        alignments.push((rows, columns));
    }
    let mut sheets = Vec::new();
    let mut formats = cells::Formats::new(old, new);
    for ((old_id, new_id), (rows, columns)) in pairs.iter().zip(alignments) {
        if watch.progress(sheets.len() as u64, pairs.len() as u64).is_break() {
            return Err(OpenError::Cancelled);
        }
        let before = old_id.map(|id| old.sheet(id, watch)).transpose()?;
        let after = new_id.map(|id| new.sheet(id, watch)).transpose()?;
        let found = match (before, after) {
            (Some(before), Some(after)) => {
                let is_same = Arc::ptr_eq(&before, &after);
                let (cells, items) = match is_same && steps.resizes.is_empty() && steps.renames.is_empty() {
                    true => (Vec::new(), Vec::new()),
                    false => (
                        cells::changes(&before, &after, &rows, &columns, &steps, &mut formats),
                        items::of_sheets(&before, &after, &rows, &columns, &steps),
                    ),
                };
                SheetDiff {
                    name: after.name.clone(),
                    old_name: (before.name != after.name).then(|| before.name.clone()),
                    status: SheetStatus::Kept,
                    old: *old_id,
                    new: *new_id,
                    rows,
                    columns,
                    cells,
                    items,
                }
            }
            (one, other) => {
                let status = if one.is_some() { SheetStatus::Removed } else { SheetStatus::Added };
                let name = one.or(other).map(|sheet| sheet.name.clone()).unwrap_or_default();
                SheetDiff {
                    name,
                    old_name: None,
                    status,
                    old: *old_id,
                    new: *new_id,
                    rows,
                    columns,
                    cells: Vec::new(),
                    items: Vec::new(),
                }
            }
        };
        sheets.push(found);
    }
    let errors = errors::compared(old, new, &sheets, watch)?;
    sheets.retain(|sheet| !sheet.is_empty());
    let places: Vec<SheetId> = pairs.iter().filter_map(|(old, new)| new.and(*old)).collect();
    let reordered = places.windows(2).any(|pair| pair[0] > pair[1]);
    Ok(Diff { sheets, names: items::of_names(old, new, &steps), reordered, errors })
}

/// Which sheet is which: by name, then by part, for those that were renamed.
type Pair = (Option<SheetId>, Option<SheetId>);

fn paired(old: &Workbook, new: &Workbook, watch: &dyn Watch) -> Result<Vec<Pair>, OpenError> {
    let mut left: Vec<SheetId> = old.sheet_ids().collect();
    let mut pairs: Vec<Pair> = Vec::new();
    for id in new.sheet_ids() {
        let found = old.sheet_id(&new.tab(id).name).filter(|found| left.contains(found));
        left.retain(|known| Some(*known) != found);
        pairs.push((found, Some(id)));
    }
    for (old_id, new_id) in &mut pairs {
        let (None, Some(id)) = (*old_id, *new_id) else { continue };
        let part = new.sheet(id, watch)?.part.clone();
        let same_part = |known: &Sheet| !part.is_empty() && known.part == part;
        for candidate in left.clone() {
            if same_part(&*old.sheet(candidate, watch)?) {
                left.retain(|known| *known != candidate);
                *old_id = Some(candidate);
                break;
            }
        }
    }
    pairs.extend(left.into_iter().map(|id| (Some(id), None)));
    Ok(pairs)
}
