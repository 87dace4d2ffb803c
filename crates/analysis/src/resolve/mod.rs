//! From an address as a caller writes it to the cells that it means.
//!
//! Sheets are loaded only where the address needs them: a plain range or a name loads none, a table is looked for
//! sheet by sheet.

mod error;
mod names;
mod structured;

use std::sync::Arc;

use grid::{Address, CellRange, quote};
use workbook::{Sheet, SheetId, SheetKind, Table, Visibility, Watch, Workbook};

pub use error::{LocateError, LocateErrorKind};

pub use crate::formulas::Area;
use crate::near_miss::near_misses;

/// Sheets that an error lists at most.
const LISTED_SHEETS: usize = 20;

/// The cells that an address means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The areas, in the order in which they are written; never empty. Whole columns and rows are not cut to the
    /// used range: see [`clip`].
    pub areas: Vec<Area>,
    /// What kind of address led here.
    pub origin: Origin,
}

/// What kind of address led to cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A range.
    Range,
    /// A whole sheet, by its name.
    Sheet,
    /// A defined name, as the workbook spells it.
    Name(String),
    /// A table by its name alone, as the workbook spells it: the area is its data, as in a formula.
    Table(String),
    /// A part of a table.
    TablePart(String),
}

impl Located {
    /// The one area, or an error that lists them.
    pub fn single(&self, workbook: &Workbook) -> Result<Area, LocateError> {
        match self.areas.as_slice() {
            [area] => Ok(*area),
            areas => {
                let listed = areas.iter().take(LISTED_SHEETS).map(|area| written(workbook, *area)).collect();
                let message = format!("{} areas are meant, but one is asked for", areas.len());
                Err(LocateError::new(LocateErrorKind::SeveralAreas, message).or(listed))
            }
        }
    }
}

/// `Sheet!A1:B2`, the sheet quoted where needed.
pub fn written(workbook: &Workbook, area: Area) -> String {
    format!("{}!{}", quote(&workbook.tab(area.sheet).name), area.range)
}

/// The range with whole columns and rows cut to what the sheet uses; `None` when nothing is left.
pub fn clip(range: CellRange, sheet: &Sheet) -> Option<CellRange> {
    if !range.is_whole_columns() && !range.is_whole_rows() {
        return Some(range);
    }
    let used = sheet.used_range()?;
    let rows = if range.is_whole_columns() { used } else { range };
    let cols = if range.is_whole_rows() { used } else { range };
    CellRange::from_bounds(rows.start().row(), cols.start().col(), rows.end().row(), cols.end().col())
}

/// Finds the cells that an address means.
///
/// `default_sheet` is the sheet of addresses that name none; without it a workbook's only visible worksheet is.
pub fn locate(
    workbook: &Workbook,
    address: &Address,
    default_sheet: Option<SheetId>,
    watch: &dyn Watch,
) -> Result<Located, LocateError> {
    let resolver = Resolver { workbook, default_sheet, watch };
    match address {
        Address::Range { sheet, range } => {
            let sheet = match sheet {
                Some(name) => resolver.sheet_named(name)?,
                None => resolver.default_sheet(&range.to_string())?,
            };
            Ok(Located { areas: vec![Area { sheet, range: *range }], origin: Origin::Range })
        }
        Address::Name { sheet, name } => resolver.name(sheet.as_deref(), name),
        Address::Structured { .. } => {
            // The formula crate reads the notation; an address is a formula of one reference.
            resolver.structured_address(&address.to_string())
        }
    }
}

/// As [`locate`], from the text: also a sheet's bare name, whatever it is (`Q1 Actuals`).
pub fn locate_text(
    workbook: &Workbook,
    text: &str,
    default_sheet: Option<SheetId>,
    watch: &dyn Watch,
) -> Result<Located, LocateError> {
    match text.parse::<Address>() {
        Ok(address) => locate(workbook, &address, default_sheet, watch),
        Err(error) => match workbook.sheet_id(&grid::unquote(text.trim())) {
            Some(sheet) => Ok(whole_sheet(sheet)),
            None => Err(LocateError::new(LocateErrorKind::Syntax, error.to_string())),
        },
    }
}

fn whole_sheet(sheet: SheetId) -> Located {
    Located { areas: vec![Area { sheet, range: CellRange::ALL }], origin: Origin::Sheet }
}

struct Resolver<'a> {
    workbook: &'a Workbook,
    default_sheet: Option<SheetId>,
    watch: &'a dyn Watch,
}

impl Resolver<'_> {
    fn sheet_named(&self, name: &str) -> Result<SheetId, LocateError> {
        self.workbook.sheet_id(name).ok_or_else(|| {
            let tabs = || self.workbook.tabs.iter().map(|tab| tab.name.as_str());
            let near = near_misses(name, tabs());
            let listed =
                if near.is_empty() { tabs().take(LISTED_SHEETS).map(str::to_owned).collect() } else { near };
            let message = format!("the workbook has no sheet {name:?}");
            LocateError::new(LocateErrorKind::NoSuchSheet, message).or(listed)
        })
    }

    /// The sheet of an address that names none.
    fn default_sheet(&self, address: &str) -> Result<SheetId, LocateError> {
        if let Some(sheet) = self.default_sheet {
            return Ok(sheet);
        }
        let shown: Vec<SheetId> = self
            .workbook
            .sheet_ids()
            .filter(|id| {
                let tab = self.workbook.tab(*id);
                tab.visibility == Visibility::Visible && tab.kind == SheetKind::Worksheet
            })
            .collect();
        if let [only] = shown.as_slice() {
            return Ok(*only);
        }
        let qualified = |id: &SheetId| format!("{}!{address}", quote(&self.workbook.tab(*id).name));
        let message = format!("{address} names no sheet; the workbook shows {}, so say which", shown.len());
        let candidates = shown.iter().take(LISTED_SHEETS).map(qualified).collect();
        Err(LocateError::new(LocateErrorKind::SheetNeeded, message).or(candidates))
    }

    fn load(&self, id: SheetId) -> Result<Arc<Sheet>, LocateError> {
        Ok(self.workbook.sheet(id, self.watch)?)
    }

    /// The table of a name: looked for on the default sheet first, then from left to right.
    fn find_table(&self, name: &str) -> Result<Option<(SheetId, Table)>, LocateError> {
        let folded = name.to_lowercase();
        let worksheets =
            self.workbook.sheet_ids().filter(|id| self.workbook.tab(*id).kind == SheetKind::Worksheet);
        for id in self.default_sheet.into_iter().chain(worksheets) {
            let sheet = self.load(id)?;
            if let Some(table) = sheet.tables.iter().find(|table| table.name.to_lowercase() == folded) {
                return Ok(Some((id, table.clone())));
            }
        }
        Ok(None)
    }

    /// The names of every table; all sheets are loaded by the time that an error wants them.
    fn table_names(&self) -> Result<Vec<String>, LocateError> {
        let mut names = Vec::new();
        for id in self.workbook.sheet_ids() {
            if self.workbook.tab(id).kind == SheetKind::Worksheet {
                names.extend(self.load(id)?.tables.iter().map(|table| table.name.clone()));
            }
        }
        Ok(names)
    }
}
