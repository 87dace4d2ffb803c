//! Bytes of objects on the local disk.

use std::{
    fs::{self, File},
    io::{self, Seek as _, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use forks::Digest;
use objects::BucketUrl;
use tempfile::NamedTempFile;

use crate::{
    error::{ErrorCode, ToolError},
    workspace::{FileIdentity, file::unreadable},
};

/// What the names of files that are still being filled begin with.
const TEMPORARY: &str = ".part-";
/// For how long a file may be filled; what is older was left by a crash.
const FILLED_WITHIN: Duration = Duration::from_secs(60 * 60);

/// A folder of copies, each named by what tells its content from another one, so that it is never old. Those used last stay.
/// Several servers may share it.
#[derive(Debug)]
pub(super) struct Contents {
    folder: PathBuf,
    max_bytes: u64,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Contents {
    pub(super) fn new(folder: &Path, max_bytes: u64) -> Contents {
        let (hits, misses) = (AtomicU64::default(), AtomicU64::default());
        Contents { folder: folder.to_owned(), max_bytes, hits, misses }
    }

    /// A file with a content, to be read from its beginning: one that is there, or what `fill` writes.
    pub(super) fn get(
        &self,
        url: &BucketUrl,
        identity: &FileIdentity,
        fill: impl FnOnce(&mut dyn Write) -> Result<(), ToolError>,
    ) -> Result<File, ToolError> {
        let path = self.folder.join(name(url, identity));
        if let Some(file) = found(&path, identity.size) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(file);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let mut temporary = self.temporary()?;
        // The file itself: errors of what knows its name tell its path.
        fill(temporary.as_file_mut())?;
        let mut file = temporary.reopen().map_err(|error| unreadable(&error))?;
        file.rewind().map_err(|error| unreadable(&error))?;
        if identity.size <= self.max_bytes {
            self.make_room(identity.size);
            // A copy that is not kept is read again another time. One that is has to be whole after a crash of the machine.
            let _not_kept = file.sync_data().is_ok() && temporary.persist(&path).is_ok();
        }
        Ok(file)
    }

    /// An empty file that goes when it is dropped.
    pub(super) fn temporary(&self) -> Result<NamedTempFile, ToolError> {
        self.made().map_err(|error| {
            let code = match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
                _ => ErrorCode::FileUnreadable,
            };
            // Its kind alone: where the server keeps what is nobody's business.
            ToolError::new(code, format!("objects can't be kept on the disk of the server: {}", error.kind()))
                .hint("ask whoever runs the server to let it write to its state directory")
        })
    }

    fn made(&self) -> io::Result<NamedTempFile> {
        fs::create_dir_all(&self.folder)?;
        tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&self.folder)
    }

    /// Whether a content can be kept, without which none can be read.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check_writable(&self) -> Result<(), String> {
        self.made().map(drop).map_err(|error| format!("the copies of objects can't be written: {error}"))
    }

    /// Deletes what crashed servers left. Gives how many files that were.
    pub(super) fn sweep(&self) -> u64 {
        let old = |file: &Copy| file.is_temporary && file.used.elapsed().is_ok_and(|age| age > FILLED_WITHIN);
        let deleted =
            self.copies().into_iter().filter(old).filter(|file| fs::remove_file(&file.path).is_ok());
        deleted.count() as u64
    }

    /// How many contents were found, and how many had to be read.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// Bytes of the copies.
    pub(super) fn bytes(&self) -> u64 {
        self.copies().iter().map(|copy| copy.size).sum()
    }

    /// Deletes the copies that were not used for longest.
    fn make_room(&self, coming: u64) {
        let mut copies: Vec<Copy> = self.copies().into_iter().filter(|copy| !copy.is_temporary).collect();
        copies.sort_unstable_by_key(|copy| std::cmp::Reverse(copy.used));
        let mut used = coming;
        for copy in copies {
            used = used.saturating_add(copy.size);
            if used > self.max_bytes {
                // Who reads it reads on; another server may have been faster.
                let _gone = fs::remove_file(&copy.path);
            }
        }
    }

    fn copies(&self) -> Vec<Copy> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let copies = entries.filter_map(|entry| {
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some(Copy {
                is_temporary: entry.file_name().to_string_lossy().starts_with(TEMPORARY),
                path: entry.path(),
                size: metadata.len(),
                used: metadata.modified().ok()?,
            })
        });
        copies.collect()
    }
}

struct Copy {
    path: PathBuf,
    size: u64,
    used: SystemTime,
    is_temporary: bool,
}

/// A copy that is there and whole.
fn found(path: &Path, size: u64) -> Option<File> {
    let file = File::open(path).ok()?;
    let is_whole = file.metadata().is_ok_and(|metadata| metadata.len() == size);
    let _noted = file.set_modified(SystemTime::now());
    is_whole.then_some(file)
}

fn name(url: &BucketUrl, identity: &FileIdentity) -> String {
    Digest::of(format!("{url} {identity:?}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::workspace::Mark;

    fn content(etag: &str, size: usize) -> FileIdentity {
        let version = objects::Version { etag: Some(etag.to_owned()), version: None };
        let modified = Some(SystemTime::UNIX_EPOCH);
        FileIdentity { path: "a.csv".to_owned(), size: size as u64, modified, mark: Mark::Version(version) }
    }

    /// What is read, and whether it had to be fetched.
    fn get(contents: &Contents, identity: &FileIdentity, byte: u8) -> (Vec<u8>, bool) {
        let url = "s3://books/below".parse().expect("a URL");
        let mut is_fetched = false;
        let file = contents.get(&url, identity, |to| {
            is_fetched = true;
            to.write_all(&vec![byte; identity.size as usize]).map_err(|error| unreadable(&error))
        });
        let mut bytes = Vec::new();
        file.expect("a file").read_to_end(&mut bytes).expect("bytes");
        (bytes, is_fetched)
    }

    #[test]
    fn a_content_is_fetched_once_and_another_one_under_the_same_path_as_well() {
        let folder = tempfile::tempdir().expect("a folder");
        let contents = Contents::new(&folder.path().join("made"), 1_000);
        assert_eq!(get(&contents, &content("1", 10), 1), (vec![1; 10], true));
        assert_eq!(get(&contents, &content("1", 10), 9), (vec![1; 10], false));
        assert_eq!(get(&contents, &content("2", 10), 2), (vec![2; 10], true));
        // Another server over the same folder.
        let other = Contents::new(&folder.path().join("made"), 1_000);
        assert_eq!(get(&other, &content("2", 10), 9), (vec![2; 10], false));
        assert_eq!((contents.counts(), other.counts()), ((1, 2), (1, 0)));
        for copy in other.copies() {
            File::create(&copy.path).expect("cut off");
        }
        assert_eq!(get(&other, &content("2", 10), 3), (vec![3; 10], true));
    }

    #[test]
    fn the_copies_used_last_stay_within_the_bound() {
        let folder = tempfile::tempdir().expect("a folder");
        let contents = Contents::new(folder.path(), 100);
        for etag in ["1", "2", "1", "3"] {
            get(&contents, &content(etag, 40), 0);
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(contents.bytes(), 80);
        assert!(!get(&contents, &content("1", 40), 0).1, "it was used after the other one");
        assert!(get(&contents, &content("2", 40), 0).1);
        assert_eq!(get(&contents, &content("large", 101), 7), (vec![7; 101], true));
        assert_eq!(contents.bytes(), 80, "what does not fit is read and not kept");
    }

    #[test]
    fn what_fails_on_the_way_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let contents = Contents::new(folder.path(), 100);
        let url = "s3://books".parse().expect("a URL");
        let cut = contents.get(&url, &content("1", 10), |to| {
            to.write_all(b"half").expect("written");
            Err(ToolError::new(ErrorCode::WorkspaceUnavailable, "away"))
        });
        assert!(cut.is_err() && contents.bytes() == 0);
        let left = folder.path().join(".part-left");
        let old = SystemTime::now() - 2 * FILLED_WITHIN;
        File::create(&left).and_then(|file| file.set_modified(old)).expect("a file");
        let _new = contents.temporary().expect("a file");
        assert_eq!((contents.sweep(), contents.sweep()), (1, 0));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told_without_its_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let in_its_way = folder.path().join("copies");
        File::create(&in_its_way).expect("a file");
        for below in [in_its_way.clone(), in_its_way.join("further")] {
            let contents = Contents::new(&below, 100);
            let error = contents.temporary().expect_err("it can't be");
            assert!(!error.message.contains(folder.path().to_str().expect("text")), "{}", error.message);
            assert!(contents.check_writable().is_err());
        }
    }
}
