//! Blobs as files.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::{Digest, Millis, StoreError, folder, folder::Sharing};

/// What the name of a file that is still being written begins with. Blobs begin with a hexadecimal digit.
pub(super) const TEMPORARY: &str = ".tmp-";

/// A folder of blobs, which several processes use at the same time.
///
/// A blob is a file `ab/abcd…`; it appears whole or not at all, and never changes. Its time of modification says when it was
/// last put, so that [sweeping](BlobFolder::sweep) spares what is about to be used.
#[derive(Debug, Clone)]
pub(crate) struct BlobFolder {
    folder: PathBuf,
    /// Whether what was put survives a crash.
    is_durable: bool,
}

impl BlobFolder {
    /// Uses `folder`, making it when it is not there.
    pub(crate) fn open(folder: &Path) -> Result<BlobFolder, StoreError> {
        folder::create(folder)?;
        Ok(BlobFolder { folder: folder.to_owned(), is_durable: true })
    }

    /// As [`BlobFolder::open`], for what can be had again from elsewhere: nothing waits for the disk.
    pub(crate) fn open_for_copies(folder: &Path) -> Result<BlobFolder, StoreError> {
        Ok(BlobFolder { is_durable: false, ..BlobFolder::open(folder)? })
    }

    /// Keeps `bytes`. They are on the disk when this returns; nothing is written when they were there already.
    pub(crate) fn put(&self, digest: &Digest, bytes: &[u8], now: Millis) -> Result<(), StoreError> {
        if self.renew(digest, bytes.len() as u64, now)? {
            return Ok(());
        }
        let mut temporary = self.temporary()?;
        temporary.write(bytes)?;
        self.keep(temporary, digest, now)
    }

    /// Keeps what [`copy`](BlobFolder::copy) gave, as [`BlobFolder::put`] does.
    pub(super) fn put_copied(
        &self,
        temporary: Temporary,
        digest: &Digest,
        size: u64,
        now: Millis,
    ) -> Result<(), StoreError> {
        match self.renew(digest, size, now)? {
            true => Ok(()),
            false => self.keep(temporary, digest, now),
        }
    }

    /// All that `source` gives as a file that has no name yet, its digest and its size.
    pub(super) fn copy(&self, source: &mut dyn Read) -> Result<(Temporary, Digest, u64), StoreError> {
        let mut temporary = self.temporary()?;
        let mut write_failed = None;
        let read = Digest::of_reader(source, |piece| {
            temporary.write(piece).map_err(|error| {
                write_failed = Some(error);
                io::Error::other("not written")
            })
        });
        match (read, write_failed) {
            (_, Some(error)) => Err(error),
            (Err(problem), None) => Err(StoreError::Source(problem.to_string())),
            (Ok((digest, size)), None) => Ok((temporary, digest, size)),
        }
    }

    /// The bytes of a blob, which are those that its name says.
    pub(crate) fn read(&self, digest: &Digest) -> Result<Arc<[u8]>, StoreError> {
        let path = self.path(digest);
        let bytes = read_whole(&path).map_err(|problem| unread(digest, &path, &problem))?;
        let actual = Digest::of(&bytes);
        if actual != *digest {
            return Err(StoreError::CorruptBlob { place: path.display().to_string(), actual });
        }
        Ok(bytes)
    }

    /// The file of a blob, whose bytes nobody has looked at, and where it is.
    pub(super) fn file(&self, digest: &Digest) -> Result<(PathBuf, File), StoreError> {
        let path = self.path(digest);
        match File::open(&path) {
            Ok(file) => Ok((path, file)),
            Err(problem) => Err(unread(digest, &path, &problem)),
        }
    }

    /// Where the blob is, or would be.
    pub(super) fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder.join(&name[..2]).join(name)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Marks the blob as put at `now`, if it is there and as long as it should be.
    pub(super) fn renew(&self, digest: &Digest, size: u64, now: Millis) -> Result<bool, StoreError> {
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
    pub(super) fn temporary(&self) -> Result<Temporary, StoreError> {
        // A sweep sees it locked, or not at all.
        let _sweeping = self.lock(Sharing::WithPuts)?;
        let temporary = Temporary::create(&self.folder)?;
        temporary.file.lock().map_err(|problem| StoreError::from_io(&temporary.path, &problem))?;
        Ok(temporary)
    }

    /// Gives what was written its name.
    pub(super) fn keep(&self, temporary: Temporary, digest: &Digest, now: Millis) -> Result<(), StoreError> {
        let path = self.path(digest);
        if let Some(shard) = path.parent() {
            folder::create(shard)?;
        }
        let _sweeping = self.lock(Sharing::WithPuts)?;
        temporary.rename(&path, now, self.is_durable)
    }

    /// Keeps puts and sweeps apart, also between processes: a sweep must not delete what a put has just found to be there.
    pub(super) fn lock(&self, sharing: Sharing) -> Result<File, StoreError> {
        let path = self.folder.join(".lock");
        folder::lock(&path, sharing)
    }
}

/// A file that has no name yet. Dropped, it is deleted; only a crash leaves it behind.
pub(super) struct Temporary {
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

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What others write to.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// What was written, from its beginning.
    pub(super) fn reader(&self) -> Result<File, StoreError> {
        File::open(&self.path).map_err(|problem| StoreError::from_io(&self.path, &problem))
    }

    /// Gives it its name; durable are the bytes first, then the name.
    fn rename(self, to: &Path, now: Millis, is_durable: bool) -> Result<(), StoreError> {
        let sync = |file: &File| if is_durable { file.sync_all() } else { Ok(()) };
        self.file
            .set_modified(time(now))
            .and_then(|()| sync(&self.file))
            .and_then(|()| fs::rename(&self.path, to))
            .map_err(|problem| StoreError::from_io(to, &problem))?;
        match to.parent() {
            Some(shard) if is_durable => folder::sync(shard),
            _ => Ok(()),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Renamed, it is not there any more; and what cannot be deleted now is swept later.
        let _ = fs::remove_file(&self.path);
    }
}

/// Why a blob can't be read.
fn unread(digest: &Digest, path: &Path, problem: &io::Error) -> StoreError {
    match problem.kind() {
        io::ErrorKind::NotFound => StoreError::NotFound { what: "blob", name: digest.to_string() },
        _ => StoreError::from_io(path, problem),
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
