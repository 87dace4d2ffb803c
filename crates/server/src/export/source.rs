//! Which cells an export holds: those of an address, or of the only sheet that has some.

use std::sync::Arc;

use analysis::{
    frame::TableView,
    resolve::{Area, clip},
};
use grid::{CellRange, CellRef};
use workbook::{Sheet, SheetId, SheetKind, Visibility};

use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    open::Opened,
    table_target::TableTarget,
};

/// Sheets that an error lists at most.
const LISTED_SHEETS: usize = 20;

/// The cells of an export.
pub(super) struct Source {
    /// As it was asked for.
    pub(super) area: Area,
    pub(super) sheet: Arc<Sheet>,
    /// The table, where one is meant.
    pub(super) view: Option<TableView>,
    /// The cells with data; none of an empty sheet.
    pub(super) range: Option<CellRange>,
    pub(super) notices: Vec<String>,
}

impl Source {
    /// The cells of `range`: an Excel table and a region with a header, others as they lie. `as_table` looks for a table
    /// also in those.
    pub(super) fn find(
        call: &Call,
        opened: &Opened,
        range: Option<&str>,
        as_table: bool,
    ) -> Result<Source, ToolError> {
        let name = match range {
            Some(range) => range.to_owned(),
            None => opened.quoted_name(only_sheet(call, opened)?),
        };
        let table = match as_table {
            true => Some(opened.table_target(call, &name, None)?),
            false => opened.named_table(call, &name)?,
        };
        if let Some(TableTarget { sheet, view, notices }) = table {
            let range = view.data_range();
            let area = Area { sheet: view.sheet, range: range.unwrap_or(CellRange::ALL) };
            return Ok(Source { area, sheet, view: Some(view), range, notices });
        }
        let area = opened.locate_one(call, &name, None)?;
        let sheet = opened.sheet(call, area.sheet)?;
        Ok(Source { area, view: None, range: used(area.range, &sheet), sheet, notices: Vec::new() })
    }

    /// The names of a table's columns.
    pub(super) fn header(&self) -> Vec<String> {
        let columns = self.view.iter().flat_map(|view| &view.columns);
        columns.map(|column| column.name.clone()).collect()
    }

    /// What is written although the sheet does not show it.
    pub(super) fn hidden(&self) -> Option<String> {
        let range = self.range?;
        let rows = range.start().row()..=range.end().row();
        let hidden_rows = self.sheet.rows.iter().filter(|it| it.hidden && rows.contains(&it.row)).count();
        let hidden_columns = (range.start().col()..=range.end().col())
            .filter(|col| self.sheet.column_span(*col).is_some_and(|span| span.hidden))
            .count();
        (hidden_rows + hidden_columns > 0)
            .then(|| format!("{hidden_rows} hidden rows and {hidden_columns} hidden columns are in it, too"))
    }
}

/// From a range's first cell to the last one that the sheet uses.
fn used(range: CellRange, sheet: &Sheet) -> Option<CellRange> {
    let end = sheet.used_range()?.end();
    clip(range, sheet)?.intersect(CellRange::new(CellRef::A1, end))
}

/// The visible sheet that has content, or the first one when none has.
fn only_sheet(call: &Call, opened: &Opened) -> Result<SheetId, ToolError> {
    let book = &opened.book.workbook;
    let is_shown = |id: &SheetId| {
        let tab = book.tab(*id);
        tab.visibility == Visibility::Visible && tab.kind == SheetKind::Worksheet
    };
    let shown: Vec<SheetId> = book.sheet_ids().filter(is_shown).collect();
    let mut with_content = Vec::new();
    for id in &shown {
        if shown.len() == 1 || opened.sheet(call, *id)?.used_range().is_some() {
            with_content.push(*id);
        }
    }
    match (with_content.as_slice(), shown.first()) {
        ([only], _) | ([], Some(only)) => Ok(*only),
        (several, _) => {
            let message = format!("{} sheets have content, and such a file holds one", several.len());
            let names = several.iter().take(LISTED_SHEETS).map(|id| opened.quoted_name(*id)).collect();
            Err(ToolError::new(ErrorCode::InvalidArgument, message)
                .at("range")
                .hint("name a sheet, a table or cells as range")
                .candidates(names))
        }
    }
}
