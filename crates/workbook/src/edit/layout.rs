//! Widths, heights, outlines, and what is hidden: columns in the sheet's frame, rows in the model.

use formula::Direction;
use grid::{CellRef, MAX_COLS, MAX_ROWS};
use ooxml::{Node, Tree};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::edit::error::Problem;
use crate::edit::parts::WORKSHEET_ORDER;
use crate::edit::{Draft, Place};
use crate::model::{RowProps, Sheet, SheetKind};

/// The widest column that programs take, in characters.
const MAX_WIDTH: f64 = 255.0;
/// The highest row that programs take, in points.
const MAX_HEIGHT: f64 = 409.5;
/// The deepest level of an outline.
const MAX_LEVEL: u8 = 7;
/// Rows that one edit may give properties.
const MAX_TOUCHED_ROWS: u32 = 100_000;
/// The width of a column that nothing is said of: 8.43 characters and their margins.
const DEFAULT_WIDTH: f64 = 9.140625;
/// What an automatic width leaves beside its longest text.
const PADDING: f64 = 1.7109375;

/// A width in characters or a height in points, or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Json", into = "Json")]
pub enum Length {
    /// What the content needs.
    Auto,
    /// So much.
    Size(f64),
}

impl TryFrom<Json> for Length {
    type Error = String;

    fn try_from(json: Json) -> Result<Length, String> {
        match &json {
            Json::String(text) if text == "auto" => Ok(Length::Auto),
            Json::Number(number) => {
                number.as_f64().map(Length::Size).ok_or_else(|| format!("{number} is no size"))
            }
            other => Err(format!("{other} is no size; write a number or \"auto\"")),
        }
    }
}

impl From<Length> for Json {
    fn from(length: Length) -> Json {
        match length {
            Length::Auto => Json::from("auto"),
            Length::Size(size) => Json::from(size),
        }
    }
}

impl Length {
    fn check(self, what: &str, most: f64, unit: &str) -> Result<(), Problem> {
        match self {
            Length::Size(size) if !(0.0..=most).contains(&size) => {
                Err(Problem::new(format!("a {what} of {size} {unit}"), format!("write 0 to {most}, or auto")))
            }
            _ => Ok(()),
        }
    }
}

impl Draft {
    pub(crate) fn column_width(&mut self, place: Place, width: Length) -> Result<(), Problem> {
        width.check("width", MAX_WIDTH, "characters")?;
        let (first, last) = (place.range.start().col(), place.range.end().col());
        let mut tree = self.frame(place.sheet)?;
        let is_auto = width == Length::Auto;
        let widths = match width {
            Length::Size(width) => vec![(first, last, width)],
            Length::Auto => self.needed_widths(place)?,
        };
        for (first, last, width) in widths {
            change_columns(&mut tree, first, last, |column| {
                column.set("width", &width.to_string());
                column.set("customWidth", "1");
                column.set_or_unset("bestFit", is_auto.then_some("1"));
            });
        }
        self.put_frame(place.sheet, &tree)
    }

    /// What the texts of each column need that has any.
    fn needed_widths(&self, place: Place) -> Result<Vec<(u32, u32, f64)>, Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let is_spread = |at| sheet.merges.iter().any(|merge| merge.width() > 1 && merge.contains(at));
        let mut widths = Vec::new();
        for (col, column) in sheet.columns_in(place.range.start().col()..=place.range.end().col()) {
            let rows = place.range.start().row()..=place.range.end().row();
            let mut longest = 0usize;
            for (row, cell) in column.cells(rows) {
                let at = CellRef::clamped(row, col);
                if is_spread(at) {
                    continue;
                }
                let cell = sheet.resolve(cell);
                let text = self.book.styles.text(cell.value, cell.style, self.book.date_system);
                longest = longest.max(text.lines().map(shown_length).max().unwrap_or(0));
            }
            if longest > 0 {
                widths.push((col, col, (longest as f64 + PADDING).min(MAX_WIDTH)));
            }
        }
        Ok(widths)
    }

    pub(crate) fn row_height(&mut self, place: Place, height: Length) -> Result<(), Problem> {
        height.check("height", MAX_HEIGHT, "points")?;
        self.change_rows(place, |props| match height {
            Length::Auto => props.height = None,
            Length::Size(height) => props.height = Some(height as f32),
        })
    }

    pub(crate) fn hide(&mut self, place: Place, hidden: bool) -> Result<(), Problem> {
        let direction = whole_lines(place)?;
        if hidden && place.range.is_whole_rows() && place.range.is_whole_columns() {
            return Err(Problem::new("it would hide every cell of the sheet", "hide the sheet instead"));
        }
        match direction {
            Direction::Row => self.change_rows(place, |props| props.hidden = hidden),
            Direction::Column => {
                let mut tree = self.frame(place.sheet)?;
                let width = default_width(&tree);
                let (first, last) = (place.range.start().col(), place.range.end().col());
                change_columns(&mut tree, first, last, |column| {
                    column.set_or_unset("hidden", hidden.then_some("1"));
                    // Some programs hide a column by its width.
                    if !hidden && column.parsed::<f64>("width") == Some(0.0) {
                        column.set("width", &width.to_string());
                        column.unset("customWidth");
                    }
                });
                self.put_frame(place.sheet, &tree)
            }
        }
    }

    /// Changes the outline level of rows or columns: to `level`, or by `step`.
    pub(crate) fn outline(&mut self, place: Place, level: Option<u8>, step: i8) -> Result<(), Problem> {
        let direction = whole_lines(place)?;
        if level.is_some_and(|level| level > MAX_LEVEL) {
            return Err(Problem::new(format!("an outline has {MAX_LEVEL} levels"), "write 0 to 7"));
        }
        let changed = |old: u8| level.unwrap_or(old.saturating_add_signed(step)).min(MAX_LEVEL);
        if direction == Direction::Row {
            self.change_rows(place, |props| props.outline_level = changed(props.outline_level))?;
        }
        let sheet = self.book.sheet(place.sheet, &())?;
        let mut tree = self.frame(place.sheet)?;
        let deepest = match direction {
            Direction::Row => sheet.rows.iter().map(|props| props.outline_level).max().unwrap_or(0),
            Direction::Column => {
                let (first, last) = (place.range.start().col(), place.range.end().col());
                change_columns(&mut tree, first, last, |column| {
                    let level = changed(column.parsed("outlineLevel").unwrap_or(0));
                    column.set_or_unset("outlineLevel", (level > 0).then(|| level.to_string()).as_deref());
                });
                let columns = tree.root.child("cols").into_iter().flat_map(Node::children);
                columns.filter_map(|column| column.parsed("outlineLevel")).max().unwrap_or(0)
            }
        };
        // Room for the outline beside the sheet.
        let name = if direction == Direction::Row { "outlineLevelRow" } else { "outlineLevelCol" };
        let format = tree.root.child_in_order("sheetFormatPr", &WORKSHEET_ORDER);
        if format.attr("defaultRowHeight").is_none() {
            format.set("defaultRowHeight", "15");
        }
        format.set_or_unset(name, (deepest > 0).then(|| deepest.to_string()).as_deref());
        self.put_frame(place.sheet, &tree)
    }

    fn change_rows(&mut self, place: Place, change: impl Fn(&mut RowProps)) -> Result<(), Problem> {
        if place.range.height() > MAX_TOUCHED_ROWS {
            return Err(Problem::new(
                format!("one edit changes at most {MAX_TOUCHED_ROWS} rows"),
                "give the rows that hold data, or several edits",
            )
            .at(place.range));
        }
        let tab = self.book.tab(place.sheet);
        if tab.kind == SheetKind::Chartsheet {
            return Err(Problem::new(
                format!("{:?} is a chart that fills its tab", tab.name),
                "give a sheet with cells",
            ));
        }
        let hand = self.hand(place)?;
        for row in place.range.start().row()..=place.range.end().row() {
            let old = row_props(hand.sheet, row);
            let mut new = old;
            change(&mut new);
            if new != old {
                hand.sheet.set_row_props(new);
                hand.edit.dirty_rows.insert(row);
            }
        }
        Ok(())
    }

    /// Keeps the first rows and columns in place while the rest scrolls.
    pub(crate) fn freeze(&mut self, sheet: &str, rows: u32, columns: u32) -> Result<(), Problem> {
        let id = self.sheet_named(sheet)?;
        if rows >= MAX_ROWS || columns >= MAX_COLS {
            return Err(Problem::new("nothing of the sheet would be left to scroll", "freeze fewer"));
        }
        let mut tree = self.frame(id)?;
        let views = tree.root.child_in_order("sheetViews", &WORKSHEET_ORDER);
        if views.child("sheetView").is_none() {
            views.push(views.sibling("sheetView").with("workbookViewId", 0));
        }
        if let Some(view) = views.child_mut("sheetView") {
            freeze_view(view, rows, columns);
        }
        self.put_frame(id, &tree)
    }
}

fn row_props(sheet: &Sheet, row: u32) -> RowProps {
    let plain = RowProps { row, height: None, hidden: false, outline_level: 0, style: None };
    sheet.row_props(row).copied().unwrap_or(plain)
}

/// Whether a range is of rows or of columns.
fn whole_lines(place: Place) -> Result<Direction, Problem> {
    if place.range.is_whole_rows() {
        Ok(Direction::Row)
    } else if place.range.is_whole_columns() {
        Ok(Direction::Column)
    } else {
        let problem = format!("{} is neither whole rows nor whole columns", place.range);
        Err(Problem::new(problem, "write rows as Data!5:7 or columns as Data!B:D"))
    }
}

/// Characters as they are shown: East Asian ones take twice the room.
fn shown_length(line: &str) -> usize {
    line.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6)
}

fn default_width(tree: &Tree) -> f64 {
    let format = tree.root.child("sheetFormatPr");
    format.and_then(|format| format.parsed("defaultColWidth")).unwrap_or(DEFAULT_WIDTH)
}

/// Changes the `col` elements of zero-based columns: those that span more are split, those that become equal joined.
fn change_columns(tree: &mut Tree, first: u32, last: u32, change: impl Fn(&mut Node)) {
    let (first, last) = (first + 1, last + 1);
    let width = default_width(tree);
    let old: Vec<Node> = match tree.root.child("cols") {
        Some(cols) => cols.children().cloned().collect(),
        None => Vec::new(),
    };
    let plain = tree.root.sibling("col");
    let spanned = |node: &Node, first: u32, last: u32| node.clone().with("min", first).with("max", last);
    let fresh = |from: u32, to: u32| {
        let untouched = spanned(&plain, from, to).with("width", width);
        let mut node = untouched.clone();
        change(&mut node);
        (node != untouched).then_some(node)
    };
    let mut new: Vec<Node> = Vec::with_capacity(old.len() + 3);
    let mut next = first;
    for node in old {
        let (Some(min), Some(max)) = (node.parsed::<u32>("min"), node.parsed::<u32>("max")) else {
            new.push(node);
            continue;
        };
        if max < first || min > last || min > max {
            if min > last && next <= last {
                new.extend(fresh(next, last));
                next = last + 1;
            }
            new.push(node);
            continue;
        }
        if min < first {
            new.push(spanned(&node, min, first - 1));
        } else if next < min {
            new.extend(fresh(next, min - 1));
        }
        let mut inner = spanned(&node, min.max(first), max.min(last));
        change(&mut inner);
        new.push(inner);
        if max > last {
            new.push(spanned(&node, last + 1, max));
        }
        next = max.min(last) + 1;
    }
    if next <= last {
        new.extend(fresh(next, last));
    }
    if new.is_empty() {
        return;
    }
    let cols = tree.root.child_in_order("cols", &WORKSHEET_ORDER);
    cols.clear();
    for node in joined(new, first, last) {
        cols.push(node);
    }
}

/// Neighbours of the changed columns that say the same become one.
fn joined(nodes: Vec<Node>, first: u32, last: u32) -> Vec<Node> {
    let bounds = |node: &Node| node.parsed::<u32>("min").zip(node.parsed::<u32>("max"));
    let mut result: Vec<Node> = Vec::with_capacity(nodes.len());
    for node in nodes {
        if let Some(before) = result.last_mut()
            && let (Some((min, max)), Some((from, to))) = (bounds(before), bounds(&node))
            && max + 1 == from
            && max + 1 >= first
            && from <= last + 1
            && node.clone().with("min", min).with("max", max) == *before
        {
            before.set("max", &to.to_string());
            continue;
        }
        result.push(node);
    }
    result
}

/// A view with its first rows and columns frozen, selections as Excel has them: one for each pane but the first.
fn freeze_view(view: &mut Node, rows: u32, columns: u32) {
    const ORDER: [&str; 4] = ["pane", "selection", "pivotSelection", "extLst"];
    let active = view.child("pane").and_then(|pane| pane.attr("activePane"));
    // Neither says anything where the first pane is meant.
    let is_active = |node: &Node| node.attr("pane") == active;
    let selections = || view.children().filter(|node| node.local_name() == "selection");
    let selected = selections().find(|node| is_active(node)).or_else(|| selections().next()).cloned();
    let mut selected = selected.unwrap_or_else(|| view.sibling("selection"));
    selected.unset("pane");
    view.retain(|node| !matches!(node.local_name(), "pane" | "selection"));
    // What is frozen starts at the first cell of the view; a page layout has nothing frozen.
    view.unset("topLeftCell");
    if view.attr("view").as_deref() == Some("pageLayout") {
        view.unset("view");
    }
    if rows == 0 && columns == 0 {
        if !selected.attrs().is_empty() {
            view.insert_in_order(selected, &ORDER);
        }
        return;
    }
    let active = match (rows > 0, columns > 0) {
        (true, true) => "bottomRight",
        (true, false) => "bottomLeft",
        _ => "topRight",
    };
    let mut pane = view.sibling("pane");
    if columns > 0 {
        pane.set("xSplit", &columns.to_string());
    }
    if rows > 0 {
        pane.set("ySplit", &rows.to_string());
    }
    let first = CellRef::clamped(rows, columns);
    let pane = pane.with("topLeftCell", first).with("activePane", active).with("state", "frozen");
    view.insert_in_order(pane, &ORDER);
    if active == "bottomRight" {
        for name in ["topRight", "bottomLeft"] {
            view.insert_in_order(view.sibling("selection").with("pane", name), &ORDER);
        }
    }
    let others = selected.attrs();
    let mut own = view.sibling("selection").with("pane", active);
    for (name, value) in others {
        own.set(&name, &value);
    }
    view.insert_in_order(own, &ORDER);
}
