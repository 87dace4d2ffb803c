//! What files of the workspace hold before they are replaced or deleted.

use forks::{Digest, ForkId, NotedVersion, SavedVersion, Seq, Store as _};

use super::{now, store_error};
use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    workspace::Target,
};

impl Call {
    /// Keeps what a file holds, which is `previous`, and notes it as a version (ORIGINAL). It goes for the state of a fork that is
    /// saved over it, or for what is uploaded; it `became` that, of so many bytes, or nothing.
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
    ) -> Result<NotedVersion, ToolError> {
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

    /// What a replacement came to for which a version was `noted`; gives the number of that version with it.
    ///
    /// # Errors
    /// What the replacement failed with.
    pub(crate) fn settle_version<T>(
        &self,
        noted: &NotedVersion,
        replaced: Result<T, ToolError>,
    ) -> Result<(T, u64), ToolError> {
        let number = noted.kept.number;
        // The bytes are kept whatever becomes of this, which settles whom the version tells of: a failure is counted, and no more.
        let settled = self.forks().open().map(|opened| match &replaced {
            Ok(_) => opened.store.confirm_version(noted),
            Err(error) if error.code == ErrorCode::TargetChanged => opened.store.withdraw_version(noted),
            // It may have been replaced nevertheless.
            Err(_) => Ok(()),
        });
        drop(settled);
        replaced.map(|told| (told, number))
    }
}
