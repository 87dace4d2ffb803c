//! The formats that we read and do not write: `.xls`, `.xlsb` and `.ods` through `calamine`, `.csv` and `.tsv`
//! through `csv`. Each is read whole when it is opened, into the same model as `.xlsx`.

mod budget;
mod delimited;
mod legacy;
mod temporal;
mod tidy_ods;

pub(crate) use budget::check_ods;
pub(crate) use delimited::open as open_delimited;
pub(crate) use legacy::open as open_legacy;

use std::sync::{Arc, Mutex, PoisonError};

use grid::DateSystem;

use crate::error::OpenError;
use crate::model::{
    CalcSettings, FileFormat, Oddity, Properties, Sheet, SheetId, SheetLoader, StringTable, Tab, Watch,
    Workbook,
};

/// Hands out sheets that were read with the file.
struct Eager(Mutex<Vec<Option<Sheet>>>);

impl SheetLoader for Eager {
    fn load(&self, id: SheetId, _: &dyn Watch) -> Result<Sheet, OpenError> {
        let mut sheets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sheets.get_mut(id.0 as usize).and_then(Option::take).ok_or_else(|| OpenError::Damaged {
            part: format!("sheet {}", id.0 + 1),
            problem: "it was not read with the file".to_owned(),
        })
    }
}

/// A workbook whose sheets are all read.
fn workbook_of(format: FileFormat, dates: DateSystem, sheets: Vec<Sheet>, oddities: Vec<Oddity>) -> Workbook {
    let tabs = sheets
        .iter()
        .zip(0..)
        .map(|(sheet, index)| Tab::new(sheet.name.clone(), sheet.kind, sheet.visibility, SheetId(index)))
        .collect();
    Workbook {
        format,
        date_system: dates,
        styles: Arc::new(temporal::styles()),
        shared_strings: Arc::new(StringTable::default()),
        names: Vec::new(),
        properties: Properties::default(),
        calc: CalcSettings::default(),
        external_links: Vec::new(),
        connections: Vec::new(),
        vba: None,
        protection: None,
        signed: false,
        oddities,
        tabs,
        loader: Arc::new(Eager(Mutex::new(sheets.into_iter().map(Some).collect()))),
    }
}
