//! Files that are written into a folder.
//!
//! A file appears under its name whole or not at all: it is written under another name in the same folder, synced, and then
//! linked (for a new file: fails if one is there) or renamed (to replace one that is still what it was).

use std::{
    fs::{File, TryLockError},
    io::{self, Seek as _},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use cap_std::fs::{Dir, Metadata, OpenOptions};
use forks::Digest;

use super::{inode, sweep::temporary_name};
use crate::{
    error::{ErrorCode, ToolError},
    workspace::{
        FileIdentity, not_written,
        place::{Spot, Unpublished},
        target::{appeared, changed},
    },
};

/// How long a file is locked by who replaces it, at most.
const LOCKED_FOR: Duration = Duration::from_secs(2);
const TURN: Duration = Duration::from_millis(5);

/// A name in a folder.
#[derive(Debug)]
pub(super) struct FolderSpot {
    /// The path within the workspace.
    path: String,
    /// The folder that it is in. A handle: what becomes of the path on the way does not matter any more.
    folder: Dir,
    name: String,
}

/// A file that is written beside its target.
#[derive(Debug)]
struct Beside<'a> {
    spot: &'a FolderSpot,
    name: String,
    file: File,
}

impl FolderSpot {
    pub(super) fn new(path: &str, folder: Dir) -> FolderSpot {
        let name = path.rsplit('/').next().unwrap_or(path);
        FolderSpot { name: name.to_owned(), path: path.to_owned(), folder }
    }

    fn failed(&self, error: &io::Error) -> ToolError {
        not_written(&self.path, error)
    }

    /// Alone with the file that is there, where the file system has locks: of two that replace it one waits, and finds that it is
    /// another one. Who holds a lock for longer than a moment is some other program, and not waited for.
    fn alone(&self) -> Option<File> {
        // A lock over a network may need a file that could be written.
        let writable = self.folder.open_with(&self.name, OpenOptions::new().read(true).write(true));
        let file = writable.or_else(|_| self.folder.open(&self.name)).ok()?.into_std();
        let give_up = Instant::now() + LOCKED_FOR;
        while matches!(file.try_lock(), Err(TryLockError::WouldBlock)) && Instant::now() < give_up {
            thread::sleep(TURN);
        }
        Some(file)
    }

    fn check_is(&self, state: &FileIdentity) -> Result<(), ToolError> {
        if self.state()?.as_ref() == Some(state) { Ok(()) } else { Err(changed(&self.path)) }
    }

    /// The name is durable once its folder is.
    fn sync(&self) -> Result<(), ToolError> {
        let folder = self.folder.open(Path::new("."));
        folder.and_then(|folder| folder.sync_all()).or_else(|error| match error.kind() {
            // Not every system lets a folder be synced.
            io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => Ok(()),
            _ => Err(self.failed(&error)),
        })
    }
}

impl Spot for FolderSpot {
    fn state(&self) -> Result<Option<FileIdentity>, ToolError> {
        match self.folder.symlink_metadata(&self.name) {
            Ok(metadata) if metadata.is_file() => {
                // What is open is as it is, also where a network's file system remembers names for a while.
                let open = self.folder.open(&self.name).and_then(|file| file.metadata());
                Ok(Some(FileIdentity::of(&self.path, &open.unwrap_or(metadata))))
            }
            Ok(_) => Err(ToolError::new(
                ErrorCode::InvalidArgument,
                format!("{:?} is a link or a folder", self.path),
            )
            .at("path")
            .hint("files are written under their own names; save to another path")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn open(&self) -> Result<File, ToolError> {
        let file = self.folder.open(&self.name).map_err(|error| self.failed(&error))?;
        Ok(file.into_std())
    }

    fn create(&self) -> Result<Box<dyn Unpublished + '_>, ToolError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        loop {
            let name = temporary_name();
            let file = self.folder.open_with(&name, &options).map_err(|error| self.failed(&error))?;
            let beside = Beside { spot: self, name, file: file.into_std() };
            // Says that the file has an owner, for as long as it is open. Not every file system can.
            let is_locked = beside.file.lock().is_ok();
            // A sweep between making and locking took it away.
            if is_locked && self.folder.symlink_metadata(&beside.name).is_err() {
                continue;
            }
            return Ok(Box::new(beside));
        }
    }

    fn delete(&self, state: &FileIdentity) -> Result<(), ToolError> {
        let _alone = self.alone();
        self.check_is(state)?;
        self.folder.remove_file(&self.name).map_err(|error| self.failed(&error))?;
        self.sync()
    }
}

impl Beside<'_> {
    fn rename(&self) -> Result<(), ToolError> {
        let FolderSpot { folder, name, .. } = self.spot;
        folder.rename(&self.name, folder, name).map_err(|error| self.spot.failed(&error))
    }

    /// What the file is once it has its name, and no other.
    fn identity(&self) -> Result<FileIdentity, ToolError> {
        let _renamed = self.spot.folder.remove_file(&self.name);
        self.spot.sync()?;
        let metadata = Metadata::from_file(&self.file).map_err(|error| self.spot.failed(&error))?;
        Ok(FileIdentity::of(&self.spot.path, &metadata))
    }

    /// Whether the target is this file already: a server of a network's file system may do what it is asked, and its answer be
    /// lost on the way.
    fn is_in_place(&self) -> bool {
        let FolderSpot { folder, name, .. } = self.spot;
        let number = |name: &str| folder.symlink_metadata(name).ok().map(|metadata| inode(&metadata).0);
        let own = number(&self.name);
        own.is_some_and(|number| number != 0) && own == number(name)
    }
}

impl Unpublished for Beside<'_> {
    fn file(&mut self) -> &mut File {
        &mut self.file
    }

    fn finish(&mut self) -> Result<(Digest, u64), ToolError> {
        let failed = |error: io::Error| self.spot.failed(&error);
        self.file.sync_all().map_err(failed)?;
        self.file.rewind().map_err(failed)?;
        Digest::of_stream(&mut self.file).map_err(failed)
    }

    fn publish(self: Box<Self>) -> Result<Option<FileIdentity>, ToolError> {
        let spot = self.spot;
        match spot.folder.hard_link(&self.name, &spot.folder, &spot.name) {
            Ok(()) => {}
            Err(_) if self.is_in_place() => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(appeared(&spot.path)),
            // A file system without hard links.
            Err(_) if spot.state()?.is_none() => self.rename()?,
            Err(error) => return Err(spot.failed(&error)),
        }
        self.identity().map(Some)
    }

    fn replace(self: Box<Self>, state: &FileIdentity) -> Result<Option<FileIdentity>, ToolError> {
        let _alone = self.spot.alone();
        self.spot.check_is(state)?;
        self.rename()?;
        self.identity().map(Some)
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        // After a rename there is nothing of that name; a file that a crash leaves is swept.
        let _gone = self.spot.folder.remove_file(&self.name);
    }
}
