//! The checklist, its ledger and its keys, where they are.

use std::path::PathBuf;

use checklist::{
    keys::Keyring,
    ledger::Ledger,
    place::{self, Known},
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
        self.whole().ledger
    }

    /// The file of the keys that are trusted.
    pub(super) fn keys_file(&self) -> PathBuf {
        self.whole().keys
    }

    pub(super) fn keyring(&self) -> Result<Keyring, Refusal> {
        Keyring::read(&self.keys_file()).map_err(Refusal::other)
    }

    /// All of it.
    pub(super) fn whole(&self) -> place::Place {
        place::Place::new(self.checklist.clone(), self.ledger.clone(), self.keys.clone())
    }
}

/// What is known now of the last run of an environment.
pub(super) fn known(
    place: &Place,
    profile: Option<&str>,
    environment: Option<&str>,
    ledger: &Ledger,
) -> Result<Known, Refusal> {
    Ok(place.whole().known(ledger, profile, environment, Utc::now())?)
}

/// The box of a name, or what may have been meant.
pub(super) fn find<'a>(loaded: &'a Loaded, id: &str) -> Result<Placed<'a>, Refusal> {
    loaded.spec.find(id).ok_or_else(|| {
        let similar =
            loaded.spec.similar(id).map(|similar| format!("; is it {similar}?")).unwrap_or_default();
        Refusal::other(format!("{} has no box {id}{similar}", loaded.path.display()))
    })
}
