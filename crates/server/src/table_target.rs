//! From the `range` of a call to the table that it means: an Excel table, a detected region, or cells with headers.

use std::sync::Arc;

use analysis::{
    formulas::Area,
    frame::TableView,
    regions::{Region, RegionKind, Regions},
    resolve::{Located, Origin, clip},
};
use grid::{Address, CellRange};
use workbook::{Sheet, SheetId, SheetKind, Table, Visibility, Workbook};

use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    near_miss::near_misses,
    open::Opened,
};

/// Regions that an error lists at most.
const LISTED_REGIONS: usize = 20;
/// Rows of headers at most.
const MAX_HEADER_ROWS: u32 = 50;
/// Below this confidence a reader is told to look for themselves.
const DOUBTFUL: f32 = 0.6;

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
        if header_rows.is_some_and(|rows| rows > MAX_HEADER_ROWS) {
            let message = format!("headers are at most {MAX_HEADER_ROWS} rows high");
            return Err(ToolError::new(ErrorCode::InvalidArgument, message)
                .at("header_rows")
                .hint("leave it out to have them detected, or give 0 for none"));
        }
        if let Some(region_id) = RegionId::parse(text)
            && let Some(found) = self.region_target(call, &region_id, header_rows)?
        {
            return Ok(found);
        }
        let located = self.locate(call, text, None)?;
        let area = located.single(&self.book.workbook).map_err(|error| ToolError::from(error).at(text))?;
        let sheet = self.sheet(call, area.sheet)?;
        if let Some(rows) = header_rows {
            let view = TableView::of_range(&self.book.workbook, area.sheet, &sheet, area.range, rows);
            return Ok(TableTarget { sheet, view, notices: Vec::new() });
        }
        if let Some(table) = excel_table(&sheet, &located) {
            let view = TableView::of_table(area.sheet, table);
            return Ok(TableTarget { sheet, view, notices: Vec::new() });
        }
        let regions = self.book.regions(area.sheet, call)?;
        Ok(within_regions(&self.book.workbook, sheet, area, &regions))
    }

    /// The table that an address names as such: an Excel table or a region; `None` for cells.
    ///
    /// # Errors
    /// When the address leads nowhere.
    pub(crate) fn named_table(&self, call: &Call, text: &str) -> Result<Option<TableTarget>, ToolError> {
        if let Some(region_id) = RegionId::parse(text)
            && let Some(found) = self.region_target(call, &region_id, None)?
        {
            return Ok(Some(found));
        }
        match self.locate(call, text, None)?.origin {
            Origin::Table(_) => self.table_target(call, text, None).map(Some),
            _ => Ok(None),
        }
    }

    /// The region of an id; `None` where a defined name or a table is called so.
    fn region_target(
        &self,
        call: &Call,
        id: &RegionId,
        header_rows: Option<u32>,
    ) -> Result<Option<TableTarget>, ToolError> {
        let is_name = |name: &workbook::DefinedName| name.name.eq_ignore_ascii_case(&id.name);
        if self.book.workbook.names.iter().any(is_name) {
            return Ok(None);
        }
        let sheet_id = match &id.sheet {
            Some(name) => self.sheet_id(name)?,
            None => self.only_sheet(&id.name)?,
        };
        let sheet = self.sheet(call, sheet_id)?;
        let regions = self.book.regions(sheet_id, call)?;
        let Some(region) = regions.regions.iter().find(|region| region.id.eq_ignore_ascii_case(&id.name))
        else {
            let ids = || regions.regions.iter().map(|region| region.id.as_str());
            let near = near_misses(&id.name, ids());
            let candidates: Vec<String> = match near.is_empty() {
                true => ids().take(LISTED_REGIONS).map(str::to_owned).collect(),
                false => near,
            };
            let name = self.quoted_name(sheet_id);
            let message =
                format!("the sheet {name} has no {}; it has {} regions", id.name, regions.regions.len());
            return Err(ToolError::new(ErrorCode::NotFound, message)
                .at("range")
                .hint("sheet_overview lists the regions of a sheet")
                .candidates(candidates.iter().map(|id| format!("{name}!{id}")).collect()));
        };
        let book = &self.book.workbook;
        let view = view_of(book, sheet_id, &sheet, region, header_rows);
        Ok(Some(TableTarget { sheet, view, notices: doubts(region) }))
    }

    /// The only sheet that shows, for regions without a sheet.
    fn only_sheet(&self, region: &str) -> Result<SheetId, ToolError> {
        let book = &self.book.workbook;
        let shown: Vec<SheetId> = book
            .sheet_ids()
            .filter(|id| {
                let tab = book.tab(*id);
                tab.visibility == Visibility::Visible && tab.kind == SheetKind::Worksheet
            })
            .collect();
        match shown.as_slice() {
            [only] => Ok(*only),
            _ => {
                let qualified = |id: &SheetId| format!("{}!{region}", self.quoted_name(*id));
                let message =
                    format!("{region} names no sheet; the workbook shows {}, so say which", shown.len());
                Err(ToolError::new(ErrorCode::InvalidAddress, message)
                    .at("range")
                    .hint("put the sheet first: Data!region1")
                    .candidates(shown.iter().take(LISTED_REGIONS).map(qualified).collect()))
            }
        }
    }
}

/// `Data!region2`.
struct RegionId {
    sheet: Option<String>,
    name: String,
}

impl RegionId {
    fn parse(text: &str) -> Option<RegionId> {
        let Ok(Address::Name { sheet, name }) = text.parse() else { return None };
        let digits = name.get(..6).filter(|start| start.eq_ignore_ascii_case("region")).and(name.get(6..))?;
        let is_id = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_id.then_some(RegionId { sheet, name })
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

/// A table of a range: its headers are those of the region that it lies in, if there is one.
fn within_regions(book: &Workbook, sheet: Arc<Sheet>, area: Area, regions: &Regions) -> TableTarget {
    let headless = |sheet: Arc<Sheet>, notices: Vec<String>| {
        let view = TableView::of_range(book, area.sheet, &sheet, area.range, 0);
        TableTarget { sheet, view, notices }
    };
    let is_whole = area.range.is_whole_columns() || area.range.is_whole_rows();
    let overlapping: Vec<&Region> =
        regions.regions.iter().filter(|region| region.range.intersect(area.range).is_some()).collect();
    let tables: Vec<&Region> = overlapping
        .iter()
        .copied()
        .filter(|region| matches!(region.kind, RegionKind::Table | RegionKind::Matrix))
        .collect();
    let region = match (overlapping.as_slice(), tables.as_slice()) {
        ([only], _) | (_, [only]) => *only,
        ([], _) => return headless(sheet, Vec::new()),
        // A whole sheet: its largest table.
        (_, candidates) if is_whole => {
            let candidates = if candidates.is_empty() { &overlapping } else { candidates };
            match candidates.iter().max_by_key(|region| region.range.area()) {
                Some(largest) => *largest,
                None => return headless(sheet, Vec::new()),
            }
        }
        _ => {
            let notice = format!(
                "the range covers {} regions and is read without headers; ask for one region, or set header_rows",
                overlapping.len()
            );
            return headless(sheet, vec![notice]);
        }
    };
    let mut notices =
        if area.range.contains_range(region.range) || is_whole { doubts(region) } else { Vec::new() };
    if is_whole && overlapping.len() > 1 {
        notices.push(format!("{} of {} regions here: {}", region.id, overlapping.len(), region.range));
    }
    let whole = view_of(book, area.sheet, &sheet, region, None);
    let Some(wanted) = clip(area.range, &sheet) else { return headless(sheet, notices) };
    let view = narrowed(whole, wanted);
    TableTarget { sheet, view, notices }
}

fn view_of(
    book: &Workbook,
    id: SheetId,
    sheet: &Sheet,
    region: &Region,
    header_rows: Option<u32>,
) -> TableView {
    let table =
        region.table_name.as_ref().and_then(|name| sheet.tables.iter().find(|table| table.name == *name));
    if let (None, Some(table)) = (header_rows, table) {
        return TableView::of_table(id, table);
    }
    let rows = header_rows.unwrap_or(region.header_rows);
    let mut view = TableView::of_range(book, id, sheet, region.range, rows);
    view.rows.end = view.rows.end.saturating_sub(region.total_rows).max(view.rows.start);
    view
}

/// The columns and rows of a view that lie in a range.
fn narrowed(mut view: TableView, range: CellRange) -> TableView {
    let cols = range.start().col()..=range.end().col();
    view.columns.retain(|column| cols.contains(&column.col));
    let end = view.rows.end.min(range.end().row() + 1);
    view.rows = view.rows.start.max(range.start().row()).min(end)..end;
    view
}

/// What to say of a region that is not certain.
fn doubts(region: &Region) -> Vec<String> {
    let mut doubts = Vec::new();
    if region.confidence < DOUBTFUL {
        doubts.push(format!("{} is a guess (confidence {:.1})", region.id, region.confidence));
    }
    match region.total_rows {
        0 => {}
        1 => doubts.push("the last row holds totals and is left out".to_owned()),
        rows => doubts.push(format!("the last {rows} rows hold totals and are left out")),
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_regions() {
        let parse = |text: &str| RegionId::parse(text).map(|id| (id.sheet, id.name));
        assert_eq!(parse("Data!region2"), Some((Some("Data".to_owned()), "region2".to_owned())));
        assert_eq!(parse("'Q1 A'!Region12"), Some((Some("Q1 A".to_owned()), "Region12".to_owned())));
        assert_eq!(parse("region1"), Some((None, "region1".to_owned())));
        for other in ["region", "regions1", "Data!A1", "region1x"] {
            assert_eq!(parse(other), None);
        }
    }
}
