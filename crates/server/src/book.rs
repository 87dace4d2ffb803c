//! A workbook as the cache keeps it: the model, and what was found out about it and is worth keeping.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use analysis::{
    formulas::{Cancelled, DependencyIndex, Places, Stale},
    regions::{self, Regions},
};
use forks::Digest;
use workbook::{
    Sheet, SheetId, Workbook,
    edit::{Draft, Pending},
};

use crate::{cache::Weigh, call::Call, error::ToolError};

/// Threads that load the sheets of one workbook.
const LOADING_THREADS: usize = 2;
/// Regions of a sheet that have an id.
const MAX_REGIONS: usize = 5_000;
/// Column names that are kept of one region.
const MAX_REGION_COLUMNS: usize = 100;
/// What a region costs in memory, about.
const REGION_BYTES: usize = 2_048;

/// What is found out once. Whoever finds it has the lock.
type Found<T> = Mutex<Option<Arc<T>>>;

/// A workbook, and what was found out about it.
pub struct Book {
    /// The workbook.
    pub workbook: Workbook,
    pending: Pending,
    /// [`Draft::formulas`] of the draft that it is of.
    formulas: Option<u64>,
    digest: OnceLock<Digest>,
    stale: Found<Stale>,
    /// Shared with what has the same formulas: whoever needs it first builds it for all.
    dependencies: Arc<Found<DependencyIndex>>,
    regions: Mutex<HashMap<SheetId, Arc<Found<Regions>>>>,
    /// How many all of those are: asked for while some are being found.
    region_count: AtomicUsize,
}

impl Book {
    /// A workbook that nothing is known about yet.
    pub fn new(workbook: Workbook) -> Book {
        let pending = Pending { everything: workbook.calc.full_calc_on_load, areas: Vec::new() };
        Book::with_pending(workbook, pending)
    }

    /// A draft, to be read.
    pub fn of(draft: &Draft) -> Book {
        let book = Book::with_pending(draft.book().clone(), draft.pending());
        Book { formulas: Some(draft.formulas()), ..book }
    }

    /// A draft, to be read, that was made of a known one: what was found out about its formulas holds while they are the same.
    pub fn following(draft: &Draft, before: &Book) -> Book {
        let book = Book::of(draft);
        match book.formulas == before.formulas {
            true => book.sharing(before),
            false => book,
        }
    }

    /// A draft of a workbook that nothing was changed in yet.
    pub fn first(draft: &Draft, workbook: &Book) -> Book {
        Book::of(draft).sharing(workbook)
    }

    fn sharing(self, other: &Book) -> Book {
        Book { dependencies: Arc::clone(&other.dependencies), ..self }
    }

    fn with_pending(workbook: Workbook, pending: Pending) -> Book {
        Book {
            workbook,
            pending,
            formulas: None,
            digest: OnceLock::new(),
            stale: Mutex::default(),
            dependencies: Arc::default(),
            regions: Mutex::default(),
            region_count: AtomicUsize::new(0),
        }
    }

    /// Which results are older than what they are computed from (FRESH); found once. Costs nothing where nothing changed.
    ///
    /// # Errors
    /// When a sheet can't be read, or the call is stopped.
    pub fn stale(&self, call: &Call) -> Result<Arc<Stale>, ToolError> {
        let mut known = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stale) = known.as_ref() {
            return Ok(Arc::clone(stale));
        }
        let stop = || call.is_stopped();
        let found = match self.pending.areas.is_empty() || self.pending.everything {
            true => Stale::since(&DependencyIndex::default(), &self.pending, &stop)?,
            false => {
                let sheets = self.sheets(call)?;
                let index = self.dependencies(&Places::new(&self.workbook, &sheets), call)?;
                Stale::since(&index, &self.pending, &stop)?
            }
        };
        let found = Arc::new(found);
        *known = Some(Arc::clone(&found));
        Ok(found)
    }

    /// The bytes of the package that the workbook was read from; `None` for formats that are read only.
    pub fn file_bytes(&self) -> Option<Arc<[u8]>> {
        self.workbook.loader.package().map(ooxml::Package::bytes)
    }

    /// The digest of those bytes, worked out once.
    pub fn digest(&self, bytes: &[u8]) -> Digest {
        *self.digest.get_or_init(|| Digest::of(bytes))
    }

    /// Whether some result of the workbook is old.
    ///
    /// # Errors
    /// As [`Book::stale`].
    pub fn is_any_stale(&self, call: &Call) -> Result<bool, ToolError> {
        let stale = self.stale(call)?;
        if !stale.is_everything() {
            return Ok(!stale.is_empty());
        }
        Ok(self.sheets(call)?.iter().any(|sheet| !sheet.formulas().is_empty()))
    }

    /// Every sheet, loaded.
    ///
    /// # Errors
    /// When a sheet can't be read, or the call is stopped.
    pub fn sheets(&self, call: &Call) -> Result<Vec<Arc<Sheet>>, ToolError> {
        Ok(self.workbook.sheets(LOADING_THREADS, call)?)
    }

    /// Which cells read which; built once.
    ///
    /// # Errors
    /// When the call is stopped.
    pub fn dependencies(&self, places: &Places<'_>, call: &Call) -> Result<Arc<DependencyIndex>, ToolError> {
        let mut known = self.dependencies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = known.as_ref() {
            return Ok(Arc::clone(index));
        }
        let index = Arc::new(DependencyIndex::build(places, &|| call.is_stopped())?);
        *known = Some(Arc::clone(&index));
        Ok(index)
    }

    /// The regions of a sheet; found once: whoever asks meanwhile waits, and does not look for them as well.
    ///
    /// # Errors
    /// When the sheet can't be read, or the call is stopped.
    pub fn regions(&self, id: SheetId, call: &Call) -> Result<Arc<Regions>, ToolError> {
        let of_sheet = {
            let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(regions.entry(id).or_default())
        };
        let mut known = of_sheet.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regions) = known.as_ref() {
            return Ok(Arc::clone(regions));
        }
        let sheet = self.workbook.sheet(id, call)?;
        let options = regions::Options { max_regions: MAX_REGIONS, max_columns: MAX_REGION_COLUMNS };
        let found = Arc::new(regions::detect(&self.workbook, &sheet, &options, &|| call.is_stopped())?);
        self.region_count.fetch_add(found.regions.len(), Ordering::Relaxed);
        *known = Some(Arc::clone(&found));
        Ok(found)
    }
}

impl Weigh for Book {
    fn bytes(&self) -> usize {
        let dependencies = self.dependencies.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        self.workbook.bytes()
            + dependencies.as_ref().map_or(0, |index| index.bytes())
            + stale.as_ref().map_or(0, |stale| stale.bytes())
            + self.region_count.load(Ordering::Relaxed) * REGION_BYTES
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").finish_non_exhaustive()
    }
}

impl From<Cancelled> for ToolError {
    fn from(_: Cancelled) -> ToolError {
        ToolError::cancelled()
    }
}
