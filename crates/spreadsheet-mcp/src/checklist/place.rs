//! The checklist, its ledger and its keys, where they are.

use std::path::{Path, PathBuf};

use checklist::{
    assessment::{Assessment, assess},
    keys::Keyring,
    ledger::Ledger,
    record::RunRecord,
    spec::{Loaded, Placed},
};
use chrono::Utc;

use super::{Refusal, arguments::Place};

impl Place {
    /// The checklist.
    pub(super) fn load(&self) -> Result<Loaded, Refusal> {
        Ok(Loaded::read(&self.checklist)?)
    }

    /// The folder of the ledger.
    pub(super) fn ledger_folder(&self) -> PathBuf {
        self.ledger.clone().unwrap_or_else(|| self.folder().join("ledger"))
    }

    /// The file of the keys that are trusted.
    pub(super) fn keys_file(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| self.folder().join("keys.toml"))
    }

    pub(super) fn keyring(&self) -> Result<Keyring, Refusal> {
        Keyring::read(&self.keys_file()).map_err(Refusal::other)
    }

    /// The folder of the checklist.
    pub(super) fn folder(&self) -> &Path {
        self.checklist.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

/// The last run, and what is known now.
pub(super) struct Known {
    pub(super) loaded: Loaded,
    pub(super) record: RunRecord,
    pub(super) assessment: Assessment,
}

/// What is known now of the last run of an environment.
pub(super) fn known(
    place: &Place,
    profile: Option<&str>,
    environment: Option<&str>,
    ledger: &Ledger,
) -> Result<Known, Refusal> {
    let loaded = place.load()?;
    let (_, record) = ledger.last_run(profile, environment)?;
    let assessment = assess(&loaded, &record, ledger.entries(), ledger.head(), &place.keyring()?, Utc::now());
    Ok(Known { loaded, record, assessment })
}

/// The box of a name, or what may have been meant.
pub(super) fn find<'a>(loaded: &'a Loaded, id: &str) -> Result<Placed<'a>, Refusal> {
    loaded.spec.find(id).ok_or_else(|| {
        let similar =
            loaded.spec.similar(id).map(|similar| format!("; is it {similar}?")).unwrap_or_default();
        Refusal::other(format!("{} has no box {id}{similar}", loaded.path.display()))
    })
}
