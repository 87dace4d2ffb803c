//! The folder of one worker: the bridge's scripts, the profile of its LibreOffice, its temporary files and documents.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{io, process};

use crate::OfficeError;

const PREFIX: &str = "office-";
const LOCK: &str = "lock";

/// Where LibreOffice puts its sockets, in the first that it may write to.
pub(crate) const SOCKET_FOLDERS: [&str; 2] = ["/tmp", "/var/tmp"];

/// The bridge's list of the names of sockets that LibreOffice makes elsewhere than in the worker's folder.
const SOCKETS: &str = "sockets";

/// How such a name begins.
const SOCKET_PREFIX: &str = "OSL_PIPE_";

/// A folder without a lock that is younger than this may be about to get one.
const YOUNG: Duration = Duration::from_secs(60);

/// Files that a worker starts with.
const FILES: [(&str, &str); 5] = [
    ("bridge/worker.py", include_str!("../bridge/worker.py")),
    ("bridge/libreoffice.py", include_str!("../bridge/libreoffice.py")),
    ("bridge/calculation.py", include_str!("../bridge/calculation.py")),
    ("bridge/picture.py", include_str!("../bridge/picture.py")),
    ("profile/user/registrymodifications.xcu", include_str!("../bridge/profile.xcu")),
];

/// A folder that only this user can open; it is removed with this value.
#[derive(Debug)]
pub(crate) struct WorkerFolder {
    path: PathBuf,
    /// Held as long as the folder is somebody's.
    _lock: File,
}

impl WorkerFolder {
    /// Makes a new one below `scratch`, which is made when it is missing.
    pub(crate) fn create(scratch: &Path) -> Result<WorkerFolder, OfficeError> {
        create(scratch)
            .map_err(OfficeError::io("making the folder of a LibreOffice worker in the scratch folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkerFolder {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn create(scratch: &Path) -> io::Result<WorkerFolder> {
    fs::create_dir_all(scratch)?;
    let scratch = fs::canonicalize(scratch)?;
    loop {
        let path = create_empty(&scratch)?;
        match lock(&path).and_then(|lock| fill(&path).map(|()| lock)) {
            Ok(lock) => return Ok(WorkerFolder { _lock: lock, path }),
            // Somebody who swept came between its making and its locking.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.exists() => {}
            Err(error) => {
                remove(&path);
                return Err(error);
            }
        }
    }
}

fn create_empty(scratch: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = scratch.join(format!("{PREFIX}{}-{number}", process::id()));
        match private_folders().recursive(false).create(&path) {
            Ok(()) => return Ok(path),
            // Another container that shares the scratch folder may have a process of the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Says that the folder is somebody's, if it is still there.
fn lock(folder: &Path) -> io::Result<File> {
    let path = folder.join(LOCK);
    let lock = File::create(&path)?;
    lock.lock()?;
    fs::metadata(path).map(|_| lock)
}

fn fill(folder: &Path) -> io::Result<()> {
    for name in ["home", "tmp"] {
        private_folders().create(folder.join(name))?;
    }
    for (name, content) in FILES {
        let file = folder.join(name);
        if let Some(parent) = file.parent() {
            private_folders().create(parent)?;
        }
        fs::write(file, content)?;
    }
    Ok(())
}

fn private_folders() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

/// Removes folders whose makers were killed together with their bridges. Gives how many those were.
pub(crate) fn sweep(scratch: &Path) -> usize {
    let Ok(entries) = fs::read_dir(scratch) else { return 0 };
    let is_ours = |entry: &fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
    entries.flatten().filter(is_ours).filter(|entry| remove_if_abandoned(&entry.path())).count()
}

fn remove_if_abandoned(folder: &Path) -> bool {
    // Held until the folder is gone: whoever is about to lock it then finds that it is.
    let held = match File::open(folder.join(LOCK)) {
        Ok(lock) if lock.try_lock().is_ok() => Some(lock),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_young(folder) => None,
        Ok(_) | Err(_) => return false,
    };
    remove(folder);
    drop(held);
    true
}

fn is_young(folder: &Path) -> bool {
    let modified = fs::metadata(folder).and_then(|folder| folder.modified());
    modified.map_or(true, |time| time.elapsed().map_or(true, |age| age < YOUNG))
}

/// Removes a folder, also while a process that was just killed still lets go of files in it, and sockets made for it.
fn remove(folder: &Path) {
    let sockets = fs::read_to_string(folder.join(SOCKETS)).unwrap_or_default();
    // What LibreOffice can write to is not trusted with more than its own kind of names.
    for name in sockets.lines().filter(|name| name.starts_with(SOCKET_PREFIX) && !name.contains('/')) {
        for parent in SOCKET_FOLDERS {
            let _gone = fs::remove_file(Path::new(parent).join(name));
        }
    }
    for _ in 0..5 {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                std::thread::sleep(Duration::from_millis(10));
            }
            _ => return,
        }
    }
}
