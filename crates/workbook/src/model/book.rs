//! A whole workbook: what is known at once, and sheets that load when asked for.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grid::DateSystem;

use crate::error::OpenError;
use crate::model::names::DefinedName;
use crate::model::sheet::{Sheet, SheetId, SheetKind, Visibility};
use crate::model::strings::StringTable;
use crate::model::styles::Styles;

/// The format that a workbook was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is the usual file extension")]
pub enum FileFormat {
    Xlsx,
    Xlsm,
    Xltx,
    Xltm,
    Xlsb,
    Xls,
    Ods,
    Csv,
    Tsv,
}

impl FileFormat {
    /// The usual file extension.
    pub const fn extension(self) -> &'static str {
        match self {
            FileFormat::Xlsx => "xlsx",
            FileFormat::Xlsm => "xlsm",
            FileFormat::Xltx => "xltx",
            FileFormat::Xltm => "xltm",
            FileFormat::Xlsb => "xlsb",
            FileFormat::Xls => "xls",
            FileFormat::Ods => "ods",
            FileFormat::Csv => "csv",
            FileFormat::Tsv => "tsv",
        }
    }
}

/// Document properties worth telling.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct Properties {
    pub title: Option<String>,
    pub creator: Option<String>,
    pub last_modified_by: Option<String>,
    /// ISO 8601, as the file says it.
    pub created: Option<String>,
    /// ISO 8601, as the file says it.
    pub modified: Option<String>,
    /// The program that wrote the file.
    pub application: Option<String>,
}

/// How the workbook wants to be calculated (ECMA-376 Part 1 §18.2.2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalcSettings {
    /// Whether formulas recalculate by themselves.
    pub automatic: bool,
    /// Whether circular references are iterated.
    pub iterate: bool,
    /// Iterations at most.
    pub iterate_count: u32,
    /// Change below which iteration ends.
    pub iterate_delta: f64,
    /// Whether opening asks for a full recalculation: cached values may be old.
    pub full_calc_on_load: bool,
}

impl Default for CalcSettings {
    fn default() -> CalcSettings {
        CalcSettings {
            automatic: true,
            iterate: false,
            iterate_count: 100,
            iterate_delta: 0.001,
            full_calc_on_load: false,
        }
    }
}

/// Another workbook that this one refers to; described, never fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalLink {
    /// The number that formulas use: `[1]Sheet1!A1`.
    pub index: u32,
    /// Its path or URL as the file says it.
    pub target: String,
    /// Its sheets that are referred to.
    pub sheets: Vec<String>,
    /// Its names that are referred to, each with what it stands for there.
    pub names: Vec<(String, String)>,
    /// The package part that holds copies of its cells; empty where there is none.
    pub part: String,
    /// Whether the copies hold all that formulas read: those of the file, without ones that were written since.
    pub is_covered: bool,
}

/// Copies of cells of another workbook, as they were when the file was stored (ECMA-376 Part 1 §18.14.15 and §18.14.16). Cells
/// that are empty there have no copy.
#[derive(Debug, Clone)]
pub struct LinkedSheet {
    /// The number of the link.
    pub link: u32,
    /// The sheet's name there.
    pub name: String,
    /// Whether the last try to read it failed: what has no copy is `#REF!`.
    pub is_lost: bool,
    /// The copies.
    pub cells: Sheet,
}

/// Macros; read, never executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VbaProject {
    /// The package part (or stream) with the project.
    pub part: String,
    /// Whether the project is digitally signed.
    pub signed: bool,
}

/// Protection of the workbook's structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct WorkbookProtection {
    pub lock_structure: bool,
    pub lock_windows: bool,
    pub has_password: bool,
}

/// Something unusual that reading got over; told to the caller so that no answer is silently wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// Where: a part, a sheet or a cell.
    pub place: String,
    /// What is odd.
    pub what: String,
}

/// Watches a long reading: learns how far it is, and may stop it.
pub trait Watch: Sync {
    /// Called now and then with work done and in total, both in bytes.
    fn progress(&self, done: u64, total: u64) -> ControlFlow<()>;
}

impl Watch for () {
    fn progress(&self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Loads one sheet of a workbook whose bytes the loader keeps.
pub trait SheetLoader: Send + Sync {
    /// Reads the sheet. Called at most once at a time for a sheet.
    fn load(&self, id: SheetId, watch: &dyn Watch) -> Result<Sheet, OpenError>;

    /// The bytes of a part that no sheet belongs to; `None` where the format has no parts.
    fn part(&self, name: &str) -> Result<Option<Vec<u8>>, OpenError> {
        let _ = name;
        Ok(None)
    }

    /// Copies of cells of the other workbooks that `links` lead to.
    fn linked_sheets(&self, links: &[ExternalLink]) -> Result<Arc<[LinkedSheet]>, OpenError> {
        let _ = links;
        Ok(Arc::default())
    }

    /// The package that the workbook was read from; `None` where the format has none that we write.
    fn package(&self) -> Option<&ooxml::Package> {
        None
    }
}

/// A tab: what is known before its sheet is loaded.
#[derive(Clone)]
pub struct Tab {
    /// The sheet's name.
    pub name: String,
    /// Its kind.
    pub kind: SheetKind,
    /// Whether it is shown.
    pub visibility: Visibility,
    /// What the loader knows its sheet by.
    source: SheetId,
    /// Shared by copies of the workbook, so that a sheet is read once for all of them, until one changes it.
    loaded: Arc<Mutex<Option<Arc<Sheet>>>>,
}

impl Tab {
    /// A tab whose sheet is not loaded yet, and which the loader knows as `source`.
    pub fn new(name: String, kind: SheetKind, visibility: Visibility, source: SheetId) -> Tab {
        Tab { name, kind, visibility, source, loaded: Arc::default() }
    }

    /// A tab whose sheet is there.
    pub(crate) fn of(sheet: Sheet) -> Tab {
        Tab {
            name: sheet.name.clone(),
            kind: sheet.kind,
            visibility: sheet.visibility,
            source: SheetId(u32::MAX),
            loaded: Arc::new(Mutex::new(Some(Arc::new(sheet)))),
        }
    }

    fn loaded(&self) -> MutexGuard<'_, Option<Arc<Sheet>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A workbook. Cheap to hold; its sheets load on first use and stay. A copy shares what is loaded until it is written
/// to.
#[derive(Clone)]
pub struct Workbook {
    /// The format it was read from.
    pub format: FileFormat,
    /// Which epoch its dates count from.
    pub date_system: DateSystem,
    /// Cell formats.
    pub styles: Arc<Styles>,
    /// Texts that sheets share.
    pub shared_strings: Arc<StringTable>,
    /// Defined names.
    pub names: Vec<DefinedName>,
    /// Document properties.
    pub properties: Properties,
    /// Calculation settings.
    pub calc: CalcSettings,
    /// Other workbooks that formulas refer to.
    pub external_links: Vec<ExternalLink>,
    /// Data connections: name and a description without credentials.
    pub connections: Vec<String>,
    /// Macros.
    pub vba: Option<VbaProject>,
    /// Protection of the structure.
    pub protection: Option<WorkbookProtection>,
    /// Whether the package carries a digital signature.
    pub signed: bool,
    /// What was unusual.
    pub oddities: Vec<Oddity>,
    /// The tabs, left to right.
    pub tabs: Vec<Tab>,
    /// Loads what is not loaded yet.
    pub loader: Arc<dyn SheetLoader>,
}

impl Workbook {
    /// The sheets' ids, left to right.
    pub fn sheet_ids(&self) -> impl Iterator<Item = SheetId> + use<> {
        (0..self.tabs.len() as u32).map(SheetId)
    }

    /// A tab; panics for an id of another workbook, as a slice would.
    pub fn tab(&self, id: SheetId) -> &Tab {
        &self.tabs[id.0 as usize]
    }

    /// The sheet of a name, without regard to case.
    pub fn sheet_id(&self, name: &str) -> Option<SheetId> {
        let exact = self.tabs.iter().position(|tab| tab.name == name);
        let folded = name.to_lowercase();
        let found = exact.or_else(|| self.tabs.iter().position(|tab| tab.name.to_lowercase() == folded))?;
        Some(SheetId(found as u32))
    }

    /// The sheet, loaded now if it was not.
    pub fn sheet(&self, id: SheetId, watch: &dyn Watch) -> Result<Arc<Sheet>, OpenError> {
        let tab = self.tab(id);
        let mut loaded = tab.loaded();
        if let Some(sheet) = loaded.as_ref() {
            return Ok(Arc::clone(sheet));
        }
        let mut sheet = self.loader.load(tab.source, watch)?;
        // The tab may have been renamed since the loader learned of it.
        sheet.name.clone_from(&tab.name);
        sheet.visibility = tab.visibility;
        let sheet = Arc::new(sheet);
        *loaded = Some(Arc::clone(&sheet));
        Ok(sheet)
    }

    /// Whether the sheet is loaded.
    pub(crate) fn is_loaded(&self, id: SheetId) -> bool {
        self.tab(id).loaded().is_some()
    }

    /// The sheet to be changed: a copy of its own if another workbook shares it.
    pub(crate) fn sheet_mut(&mut self, id: SheetId) -> Result<&mut Sheet, OpenError> {
        let sheet = self.sheet(id, &())?;
        let slot = &mut self.tabs[id.0 as usize].loaded;
        if Arc::get_mut(slot).is_none() {
            *slot = Arc::new(Mutex::new(Some(Arc::clone(&sheet))));
        }
        drop(sheet);
        let slot = Arc::get_mut(slot).expect("invariant: the slot is this workbook's own");
        let loaded = slot.get_mut().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::make_mut(loaded.as_mut().expect("invariant: the sheet has just been loaded")))
    }

    /// Every sheet, loaded in parallel on up to `threads` threads.
    pub fn sheets(&self, threads: usize, watch: &dyn Watch) -> Result<Vec<Arc<Sheet>>, OpenError> {
        let next = std::sync::atomic::AtomicU32::new(0);
        let failed = Mutex::new(None);
        let work = || {
            loop {
                let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let is_failed = failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                if index as usize >= self.tabs.len() || is_failed {
                    return;
                }
                if let Err(error) = self.sheet(SheetId(index), watch) {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
        };
        let threads = threads.clamp(1, self.tabs.len().max(1));
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => self.sheet_ids().map(|id| self.sheet(id, watch)).collect(),
        }
    }

    /// Copies of cells of the other workbooks that formulas refer to, read now if they were not.
    pub fn linked_sheets(&self) -> Result<Arc<[LinkedSheet]>, OpenError> {
        match self.external_links.iter().any(|link| !link.part.is_empty()) {
            true => self.loader.linked_sheets(&self.external_links),
            false => Ok(Arc::default()),
        }
    }

    /// Bytes of what is loaded: what a cache counts.
    pub fn bytes(&self) -> usize {
        let sheets: usize =
            self.tabs.iter().filter_map(|tab| tab.loaded().as_ref().map(|sheet| sheet.bytes())).sum();
        sheets + self.shared_strings.bytes() + size_of::<Workbook>()
    }
}

impl fmt::Debug for Workbook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workbook")
            .field("format", &self.format)
            .field("tabs", &self.tabs.len())
            .finish_non_exhaustive()
    }
}
