//! From the `range` of a call to the table that it means: an Excel table, a detected region, or cells with headers.

use std::sync::Arc;

use analysis::{
    frame::TableView,
    resolve::{Located, Origin},
};
use workbook::{Sheet, Table};

use crate::{call::Call, error::ToolError, open::Opened};

/// A table somewhere in a workbook.
pub(crate) struct TableTarget {
    /// The sheet that it is on.
    pub(crate) sheet: Arc<Sheet>,
    /// Its columns and rows.
    pub(crate) view: TableView,
    /// What a reader should know about how it was found.
    pub(crate) notices: Vec<String>,
}

impl Opened {
    /// The table that an address means; `header_rows` overrides what is known or detected.
    ///
    /// # Errors
    /// When the address leads nowhere or to several areas.
    pub(crate) fn table_target(
        &self,
        call: &Call,
        text: &str,
        header_rows: Option<u32>,
    ) -> Result<TableTarget, ToolError> {
        let located = self.locate(call, text, None)?;
        let area = located.single(&self.book.workbook).map_err(|error| ToolError::from(error).at(text))?;
        let sheet = self.sheet(call, area.sheet)?;
        if let (None, Some(table)) = (header_rows, excel_table(&sheet, &located)) {
            let view = TableView::of_table(area.sheet, table);
            return Ok(TableTarget { view, notices: Vec::new(), sheet });
        }
        let book = &self.book.workbook;
        let view = TableView::of_range(book, area.sheet, &sheet, area.range, header_rows.unwrap_or(1));
        Ok(TableTarget { view, notices: Vec::new(), sheet })
    }
}

/// The Excel table that an address names, or whose cells it is exactly.
fn excel_table<'a>(sheet: &'a Sheet, located: &Located) -> Option<&'a Table> {
    let range = located.areas.first()?.range;
    sheet.tables.iter().find(|table| match &located.origin {
        Origin::Table(name) => table.name == *name,
        _ => table.range == range,
    })
}
