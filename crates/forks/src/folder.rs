//! Folders and files that only their owner can look into, durably.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::path::Path;

use crate::StoreError;

/// Makes the folder and those above it, as far as they are missing.
pub(crate) fn create(folder: &Path) -> Result<(), StoreError> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|problem| StoreError::from_io(folder, &problem))?;
    folder.parent().map_or(Ok(()), sync)
}

/// Takes a file away from everyone but its owner. The file is not opened: closing it would drop the locks that SQLite has
/// on it for this process.
pub(crate) fn make_private(file: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(file, fs::Permissions::from_mode(0o600))
            .map_err(|problem| StoreError::from_io(file, &problem))
    }
    #[cfg(not(unix))]
    Ok(())
}

/// That files can be made in the folder.
pub(crate) fn check_writable(folder: &Path) -> Result<(), StoreError> {
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    File::create(&probe)
        .and_then(|_| fs::remove_file(&probe))
        .map_err(|problem| StoreError::from_io(folder, &problem))
}

/// Makes the folder's names durable: a file that was made or renamed in it is found again after a crash.
pub(crate) fn sync(folder: &Path) -> Result<(), StoreError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|problem| StoreError::from_io(folder, &problem))
}

/// How files are opened for writing.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = File::options();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Whom a lock keeps out of a folder of blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Sweeps.
    WithPuts,
    /// Puts and sweeps.
    WithNone,
}

/// Waits for a lock on the file, which is made when it is not there. Dropping the file gives the lock back.
pub(crate) fn lock(path: &Path, sharing: Sharing) -> Result<File, StoreError> {
    let locked = private_file().create(true).truncate(false).open(path).and_then(|file| {
        match sharing {
            Sharing::WithPuts => file.lock_shared()?,
            Sharing::WithNone => file.lock()?,
        }
        Ok(file)
    });
    locked.map_err(|problem| StoreError::from_io(path, &problem))
}
