//! What formulas may refer to: the sheets, names, tables and links of one workbook, found by name.

use std::collections::HashMap;
use std::sync::Arc;

use grid::{CellRange, CellRef, quote};
use workbook::{DefinedName, FormulaKind, Sheet, SheetId, Table, Workbook};

/// Cells of one sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Area {
    /// The sheet.
    pub sheet: SheetId,
    /// Its cells.
    pub range: CellRange,
}

/// A workbook with all of its sheets loaded, and everything in it that has a name.
pub struct Places<'a> {
    workbook: &'a Workbook,
    sheets: &'a [Arc<Sheet>],
    sheet_ids: HashMap<String, SheetId>,
    names: HashMap<(Option<SheetId>, String), &'a DefinedName>,
    tables: HashMap<String, (SheetId, &'a Table)>,
}

impl<'a> Places<'a> {
    /// Over a workbook and all of its sheets, in tab order, as [`Workbook::sheets`] gives them.
    pub fn new(workbook: &'a Workbook, sheets: &'a [Arc<Sheet>]) -> Places<'a> {
        debug_assert_eq!(workbook.tabs.len(), sheets.len(), "every sheet is loaded");
        let mut places = Places {
            workbook,
            sheets,
            sheet_ids: HashMap::with_capacity(sheets.len()),
            names: HashMap::with_capacity(workbook.names.len()),
            tables: HashMap::new(),
        };
        for (id, sheet) in places.sheets() {
            places.sheet_ids.entry(fold(&workbook.tab(id).name)).or_insert(id);
            for table in &sheet.tables {
                places.tables.entry(fold(&table.name)).or_insert((id, table));
            }
        }
        for name in &workbook.names {
            places.names.entry((name.scope, fold(&name.name))).or_insert(name);
        }
        places
    }

    /// The sheets with their ids, left to right.
    pub fn sheets(&self) -> impl Iterator<Item = (SheetId, &'a Sheet)> + use<'a> {
        self.sheets.iter().enumerate().map(|(index, sheet)| (SheetId(index as u32), sheet.as_ref()))
    }

    /// A sheet; panics for an id of another workbook, as a slice would.
    pub fn sheet(&self, id: SheetId) -> &'a Sheet {
        &self.sheets[id.0 as usize]
    }

    /// A sheet's name, without quotes.
    pub fn sheet_name(&self, id: SheetId) -> &'a str {
        &self.workbook.tab(id).name
    }

    /// The sheet of a name, without regard to case.
    pub fn sheet_id(&self, name: &str) -> Option<SheetId> {
        self.sheet_ids.get(&fold(name)).copied()
    }

    /// The defined name that `name` means on `sheet`: the sheet's own before the workbook's.
    pub fn defined_name(&self, sheet: SheetId, name: &str) -> Option<&'a DefinedName> {
        let folded = fold(name);
        let own = (Some(sheet), folded);
        self.names.get(&own).or_else(|| self.names.get(&(None, own.1))).copied()
    }

    /// The table of a name, and its sheet.
    pub fn table(&self, name: &str) -> Option<(SheetId, &'a Table)> {
        self.tables.get(&fold(name)).copied()
    }

    /// The table around a cell.
    pub fn table_at(&self, sheet: SheetId, at: CellRef) -> Option<&'a Table> {
        self.sheet(sheet).tables.iter().find(|table| table.range.contains(at))
    }

    /// The file name of another workbook as a formula names it: by the number of its link, or by its path.
    pub fn external_book(&self, written: &str) -> String {
        let link = written
            .parse::<u32>()
            .ok()
            .and_then(|index| self.workbook.external_links.iter().find(|link| link.index == index));
        let path = link.map_or(written, |link| link.target.as_str());
        path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned()
    }

    /// `Sheet!A1:B2`, the sheet quoted where needed.
    pub fn address(&self, area: Area) -> String {
        format!("{}!{}", quote(self.sheet_name(area.sheet)), area.range)
    }

    /// The formula of a cell with its leading `=`, an array formula's in braces; `None` without one.
    pub fn formula(&self, sheet: SheetId, at: CellRef) -> Option<String> {
        let sheet = self.sheet(sheet);
        let id = sheet.cell(at).formula?;
        let text = sheet.formula_text(at, id);
        let text = text.strip_prefix('=').unwrap_or(&text);
        Some(match sheet.formulas().get(id).kind {
            FormulaKind::Array { dynamic: false, .. } => format!("{{={text}}}"),
            _ => format!("={text}"),
        })
    }
}

/// The form in which names compare.
fn fold(name: &str) -> String {
    name.to_lowercase()
}
