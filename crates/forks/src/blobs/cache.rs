//! Copies on the disk of blobs that are somewhere else.

use std::fs::{self, File};
use std::io::{Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::folder::{BlobFolder, Temporary};
use super::sweep::entries;
use crate::{Digest, Millis, StoreError};

/// A folder of copies, of which those used last stay. They are named by their digests, which makes them never old, and
/// looked at when they are read; processes may share the folder. What cannot be kept is not: a copy is no more than that.
#[derive(Debug)]
pub(super) struct BlobCache {
    folder: BlobFolder,
    /// How many bytes it may hold.
    most: u64,
    /// Bytes that may be kept before it is looked how many there are; others keep copies, too.
    room: AtomicU64,
}

impl BlobCache {
    pub(super) fn open(folder: &Path, most: u64) -> Result<BlobCache, StoreError> {
        let folder = BlobFolder::open_for_copies(folder)?;
        // What processes left that were killed while they wrote.
        folder.sweep_temporary()?;
        Ok(BlobCache { folder, most, room: AtomicU64::default() })
    }

    /// The bytes of a blob, if there is a whole copy.
    pub(super) fn read(&self, digest: &Digest, now: Millis) -> Option<Arc<[u8]>> {
        match self.folder.read(digest) {
            Ok(bytes) => {
                let _used = self.folder.renew(digest, bytes.len() as u64, now);
                Some(bytes)
            }
            Err(StoreError::CorruptBlob { .. }) => {
                let _gone = fs::remove_file(self.folder.path(digest));
                None
            }
            Err(_) => None,
        }
    }

    /// The file of a whole copy, if there is one, and where it is.
    pub(super) fn file(&self, digest: &Digest, now: Millis) -> Option<(PathBuf, File)> {
        let (path, mut file) = self.folder.file(digest).ok()?;
        match Digest::of_stream(&mut file) {
            Ok((actual, size)) if actual == *digest => {
                let _used = self.folder.renew(digest, size, now);
                file.rewind().ok()?;
                Some((path, file))
            }
            Ok(_) => {
                let _gone = fs::remove_file(path);
                None
            }
            Err(_) => None,
        }
    }

    /// A file that may become a copy.
    pub(super) fn temporary(&self) -> Result<Temporary, StoreError> {
        self.folder.temporary()
    }

    /// Keeps a copy, if there is room for it.
    pub(super) fn keep(&self, digest: &Digest, bytes: &[u8], now: Millis) {
        if self.makes_room(bytes.len() as u64) {
            let _not_kept = self.folder.put(digest, bytes, now);
        }
    }

    /// All that `source` gives in a file, whether there is room for a copy or not.
    pub(super) fn copy(&self, source: &mut dyn Read) -> Result<(Temporary, Digest, u64), StoreError> {
        self.folder.copy(source)
    }

    /// Makes such a file a copy, if there is room for it.
    pub(super) fn adopt(&self, temporary: Temporary, digest: &Digest, size: u64, now: Millis) {
        if self.makes_room(size) {
            let _not_kept = self.folder.keep(temporary, digest, now);
        }
    }

    fn makes_room(&self, coming: u64) -> bool {
        if coming > self.most {
            return false;
        }
        let taken =
            self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(coming));
        if taken.is_ok() {
            return true;
        }
        let used = self.shrink(self.most - coming);
        // Others fill it as well: it is looked again before all of the rest is taken.
        self.room.store((self.most - coming).saturating_sub(used) / 4, Ordering::Relaxed);
        true
    }

    /// Deletes the copies that were not used for longest, until there are no more bytes than `most`. Gives how many there are.
    fn shrink(&self, most: u64) -> u64 {
        let mut copies = self.copies();
        let mut used: u64 = copies.iter().map(|copy| copy.size).sum();
        if used <= most {
            return used;
        }
        copies.sort_unstable_by_key(|copy| copy.used);
        // A little more than has to, so that not every copy costs a look at all of them.
        let most = most - most / 10;
        for copy in copies {
            if used <= most {
                break;
            }
            // Another process may have been faster.
            let _gone = fs::remove_file(&copy.path);
            used -= copy.size;
        }
        used
    }

    fn copies(&self) -> Vec<Copy> {
        let shards = entries(self.folder.folder()).unwrap_or_default();
        let shards = shards.into_iter().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let files = shards.flat_map(|shard| entries(&shard.path()).unwrap_or_default());
        let copy = |file: fs::DirEntry| {
            let metadata = file.metadata().ok()?;
            Some(Copy { used: metadata.modified().ok()?, size: metadata.len(), path: file.path() })
        };
        files.filter_map(copy).collect()
    }
}

struct Copy {
    used: SystemTime,
    size: u64,
    path: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cache: &BlobCache, numbers: std::ops::Range<u8>) -> Vec<u8> {
        let is_kept = |number: &u8| cache.folder.path(&Digest::of(&[*number; 100])).is_file();
        numbers.filter(is_kept).collect()
    }

    #[test]
    fn those_used_last_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = BlobCache::open(folder.path(), 1_000).expect("it opens");
        let other = BlobCache::open(folder.path(), 1_000).expect("it opens");
        for number in 0..10 {
            let bytes = [number; 100];
            // Two processes keep copies in turn.
            let by = if number % 2 == 0 { &cache } else { &other };
            by.keep(&Digest::of(&bytes), &bytes, i64::from(number) * 1_000);
        }
        assert_eq!(kept(&cache, 0..10), (0..10).collect::<Vec<u8>>());
        let first = Digest::of(&[0; 100]);
        assert_eq!(&*cache.read(&first, 100_000).expect("a copy"), &[0; 100]);
        let (new, large) = ([99; 200], [98; 1_001]);
        cache.keep(&Digest::of(&new), &new, 200_000);
        cache.keep(&Digest::of(&large), &large, 200_000);
        assert_eq!(kept(&cache, 0..10), [0, 4, 5, 6, 7, 8, 9]);
        assert!(cache.read(&Digest::of(&new), 0).is_some() && cache.read(&Digest::of(&large), 0).is_none());
    }

    #[test]
    fn a_damaged_copy_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = BlobCache::open(folder.path(), 1_000).expect("it opens");
        let digest = Digest::of(b"abc");
        cache.keep(&digest, b"abc", 0);
        fs::write(cache.folder.path(&digest), b"abd").expect("damaged");
        assert!(cache.read(&digest, 0).is_none());
        assert!(!cache.folder.path(&digest).exists());
    }
}
