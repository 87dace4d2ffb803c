//! What is on the picture: the visible cells with their looks, merges and texts, before any pixel is set.

use std::collections::HashMap;
use std::rc::Rc;

use grid::{CellRange, CellRef, Value};
use workbook::{RawCell, RawValue, Sheet, StyleId, Table};

use crate::axis::Axis;
use crate::canvas::Rect;
use crate::geometry::Geometry;
use crate::look::Look;
use crate::table_style::{Overlay, overlay};

/// The tables of one picture whose styles are drawn.
const MAX_TABLES: usize = 64;

/// One visible cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    /// Index into the scene's looks.
    look: u32,
    /// One more than the index of the merge that covers it; 0 for none.
    merge: u32,
    /// Whether it shows something of its own.
    pub(crate) is_occupied: bool,
}

/// A merged range, as far as it is visible.
#[derive(Debug, Clone)]
pub(crate) struct Merge {
    /// The visible rectangle on the picture.
    pub(crate) rect: Rect,
    /// The look of the first cell, visible or not.
    pub(crate) look: Rc<Look>,
}

/// A text to be drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    /// Positions of its first visible cell among the tracks.
    pub(crate) row: usize,
    pub(crate) col: usize,
    pub(crate) value: Value<'a>,
}

/// The visible cells.
pub(crate) struct Scene<'a> {
    pub(crate) columns: Axis,
    pub(crate) rows: Axis,
    slots: Vec<Slot>,
    looks: Vec<Rc<Look>>,
    merges: Vec<Merge>,
    tables: Vec<&'a Table>,
    /// In reading order.
    pub(crate) items: Vec<Item<'a>>,
}

impl<'a> Scene<'a> {
    /// Collects the visible cells of a sheet.
    pub(crate) fn new(geometry: &mut Geometry<'a>, range: CellRange, columns: Axis, rows: Axis) -> Scene<'a> {
        let sheet = geometry.sheet;
        let mut palette = Palette { ids: HashMap::new(), looks: Vec::new() };
        let slots = empty_slots(sheet, geometry, &mut palette, &columns, &rows);
        let tables = sheet
            .tables
            .iter()
            .filter(|table| table.style.is_some() && table.range.intersect(range).is_some())
            .take(MAX_TABLES)
            .collect();
        let mut scene =
            Scene { columns, rows, slots, looks: Vec::new(), merges: Vec::new(), tables, items: Vec::new() };
        let runs = scene.rows.runs();
        for col in 0..scene.columns.len() {
            let Some(column) = sheet.column(scene.columns.tracks()[col].index) else { continue };
            for (first, last) in &runs {
                let Some(start) = scene.rows.position(*first) else { continue };
                for (index, raw) in column.cells(*first..=*last) {
                    let row = start + (index - first) as usize;
                    let slot = &mut scene.slots[row * scene.columns.len() + col];
                    slot.look = palette.add(geometry, raw.style);
                    if shows_something(sheet, raw) {
                        slot.is_occupied = true;
                        scene.items.push(Item { row, col, value: sheet.resolve_value(raw.value) });
                    }
                }
            }
        }
        scene.add_merges(sheet, geometry, range);
        scene.items.sort_unstable_by_key(|item| (item.row, item.col));
        scene.looks = palette.looks;
        scene
    }

    fn add_merges(&mut self, sheet: &'a Sheet, geometry: &mut Geometry<'a>, range: CellRange) {
        // Merges that overlap are no valid file; they may not cost more than ones that do not.
        let mut budget = self.slots.len() as u64 * 2;
        let mut firsts: Vec<Item<'a>> = Vec::new();
        for merged in &sheet.merges {
            let Some(visible) = merged.intersect(range) else { continue };
            let rows = self.rows.positions(visible.start().row(), visible.end().row());
            let cols = self.columns.positions(visible.start().col(), visible.end().col());
            let cells = rows.len() as u64 * cols.len() as u64;
            if cells == 0 || self.slot(rows.start, cols.start).merge > 0 {
                continue;
            }
            let Some(rest) = budget.checked_sub(cells) else { break };
            budget = rest;
            let anchor = sheet.cell(merged.start());
            let rect = self.rect(rows.start, cols.start, rows.end - 1, cols.end - 1);
            let look = geometry.looks.get(anchor.style, &mut geometry.setter);
            self.merges.push(Merge { rect, look });
            let merge = self.merges.len() as u32;
            for row in rows.clone() {
                let start = row * self.columns.len();
                for slot in &mut self.slots[start + cols.start..start + cols.end] {
                    slot.merge = merge;
                }
            }
            firsts.push(Item { row: rows.start, col: cols.start, value: anchor.value });
        }
        // Only the first cell of a merge is seen, wherever that is.
        let (slots, width) = (&self.slots, self.columns.len());
        self.items.retain(|item| slots[item.row * width + item.col].merge == 0);
        self.items.extend(firsts.into_iter().filter(|item| !item.value.is_empty()));
    }

    /// A visible cell.
    pub(crate) fn slot(&self, row: usize, col: usize) -> &Slot {
        &self.slots[row * self.columns.len() + col]
    }

    /// The look of a cell's own format.
    pub(crate) fn look(&self, row: usize, col: usize) -> &Rc<Look> {
        &self.looks[self.slot(row, col).look as usize]
    }

    /// The merge that a cell belongs to.
    pub(crate) fn merge(&self, row: usize, col: usize) -> Option<&Merge> {
        let index = self.slot(row, col).merge.checked_sub(1)?;
        self.merges.get(index as usize)
    }

    /// The merges, as far as they are visible.
    pub(crate) fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// Whether both cells belong to one merge.
    pub(crate) fn are_merged(&self, a: (usize, usize), b: (usize, usize)) -> bool {
        let merge = self.slot(a.0, a.1).merge;
        merge > 0 && merge == self.slot(b.0, b.1).merge
    }

    /// What a table lays over a cell.
    pub(crate) fn overlay(&self, geometry: &Geometry<'_>, row: usize, col: usize) -> Overlay {
        if self.tables.is_empty() {
            return Overlay::default();
        }
        let at = self.cell(row, col);
        let table = self.tables.iter().find(|table| table.range.contains(at));
        table.map(|table| overlay(geometry.looks.styles(), table, at)).unwrap_or_default()
    }

    /// The cell of the sheet at a position.
    pub(crate) fn cell(&self, row: usize, col: usize) -> CellRef {
        CellRef::clamped(self.rows.tracks()[row].index, self.columns.tracks()[col].index)
    }

    /// The pixels of visible cells, the lines at their right and bottom included.
    pub(crate) fn rect(&self, first_row: usize, first_col: usize, last_row: usize, last_col: usize) -> Rect {
        let (columns, rows) = (self.columns.tracks(), self.rows.tracks());
        let (x, y) = (columns[first_col].start, rows[first_row].start);
        Rect::new(x, y, columns[last_col].end() - x, rows[last_row].end() - y)
    }

    /// All pixels of cells.
    pub(crate) fn body(&self) -> Rect {
        let (x, y) = (self.columns.origin(), self.rows.origin());
        Rect::new(x, y, self.columns.end() - x, self.rows.end() - y)
    }
}

fn shows_something(sheet: &Sheet, raw: RawCell) -> bool {
    match raw.value {
        RawValue::Empty => false,
        // A formula's empty text keeps its neighbours' texts out, as in Excel.
        RawValue::SharedText(_) | RawValue::SheetText(_) => {
            raw.formula.is_some() || !matches!(sheet.resolve_value(raw.value), Value::Text(""))
        }
        RawValue::Number(_) | RawValue::Bool(_) | RawValue::Error(_) => true,
    }
}

/// The cells that nothing is stored of look like their row, or like their column.
fn empty_slots(
    sheet: &Sheet,
    geometry: &mut Geometry<'_>,
    palette: &mut Palette,
    columns: &Axis,
    rows: &Axis,
) -> Vec<Slot> {
    let slot = |look| Slot { look, merge: 0, is_occupied: false };
    let of_columns: Vec<u32> = columns
        .tracks()
        .iter()
        .map(|track| sheet.column_span(track.index).and_then(|span| span.style).unwrap_or(StyleId(0)))
        .map(|style| palette.add(geometry, style))
        .collect();
    let mut slots = Vec::with_capacity(columns.len() * rows.len());
    for track in rows.tracks() {
        match sheet.row_props(track.index).and_then(|props| props.style) {
            Some(style) => {
                let look = palette.add(geometry, style);
                slots.extend(std::iter::repeat_n(slot(look), columns.len()));
            }
            None => slots.extend(of_columns.iter().map(|look| slot(*look))),
        }
    }
    slots
}

/// The looks that the picture uses.
struct Palette {
    ids: HashMap<StyleId, u32>,
    looks: Vec<Rc<Look>>,
}

impl Palette {
    fn add(&mut self, geometry: &mut Geometry<'_>, style: StyleId) -> u32 {
        *self.ids.entry(style).or_insert_with(|| {
            self.looks.push(geometry.looks.get(style, &mut geometry.setter));
            self.looks.len() as u32 - 1
        })
    }
}
