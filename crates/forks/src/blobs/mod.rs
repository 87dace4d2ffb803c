//! Bytes kept under their digest: the bases of forks and the replaced versions of files.

mod bucket;
mod cache;
mod folder;
mod sweep;

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use objects::Bucket;

use crate::{Digest, Millis, Store, StoreError};

pub use bucket::{BUCKET_GRACE, BlobCounts};

use bucket::BlobBucket;
use folder::{BlobFolder, Temporary};

/// Bytes, each named by their SHA-256, which several processes use at the same time: files of a folder, or objects of a
/// bucket with copies on the disk.
#[derive(Debug, Clone)]
pub struct Blobs(Place);

#[derive(Debug, Clone)]
enum Place {
    Folder(BlobFolder),
    Bucket(Arc<BlobBucket>),
}

impl Blobs {
    /// Uses `folder`, making it when it is not there.
    ///
    /// # Errors
    /// `ReadOnly`, `Full`, `Unavailable`.
    pub fn open(folder: &Path) -> Result<Blobs, StoreError> {
        Ok(Blobs(Place::Folder(BlobFolder::open(folder)?)))
    }

    /// Uses `bucket`, and the folder `copies` for at most so many bytes of copies; it is made when it is not there.
    ///
    /// # Errors
    /// `ReadOnly`, `Full`, `Unavailable`, about the folder: nothing is asked of the bucket yet.
    pub fn in_bucket(bucket: Bucket, copies: &Path, most: u64) -> Result<Blobs, StoreError> {
        Ok(Blobs(Place::Bucket(Arc::new(BlobBucket::open(bucket, copies, most)?))))
    }

    /// Keeps `bytes`. They are durable when this returns; nothing is written when they were there already.
    ///
    /// # Errors
    /// `ReadOnly`, `Full`, `Unavailable`, `Bucket`; nothing is left behind.
    pub fn put(&self, bytes: &[u8], now: Millis) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        self.put_known(&digest, bytes, now)?;
        Ok(digest)
    }

    /// As [`Blobs::put`], of bytes whose digest is known.
    ///
    /// # Errors
    /// As [`Blobs::put`].
    pub fn put_known(&self, digest: &Digest, bytes: &[u8], now: Millis) -> Result<(), StoreError> {
        debug_assert_eq!(*digest, Digest::of(bytes), "a digest of other bytes");
        match &self.0 {
            Place::Folder(folder) => folder.put(digest, bytes, now),
            Place::Bucket(bucket) => bucket.put(digest, bytes, now),
        }
    }

    /// Keeps all that `source` gives, without holding it in memory, and says how many bytes that is.
    ///
    /// # Errors
    /// `Source` when `source` fails; those of [`Blobs::put`]; nothing is left behind.
    pub fn put_from(&self, source: &mut dyn Read, now: Millis) -> Result<(Digest, u64), StoreError> {
        let (temporary, digest, size) = self.received(source)?;
        self.put_received(temporary, &digest, size, now)?;
        Ok((digest, size))
    }

    /// As [`Blobs::put_from`], if what `source` gives is what `digest` names; `None`, and nothing is kept, if it is not.
    ///
    /// # Errors
    /// As [`Blobs::put_from`].
    pub fn put_known_from(
        &self,
        digest: &Digest,
        source: &mut dyn Read,
        now: Millis,
    ) -> Result<Option<u64>, StoreError> {
        let (temporary, actual, size) = self.received(source)?;
        if actual != *digest {
            return Ok(None);
        }
        self.put_received(temporary, digest, size, now)?;
        Ok(Some(size))
    }

    fn received(&self, source: &mut dyn Read) -> Result<(Temporary, Digest, u64), StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.copy(source),
            Place::Bucket(bucket) => bucket.copy(source),
        }
    }

    fn put_received(
        &self,
        temporary: Temporary,
        digest: &Digest,
        size: u64,
        now: Millis,
    ) -> Result<(), StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.put_copied(temporary, digest, size, now),
            Place::Bucket(bucket) => bucket.put_copied(temporary, digest, size, now),
        }
    }

    /// Hands out the pieces of a blob in turn, without holding it in memory, and says how many bytes that is. What was handed out
    /// is of use only if this succeeds: whether the bytes are those that its name says is known at their end.
    ///
    /// # Errors
    /// As [`Blobs::read`]; and what `each` fails with.
    pub fn copy<E: From<StoreError>>(
        &self,
        digest: &Digest,
        now: Millis,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<u64, E> {
        let (place, mut file) = match &self.0 {
            Place::Folder(folder) => folder.file(digest)?,
            Place::Bucket(bucket) => bucket.file(digest, now)?,
        };
        let mut refused = None;
        let read = Digest::of_reader(&mut file, |piece| {
            each(piece).map_err(|error| {
                refused = Some(error);
                io::Error::other("refused")
            })
        });
        match (read, refused) {
            (_, Some(error)) => Err(error),
            (Err(problem), None) => Err(StoreError::from_io(&place, &problem).into()),
            (Ok((actual, size)), None) if actual == *digest => Ok(size),
            (Ok((actual, _)), None) => {
                Err(StoreError::CorruptBlob { place: place.display().to_string(), actual }.into())
            }
        }
    }

    /// The bytes of a blob, which are those that its name says.
    ///
    /// # Errors
    /// `NotFound`, `CorruptBlob`, `Unavailable`, `Bucket`.
    pub fn read(&self, digest: &Digest, now: Millis) -> Result<Arc<[u8]>, StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.read(digest),
            Place::Bucket(bucket) => bucket.read(digest, now),
        }
    }

    /// Uses of copies, if blobs are in a bucket.
    pub fn counts(&self) -> Option<BlobCounts> {
        match &self.0 {
            Place::Folder(_) => None,
            Place::Bucket(bucket) => Some(bucket.counts()),
        }
    }
}

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
/// be longer than that takes; in a bucket within [`BUCKET_GRACE`], whatever `grace` is. `clock` tells the time, which
/// passes meanwhile.
///
/// # Errors
/// Those of the store and of the folder or bucket. What was deleted until then stays so.
pub fn sweep_blobs(
    store: &dyn Store,
    blobs: &Blobs,
    clock: &dyn Fn() -> Millis,
    grace: Millis,
) -> Result<Swept, StoreError> {
    // Before what refers to blobs is looked at: what is put from here on is spared.
    let begun = clock();
    blobs.sweep(&store.referenced_blobs()?, begun, clock, grace)
}

impl Blobs {
    /// Deletes the blobs that were not `needed` at `then` and put longer ago, as [`sweep_blobs`] does, and what crashed writers
    /// left behind.
    ///
    /// # Errors
    /// Those of the folder or bucket.
    pub fn sweep(
        &self,
        needed: &HashSet<Digest>,
        then: Millis,
        clock: &dyn Fn() -> Millis,
        grace: Millis,
    ) -> Result<Swept, StoreError> {
        match &self.0 {
            Place::Folder(folder) => folder.sweep(needed, then, grace),
            Place::Bucket(bucket) => bucket.sweep(needed, then, clock),
        }
    }
}
