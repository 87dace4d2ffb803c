//! Pictures as files.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use crate::error::{ErrorCode, ToolError};

/// What the name of a file that is being written ends with.
const PART: &str = ".part";

/// The folder of pictures. It is made when the first one is kept.
#[derive(Debug)]
pub(super) struct PictureFolder {
    folder: PathBuf,
    /// Bytes of pictures that are kept.
    max_bytes: u64,
    /// Bytes that may be kept before it has to be looked again how many there are.
    room: AtomicU64,
}

impl PictureFolder {
    /// Pictures in a folder, of so many bytes at most.
    pub(super) fn new(folder: PathBuf, max_bytes: u64) -> PictureFolder {
        PictureFolder { folder, max_bytes, room: AtomicU64::new(0) }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a picture; one of the same name is the same one.
    pub(super) fn keep(&self, name: &str, png: &[u8]) -> Result<(), ToolError> {
        self.make_room(png.len() as u64);
        let written = fs::create_dir_all(&self.folder).and_then(|()| {
            // Whoever reads it meanwhile sees a whole picture.
            let (temporary, mut file) = self.temporary(name)?;
            let put = file.write_all(png).and_then(|()| fs::rename(&temporary, self.folder.join(name)));
            put.inspect_err(|_| drop(fs::remove_file(&temporary)))
        });
        written.map_err(|error| {
            let code = match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
                _ => ErrorCode::StateUnavailable,
            };
            ToolError::new(code, format!("the picture can't be kept: {error}"))
                .hint("let the server write to SPREADSHEET_MCP_SCREENSHOTS_DIR, or point it elsewhere")
        })
    }

    /// Deletes the oldest pictures until so many bytes fit in.
    fn make_room(&self, bytes: u64) {
        let take = |room: u64| room.checked_sub(bytes);
        if self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            return;
        }
        let mut held = 0;
        let mut pictures: Vec<(SystemTime, PathBuf, u64)> = Vec::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let is_picture = entry.file_name().to_str().is_some_and(|name| name.ends_with(".png"));
            let Some(metadata) = entry.metadata().ok().filter(|_| is_picture) else { continue };
            held += metadata.len();
            pictures.push((
                metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                entry.path(),
                metadata.len(),
            ));
        }
        pictures.sort_unstable();
        let mut dropped = 0;
        for (_, path, length) in pictures {
            if held <= self.max_bytes - bytes {
                break;
            }
            if fs::remove_file(path).is_ok() {
                held -= length;
                dropped += 1;
            }
        }
        if dropped > 0 {
            tracing::debug!(pictures = dropped, "dropped the oldest pictures to make room");
        }
        self.room.store((self.max_bytes - bytes).saturating_sub(held), Ordering::Relaxed);
    }

    /// A file that is locked for as long as it is written. One that nobody locks was left by a crash.
    pub(super) fn temporary(&self, name: &str) -> io::Result<(PathBuf, File)> {
        static CREATED: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = CREATED.fetch_add(1, Ordering::Relaxed);
            let path = self.folder.join(format!("{name}.{}-{number}{PART}", std::process::id()));
            match File::create_new(&path) {
                Ok(file) => {
                    file.lock()?;
                    // Somebody who cleans up may have come between its making and its locking.
                    if path.exists() {
                        return Ok((path, file));
                    }
                }
                // Another container may have a process of this number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The bytes of a picture, if there is one.
    pub(super) fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.folder.join(name)).ok()
    }

    /// Drops pictures that are older than `age`, and what a crash left of any. Gives how many files that were.
    pub(super) fn clean(&self, age: Duration) -> u64 {
        let Ok(entries) = fs::read_dir(&self.folder) else { return 0 };
        let is_old = |entry: &fs::DirEntry| {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age_now = modified.ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
            age_now.is_some_and(|now| now >= age)
        };
        let goes = |entry: &fs::DirEntry| match entry.file_name().to_str() {
            Some(name) if name.ends_with(PART) => remove_orphan(&entry.path()),
            Some(name) => name.ends_with(".png") && is_old(entry) && fs::remove_file(entry.path()).is_ok(),
            None => false,
        };
        entries.flatten().filter(goes).count() as u64
    }
}

/// Deletes a file that was being written by a process that is gone: its owner would hold a lock on it.
fn remove_orphan(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok() && fs::remove_file(path).is_ok())
}
