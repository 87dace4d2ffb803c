//! The workbooks, and the only way to a file of theirs (CONFINED).
//!
//! [`Scoped`] says who may see and write what. Behind it files lie in a [`folder`].

mod file;
mod folder;
mod id;
mod listing;
mod place;
mod rules;
mod scoped;
mod target;

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use access::PathScope;

pub use file::{FileIdentity, Mark, WorkbookFile};
pub use id::WorkbookId;
pub use listing::{Listed, Listing};
pub use rules::WorkspaceRules;
pub use scoped::Scoped;
pub(crate) use target::not_written;
pub use target::{Target, TargetState, Temporary};

use self::{folder::Folder, listing::KnownIds, place::Place};
use crate::error::{ErrorCode, ToolError};

/// Workbooks in one place.
#[derive(Debug)]
pub struct Workspace {
    /// The canonical path of the folder: only to recognise absolute paths into it and to show it to the operator.
    root: PathBuf,
    place: Box<dyn Place>,
    rules: WorkspaceRules,
    known: KnownIds,
}

impl Workspace {
    /// Opens a folder.
    ///
    /// # Errors
    /// When the folder does not exist or can't be read.
    pub fn open(root: &Path, rules: WorkspaceRules) -> io::Result<Workspace> {
        let root = root.canonicalize()?;
        let place = Box::new(Folder::open(&root)?);
        Ok(Workspace { root, place, rules, known: KnownIds::default() })
    }

    /// The part of it that somebody may see.
    pub fn within<'a>(&'a self, scope: &'a PathScope) -> Scoped<'a> {
        Scoped { workspace: self, scope }
    }

    /// Where the folder is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether files can be read.
    pub fn is_readable(&self) -> bool {
        self.place.is_readable()
    }

    /// Deletes files that were being written by a process that is gone. Gives how many that were.
    pub fn sweep(&self) -> u64 {
        self.place.sweep()
    }

    /// Looks for workbooks.
    ///
    /// # Errors
    /// When the place does not answer.
    pub fn list(&self) -> Result<Listing, ToolError> {
        let listing = self.place.list(&self.rules)?;
        self.known.set(&listing.workbooks);
        Ok(listing)
    }

    /// A reference as a path of plain names within the workspace. An absolute path into the folder is taken as such:
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

#[cfg(test)]
mod tests;
