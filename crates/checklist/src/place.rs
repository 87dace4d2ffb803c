//! Where a checklist is with what belongs to it, and what is known of a run of it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::{
    assessment::{Assessment, assess},
    keys::{KeyError, Keyring},
    ledger::{Ledger, LedgerError},
    record::RunRecord,
    spec::{Loaded, SpecError},
};

/// Where a checklist is, its ledger, and the keys that are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file of the checklist.
    pub checklist: PathBuf,
    /// The folder of its ledger.
    pub ledger: PathBuf,
    /// The file of the keys.
    pub keys: PathBuf,
}

/// What is known of a run at a moment, with what it is known by.
#[derive(Debug)]
pub struct Known {
    /// The checklist.
    pub loaded: Loaded,
    /// The run.
    pub record: RunRecord,
    /// The keys that are trusted, and the file that they are from.
    pub keyring: Keyring,
    /// The file of the keys.
    pub keys: PathBuf,
    /// What is known.
    pub assessment: Assessment,
}

/// Why nothing is known.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The checklist can't be used.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The ledger can't be, or has no run.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The keys can't be read.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

impl Place {
    /// The ledger and the keys are beside the checklist, `ledger` and `keys.toml`, where nothing else is said.
    pub fn new(checklist: PathBuf, ledger: Option<PathBuf>, keys: Option<PathBuf>) -> Place {
        let folder = folder_of(&checklist);
        let ledger = ledger.unwrap_or_else(|| folder.join("ledger"));
        let keys = keys.unwrap_or_else(|| folder.join("keys.toml"));
        Place { checklist, ledger, keys }
    }

    /// The folder of the checklist.
    pub fn folder(&self) -> &Path {
        folder_of(&self.checklist)
    }

    /// What is known at a moment of the last run of a profile and environment, or of any. `ledger` is the one of this place.
    ///
    /// # Errors
    /// When something of it can't be read or used, and when there is no such run.
    pub fn known(
        &self,
        ledger: &Ledger,
        profile: Option<&str>,
        environment: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<Known, PlaceError> {
        let loaded = Loaded::read(&self.checklist)?;
        let (_, record) = ledger.last_run(profile, environment)?;
        let keyring = Keyring::read(&self.keys)?;
        let assessment = assess(&loaded, &record, ledger.entries(), ledger.head(), &keyring, at);
        Ok(Known { loaded, record, keyring, keys: self.keys.clone(), assessment })
    }
}

fn folder_of(checklist: &Path) -> &Path {
    checklist.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
