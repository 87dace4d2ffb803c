//! What changes a sheet's cells in place.

use formula::{Change, Direction, Resize};
use grid::{CellRef, MAX_COLS};

use crate::error::OpenError;
use crate::model::chunk::{FormulaId, RawCell, RawValue};
use crate::model::column::Column;
use crate::model::formulas::{Formula, Formulas};
use crate::model::sheet::{RowProps, Sheet};

impl Sheet {
    /// Writes a cell, replacing what was there; one without value, formula and format goes.
    pub(crate) fn set_cell(&mut self, at: CellRef, cell: RawCell) {
        let found = self.columns.binary_search_by_key(&at.col(), |(col, _)| *col);
        if cell == RawCell::default() {
            if let Ok(index) = found {
                self.columns[index].1.remove(at.row());
                if self.columns[index].1.is_empty() {
                    self.columns.remove(index);
                }
            }
            return;
        }
        let index = found.unwrap_or_else(|index| {
            self.columns.insert(index, (at.col(), Column::default()));
            index
        });
        self.columns[index].1.set(at.row(), cell);
    }

    /// The stored cell at a position.
    pub(crate) fn raw_cell(&self, at: CellRef) -> RawCell {
        self.column(at.col()).and_then(|column| column.get(at.row())).unwrap_or_default()
    }

    /// The text that a stored value is.
    pub(crate) fn stored_text(&self, value: RawValue) -> Option<&str> {
        match self.resolve_value(value) {
            grid::Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Keeps a text of this sheet.
    pub(crate) fn keep_text(&mut self, text: &str) -> Result<RawValue, OpenError> {
        let id = self.own_strings.intern(text).ok_or_else(|| too_much("bytes of one sheet"))?;
        Ok(RawValue::SheetText(id))
    }

    /// Keeps a text of this sheet with the elements of its runs.
    pub(crate) fn keep_rich_text(&mut self, text: &str, runs: &str) -> Result<RawValue, OpenError> {
        let id = self.own_strings.push_rich(text, runs).ok_or_else(|| too_much("bytes of one sheet"))?;
        Ok(RawValue::SheetText(id))
    }

    /// Keeps a formula; cells refer to it by the id.
    pub(crate) fn keep_formula(&mut self, formula: Formula) -> Result<FormulaId, OpenError> {
        self.formulas.push(formula).ok_or_else(|| too_much("formulas of one sheet"))
    }

    /// The stored formulas, to be changed.
    pub(crate) fn formulas_mut(&mut self) -> &mut Formulas {
        &mut self.formulas
    }

    /// Moves cells and the properties of rows as rows or columns come and go; formulas and everything around the cells
    /// stay as they are.
    pub(crate) fn resize_cells(&mut self, resize: Resize) {
        let Resize { direction, at, change, band: _ } = resize;
        match (direction, change) {
            (Direction::Row, Change::Insert(count)) => {
                self.columns.iter_mut().for_each(|(_, column)| column.insert_rows(at, count));
            }
            (Direction::Row, Change::Delete(count)) => {
                self.columns.iter_mut().for_each(|(_, column)| column.delete_rows(at, count));
            }
            (Direction::Column, Change::Insert(count)) => {
                for (col, _) in self.columns.iter_mut().filter(|(col, _)| *col >= at) {
                    *col += count;
                }
                self.columns.retain(|(col, _)| *col < MAX_COLS);
            }
            (Direction::Column, Change::Delete(count)) => {
                self.columns.retain(|(col, _)| *col < at || *col - at >= count);
                for (col, _) in self.columns.iter_mut().filter(|(col, _)| *col >= at) {
                    *col -= count;
                }
            }
        }
        self.columns.retain(|(_, column)| !column.is_empty());
        if direction == Direction::Row {
            self.rows = std::mem::take(&mut self.rows)
                .into_iter()
                .filter_map(|props| Some(RowProps { row: resize.moved(props.row, props.row)?.0, ..props }))
                .collect();
        }
    }

    /// Sets a row's properties; one that has none of its own is not listed.
    pub(crate) fn set_row_props(&mut self, props: RowProps) {
        let plain = RowProps { row: props.row, height: None, hidden: false, outline_level: 0, style: None };
        match self.rows.binary_search_by_key(&props.row, |known| known.row) {
            Ok(found) if props == plain => {
                self.rows.remove(found);
            }
            Err(_) if props == plain => {}
            Ok(found) => self.rows[found] = props,
            Err(index) => self.rows.insert(index, props),
        }
    }

    /// Takes everything but the cells and the rows over from `frame`, which was read from the same part.
    pub(crate) fn take_frame(&mut self, mut frame: Sheet) {
        std::mem::swap(&mut frame.rows, &mut self.rows);
        std::mem::swap(&mut frame.columns, &mut self.columns);
        std::mem::swap(&mut frame.formulas, &mut self.formulas);
        std::mem::swap(&mut frame.own_strings, &mut self.own_strings);
        std::mem::swap(&mut frame.shared_strings, &mut self.shared_strings);
        *self = frame;
    }
}

fn too_much(what: &str) -> OpenError {
    OpenError::OverBudget {
        what: what.to_owned(),
        limit: u64::from(u32::MAX),
        option: "SPREADSHEET_MCP_MAX_SHEET_BYTES",
    }
}
