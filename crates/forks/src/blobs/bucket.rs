//! Blobs as objects.
//!
//! A blob is an object `blobs/ab/abcd…/492113`: the hour in which it was put follows its digest. An object is never written
//! again in a later hour, and what nothing refers to is deleted a [day](BUCKET_GRACE) after its hour. Who puts a blob
//! relies on an object of the last [half a day](FRESH), and puts one of this hour if there is none. So what somebody relies on
//! and what is deleted are never the same object, without any lock, and however late a deletion that was repeated arrives.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use objects::{Bucket, Object, ObjectError, Precondition};

use super::Swept;
use super::cache::BlobCache;
use super::folder::Temporary;
use crate::{Digest, Millis, StoreError};

/// How long a blob that nothing refers to is kept in a bucket.
pub const BUCKET_GRACE: Duration = Duration::from_secs(24 * 3_600);

const HOUR: Millis = 3_600_000;
/// Hours that an object is kept after its own.
const GRACE: i64 = 24;
/// Hours for which an object is relied on by who puts the same blob. The rest of the grace is for rows to be written, for a sweep
/// to end, and for clocks that differ.
const FRESH: i64 = 12;
/// Hours after which a sweep does not know any more what refers to blobs.
const SWEEP: i64 = 6;
/// The folder of blobs.
const FOLDER: &str = "blobs";
/// Objects of a page.
const PAGE: usize = 1_000;

/// What was read from copies, and what was not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlobCounts {
    /// Reads of blobs that had a copy on the disk.
    pub hits: u64,
    /// Reads of blobs that had none.
    pub misses: u64,
}

/// Objects of a bucket, and copies of them.
#[derive(Debug)]
pub(super) struct BlobBucket {
    bucket: Bucket,
    cache: BlobCache,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl BlobBucket {
    pub(super) fn open(bucket: Bucket, copies: &Path, most: u64) -> Result<BlobBucket, StoreError> {
        let cache = BlobCache::open(copies, most)?;
        Ok(BlobBucket { bucket, cache, hits: AtomicU64::default(), misses: AtomicU64::default() })
    }

    pub(super) fn put(&self, digest: &Digest, bytes: &[u8], now: Millis) -> Result<(), StoreError> {
        if !self.is_fresh(digest, bytes.len() as u64, now)? {
            self.upload(digest, &mut &*bytes, now)?;
        }
        self.cache.keep(digest, bytes, now);
        Ok(())
    }

    /// All that `source` gives in a file, its digest and its size.
    pub(super) fn copy(&self, source: &mut dyn Read) -> Result<(Temporary, Digest, u64), StoreError> {
        self.cache.copy(source)
    }

    /// Keeps what [`copy`](BlobBucket::copy) gave.
    pub(super) fn put_copied(
        &self,
        temporary: Temporary,
        digest: &Digest,
        size: u64,
        now: Millis,
    ) -> Result<(), StoreError> {
        if !self.is_fresh(digest, size, now)? {
            self.upload(digest, &mut temporary.reader()?, now)?;
        }
        self.cache.adopt(temporary, digest, size, now);
        Ok(())
    }

    pub(super) fn read(&self, digest: &Digest, now: Millis) -> Result<Arc<[u8]>, StoreError> {
        if let Some(bytes) = self.cache.read(digest, now) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(bytes);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let bytes = self.newest_whole(digest, |object| self.download(digest, object))?;
        self.cache.keep(digest, &bytes, now);
        Ok(bytes)
    }

    /// What `get` makes of the newest object of a blob that is whole.
    fn newest_whole<T>(
        &self,
        digest: &Digest,
        get: impl Fn(&Object) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut refused = StoreError::NotFound { what: "blob", name: digest.to_string() };
        for object in self.objects(digest)?.iter().rev() {
            match get(object) {
                // Another object of the same blob may be whole; one that went was swept for being old.
                Err(error @ StoreError::CorruptBlob { .. }) => refused = error,
                Err(StoreError::Bucket(ObjectError::NotFound { .. })) => {}
                other => return other,
            }
        }
        Err(refused)
    }

    /// A file that holds a blob, whether there is room for a copy or not, and where it is.
    pub(super) fn file(&self, digest: &Digest, now: Millis) -> Result<(PathBuf, File), StoreError> {
        if let Some(copy) = self.cache.file(digest, now) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(copy);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        self.newest_whole(digest, |object| {
            let mut temporary = self.cache.temporary()?;
            self.bucket.get_into(&object.key, temporary.file())?;
            let path = temporary.path().to_owned();
            let unread = |problem| StoreError::from_io(&path, &problem);
            let mut file = temporary.reader()?;
            let (actual, size) = Digest::of_stream(&mut file).map_err(unread)?;
            if actual != *digest {
                return Err(self.corrupt(object, actual));
            }
            file.rewind().map_err(unread)?;
            self.cache.adopt(temporary, digest, size, now);
            Ok((path, file))
        })
    }

    pub(super) fn counts(&self) -> BlobCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        BlobCounts { hits: read(&self.hits), misses: read(&self.misses) }
    }

    /// Deletes objects that are not needed and older than the grace, and older objects of blobs that have a newer one.
    pub(super) fn sweep(
        &self,
        needed: &HashSet<Digest>,
        then: Millis,
        clock: &dyn Fn() -> Millis,
    ) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        let mut page = self.bucket.list(FOLDER, None, PAGE)?;
        let mut newest: Option<(Digest, String)> = None;
        while let Some(last) = page.last().map(|object| object.key.clone()) {
            for object in &page {
                // What is not named like a blob is not ours.
                let Some((digest, hour)) = parse(&object.key) else { continue };
                if hour >= then / HOUR - GRACE {
                    continue;
                }
                if needed.contains(&digest) {
                    // Keys come in order, those of one blob by their hours, which have as many digits for some millennia.
                    let older = newest.replace((digest, object.key.clone()));
                    let Some((_, older)) = older.filter(|(of, _)| *of == digest) else { continue };
                    self.delete(&older, 0, &mut swept)?;
                    continue;
                }
                // A blob may be needed again since it was looked; not before half a day is over.
                if clock() - then > SWEEP * HOUR {
                    return Ok(swept);
                }
                self.delete(&object.key, object.size, &mut swept)?;
            }
            page = self.bucket.list(FOLDER, Some(&last), PAGE)?;
        }
        Ok(swept)
    }

    fn delete(&self, key: &str, bytes: u64, swept: &mut Swept) -> Result<(), StoreError> {
        self.bucket.delete(key)?;
        swept.blobs += 1;
        swept.bytes += bytes;
        Ok(())
    }

    /// Whether there is a whole object that is not about to be deleted.
    fn is_fresh(&self, digest: &Digest, size: u64, now: Millis) -> Result<bool, StoreError> {
        let oldest = now / HOUR - FRESH;
        let is_fresh = |object: &Object| {
            object.size == size && parse(&object.key).is_some_and(|(_, hour)| hour >= oldest)
        };
        Ok(self.objects(digest)?.iter().any(is_fresh))
    }

    /// The objects of a blob, the newest one last.
    fn objects(&self, digest: &Digest) -> Result<Vec<Object>, StoreError> {
        Ok(self.bucket.list(&folder(digest), None, PAGE)?)
    }

    fn upload(&self, digest: &Digest, from: &mut dyn Read, now: Millis) -> Result<(), StoreError> {
        let key = format!("{}/{}", folder(digest), now / HOUR);
        // Whoever writes the same object at the same time writes the same bytes.
        self.bucket.put_from(&key, from, &Precondition::None)?;
        Ok(())
    }

    /// The bytes of an object, in the one allocation that they are shared from.
    fn download(&self, digest: &Digest, object: &Object) -> Result<Arc<[u8]>, StoreError> {
        let size = usize::try_from(object.size).map_err(|problem| StoreError::Source(problem.to_string()))?;
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, size).collect();
        let mut unfilled = Arc::get_mut(&mut bytes).expect("invariant: nobody else has it yet");
        self.bucket.get_into(&object.key, &mut unfilled)?;
        let actual = Digest::of(&bytes);
        if actual == *digest { Ok(bytes) } else { Err(self.corrupt(object, actual)) }
    }

    fn corrupt(&self, object: &Object, actual: Digest) -> StoreError {
        StoreError::CorruptBlob { place: format!("{}/{}", self.bucket.url(), object.key), actual }
    }
}

/// The folder of a blob's objects.
fn folder(digest: &Digest) -> String {
    let name = digest.to_string();
    format!("{FOLDER}/{}/{name}", &name[..2])
}

/// The blob and the hour of a key.
fn parse(key: &str) -> Option<(Digest, i64)> {
    let mut parts = key.rsplit('/');
    let hour = parts.next()?.parse().ok()?;
    let digest = parts.next()?.parse().ok()?;
    Some((digest, hour))
}
