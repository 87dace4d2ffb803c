//! The folder of workbooks, and the only way to a file (CONFINED).
//!
//! Every path goes through a directory handle that refuses to leave its folder: `..`, absolute paths and symlinks
//! that lead out fail in the operating system's own resolution, with no gap between the check and the use.

mod id;
mod listing;
mod scoped;
mod sweep;
mod target;

use std::{
    collections::HashMap,
    io,
    path::{Component, Path, PathBuf},
    sync::RwLock,
    time::SystemTime,
};

use access::PathScope;
use cap_std::{
    ambient_authority,
    fs::{Dir, File, Metadata},
};

pub use id::WorkbookId;
pub use listing::{Listed, Listing};
pub use scoped::Scoped;
pub(crate) use target::not_written;
pub use target::{Target, TargetState, Temporary};

use crate::error::{ErrorCode, ToolError};

/// What a workspace shows.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceRules {
    /// File name extensions of workbooks, in lower case, without the dot.
    pub extensions: Vec<String>,
    /// The only workbook to show, relative to the folder.
    pub locked_to: Option<String>,
}

/// A folder of workbooks.
#[derive(Debug)]
pub struct Workspace {
    /// The canonical path of the folder: only to recognise absolute paths into it and to show it to the operator.
    root: PathBuf,
    folder: Dir,
    rules: WorkspaceRules,
    /// Paths by id, as of the last scan.
    known: RwLock<HashMap<WorkbookId, Known>>,
}

/// What the last scan found for an id.
#[derive(Debug, Clone)]
enum Known {
    One(String),
    /// Ids are short: two paths may share one.
    Several(Vec<String>),
}

/// A workbook's file, opened.
#[derive(Debug)]
pub struct WorkbookFile {
    /// The stable id of the path.
    pub id: WorkbookId,
    /// The path within the workspace, with `/` between its parts.
    pub path: String,
    /// What tells this content from a later one.
    pub identity: FileIdentity,
    file: File,
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
    /// The file's number and the time of its last change of any kind, where the system has them: a file that was
    /// replaced keeps neither.
    pub inode: (u64, i64, i64),
}

impl Workspace {
    /// Opens a folder.
    ///
    /// # Errors
    /// When the folder does not exist or can't be read.
    pub fn open(root: &Path, rules: WorkspaceRules) -> io::Result<Workspace> {
        let root = root.canonicalize()?;
        let folder = Dir::open_ambient_dir(&root, ambient_authority())?;
        Ok(Workspace { root, folder, rules, known: RwLock::default() })
    }

    /// The part of it that somebody may see.
    pub fn within<'a>(&'a self, scope: &'a PathScope) -> Scoped<'a> {
        Scoped { workspace: self, scope }
    }

    /// Where the folder is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the folder can still be read, and was not removed or replaced by another one.
    pub fn is_readable(&self) -> bool {
        let opened = Dir::open_ambient_dir(&self.root, ambient_authority());
        let there = opened.and_then(|folder| folder.dir_metadata());
        let same = there.and_then(|there| Ok(inode(&there).0 == inode(&self.folder.dir_metadata()?).0));
        same.unwrap_or(false) && self.folder.entries().is_ok()
    }

    fn known(&self, id: WorkbookId) -> Option<Known> {
        let known = self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.get(&id).cloned()
    }

    fn remember(&self, listed: &[Listed]) {
        let mut fresh: HashMap<WorkbookId, Known> = HashMap::with_capacity(listed.len());
        for workbook in listed {
            let path = workbook.path.clone();
            fresh
                .entry(workbook.id)
                .and_modify(|known| {
                    let mut paths = match known {
                        Known::One(first) => vec![first.clone()],
                        Known::Several(paths) => paths.clone(),
                    };
                    paths.push(path.clone());
                    *known = Known::Several(paths);
                })
                .or_insert(Known::One(path));
        }
        *self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner) = fresh;
    }

    /// A reference as a path of plain names within the folder. An absolute path into the folder is taken as such:
    /// agents see those in their own tools.
    fn relative_path(&self, reference: &str) -> Result<String, ToolError> {
        let given = Path::new(reference);
        let inside = given.strip_prefix(&self.root).unwrap_or(given);
        let mut names = Vec::new();
        for component in inside.components() {
            match component {
                Component::Normal(name) => names.push(name.to_str().unwrap_or_default()),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(outside(reference));
                }
            }
        }
        Ok(names.join("/"))
    }
}

fn outside(reference: &str) -> ToolError {
    ToolError::new(ErrorCode::OutsideWorkspace, format!("\"{reference}\" leads out of the workspace"))
        .at("workbook")
        .hint("use an id or a path from list_workbooks")
}

impl WorkspaceRules {
    /// Whether a path within the folder is one of the workbooks to show.
    fn shows(&self, path: &str) -> bool {
        self.takes(path, &[])
    }

    /// Whether a path within the folder may be that of a workbook, or of a file with one of the `other` extensions.
    fn takes(&self, path: &str, other: &[&str]) -> bool {
        if let Some(only) = &self.locked_to {
            return path == only;
        }
        let hidden = path.split('/').any(|name| name.starts_with('.') || name.starts_with("~$"));
        let extension =
            Path::new(path).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let mut known = self.extensions.iter().map(String::as_str).chain(other.iter().copied());
        !hidden && known.any(|known| known.eq_ignore_ascii_case(extension))
    }
}

impl WorkbookFile {
    /// Reads the whole file.
    ///
    /// # Errors
    /// When the system refuses, the file is larger than `max_bytes`, or changes while it is read.
    pub fn read(&mut self, max_bytes: u64) -> Result<Vec<u8>, ToolError> {
        use std::io::Read;

        let size = self.identity.size;
        if size > max_bytes {
            return Err(ToolError::new(
                ErrorCode::LimitExceeded,
                format!("\"{}\" has {size} bytes, more than the limit of {max_bytes}", self.path),
            )
            .at("workbook")
            .hint("raise SPREADSHEET_MCP_MAX_FILE_BYTES if you trust the file"));
        }
        let unreadable = |error: io::Error| {
            ToolError::new(ErrorCode::FileUnreadable, format!("reading failed: {error}")).at("workbook")
        };
        let expected = usize::try_from(size).unwrap_or(0);
        let mut bytes = Vec::with_capacity(expected);
        // A file that grows without end must not be followed.
        (&mut self.file).take(size + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let after = FileIdentity::of(&self.path, &self.file.metadata().map_err(unreadable)?);
        if after != self.identity || bytes.len() as u64 != size {
            return Err(ToolError::new(
                ErrorCode::FileChanging,
                format!("\"{}\" changed while it was read", self.path),
            )
            .at("workbook")
            .hint("another program is writing it; try again in a moment"));
        }
        Ok(bytes)
    }
}

impl FileIdentity {
    fn of(path: &str, metadata: &Metadata) -> FileIdentity {
        FileIdentity {
            path: path.to_owned(),
            size: metadata.len(),
            modified: metadata.modified().ok().map(cap_std::time::SystemTime::into_std),
            inode: inode(metadata),
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

#[cfg(test)]
mod tests;
