//! A workbook as the cache keeps it: the model, and what was found out about it and is worth keeping.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use analysis::formulas::{Cancelled, DependencyIndex, Places};
use workbook::{Sheet, Workbook};

use crate::{cache::Weigh, call::Call, error::ToolError};

/// Threads that load the sheets of one workbook.
const LOADING_THREADS: usize = 2;

/// A workbook, and what was found out about it.
pub struct Book {
    /// The workbook.
    pub workbook: Workbook,
    dependencies: Mutex<Option<Arc<DependencyIndex>>>,
}

impl Book {
    /// A workbook that nothing is known about yet.
    pub fn new(workbook: Workbook) -> Book {
        Book { workbook, dependencies: Mutex::default() }
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
}

impl Weigh for Book {
    fn bytes(&self) -> usize {
        let dependencies = self.dependencies.lock().unwrap_or_else(PoisonError::into_inner);
        self.workbook.bytes() + dependencies.as_ref().map_or(0, |index| index.bytes())
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
