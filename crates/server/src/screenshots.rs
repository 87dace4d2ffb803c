//! Pictures that calls made: kept as files for a while, read as `screenshot://NAME`.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use ::forks::Digest;

use crate::error::{ErrorCode, ToolError};

/// How a URI of a picture begins.
pub(crate) const SCHEME: &str = "screenshot://";
/// The MIME type of pictures.
pub(crate) const MIME_TYPE: &str = "image/png";
/// What the name of a file that is being written ends with.
const PART: &str = ".part";
/// Characters of a name before its digest.
const MAX_STEM: usize = 40;

/// A picture that a call made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its file's name.
    pub name: String,
    /// The PNG.
    pub png: Vec<u8>,
    /// Whether it is small enough to travel with the answer.
    pub is_inline: bool,
}

impl Picture {
    /// The URI that it is read by.
    pub fn uri(&self) -> String {
        format!("{SCHEME}{}", self.name)
    }
}

/// The folder of pictures. It is made when the first one is kept.
#[derive(Debug)]
pub struct Screenshots {
    folder: PathBuf,
    /// Bytes of pictures that are kept.
    max_bytes: u64,
    /// Bytes that may be kept before it has to be looked again how many there are.
    room: AtomicU64,
}

impl Screenshots {
    /// Pictures in a folder, of so many bytes at most; 0 for any number.
    pub fn new(folder: PathBuf, max_bytes: u64) -> Screenshots {
        let max_bytes = if max_bytes == 0 { u64::MAX } else { max_bytes };
        Screenshots { folder, max_bytes, room: AtomicU64::new(0) }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a picture for its owner; the same one is kept once. Gives its name.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(crate) fn keep(&self, of: &str, owner: &str, png: &[u8]) -> Result<String, ToolError> {
        let bytes = png.len() as u64;
        if bytes > self.max_bytes {
            return Err(ToolError::new(
                ErrorCode::StorageFull,
                format!("the picture has {bytes} bytes, more than the {} of all pictures", self.max_bytes),
            )
            .hint("ask for a smaller range or scale, or have SPREADSHEET_MCP_MAX_SCREENSHOT_BYTES raised"));
        }
        self.make_room(bytes);
        let digest = mark(owner, png);
        let plain =
            |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
        let stem: String = of.chars().take(MAX_STEM).map(plain).collect();
        let name = format!("{}-{digest}.png", stem.trim_matches('-'));
        let written = fs::create_dir_all(&self.folder).and_then(|()| {
            // Whoever reads it meanwhile sees a whole picture.
            let (temporary, mut file) = self.temporary(&name)?;
            let put = file.write_all(png).and_then(|()| fs::rename(&temporary, self.folder.join(&name)));
            put.inspect_err(|_| drop(fs::remove_file(&temporary)))
        });
        written.map_err(|error| {
            let code = match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
                _ => ErrorCode::StateUnavailable,
            };
            ToolError::new(code, format!("the picture can't be kept: {error}"))
                .hint("let the server write to SPREADSHEET_MCP_SCREENSHOTS_DIR, or point it elsewhere")
        })?;
        Ok(name)
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
    fn temporary(&self, name: &str) -> io::Result<(PathBuf, File)> {
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

    /// The bytes of a picture of an owner's.
    ///
    /// # Errors
    /// When they have none of that name (any more).
    pub(crate) fn read(&self, name: &str, owner: &str) -> Result<Vec<u8>, ToolError> {
        let gone = || {
            ToolError::new(ErrorCode::NotFound, format!("there is no picture \"{name}\""))
                .at("uri")
                .hint("pictures are dropped after a while; take it again with screenshot_sheet")
        };
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let is_name =
            name.strip_suffix(".png").is_some_and(|stem| !stem.is_empty() && stem.chars().all(is_plain));
        if !is_name {
            return Err(gone());
        }
        let png = fs::read(self.folder.join(name)).map_err(|_| gone())?;
        let is_theirs = name.trim_end_matches(".png").ends_with(&mark(owner, &png));
        if is_theirs { Ok(png) } else { Err(gone()) }
    }

    /// Drops pictures that are older than `age`, and what a crash left of any. Gives how many files that were.
    pub(crate) fn clean(&self, age: Duration) -> u64 {
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

/// What the name of a picture ends with: it tells the picture, and whose it is.
fn mark(owner: &str, png: &[u8]) -> String {
    let whole: Vec<u8> = owner.bytes().chain([0]).chain(png.iter().copied()).collect();
    Digest::of(&whole).to_string()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_pictures_give_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let pictures = Screenshots::new(folder.path().to_owned(), 100);
        let keep = |number: u8| {
            let name = pictures.keep("a", "ada", &[number; 40]).expect("is kept");
            // As old as their numbers say, whatever the resolution of the file system's clock.
            let file = File::options().append(true).open(folder.path().join(&name)).expect("opens");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(number.into())).expect("set");
            name
        };
        let names: Vec<String> = (1..=4).map(keep).collect();
        let is_kept = |name: &String| pictures.read(name, "ada").is_ok();
        assert_eq!(names.iter().map(is_kept).collect::<Vec<bool>>(), [false, false, true, true]);
        assert_eq!(pictures.keep("a", "ada", &[0; 101]).expect_err("too large").code, ErrorCode::StorageFull);
    }

    #[test]
    fn pictures_are_kept_read_and_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let pictures = Screenshots::new(folder.path().join("screenshots"), 0);
        let name = pictures.keep("Über uns!/a b.xlsx", "ada", b"png").expect("is kept");
        assert!(name.starts_with("ber-uns--a-b-xlsx-") && name.ends_with(".png"), "{name}");
        assert_eq!(pictures.read(&name, "ada").expect("is read"), b"png");
        assert_eq!(pictures.read(&name, "bob").expect_err("refused").code, ErrorCode::NotFound);
        for wrong in ["../../etc/passwd", "a/../b.png", ".png", "", "x.png"] {
            assert_eq!(pictures.read(wrong, "ada").expect_err("refused").code, ErrorCode::NotFound);
        }
        assert_eq!(pictures.clean(Duration::from_secs(60)), 0);
        let (written, file) = pictures.temporary("a.png").expect("is made");
        fs::write(pictures.folder().join("b.png.1-1.part"), "left by a crash").expect("written");
        assert_eq!(pictures.clean(Duration::from_secs(60)), 1);
        assert!(written.exists() && pictures.read(&name, "ada").is_ok());
        drop(file);
        assert_eq!(pictures.clean(Duration::ZERO), 2);
        assert!(pictures.read(&name, "ada").is_err());
    }
}
