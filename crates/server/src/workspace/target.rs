//! Files that are written: beside their target first, and in its place at once (ORIGINAL).
//!
//! A file appears under its name whole or not at all: it is written under another name in the same folder, synced, and then
//! linked (for a new file: fails if one is there) or renamed (to replace one that is still what it was).

use std::{
    io::{self, Seek, SeekFrom},
    path::Path,
};

use cap_std::fs::{Dir, File, OpenOptions};
use forks::Digest;

use super::{FileIdentity, Scoped, outside};
use crate::{
    error::{ErrorCode, ToolError},
    forks::new_id,
};

/// What the names of files that are still being written begin with.
pub(super) const TEMPORARY: &str = ".spreadsheet-mcp-";

/// A place in the workspace that a file is to be written to.
#[derive(Debug)]
pub struct Target {
    /// The path within the workspace.
    path: String,
    /// The folder that it is in. A handle: what becomes of the path on the way does not matter any more.
    folder: Dir,
    name: String,
}

/// What is at a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetState(Option<FileIdentity>);

impl TargetState {
    /// Whether there is a file.
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

/// A file that is written beside its target. It goes when it is dropped without being put in place.
#[derive(Debug)]
pub struct Temporary<'a> {
    target: &'a Target,
    name: String,
    file: File,
}

impl Scoped<'_> {
    /// A place to write to, which may have a file or not. Its extension is that of a workbook, or one of `other`.
    ///
    /// # Errors
    /// When the path leads out, is none that the workspace shows, or its folder is not there.
    pub fn target(&self, reference: &str, other: &[&str]) -> Result<Target, ToolError> {
        let workspace = self.workspace;
        let path = workspace.relative_path(reference).map_err(|error| error.at("path"))?;
        if !self.scope.contains(&path) {
            return Err(outside(reference).at("path"));
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if name.is_empty() || !workspace.rules.takes(&path, other) {
            return Err(ToolError::new(
                ErrorCode::InvalidArgument,
                format!("{reference:?} is no path that a workbook may have here"),
            )
            .at("path")
            .hint(format!(
                "end it in one of: {}; hidden files and folders are not written",
                workspace.rules.extensions.join(", ")
            )));
        }
        let folder = match parent {
            "" => workspace.folder.try_clone(),
            parent => workspace.folder.open_dir(parent),
        };
        let folder = folder.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                ToolError::new(ErrorCode::NotFound, format!("there is no folder {parent:?} in the workspace"))
                    .at("path")
                    .hint("save into a folder that is there")
            }
            io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
                outside(reference).at("path")
            }
            _ => not_written(reference, &error),
        })?;
        Ok(Target { name: name.to_owned(), path, folder })
    }
}

impl Target {
    /// The path within the workspace.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is there now.
    ///
    /// # Errors
    /// When something else than a file is there.
    pub fn state(&self) -> Result<TargetState, ToolError> {
        match self.folder.symlink_metadata(&self.name) {
            Ok(metadata) if metadata.is_file() => {
                Ok(TargetState(Some(FileIdentity::of(&self.path, &metadata))))
            }
            Ok(_) => Err(ToolError::new(
                ErrorCode::InvalidArgument,
                format!("{:?} is a link or a folder", self.path),
            )
            .at("path")
            .hint("files are written under their own names; save to another path")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(TargetState(None)),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// The file that is there now.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(&self) -> Result<File, ToolError> {
        self.folder.open(&self.name).map_err(|error| self.failed(&error))
    }

    /// What the file that is there now holds.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn digest(&self) -> Result<Digest, ToolError> {
        let read = Digest::of_stream(&mut self.open()?);
        read.map(|(digest, _)| digest).map_err(|error| self.failed(&error))
    }

    /// A new file beside the target.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn create(&self) -> Result<Temporary<'_>, ToolError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        loop {
            let name = new_id(TEMPORARY);
            let file = self.folder.open_with(&name, &options).map_err(|error| self.failed(&error))?;
            let temporary = Temporary { target: self, name, file };
            // A sweep between making and locking took it away.
            if temporary.lock() && self.folder.symlink_metadata(&temporary.name).is_err() {
                continue;
            }
            return Ok(temporary);
        }
    }

    /// The file became another one between two looks at it.
    pub(crate) fn changed(&self) -> ToolError {
        ToolError::new(
            ErrorCode::TargetChanged,
            format!("{:?} changed while it was about to be replaced", self.path),
        )
        .at("path")
        .hint("nothing was replaced; look at the file and save again")
    }

    /// What a failed write to this place means.
    pub(crate) fn failed(&self, error: &io::Error) -> ToolError {
        not_written(&self.path, error)
    }
}

/// What a failed write to a path of the workspace means.
pub(crate) fn not_written(path: &str, error: &io::Error) -> ToolError {
    let (code, hint) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (ErrorCode::StorageFull, "free some space, then save again; nothing was replaced")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => (
            ErrorCode::FileUnreadable,
            "let the server write to the folder, or save to another path; nothing was replaced",
        ),
        _ => (ErrorCode::FileUnreadable, "nothing was replaced; check the disk and save again"),
    };
    ToolError::new(code, format!("{path:?} can't be written: {error}")).at("path").hint(hint)
}

impl Temporary<'_> {
    /// Says that the file has an owner, for as long as this one lives. Not every file system can.
    fn lock(&self) -> bool {
        self.file.try_clone().is_ok_and(|file| file.into_std().lock().is_ok())
    }

    /// The file to write to.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Makes what was written durable, and gives its digest and length.
    ///
    /// # Errors
    /// When the system fails to.
    pub fn finish(&mut self) -> Result<(Digest, u64), ToolError> {
        let failed = |error: io::Error| self.target.failed(&error);
        self.file.sync_all().map_err(failed)?;
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Digest::of_stream(&mut self.file).map_err(failed)
    }

    /// Puts the file in place where none may be.
    ///
    /// # Errors
    /// When there is one now.
    pub fn publish(self) -> Result<(), ToolError> {
        let target = self.target;
        match target.folder.hard_link(&self.name, &target.folder, &target.name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(ToolError::new(
                    ErrorCode::AlreadyExists,
                    format!("a file {:?} appeared in the meantime", target.path),
                )
                .at("path")
                .hint("save to another path; nothing was replaced"));
            }
            // A file system without hard links.
            Err(_) if target.state()? == TargetState(None) => {
                target
                    .folder
                    .rename(&self.name, &target.folder, &target.name)
                    .map_err(|error| target.failed(&error))?;
            }
            Err(error) => return Err(target.failed(&error)),
        }
        self.sync_folder()
    }

    /// Puts the file in the place of the one that was there in `state`.
    ///
    /// # Errors
    /// When another one is there now.
    pub fn replace(self, state: &TargetState) -> Result<(), ToolError> {
        let target = self.target;
        if target.state()? != *state {
            return Err(target.changed());
        }
        target
            .folder
            .rename(&self.name, &target.folder, &target.name)
            .map_err(|error| target.failed(&error))?;
        self.sync_folder()
    }

    /// The name is durable once its folder is.
    fn sync_folder(&self) -> Result<(), ToolError> {
        let folder = self.target.folder.open(Path::new("."));
        folder.and_then(|folder| folder.sync_all()).or_else(|error| match error.kind() {
            // Not every system lets a folder be synced.
            io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => Ok(()),
            _ => Err(self.target.failed(&error)),
        })
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // After a rename there is nothing of that name; a file that a crash leaves is swept.
        let _gone = self.target.folder.remove_file(&self.name);
    }
}
