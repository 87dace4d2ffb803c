//! The file of keys on disk: changed by one program at a time, and followed by others.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::keys::{KeyError, KeyFile};

/// Why a file of keys can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refuses it.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Others could let themselves in.
    #[error("{}: everybody may write it; take that away: chmod o-w", .0.display())]
    WritableByAll(PathBuf),
    /// It is not taken, or not changed so.
    #[error(transparent)]
    Key(#[from] KeyError),
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> StoreError + '_ {
    |error| StoreError::Io { path: path.to_owned(), error }
}

/// Reads the keys of a file; none where there is no file.
///
/// # Errors
/// When it can't be read, is damaged, or everybody may write it.
pub fn read(path: &Path) -> Result<KeyFile, StoreError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(KeyFile::empty()),
        Err(error) => return Err(io_error(path)(error)),
    };
    if is_writable_by_all(&fs::metadata(path).map_err(io_error(path))?) {
        return Err(StoreError::WritableByAll(path.to_owned()));
    }
    Ok(KeyFile::parse(&text)?)
}

/// Changes the keys of a file, which is made where there is none: for its owner alone, whole or not at all, and by one program
/// at a time.
///
/// # Errors
/// Those of `change`, and when the file can't be read or written.
pub fn update<T>(
    path: &Path,
    change: impl FnOnce(&mut KeyFile) -> Result<T, KeyError>,
) -> Result<T, StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io_error(folder))?;
    let beside = |extension: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(extension);
        PathBuf::from(name)
    };
    let (lock_path, new_path) = (beside(".lock"), beside(".new"));
    let lock =
        private().write(true).create(true).truncate(false).open(&lock_path).map_err(io_error(&lock_path))?;
    lock.lock().map_err(io_error(&lock_path))?;
    let mut file = read(path)?;
    let done = change(&mut file)?;
    let text = file.to_text()?;
    let mut new =
        private().write(true).create(true).truncate(true).open(&new_path).map_err(io_error(&new_path))?;
    new.write_all(text.as_bytes()).and_then(|()| new.sync_all()).map_err(io_error(&new_path))?;
    fs::rename(&new_path, path).map_err(io_error(path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error(folder))?;
    Ok(done)
}

/// Files for their owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn is_writable_by_all(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(metadata) & 0o002 != 0
}

#[cfg(not(unix))]
fn is_writable_by_all(_: &Metadata) -> bool {
    false
}

/// The keys of a file that may change at any time. Cheap to ask: the file is read when it is another one than before. Or keys that
/// somebody hands in, again and again.
#[derive(Debug)]
pub struct KeyRing {
    /// The file that is followed, if one is.
    path: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    keys: Arc<KeyFile>,
    /// What tells the file from a later one; `None` where there was none.
    seen: Option<Seen>,
}

type Seen = (u64, Option<SystemTime>, (u64, i64, i64));

impl KeyRing {
    /// Follows a file, which may be there later.
    ///
    /// # Errors
    /// When it is there and can't be read, is damaged, or everybody may write it.
    pub fn open(path: PathBuf) -> Result<KeyRing, StoreError> {
        let seen = seen(&path);
        let keys = Arc::new(read(&path)?);
        Ok(KeyRing { path: Some(path), known: Mutex::new(Known { keys, seen }) })
    }

    /// No keys until some are handed in.
    pub fn handed_in() -> KeyRing {
        KeyRing { path: None, known: Mutex::new(Known { keys: Arc::new(KeyFile::empty()), seen: None }) }
    }

    /// Takes the text of a file in place of the one before; with none, nobody has a key. Tells whether that changes anything.
    ///
    /// # Errors
    /// When it is no file of keys: those before stay in force.
    pub fn hand_in(&self, text: Option<&str>) -> Result<bool, KeyError> {
        let keys = text.map_or_else(|| Ok(KeyFile::empty()), KeyFile::parse)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = *known.keys != keys;
        known.keys = Arc::new(keys);
        Ok(is_other)
    }

    /// Where the file is, if one is followed.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The keys as the file has them now. Where it can't be taken, those before stay in force, and the problem is told once.
    pub fn keys(&self) -> (Arc<KeyFile>, Option<StoreError>) {
        let now = self.path.as_deref().and_then(seen);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = self.path.as_deref().filter(|_| now != known.seen) else {
            return (Arc::clone(&known.keys), None);
        };
        known.seen = now;
        match read(path) {
            Ok(keys) => {
                known.keys = Arc::new(keys);
                (Arc::clone(&known.keys), None)
            }
            Err(error) => (Arc::clone(&known.keys), Some(error)),
        }
    }
}

fn seen(path: &Path) -> Option<Seen> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok(), inode(&metadata)))
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::keys::NewKey;
    use crate::{PathScope, Role};

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn create(path: &Path, id: &str) -> String {
        let new = NewKey {
            id: id.parse().expect("a name"),
            role: Role::Viewer,
            paths: PathScope::everything(),
            tenant: None,
            expires: None,
        };
        update(path, |file| file.create(new, NOW)).expect("a key").expose_secret().to_owned()
    }

    #[test]
    fn a_ring_follows_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state/keys.toml");
        let ring = KeyRing::open(path.clone()).expect("no file yet");
        assert!(ring.keys().0.keys().is_empty());
        let first = create(&path, "first");
        assert!(ring.keys().0.verify(&first, NOW).is_ok());
        let second = create(&path, "second");
        update(&path, |file| file.revoke(&"first".parse().expect("a name"), NOW)).expect("revoked");
        let (keys, problem) = ring.keys();
        assert!(problem.is_none() && keys.verify(&first, NOW).is_err() && keys.verify(&second, NOW).is_ok());
        // A file that nobody can read leaves what was.
        fs::write(&path, "version = ").expect("damaged");
        let (keys, problem) = ring.keys();
        assert!(problem.is_some() && keys.verify(&second, NOW).is_ok());
        assert!(ring.keys().1.is_none(), "it is told twice");
    }

    #[test]
    fn a_ring_takes_what_is_handed_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        let secret = create(&path, "first");
        let text = fs::read_to_string(&path).expect("a file");
        let ring = KeyRing::handed_in();
        assert!(ring.keys().0.keys().is_empty());
        assert_eq!(
            (ring.hand_in(Some(&text)).ok(), ring.hand_in(Some(&text)).ok()),
            (Some(true), Some(false))
        );
        assert!(ring.hand_in(Some("version = ")).is_err());
        assert!(ring.keys().0.verify(&secret, NOW).is_ok());
        assert_eq!(ring.hand_in(None).ok(), Some(true));
        assert!(ring.keys().0.keys().is_empty());
    }

    #[test]
    fn many_writers_lose_no_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let path = &path;
                scope.spawn(move || (0..5).for_each(|key| drop(create(path, &format!("{writer}-{key}")))));
            }
        });
        assert_eq!(read(&path).expect("a file").keys().len(), 40);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        create(&path, "first");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("rights");
        assert!(matches!(KeyRing::open(path), Err(StoreError::WritableByAll(_))));
    }
}
