//! Which workbooks there are.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::SystemTime,
};

use super::WorkbookId;

/// Entries that one scan looks at, at most: a mistaken `--workspace /` must not hang.
pub(super) const MAX_ENTRIES: usize = 200_000;

/// A workbook of the listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The stable id.
    pub id: WorkbookId,
    /// The path within the workspace.
    pub path: String,
    /// The length in bytes.
    pub size: u64,
    /// The time of the last change.
    pub modified: Option<SystemTime>,
}

/// All workbooks, in the order of their paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The workbooks.
    pub workbooks: Vec<Listed>,
    /// The scan met its bounds: there may be more.
    pub truncated: bool,
}

/// Paths by id, as of the last scan.
#[derive(Debug, Default)]
pub(super) struct KnownIds(RwLock<HashMap<WorkbookId, Known>>);

/// What the last scan found for an id.
#[derive(Debug, Clone)]
pub(super) enum Known {
    One(String),
    /// Ids are short: two paths may share one.
    Several(Vec<String>),
}

impl KnownIds {
    pub(super) fn get(&self, id: WorkbookId) -> Option<Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Forgets what was known before.
    pub(super) fn set(&self, listed: &[Listed]) {
        let mut fresh: HashMap<WorkbookId, Known> = HashMap::with_capacity(listed.len());
        for workbook in listed {
            let path = workbook.path.clone();
            fresh
                .entry(workbook.id)
                .and_modify(|known| {
                    let mut paths = match known {
                        Known::One(first) => vec![first.clone()],
                        Known::Several(paths) => paths.clone(),
                    };
                    paths.push(path.clone());
                    *known = Known::Several(paths);
                })
                .or_insert(Known::One(path));
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}
