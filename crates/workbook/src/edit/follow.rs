//! References within parts follow a change of structure: in rules, names, tables, anchors, charts, pivot sources, comments
//! (design: every kind of reference that points to cells).

use formula::{Direction, LostColumns, Relocation, Resize};
use grid::{CellRange, CellRef};
use ooxml::Node;
use regex::{Captures, Regex};

/// What happened to cells or sheets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// Rows or columns came or went.
    Resize { sheet: &'a str, resize: Resize },
    /// A sheet has another name.
    Rename { from: &'a str, to: &'a str },
    /// A sheet is gone; the tabs as they stood before.
    Lose { sheet: &'a str, order: &'a [&'a str] },
    /// A table has another name.
    RenameTable { from: &'a str, to: &'a str },
    /// A column of a table has another name.
    RenameColumn { table: &'a str, from: &'a str, to: &'a str },
    /// Cells were cut and pasted.
    Relocate(Relocation<'a>),
    /// Columns of a table are gone.
    LoseColumns(LostColumns<'a>),
}

impl Change<'_> {
    /// A formula that stands on the sheet `home`, after the change; `None` if it stays.
    pub(crate) fn formula(&self, text: &str, home: &str) -> Option<String> {
        match *self {
            Change::Resize { sheet, resize } => formula::resize(text, sheet, is_same(sheet, home), resize),
            Change::Rename { from, to } => formula::rename_sheet(text, from, to),
            Change::Lose { sheet, order } => formula::lose_sheet(text, sheet, order),
            Change::RenameTable { from, to } => formula::rename_table(text, from, to),
            Change::RenameColumn { table, from, to } => formula::rename_table_column(text, table, from, to),
            Change::Relocate(relocation) => formula::relocate(text, home, home, relocation),
            Change::LoseColumns(lost) => formula::lose_columns(text, lost),
        }
    }

    /// How positions on the sheet `home` move.
    fn positions(&self, home: &str) -> Option<Resize> {
        match *self {
            Change::Resize { sheet, resize } if is_same(sheet, home) => Some(resize),
            _ => None,
        }
    }
}

pub(crate) fn is_same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

/// Follows a change through a part's tree.
pub(crate) struct Follower<'a> {
    pub(crate) change: Change<'a>,
    /// The sheet that the part belongs to; empty for parts of the workbook.
    pub(crate) home: &'a str,
    /// Whether anything in the part changed.
    pub(crate) changed: bool,
}

/// What becomes of an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
}

impl Follower<'_> {
    /// Follows the change through a part's root and all that is in it.
    pub(crate) fn follow_root(&mut self, root: &mut Node) {
        let name = root.local_name().to_owned();
        // A part stays, whatever becomes of its cells.
        let _fate = self.child("", root);
        debug_assert_eq!(name, root.local_name());
    }

    fn element(&mut self, node: &mut Node) -> Fate {
        let before = node.children().count();
        let has_children = before > 0;
        if has_children {
            let name = node.local_name().to_owned();
            node.retain_mut(|child| self.child(&name, child) == Fate::Stays);
        }
        let after = node.children().count();
        if after < before {
            self.changed = true;
            for count in ["count", "manualBreakCount"] {
                if node.attr(count).is_some() {
                    node.set(count, &after.to_string());
                }
            }
            // Lists that no schema allows to be empty.
            if after == 0 && is_list(node.local_name()) {
                return Fate::Goes;
            }
        }
        Fate::Stays
    }

    fn child(&mut self, parent: &str, node: &mut Node) -> Fate {
        let name = node.local_name().to_owned();
        if let Some(resize) = self.change.positions(self.home)
            && self.position(resize, parent, &name, node) == Fate::Goes
        {
            self.changed = true;
            return Fate::Goes;
        }
        self.source(&name, node);
        self.formulas(&name, node);
        let fate = self.element(node);
        // A rule whose cells are gone.
        let has_cells = |node: &Node| node.children().any(|child| child.local_name() == "sqref");
        let needs_cells = matches!(name.as_str(), "sparkline" | "conditionalFormatting" | "dataValidation");
        if fate == Fate::Stays && needs_cells && node.attr("sqref").is_none() && !has_cells(node) {
            return Fate::Goes;
        }
        fate
    }

    /// Formulas in texts and attributes.
    fn formulas(&mut self, name: &str, node: &mut Node) {
        match name {
            "f"
            | "formula"
            | "formula1"
            | "formula2"
            | "calculatedColumnFormula"
            | "totalsRowFormula"
            | "definedName"
                // The formula of an `x14:formula1` is in an element of its own.
                if node.has_no_children() =>
            {
                let text = node.text();
                if let Some(new) = self.change.formula(&text, self.home) {
                    node.set_text(&new);
                    self.changed = true;
                }
            }
            "hyperlink" => self.formula_attributes(node, &["location"]),
            "formControlPr" => {
                self.formula_attributes(node, &["fmlaLink", "fmlaRange", "fmlaTxbx", "fmlaGroup"]);
            }
            "controlPr" => self.formula_attributes(node, &["linkedCell", "listFillRange"]),
            // Thresholds of colour scales, data bars and icon sets may be formulas.
            "cfvo" if node.attr("val").is_some_and(|value| value.parse::<f64>().is_err()) => {
                self.formula_attributes(node, &["val"]);
            }
            _ => {}
        }
    }

    fn formula_attributes(&mut self, node: &mut Node, names: &[&str]) {
        for name in names {
            let new = node.attr(name).and_then(|text| self.change.formula(&text, self.home));
            if let Some(new) = new {
                node.set(name, &new);
                self.changed = true;
            }
        }
    }

    /// Sources that name their sheet in one attribute and their cells in another.
    fn source(&mut self, name: &str, node: &mut Node) {
        if !matches!(name, "worksheetSource" | "rangeSet" | "dataRef") || node.attr("id").is_some() {
            return;
        }
        if let (Change::RenameTable { from, to }, Some(table)) = (self.change, node.attr("name"))
            && is_same(&table, from)
        {
            node.set("name", to);
            self.changed = true;
            return;
        }
        let Some(sheet) = node.attr("sheet") else { return };
        match self.change {
            Change::Resize { sheet: home, resize } if is_same(&sheet, home) => {
                let range = node.attr("ref").and_then(|text| text.parse::<CellRange>().ok());
                if let Some(moved) =
                    range.and_then(|range| resize.moved_range(range)).filter(|new| Some(*new) != range)
                {
                    node.set("ref", &moved.corners());
                    self.changed = true;
                }
            }
            Change::Rename { from, to } if is_same(&sheet, from) => {
                node.set("sheet", to);
                self.changed = true;
            }
            _ => {}
        }
    }

    /// Positions on the sheet itself.
    fn position(&mut self, resize: Resize, parent: &str, name: &str, node: &mut Node) -> Fate {
        match name {
            "dimension" | "sortState" | "sortCondition" | "table" | "hyperlink" | "comment"
            | "threadedComment" | "location" | "webPublishItem" => self.range_attribute(resize, node, "ref"),
            "mergeCell" => {
                let fate = self.range_attribute(resize, node, "ref");
                let is_single =
                    node.attr("ref").and_then(|text| text.parse().ok()).is_some_and(CellRange::is_single);
                if is_single { Fate::Goes } else { fate }
            }
            "autoFilter" => {
                let old: Option<CellRange> = node.attr("ref").and_then(|text| text.parse().ok());
                let fate = self.range_attribute(resize, node, "ref");
                let new: Option<CellRange> = node.attr("ref").and_then(|text| text.parse().ok());
                if let (Some(old), Some(new)) = (old, new) {
                    self.filter_columns(resize, node, old, new);
                }
                fate
            }
            "conditionalFormatting" | "dataValidation" | "protectedRange" | "ignoredError"
                if node.attr("sqref").is_some() =>
            {
                let text = node.attr("sqref").unwrap_or_default();
                self.ranges(resize, &text, |new| node.set("sqref", new))
            }
            "sqref" => {
                let text = node.text();
                self.ranges(resize, &text, |new| node.set_text(new))
            }
            "selection" => {
                let text = node.attr("sqref").unwrap_or_default();
                if self.ranges(resize, &text, |new| node.set("sqref", new)) == Fate::Goes {
                    node.unset("sqref");
                    node.unset("activeCell");
                } else if let Some(cell) =
                    node.attr("activeCell").and_then(|text| text.parse::<CellRef>().ok())
                {
                    let moved = resize.moved_range(CellRange::cell(cell)).map(CellRange::start);
                    node.set_or_unset("activeCell", moved.map(|cell| cell.to_string()).as_deref());
                }
                Fate::Stays
            }
            "cellWatch" | "inputCells" => self.range_attribute(resize, node, "r"),
            "col" | "brk" | "from" | "to" if resize.band.is_some() => Fate::Stays,
            "col" if parent == "cols" && resize.direction == Direction::Column => {
                self.column_span(resize, node)
            }
            "brk" => {
                let is_along = match resize.direction {
                    Direction::Row => parent == "rowBreaks",
                    Direction::Column => parent == "colBreaks",
                };
                // The break stands before the row of this zero-based number.
                let id: Option<u32> = node.parsed("id").filter(|_| is_along);
                match id.map(|id| resize.moved(id, id)) {
                    Some(Some((new, _))) => {
                        self.changed |= Some(new) != id;
                        node.set("id", &new.to_string());
                        Fate::Stays
                    }
                    Some(None) => Fate::Goes,
                    None => Fate::Stays,
                }
            }
            "from" | "to" => {
                self.anchor(resize, node);
                Fate::Stays
            }
            _ => Fate::Stays,
        }
    }

    fn range_attribute(&mut self, resize: Resize, node: &mut Node, attribute: &str) -> Fate {
        let Some(range) = node.attr(attribute).and_then(|text| text.parse::<CellRange>().ok()) else {
            return Fate::Stays;
        };
        match resize.moved_range(range) {
            Some(moved) => {
                if moved != range {
                    node.set(attribute, &moved.corners());
                    self.changed = true;
                }
                Fate::Stays
            }
            None => Fate::Goes,
        }
    }

    /// A list of ranges; gone when none of them is left.
    fn ranges(&mut self, resize: Resize, text: &str, set: impl FnOnce(&str)) -> Fate {
        let moved: Vec<String> = text
            .split_ascii_whitespace()
            .filter_map(|range| match range.parse::<CellRange>() {
                Ok(range) => {
                    let parts = parts_by_band(resize, range);
                    let moved: Vec<String> = parts
                        .into_iter()
                        .filter_map(|part| resize.moved_range(part))
                        .map(CellRange::corners)
                        .collect();
                    (!moved.is_empty()).then(|| moved.join(" "))
                }
                Err(_) => Some(range.to_owned()),
            })
            .collect();
        if moved.is_empty() {
            return Fate::Goes;
        }
        let new = moved.join(" ");
        if new != text {
            set(&new);
            self.changed = true;
        }
        Fate::Stays
    }

    fn column_span(&mut self, resize: Resize, node: &mut Node) -> Fate {
        let (Some(min), Some(max)) = (node.parsed::<u32>("min"), node.parsed::<u32>("max")) else {
            return Fate::Stays;
        };
        match resize.moved(min.saturating_sub(1), max.saturating_sub(1)) {
            Some((first, last)) => {
                self.changed |= (first + 1, last + 1) != (min, max);
                node.set("min", &(first + 1).to_string());
                node.set("max", &(last + 1).to_string());
                Fate::Stays
            }
            None => Fate::Goes,
        }
    }

    /// The columns that a filter names by their distance from its first one.
    fn filter_columns(&mut self, resize: Resize, node: &mut Node, old: CellRange, new: CellRange) {
        if resize.direction != Direction::Column {
            return;
        }
        node.retain_mut(|child| {
            let Some(id) = child.parsed::<u32>("colId") else { return true };
            let column = old.start().col() + id;
            match resize.moved(column, column) {
                Some((column, _)) => {
                    child.set("colId", &column.saturating_sub(new.start().col()).to_string());
                    true
                }
                None => false,
            }
        });
    }

    /// A corner of a drawing object: where its cell goes, it stands where that was.
    fn anchor(&mut self, resize: Resize, node: &mut Node) {
        let (name, offset) = match resize.direction {
            Direction::Row => ("row", "rowOff"),
            Direction::Column => ("col", "colOff"),
        };
        let Some(child) = node.child_mut(name) else { return };
        let Ok(index) = child.text().trim().parse::<u32>() else { return };
        let moved = resize.moved(index, index).map(|(index, _)| index);
        if moved == Some(index) {
            return;
        }
        child.set_text(&moved.unwrap_or(resize.at).to_string());
        self.changed = true;
        if moved.is_none()
            && let Some(offset) = node.child_mut(offset)
        {
            offset.set_text("0");
        }
    }
}

/// A range, in parts of which each lies within the band that shifts or beside it.
fn parts_by_band(resize: Resize, range: CellRange) -> Vec<CellRange> {
    let Some((first, last)) = resize.band else { return vec![range] };
    let (start, end) = (range.start(), range.end());
    let (from, to, is_row) = match resize.direction {
        Direction::Row => (start.col(), end.col(), true),
        Direction::Column => (start.row(), end.row(), false),
    };
    let reach = if is_row { end.row() } else { end.col() };
    if to < first || last < from || reach < resize.at {
        return vec![range];
    }
    let mut cuts = vec![(from.max(first), to.min(last))];
    cuts.extend((from < first).then(|| (from, first - 1)));
    cuts.extend((last < to).then(|| (last + 1, to)));
    cuts.sort_unstable();
    let part = |(from, to)| match is_row {
        true => CellRange::from_bounds(start.row(), from, end.row(), to),
        false => CellRange::from_bounds(from, start.col(), to, end.col()),
    };
    cuts.into_iter().filter_map(part).collect()
}

fn is_list(name: &str) -> bool {
    matches!(
        name,
        "mergeCells"
            | "dataValidations"
            | "hyperlinks"
            | "protectedRanges"
            | "ignoredErrors"
            | "cellWatches"
            | "rowBreaks"
            | "colBreaks"
            | "cols"
            | "sparklines"
            | "sparklineGroup"
            | "conditionalFormattings"
            | "scenario"
            | "scenarios"
    )
}

/// As [`follow_vml`], for the notes of cells that shift alone.
fn follow_vml_in_band(vml: &str, resize: Resize, notes: &Regex) -> Option<String> {
    let number = |shape: &str, name: &str| {
        let from = shape.find(&format!("<x:{name}>"))? + name.len() + 4;
        shape[from..].split('<').next()?.trim().parse::<u32>().ok()
    };
    let whole = Resize { band: None, ..resize };
    let new = notes.replace_all(vml, |found: &Captures<'_>| {
        let shape = &found[0];
        let cell = number(shape, "Row").zip(number(shape, "Column"));
        let cell = cell.map(|(row, col)| CellRange::cell(CellRef::clamped(row, col)));
        match cell.filter(|cell| shape.contains("ObjectType=\"Note\"") && resize.has_band(*cell)) {
            Some(_) => follow_vml(shape, whole).unwrap_or_else(|| shape.to_owned()),
            None => shape.to_owned(),
        }
    });
    (new != vml).then(|| new.into_owned())
}

/// The legacy drawing of notes and controls, which is not always XML: its anchors, by their text.
pub(crate) fn follow_vml(vml: &str, resize: Resize) -> Option<String> {
    let pattern =
        Regex::new(r"(<x:(Row|Column|Anchor)>)([^<]*)(</x:)").expect("invariant: the pattern is sound");
    let moved = |index: u32| resize.moved(index, index).map_or(resize.at, |(index, _)| index);
    let (name, fields) = match resize.direction {
        // Left column, its offset, top row, its offset, right column, its offset, bottom row, its offset.
        Direction::Row => ("Row", [2, 6]),
        Direction::Column => ("Column", [0, 4]),
    };
    let notes = Regex::new(r"(?s)<v:shape\b.*?</v:shape>\s*").expect("invariant: the pattern is sound");
    if resize.band.is_some() {
        return follow_vml_in_band(vml, resize, &notes);
    }
    let line =
        Regex::new(&format!(r"<x:{name}>\s*(\d+)\s*</x:{name}>")).expect("invariant: the pattern is sound");
    let is_lost = |shape: &str| {
        let index = line.captures(shape).and_then(|found| found[1].parse::<u32>().ok());
        shape.contains("ObjectType=\"Note\"")
            && index.is_some_and(|index| resize.moved(index, index).is_none())
    };
    // A note's shape goes with its cell.
    let kept = notes.replace_all(
        vml,
        |shape: &Captures<'_>| {
            if is_lost(&shape[0]) { String::new() } else { shape[0].to_owned() }
        },
    );
    let new = pattern.replace_all(&kept, |found: &Captures<'_>| {
        let text = &found[3];
        let replaced = if &found[2] == "Anchor" {
            let mut numbers: Vec<String> = text.split(',').map(|field| field.trim().to_owned()).collect();
            for field in fields {
                if let Some(number) = numbers.get_mut(field)
                    && let Ok(index) = number.parse::<u32>()
                {
                    *number = moved(index).to_string();
                }
            }
            numbers.join(", ")
        } else if &found[2] == name {
            text.trim().parse::<u32>().map_or_else(|_| text.to_owned(), |index| moved(index).to_string())
        } else {
            text.to_owned()
        };
        format!("{}{replaced}{}", &found[1], &found[4])
    });
    (new != vml).then(|| new.into_owned())
}
