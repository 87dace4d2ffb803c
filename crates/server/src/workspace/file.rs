//! A workbook's file, found and not read yet.

use std::{fs::File, io, io::Read, time::SystemTime};

use super::{WorkbookId, place::Content};
use crate::error::{ErrorCode, ToolError};

/// A file of the workspace as it was when it was found.
#[derive(Debug)]
pub struct WorkbookFile {
    /// The stable id of the path.
    pub id: WorkbookId,
    /// The path within the workspace, with `/` between its parts.
    pub path: String,
    /// What tells this content from a later one.
    pub identity: FileIdentity,
    pub(super) content: Box<dyn Content>,
}

/// What tells one content of a file from another, without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// The path within the workspace.
    pub path: String,
    /// The length in bytes.
    pub size: u64,
    /// The time of the last change of the content.
    pub modified: Option<SystemTime>,
    /// What its place says beyond that.
    pub mark: Mark,
}

/// What a place says of a content beyond its length and time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mark {
    /// The file's number and the time of its last change of any kind, where the system has them: a file that was replaced
    /// keeps neither.
    Inode(u64, i64, i64),
    /// What the store calls the version of an object.
    Version(objects::Version),
}

impl WorkbookFile {
    /// A file of this machine that holds the bytes, to be read from its beginning: all of them once
    /// [`WorkbookFile::check_unchanged`] says so afterwards.
    ///
    /// # Errors
    /// When the system refuses, or the content is not there any more.
    pub fn open(&self) -> Result<File, ToolError> {
        self.content.open()
    }

    /// Whether what was read until now was the content that was found.
    ///
    /// # Errors
    /// When the file changed.
    pub fn check_unchanged(&self) -> Result<(), ToolError> {
        if self.content.is_unchanged(&self.identity) { Ok(()) } else { Err(changing(&self.path)) }
    }

    /// Reads the whole file.
    ///
    /// # Errors
    /// When the system refuses, the file is larger than `max_bytes`, or changes while it is read.
    pub fn read(&self, max_bytes: u64) -> Result<Vec<u8>, ToolError> {
        let size = self.identity.size;
        if size > max_bytes {
            return Err(ToolError::new(
                ErrorCode::LimitExceeded,
                format!("\"{}\" has {size} bytes, more than the limit of {max_bytes}", self.path),
            )
            .at("workbook")
            .hint("raise SPREADSHEET_MCP_MAX_FILE_BYTES if you trust the file"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        // A file that grows without end must not be followed.
        self.open()?.take(size + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        self.check_unchanged()?;
        if bytes.len() as u64 == size { Ok(bytes) } else { Err(changing(&self.path)) }
    }
}

/// What a failed read means.
pub(super) fn unreadable(error: &io::Error) -> ToolError {
    ToolError::new(ErrorCode::FileUnreadable, format!("reading failed: {error}")).at("workbook")
}

/// Another content came while one was read.
pub(super) fn changing(path: &str) -> ToolError {
    ToolError::new(ErrorCode::FileChanging, format!("\"{path}\" changed while it was read"))
        .at("workbook")
        .hint("another program is writing it; try again in a moment")
}
