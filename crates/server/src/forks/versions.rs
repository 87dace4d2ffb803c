//! What files of the workspace hold before they are replaced or deleted.

use forks::{Digest, ForkId, SavedVersion, Seq, Store as _};

use super::{now, store_error};
use crate::{call::Call, error::ToolError, workspace::Target};

impl Call {
    /// Keeps what a file holds, which is `previous`, and gives the number of that version (ORIGINAL). It goes for the state of a
    /// fork that is saved over it, or for what is uploaded; it `became` that, of so many bytes, or nothing.
    ///
    /// # Errors
    /// When there is no room for it, or the file is another one by now.
    pub(crate) fn keep_version(
        &self,
        target: &Target,
        previous: Digest,
        by: Option<(&ForkId, Seq)>,
        became: Option<Digest>,
        bytes: u64,
    ) -> Result<u64, ToolError> {
        self.check_state(bytes)?;
        let opened = self.forks().open()?;
        let (kept, size) = opened.blobs.put_from(&mut target.open()?, opened.time()?).map_err(store_error)?;
        // What is kept is what was looked at.
        if kept != previous {
            return Err(target.changed());
        }
        let version = SavedVersion {
            path: target.path().to_owned(),
            digest: kept,
            size,
            saved_at: now(),
            fork: by.map(|(fork, _)| fork.clone()),
            seq: by.map_or(Seq::BASE, |(_, seq)| seq),
            became,
        };
        opened.store.add_version(&version).map_err(store_error)
    }
}
