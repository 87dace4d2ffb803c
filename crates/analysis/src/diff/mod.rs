//! What two workbooks differ in: sheets, rows and columns first, so that one inserted row is one change; then the cells
//! of the rows and columns that stayed, aspect by aspect.
//!
//! Copies share what nobody wrote to, and what is shared is not looked at: comparing a workbook with an edited copy of it
//! costs what was edited.

mod align;
mod cells;
mod fingerprint;
mod follow;
mod lines;
mod matching;
mod sequence;

use std::collections::HashMap;

use grid::CellRange;
use serde::Serialize;
use workbook::{SheetId, Styles, Visibility, Workbook};

pub use cells::{CellChange, ChangeKind};
pub use lines::{LineChange, LineKind, Lines};

use crate::formulas::{Area, Cancel, Cancelled, Places};
use cells::{Formats, Pair};
use follow::{Layout, Sheetwise};

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The only places of the new workbook whose cells are looked at; all of them if there are none.
    pub areas: Vec<Area>,
    /// Whether constants are compared.
    pub values: bool,
    /// Whether formulas are.
    pub formulas: bool,
    /// Whether results of formulas that are the same are.
    pub results: bool,
    /// Whether formats are.
    pub formats: bool,
    /// Changed cells that are kept for the details of one sheet; all are counted.
    pub max_cells: usize,
}

impl Default for Options {
    fn default() -> Options {
        let areas = Vec::new();
        Options { areas, values: true, formulas: true, results: true, formats: true, max_cells: 1_000_000 }
    }
}

/// What two workbooks differ in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The sheets that differ: those of the new workbook in its order, then those that went.
    pub sheets: Vec<SheetDiff>,
}

/// What two sheets differ in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetDiff {
    /// The old sheet; `None` if it is new.
    pub old: Option<SheetId>,
    /// The new sheet; `None` if it went.
    pub new: Option<SheetId>,
    /// What became of the sheet as a whole.
    pub changes: Vec<SheetChange>,
    /// Rows and columns that came, went or moved.
    pub lines: Vec<LineChange>,
    /// How many cells changed.
    pub counts: Counts,
    /// Neighbouring cells with one kind of change, from the top of the new sheet.
    pub groups: Vec<Group>,
    /// Every changed cell, row by row; the first ones if there are more than were asked for.
    pub cells: Vec<CellChange>,
}

/// What became of a sheet as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another name.
    Renamed {
        /// The old name.
        from: String,
    },
    /// It stands elsewhere among the sheets that both workbooks have.
    Moved {
        /// The old position, from 0.
        from: u32,
    },
    /// It is shown, or hidden, otherwise.
    Visibility {
        /// As it was.
        from: Visibility,
    },
}

/// How many cells changed, by aspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct Counts {
    pub values: u64,
    pub formulas: u64,
    pub results: u64,
    pub formats: u64,
}

impl Counts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.values + self.formulas + self.results + self.formats
    }

    fn of(cells: &[CellChange]) -> Counts {
        let mut counts = Counts::default();
        for change in cells {
            match change.kind {
                ChangeKind::Value => counts.values += 1,
                ChangeKind::Formula => counts.formulas += 1,
                ChangeKind::Result => counts.results += 1,
                ChangeKind::Format => counts.formats += 1,
            }
        }
        counts
    }
}

/// Neighbouring cells with one kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// What changed.
    pub kind: ChangeKind,
    /// The cells in the new sheet, all of them changed.
    pub range: CellRange,
}

impl Diff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.sheets.is_empty()
    }

    /// The changed cells with their sheets, from a position on: what a cursor pages through.
    pub fn cells(&self, from: usize) -> impl Iterator<Item = (&SheetDiff, CellChange)> {
        self.sheets.iter().flat_map(|sheet| sheet.cells.iter().map(move |cell| (sheet, *cell))).skip(from)
    }
}

/// The layouts of all pairs of sheets, by the folded old name.
struct Book<'a> {
    sheets: HashMap<String, (&'a str, &'a Layout)>,
}

impl Sheetwise for Book<'_> {
    fn sheet(&self, old_name: &str) -> Option<(&str, &Layout)> {
        self.sheets.get(&old_name.to_lowercase()).copied()
    }
}

/// Compares two workbooks.
///
/// Cells of rows and columns that came or went are not told one by one. A formula is the same if its text or its pattern
/// is, or if its references followed rows, columns and sheets. Formats are compared by what they look like.
///
/// # Errors
/// Once `cancel` says so.
pub fn diff(
    (old_book, old): (&Workbook, &Places<'_>),
    (new_book, new): (&Workbook, &Places<'_>),
    options: &Options,
    cancel: Cancel<'_>,
) -> Result<Diff, Cancelled> {
    let pairs = matching::matched(old, new, cancel)?;
    let both: Vec<(SheetId, SheetId)> =
        pairs.iter().filter_map(|(old, new)| Some(((*old)?, (*new)?))).collect();
    let mut layouts = Vec::with_capacity(both.len());
    for (a, b) in &both {
        layouts.push(align::align(old.sheet(*a), new.sheet(*b), cancel)?);
    }
    let named = |((a, b), layout): (&(SheetId, SheetId), _)| {
        (old.sheet_name(*a).to_lowercase(), (new.sheet_name(*b), layout))
    };
    let book = Book { sheets: both.iter().zip(&layouts).map(named).collect() };
    let (old_styles, new_styles): (&Styles, &Styles) = (&old_book.styles, &new_book.styles);
    let formats = Formats::new(old_styles, new_styles);
    let stayed = in_order(&both);
    let mut result = Diff { sheets: Vec::new() };
    for (a, b) in pairs {
        let mut sheet = SheetDiff {
            old: a,
            new: b,
            changes: Vec::new(),
            lines: Vec::new(),
            counts: Counts::default(),
            groups: Vec::new(),
            cells: Vec::new(),
        };
        match (a, b) {
            (Some(a), Some(b)) => {
                sheet.changes = sheet_changes(old_book, new_book, a, b, stayed.contains(&a));
                let Some(layout) = both.iter().position(|pair| *pair == (a, b)).map(|at| &layouts[at]) else {
                    continue;
                };
                let within: Vec<CellRange> =
                    options.areas.iter().filter(|area| area.sheet == b).map(|area| area.range).collect();
                if !options.areas.is_empty() && within.is_empty() {
                    continue;
                }
                sheet.lines = layout.rows.changes(Lines::Rows);
                sheet.lines.extend(layout.cols.changes(Lines::Columns));
                let (old, new) = (old.sheet(a), new.sheet(b));
                let pair = Pair { old, new, layout, sheets: &book, formats: &formats, options, within };
                sheet.cells = pair.changes(cancel)?;
                sheet.counts = Counts::of(&sheet.cells);
                sheet.groups = groups(&sheet.cells);
                sheet.cells.truncate(options.max_cells);
            }
            (None, _) => sheet.changes.push(SheetChange::Added),
            (Some(_), None) => sheet.changes.push(SheetChange::Removed),
        }
        if !sheet.changes.is_empty() || !sheet.lines.is_empty() || sheet.counts.total() > 0 {
            result.sheets.push(sheet);
        }
    }
    Ok(result)
}

fn groups(cells: &[CellChange]) -> Vec<Group> {
    let places = cells.iter().map(|change| (change.kind, change.new.row(), change.new.col()));
    matching::rectangles(places).into_iter().map(|(kind, range)| Group { kind, range }).collect()
}

fn sheet_changes(old: &Workbook, new: &Workbook, a: SheetId, b: SheetId, stayed: bool) -> Vec<SheetChange> {
    let (from, to) = (old.tab(a), new.tab(b));
    let mut changes = Vec::new();
    if from.name != to.name {
        changes.push(SheetChange::Renamed { from: from.name.clone() });
    }
    if !stayed {
        changes.push(SheetChange::Moved { from: a.0 });
    }
    if from.visibility != to.visibility {
        changes.push(SheetChange::Visibility { from: from.visibility });
    }
    changes
}

/// The old sheets that kept their order: what came and went beside them moves none.
fn in_order(pairs: &[(SheetId, SheetId)]) -> Vec<SheetId> {
    let mut pairs: Vec<(usize, usize)> = pairs.iter().map(|(a, b)| (a.0 as usize, b.0 as usize)).collect();
    pairs.sort_unstable();
    let kept = sequence::longest_ascending(&pairs);
    kept.into_iter().map(|(old, _)| SheetId(old as u32)).collect()
}
