//! Files in a folder.
//!
//! Every path goes through a directory handle that refuses to leave its folder: `..`, absolute paths and symlinks
//! that lead out fail in the operating system's own resolution, with no gap between the check and the use.

mod listing;
mod spot;
mod sweep;

use std::{
    fs::File,
    io::{self, Seek as _},
    path::{Path, PathBuf},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, Metadata},
};

use super::{
    BucketCounts, FileIdentity, Listing, Mark, WorkspaceRules,
    file::unreadable,
    not_written,
    place::{Content, Place, Refusal, Spot},
};
use crate::error::{ErrorCode, ToolError};

/// Folders within folders that one scan enters, at most.
const MAX_DEPTH: usize = 32;

/// A folder of workbooks.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    folder: Dir,
}

impl Folder {
    /// Opens a folder by its canonical path.
    pub(super) fn open(root: &Path) -> io::Result<Folder> {
        let folder = Dir::open_ambient_dir(root, ambient_authority())?;
        Ok(Folder { root: root.to_owned(), folder })
    }
}

impl Place for Folder {
    fn list(&self, rules: &WorkspaceRules) -> Result<Listing, ToolError> {
        Ok(listing::list(&self.folder, rules))
    }

    fn find(&self, path: &str) -> Result<(FileIdentity, Box<dyn Content>), Refusal> {
        let refused = |error: io::Error| refused(path, &error);
        // Looked at before it is opened: opening a pipe would wait for a writer.
        if !self.folder.metadata(path).map_err(refused)?.is_file() {
            return Err(Refusal::NotThere);
        }
        let file = self.folder.open(path).map_err(refused)?;
        let identity = FileIdentity::of(path, &file.metadata().map_err(refused)?);
        Ok((identity, Box::new(Opened(file))))
    }

    fn spot(&self, path: &str) -> Result<Box<dyn Spot>, Refusal> {
        let folder = match path.rsplit_once('/') {
            Some((parent, _)) => self.folder.open_dir(parent),
            None => self.folder.try_clone(),
        };
        let folder = folder.map_err(|error| match refused(path, &error) {
            Refusal::Failed(_) => Refusal::Failed(not_written(path, &error)),
            refusal => refusal,
        })?;
        Ok(Box::new(spot::FolderSpot::new(path, folder)))
    }

    /// Whether the folder can still be read, and was not removed or replaced by another one.
    fn check_readable(&self) -> Result<(), String> {
        let opened = Dir::open_ambient_dir(&self.root, ambient_authority());
        let there = opened.and_then(|folder| folder.dir_metadata()).map_err(|error| error.to_string())?;
        let open = self.folder.dir_metadata().map_err(|error| error.to_string())?;
        if inode(&there).0 != inode(&open).0 {
            return Err("it was replaced since the start".to_owned());
        }
        self.folder.entries().map(drop).map_err(|error| error.to_string())
    }

    fn sweep(&self) -> u64 {
        sweep::sweep(&self.folder)
    }

    fn counts(&self) -> Option<BucketCounts> {
        None
    }
}

/// What the system's refusal to open a path means.
fn refused(path: &str, error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput => {
            Refusal::NotThere
        }
        // The directory handle reports a way out of the folder as a refused permission without a system error.
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => Refusal::Outside,
        _ => Refusal::Failed(
            ToolError::new(ErrorCode::FileUnreadable, format!("\"{path}\" can't be read: {error}"))
                .at("workbook")
                .hint("check that the server may read the file"),
        ),
    }
}

/// A file that is open since it was found.
#[derive(Debug)]
struct Opened(cap_std::fs::File);

impl Content for Opened {
    fn open(&self) -> Result<File, ToolError> {
        let file = self.0.try_clone().map(cap_std::fs::File::into_std);
        let rewound = file.and_then(|mut file| file.rewind().map(|()| file));
        rewound.map_err(|error| unreadable(&error))
    }

    fn is_unchanged(&self, identity: &FileIdentity) -> bool {
        self.0.metadata().is_ok_and(|now| FileIdentity::of(&identity.path, &now) == *identity)
    }
}

impl FileIdentity {
    fn of(path: &str, metadata: &Metadata) -> FileIdentity {
        let (number, seconds, nanoseconds) = inode(metadata);
        FileIdentity {
            path: path.to_owned(),
            size: metadata.len(),
            modified: metadata.modified().ok().map(cap_std::time::SystemTime::into_std),
            mark: Mark::Inode(number, seconds, nanoseconds),
        }
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> (u64, i64, i64) {
    use cap_std::fs::MetadataExt;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}
