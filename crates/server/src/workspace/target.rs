//! Files that are written: where nobody sees them first, and in place at once (ORIGINAL).

use std::{fs::File, io};

use forks::Digest;

use super::{
    FileIdentity, Scoped, outside,
    place::{Refusal, Spot, Unpublished},
};
use crate::error::{ErrorCode, ToolError};

/// A place in the workspace that a file is to be written to.
#[derive(Debug)]
pub struct Target {
    path: String,
    spot: Box<dyn Spot>,
}

/// What is at a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetState(Option<FileIdentity>);

impl TargetState {
    /// Whether there is a file.
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// What tells the file from another one, if there is one.
    pub fn identity(&self) -> Option<&FileIdentity> {
        self.0.as_ref()
    }
}

/// A file that is written and that nobody sees. It goes when it is dropped without being put in place.
#[derive(Debug)]
pub struct Temporary<'a> {
    target: &'a Target,
    file: Box<dyn Unpublished + 'a>,
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
        if path.is_empty() || !workspace.rules.takes(&path, other) {
            return Err(ToolError::new(
                ErrorCode::InvalidArgument,
                format!("{reference:?} is no path that a workbook may have here"),
            )
            .at("path")
            .hint(format!(
                "end it in one of: {}; hidden files and folders are not written, nor are names with backslashes or control characters",
                workspace.rules.extensions.join(", ")
            )));
        }
        let spot = workspace.place.spot(&path).map_err(|refusal| match refusal {
            Refusal::NotThere => {
                let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
                ToolError::new(ErrorCode::NotFound, format!("there is no folder {parent:?} in the workspace"))
                    .at("path")
                    .hint("save into a folder that is there")
            }
            Refusal::Outside => outside(reference).at("path"),
            Refusal::Failed(error) => error,
        })?;
        Ok(Target { path, spot })
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
        self.spot.state().map(TargetState)
    }

    /// A file of this machine that holds what is there now.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(&self) -> Result<File, ToolError> {
        self.spot.open()
    }

    /// The digest of what is there now.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn digest(&self) -> Result<Digest, ToolError> {
        let read = Digest::of_stream(&mut self.open()?);
        read.map(|(digest, _)| digest).map_err(|error| self.failed(&error))
    }

    /// A new file for this place.
    ///
    /// # Errors
    /// When none can be written.
    pub fn create(&self) -> Result<Temporary<'_>, ToolError> {
        Ok(Temporary { target: self, file: self.spot.create()? })
    }

    /// Deletes the file that was there in `state`; nothing happens if there was none.
    ///
    /// # Errors
    /// When another one is there now.
    pub fn delete(&self, state: &TargetState) -> Result<(), ToolError> {
        state.0.as_ref().map_or(Ok(()), |identity| self.spot.delete(identity))
    }

    /// The file became another one between two looks at it.
    pub(crate) fn changed(&self) -> ToolError {
        changed(&self.path)
    }

    /// What a failed write to this place means.
    pub(crate) fn failed(&self, error: &io::Error) -> ToolError {
        not_written(&self.path, error)
    }
}

impl Temporary<'_> {
    /// The file to write to.
    pub fn file(&mut self) -> &mut File {
        self.file.file()
    }

    /// Makes what was written durable, and gives its digest and length.
    ///
    /// # Errors
    /// When the system fails to.
    pub fn finish(&mut self) -> Result<(Digest, u64), ToolError> {
        self.file.finish()
    }

    /// Puts the file in place where none may be, and says what it is there, if that is known.
    ///
    /// # Errors
    /// When there is one now.
    pub fn publish(self) -> Result<Option<FileIdentity>, ToolError> {
        self.file.publish()
    }

    /// Puts the file in the place of the one that was there in `state`, and says what it is there, if that is
    /// known.
    ///
    /// # Errors
    /// When another one is there now.
    pub fn replace(self, state: &TargetState) -> Result<Option<FileIdentity>, ToolError> {
        match &state.0 {
            Some(identity) => self.file.replace(identity),
            None => Err(self.target.changed()),
        }
    }
}

/// What is to be replaced or deleted is another file by now.
pub(super) fn changed(path: &str) -> ToolError {
    ToolError::new(ErrorCode::TargetChanged, format!("{path:?} changed while it was about to be replaced"))
        .at("path")
        .hint("nothing was replaced; look at the file and save again")
}

/// A file came where none was to be.
pub(super) fn appeared(path: &str) -> ToolError {
    ToolError::new(ErrorCode::AlreadyExists, format!("a file {path:?} appeared in the meantime"))
        .at("path")
        .hint("save to another path; nothing was replaced")
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
