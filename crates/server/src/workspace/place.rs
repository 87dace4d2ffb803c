//! The seam between a workspace and what its files lie in.
//!
//! Paths arrive here as plain names with `/` between them, and only those that somebody may see.

use std::{fmt::Debug, fs::File};

use forks::Digest;

use super::{BucketCounts, FileIdentity, Listing, WorkspaceRules};
use crate::error::ToolError;

/// What holds files: a folder, or what is below a prefix of a bucket.
pub(super) trait Place: Debug + Send + Sync {
    /// The workbooks, in the order of their paths.
    fn list(&self, rules: &WorkspaceRules) -> Result<Listing, ToolError>;

    /// What is at a path now.
    fn find(&self, path: &str) -> Result<(FileIdentity, Box<dyn Content>), Refusal>;

    /// Where a file of that path is written to.
    fn spot(&self, path: &str) -> Result<Box<dyn Spot>, Refusal>;

    /// Whether files can be read, or why not. Cheap to ask, and told soon.
    fn check_readable(&self) -> Result<(), String>;

    /// Deletes what writers left that are gone. Gives how many files that were.
    fn sweep(&self) -> u64;

    /// What was kept of it on this machine, if it is elsewhere.
    fn counts(&self) -> Option<BucketCounts>;
}

/// The bytes of one content of a file.
pub(super) trait Content: Debug + Send {
    /// A file of this machine that holds them, to be read from its beginning.
    fn open(&self) -> Result<File, ToolError>;

    /// Whether what was read until now was that content.
    fn is_unchanged(&self, identity: &FileIdentity) -> bool;
}

/// A path that is written to.
pub(super) trait Spot: Debug + Send {
    /// What is there now.
    fn state(&self) -> Result<Option<FileIdentity>, ToolError>;

    /// A file of this machine that holds what is there now.
    fn open(&self) -> Result<File, ToolError>;

    /// A new file, which nobody sees yet.
    fn create(&self) -> Result<Box<dyn Unpublished + '_>, ToolError>;

    /// Deletes what is there, if it still is that.
    fn delete(&self, state: &FileIdentity) -> Result<(), ToolError>;
}

/// A file that is written and that nobody sees. It goes when it is dropped.
pub(super) trait Unpublished: Debug {
    /// The file to write to.
    fn file(&mut self) -> &mut File;

    /// Makes what was written durable, and gives its digest and length.
    fn finish(&mut self) -> Result<(Digest, u64), ToolError>;

    /// Puts it in place where nothing may be, and says what it is there, if that is known.
    fn publish(self: Box<Self>) -> Result<Option<FileIdentity>, ToolError>;

    /// Puts it in the place of what was there in `state`, if it still is, and says what it is there, if that is known.
    fn replace(self: Box<Self>, state: &FileIdentity) -> Result<Option<FileIdentity>, ToolError>;
}

/// Why there is no file, or no place for one.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is none.
    NotThere,
    /// The path leads out.
    Outside,
    /// It can't be told.
    Failed(ToolError),
}
