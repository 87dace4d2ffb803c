//! Deleting what nothing needs any more from a folder of blobs.

use std::collections::HashSet;
use std::fs::{self, DirEntry, File, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::blobs::TEMPORARY;
use crate::{Blobs, Digest, Millis, Sharing, Store, StoreError};

/// What a sweep deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs that nothing referred to.
    pub blobs: u64,
    /// Files of writers that crashed.
    pub temporary: u64,
    /// The bytes of both.
    pub bytes: u64,
}

/// Deletes the blobs that nothing in `store` refers to, and what crashed writers left behind.
///
/// A blob is put before the row that refers to it is written. So nothing is deleted that was put within `grace`, which must
/// be longer than that takes.
///
/// # Errors
/// Those of the store and of the folder. What was deleted until then stays so.
pub fn sweep_blobs(
    store: &dyn Store,
    blobs: &Blobs,
    now: Millis,
    grace: Millis,
) -> Result<Swept, StoreError> {
    blobs.sweep(&store.referenced_blobs()?, now, grace)
}

impl Blobs {
    /// Deletes the blobs that are not `needed` and were put before `grace`, and what crashed writers left behind.
    ///
    /// # Errors
    /// `ReadOnly`, `Unavailable`.
    pub fn sweep(&self, needed: &HashSet<Digest>, now: Millis, grace: Millis) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        let before = now.saturating_sub(grace);
        for entry in entries(self.folder())? {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(TEMPORARY) {
                if let Some(bytes) = self.delete_if_abandoned(&entry)? {
                    swept.temporary += 1;
                    swept.bytes += bytes;
                }
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                for blob in entries(&entry.path())? {
                    // What is not named like a blob is not ours.
                    let digest = blob.file_name().to_str().and_then(|name| name.parse().ok());
                    if digest.is_none_or(|digest| needed.contains(&digest)) {
                        continue;
                    }
                    if let Some(bytes) = self.delete_if_older(&blob, before)? {
                        swept.blobs += 1;
                        swept.bytes += bytes;
                    }
                }
            }
        }
        Ok(swept)
    }

    /// The bytes that were freed, if the file was last put before that time.
    fn delete_if_older(&self, entry: &DirEntry, before: Millis) -> Result<Option<u64>, StoreError> {
        self.delete_if(entry, |metadata| Ok(millis(metadata.modified()?) < before))
    }

    /// The bytes that were freed, if nobody writes the file any more: whoever did would hold a lock on it.
    fn delete_if_abandoned(&self, entry: &DirEntry) -> Result<Option<u64>, StoreError> {
        self.delete_if(entry, |_| Ok(File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())))
    }

    fn delete_if(
        &self,
        entry: &DirEntry,
        may_go: impl FnOnce(&Metadata) -> io::Result<bool>,
    ) -> Result<Option<u64>, StoreError> {
        let path = entry.path();
        // Looking and deleting are one step: a put in between would believe that its blob is there.
        let _putting = self.lock(Sharing::WithNone)?;
        let deleted = entry.metadata().and_then(|metadata| match may_go(&metadata)? {
            true => fs::remove_file(&path).map(|()| Some(metadata.len())),
            false => Ok(None),
        });
        match deleted {
            // Another sweep was faster.
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(None),
            deleted => deleted.map_err(|problem| StoreError::from_io(&path, &problem)),
        }
    }
}

fn entries(folder: &Path) -> Result<Vec<DirEntry>, StoreError> {
    fs::read_dir(folder).and_then(Iterator::collect).map_err(|problem| StoreError::from_io(folder, &problem))
}

fn millis(time: SystemTime) -> Millis {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since_epoch.as_millis()).unwrap_or(Millis::MAX)
}
