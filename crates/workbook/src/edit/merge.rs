//! Merged cells, and the sheet's filter.

use grid::{CellRange, CellRef};

use crate::edit::error::Problem;
use crate::edit::parts::WORKSHEET_ORDER;
use crate::edit::{Draft, Place};
use crate::model::{FormulaKind, RawCell, RawValue, SheetId};

/// Merged ranges that one edit may make.
const MAX_MERGES: u32 = 10_000;

impl Draft {
    pub(crate) fn merge(&mut self, place: Place, across: bool, discard: bool) -> Result<(), Problem> {
        let range = place.range;
        let told = self.written(place);
        let is_single = range.is_single() || across && range.width() == 1;
        if is_single {
            return Err(Problem::new("there is only one cell to merge", "give a larger range").at(told));
        }
        if across && range.height() > MAX_MERGES {
            let problem = format!("one edit merges at most {MAX_MERGES} rows");
            return Err(Problem::new(problem, "give fewer").at(told));
        }
        self.check_unmerged(place)?;
        let blocks: Vec<CellRange> = match across {
            true => (range.start().row()..=range.end().row())
                .filter_map(|row| CellRange::from_bounds(row, range.start().col(), row, range.end().col()))
                .collect(),
            false => vec![range],
        };
        let is_first = |at: CellRef| match across {
            true => at.col() == range.start().col(),
            false => at == range.start(),
        };
        let sheet = self.book.sheet(place.sheet, &())?;
        let lost: Vec<CellRef> = sheet
            .cells_by_row(range)
            .map(|(at, _)| at)
            .filter(|at| !is_first(*at))
            .filter(|at| {
                let cell = sheet.raw_cell(*at);
                cell.value != RawValue::Empty || cell.formula.is_some()
            })
            .collect();
        if let Some(first) = lost.first().filter(|_| !discard) {
            let problem = format!("what is in {first} and {} other cells would be lost", lost.len() - 1);
            return Err(Problem::new(problem, "move it away first, or pass discard: true").at(told));
        }
        let mut tree = self.frame(place.sheet)?;
        let list = tree.root.child_in_order("mergeCells", &WORKSHEET_ORDER);
        for block in blocks {
            list.push(list.sibling("mergeCell").with("ref", block));
        }
        let count = list.children().count().to_string();
        list.set("count", &count);
        self.put_frame(place.sheet, &tree)?;
        let mut hand = self.hand(place)?;
        for at in lost {
            let style = hand.sheet.raw_cell(at).style;
            hand.put(at, RawCell { style, ..RawCell::default() });
        }
        Ok(())
    }

    /// Whether nothing is in the way of merging.
    fn check_unmerged(&self, place: Place) -> Result<(), Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let meets = |range: &CellRange| range.intersect(place.range).is_some();
        let refused = |what: String, remedy: &str| {
            Err(Problem::new(format!("the cells meet {what}"), remedy).at(self.written(place)))
        };
        if let Some(merge) = sheet.merges.iter().copied().find(meets) {
            return refused(format!("the merged range {merge}"), "unmerge it first");
        }
        if let Some(table) = sheet.tables.iter().find(|table| meets(&table.range)) {
            let what = format!("the table {:?} in {}", table.name, table.range);
            return refused(what, "cells of a table cannot be merged");
        }
        if let Some(range) = sheet.pivots.iter().filter_map(|pivot| pivot.range).find(meets) {
            return refused(format!("the pivot table in {range}"), "give cells beside it");
        }
        for (_, formula) in sheet.formulas().iter() {
            let FormulaKind::Array { range, .. } = formula.kind else { continue };
            let stands =
                sheet.raw_cell(range.start()).formula.is_some_and(|id| sheet.formulas().get(id) == formula);
            if stands && meets(&range) {
                return refused(format!("the array formula in {range}"), "change that formula first");
            }
        }
        Ok(())
    }

    pub(crate) fn unmerge(&mut self, place: Place) -> Result<(), Problem> {
        let mut tree = self.frame(place.sheet)?;
        let mut found = false;
        if let Some(list) = tree.root.child_mut("mergeCells") {
            list.retain(|node| {
                let range = node.attr("ref").and_then(|text| text.parse::<CellRange>().ok());
                let goes = range.is_some_and(|range| range.intersect(place.range).is_some());
                found |= goes;
                !goes
            });
            let count = list.children().count().to_string();
            list.set("count", &count);
        }
        if !found {
            let problem = "nothing is merged there";
            return Err(
                Problem::new(problem, "merged ranges are listed with the sheet").at(self.written(place))
            );
        }
        tree.root.retain(|node| node.local_name() != "mergeCells" || !node.has_no_children());
        self.put_frame(place.sheet, &tree)
    }

    /// Filters a range, or nothing any more.
    pub(crate) fn auto_filter(&mut self, id: SheetId, range: Option<CellRange>) -> Result<(), Problem> {
        let sheet = self.book.sheet(id, &())?;
        if let Some(range) = range
            && let Some(table) = sheet.tables.iter().find(|table| table.range.intersect(range).is_some())
        {
            let problem = format!("the cells meet the table {:?}, which has a filter of its own", table.name);
            return Err(
                Problem::new(problem, "give cells beside it").at(self.written(Place { sheet: id, range }))
            );
        }
        let old = sheet.auto_filter.clone();
        if range.is_none() && old.is_none() {
            return Ok(());
        }
        let mut tree = self.frame(id)?;
        tree.root.retain(|node| node.local_name() != "autoFilter");
        if let Some(properties) = tree.root.child_mut("sheetPr") {
            properties.unset("filterMode");
        }
        if let Some(range) = range {
            let filter = tree.root.sibling("autoFilter").with("ref", range);
            tree.root.insert_in_order(filter, &WORKSHEET_ORDER);
        }
        self.put_frame(id, &tree)?;
        if let Some(old) = old.filter(|old| !old.columns.is_empty()) {
            self.show_filtered(Place { sheet: id, range: old.range })?;
        }
        let refers_to = range.map(|range| self.reference(id, range));
        self.put_name("_xlnm._FilterDatabase", Some(id), refers_to.as_deref(), |node| node.set("hidden", "1"))
    }

    /// Shows the rows that a filter over a range may have hidden.
    fn show_filtered(&mut self, place: Place) -> Result<(), Problem> {
        let hand = self.hand(place)?;
        let (first, last) = (place.range.start().row() + 1, place.range.end().row());
        let hidden: Vec<_> = hand
            .sheet
            .rows
            .iter()
            .filter(|it| it.hidden && (first..=last).contains(&it.row))
            .copied()
            .collect();
        for mut props in hidden {
            props.hidden = false;
            hand.sheet.set_row_props(props);
            hand.edit.dirty_rows.insert(props.row);
        }
        Ok(())
    }
}
