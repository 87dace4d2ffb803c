//! Bytes kept under their digest: the bases of forks and the replaced versions of files.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::{Digest, Millis, Sharing, StoreError, folder};

/// What the name of a file that is still being written begins with. Blobs begin with a hexadecimal digit.
pub(crate) const TEMPORARY: &str = ".tmp-";

/// A folder of blobs, which several processes use at the same time.
///
/// A blob is a file `ab/abcd…`, named by the SHA-256 of its bytes; it appears whole or not at all, and never changes. Its
/// time of modification says when it was last put, so that [sweeping](Blobs::sweep) spares what is about to be used.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// Uses `folder`, making it when it is not there.
    ///
    /// # Errors
    /// `ReadOnly`, `Full`, `Unavailable`.
    pub fn open(folder: &Path) -> Result<Blobs, StoreError> {
        folder::create(folder)?;
        Ok(Blobs { folder: folder.to_owned() })
    }

    /// Keeps `bytes`. They are on the disk when this returns; nothing is written when they were there already.
    ///
    /// # Errors
    /// `ReadOnly`, `Full`, `Unavailable`; nothing is left behind.
    pub fn put(&self, bytes: &[u8], now: Millis) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        if self.renew(&digest, bytes.len() as u64, now)? {
            return Ok(digest);
        }
        let mut temporary = self.temporary()?;
        temporary.write(bytes)?;
        self.keep(temporary, &digest, now)?;
        Ok(digest)
    }

    /// Keeps all that `source` gives, without holding it in memory, and says how many bytes that is.
    ///
    /// # Errors
    /// `Source` when `source` fails; `ReadOnly`, `Full`, `Unavailable`; nothing is left behind.
    pub fn put_from(&self, source: &mut dyn Read, now: Millis) -> Result<(Digest, u64), StoreError> {
        let mut temporary = self.temporary()?;
        let mut write_failed = None;
        let read = Digest::of_reader(source, |piece| {
            temporary.write(piece).map_err(|error| {
                write_failed = Some(error);
                io::Error::other("not written")
            })
        });
        let (digest, size) = match (read, write_failed) {
            (_, Some(error)) => return Err(error),
            (Err(problem), None) => return Err(StoreError::Source(problem.to_string())),
            (Ok(read), None) => read,
        };
        if !self.renew(&digest, size, now)? {
            self.keep(temporary, &digest, now)?;
        }
        Ok((digest, size))
    }

    /// Whether there is such a blob.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// The bytes of a blob, which are those that its name says.
    ///
    /// # Errors
    /// `NotFound`, `CorruptBlob`, `Unavailable`.
    pub fn read(&self, digest: &Digest) -> Result<Arc<[u8]>, StoreError> {
        let path = self.path(digest);
        let bytes = read_whole(&path).map_err(|problem| match problem.kind() {
            io::ErrorKind::NotFound => StoreError::NotFound { what: "blob", name: digest.to_string() },
            _ => StoreError::from_io(&path, &problem),
        })?;
        let actual = Digest::of(&bytes);
        if actual != *digest {
            return Err(StoreError::CorruptBlob { place: path.display().to_string(), actual });
        }
        Ok(bytes)
    }

    /// Where the blob is, or would be.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder.join(&name[..2]).join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Marks the blob as put at `now`, if it is there and as long as it should be.
    fn renew(&self, digest: &Digest, size: u64, now: Millis) -> Result<bool, StoreError> {
        let path = self.path(digest);
        let _sweeping = self.lock(Sharing::WithPuts)?;
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(problem) => return Err(StoreError::from_io(&path, &problem)),
        };
        let renewed = file.metadata().and_then(|metadata| {
            if metadata.len() != size {
                return Ok(false);
            }
            // Another machine's clock may be ahead.
            if metadata.modified()? < time(now) {
                file.set_modified(time(now))?;
            }
            Ok(true)
        });
        renewed.map_err(|problem| StoreError::from_io(&path, &problem))
    }

    /// A file that is locked for as long as somebody writes it. One that nobody locks was left by a crash.
    fn temporary(&self) -> Result<Temporary, StoreError> {
        // A sweep sees it locked, or not at all.
        let _sweeping = self.lock(Sharing::WithPuts)?;
        let temporary = Temporary::create(&self.folder)?;
        temporary.file.lock().map_err(|problem| StoreError::from_io(&temporary.path, &problem))?;
        Ok(temporary)
    }

    /// Gives what was written its name.
    fn keep(&self, temporary: Temporary, digest: &Digest, now: Millis) -> Result<(), StoreError> {
        let path = self.path(digest);
        if let Some(shard) = path.parent() {
            folder::create(shard)?;
        }
        let _sweeping = self.lock(Sharing::WithPuts)?;
        temporary.rename(&path, now)
    }

    /// Keeps puts and sweeps apart, also between processes: a sweep must not delete what a put has just found to be there.
    pub(crate) fn lock(&self, sharing: Sharing) -> Result<File, StoreError> {
        let path = self.folder.join(".lock");
        folder::lock(&path, sharing)
    }
}

/// A file that has no name yet. Dropped, it is deleted; only a crash leaves it behind.
struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    fn create(folder: &Path) -> Result<Temporary, StoreError> {
        static CREATED: AtomicU64 = AtomicU64::new(0);
        loop {
            // Another process with our number, in another container or before a crash, may have taken the name.
            let name =
                format!("{TEMPORARY}{}-{}", std::process::id(), CREATED.fetch_add(1, Ordering::Relaxed));
            let path = folder.join(name);
            match folder::private_file().create_new(true).open(&path) {
                Ok(file) => return Ok(Temporary { path, file }),
                Err(problem) if problem.kind() == io::ErrorKind::AlreadyExists => {}
                Err(problem) => return Err(StoreError::from_io(&path, &problem)),
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(bytes).map_err(|problem| StoreError::from_io(&self.path, &problem))
    }

    /// Makes the bytes durable, then the name.
    fn rename(self, to: &Path, now: Millis) -> Result<(), StoreError> {
        self.file
            .set_modified(time(now))
            .and_then(|()| self.file.sync_all())
            .and_then(|()| fs::rename(&self.path, to))
            .map_err(|problem| StoreError::from_io(to, &problem))?;
        to.parent().map_or(Ok(()), folder::sync)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Renamed, it is not there any more; and what cannot be deleted now is swept later.
        let _ = fs::remove_file(&self.path);
    }
}

/// The file's bytes, in the one allocation that they are shared from.
fn read_whole(path: &Path) -> io::Result<Arc<[u8]>> {
    let mut file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, size).collect();
    let unshared = Arc::get_mut(&mut bytes).expect("invariant: nobody else has it yet");
    file.read_exact(unshared)?;
    Ok(bytes)
}

fn time(at: Millis) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(at.try_into().unwrap_or(0))
}
