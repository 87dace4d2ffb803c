//! The workbooks, and the only way to a file of theirs (CONFINED).
//!
//! [`Scoped`] says who may see and write what. Behind it files lie in a `folder` or in a `bucket`.

mod bucket;
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
    path::{Component, Path},
    sync::Arc,
};

use access::PathScope;

pub use bucket::{BucketCounts, BucketOptions};
pub use file::{FileIdentity, Mark, WorkbookFile};
pub use id::WorkbookId;
pub use listing::{Listed, Listing};
pub use rules::WorkspaceRules;
pub use scoped::Scoped;
pub(crate) use target::not_written;
pub use target::{Target, TargetState, Temporary};

use self::{bucket::Objects, folder::Folder, listing::KnownIds, place::Place};
use crate::{
    buckets::UsedBucket,
    config::Location,
    error::{ErrorCode, ToolError},
};

/// Workbooks in one place.
#[derive(Debug)]
pub struct Workspace {
    /// The canonical path of the folder, or the URL of the bucket: only to recognise what leads into it and to show it to the
    /// operator.
    location: Location,
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
        Ok(Workspace { location: Location::Folder(root), place, rules, known: KnownIds::default() })
    }

    /// Uses a bucket; no request is made yet.
    pub fn of_bucket(
        bucket: Arc<UsedBucket>,
        options: &BucketOptions<'_>,
        rules: WorkspaceRules,
    ) -> Workspace {
        let location = Location::Bucket(bucket.bucket.url().clone());
        let place = Box::new(Objects::new(bucket, options));
        Workspace { location, place, rules, known: KnownIds::default() }
    }

    /// The part of it that somebody may see.
    pub fn within<'a>(&'a self, scope: &'a PathScope) -> Scoped<'a> {
        Scoped { workspace: self, scope }
    }

    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Whether files can be read.
    ///
    /// # Errors
    /// Why not.
    pub fn check_readable(&self) -> Result<(), String> {
        self.place.check_readable()
    }

    /// Deletes files that were being written by a process that is gone. Gives how many that were.
    pub fn sweep(&self) -> u64 {
        self.place.sweep()
    }

    /// What was kept of a bucket on this machine.
    pub fn counts(&self) -> Option<BucketCounts> {
        self.place.counts()
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

    /// A reference as a path of plain names within the workspace. An absolute path into the folder is taken as such, and a URL
    /// into the bucket: agents see those in their own tools.
    fn relative_path(&self, reference: &str) -> Result<String, ToolError> {
        let inside = self.location.strip(reference);
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
