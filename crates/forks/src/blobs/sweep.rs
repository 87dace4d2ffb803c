//! Deleting what nothing needs any more from a folder of blobs.

use std::collections::HashSet;
use std::fs::{self, DirEntry, File, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::Swept;
use super::folder::{BlobFolder, TEMPORARY};
use crate::{Digest, Millis, StoreError, folder::Sharing};

impl BlobFolder {
    /// Deletes the blobs that are not `needed` and were put before `grace`, and what crashed writers left behind.
    pub(super) fn sweep(
        &self,
        needed: &HashSet<Digest>,
        now: Millis,
        grace: Millis,
    ) -> Result<Swept, StoreError> {
        let mut swept = self.sweep_temporary()?;
        let before = now.saturating_sub(grace);
        for entry in entries(self.folder())? {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
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
        Ok(swept)
    }

    /// Deletes what crashed writers left behind.
    pub(super) fn sweep_temporary(&self) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        for entry in entries(self.folder())? {
            if !entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                continue;
            }
            if let Some(bytes) = self.delete_if_abandoned(&entry)? {
                swept.temporary += 1;
                swept.bytes += bytes;
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

pub(super) fn entries(folder: &Path) -> Result<Vec<DirEntry>, StoreError> {
    fs::read_dir(folder).and_then(Iterator::collect).map_err(|problem| StoreError::from_io(folder, &problem))
}

pub(super) fn millis(time: SystemTime) -> Millis {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since_epoch.as_millis()).unwrap_or(Millis::MAX)
}
