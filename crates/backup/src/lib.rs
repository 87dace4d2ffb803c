//! Copies of a server's state from which all of it comes back: forks with their logs, the blobs that they and saved versions
//! need, the file of API keys, and the audit trail.
//!
//! A [`Repository`] holds any number of backups. Each is a whole: its manifest names everything that belongs to it. Blobs are
//! kept under their digests, so that the next backup writes only those that are new. What is written is encrypted to
//! recipients (age), whose identities the server that writes backups need not have.
//!
//! **Invariants.** A backup exists when its manifest does, which is written last. What is read back has the digest that the
//! manifest tells, or is an error. Nothing is restored over a state that holds something.
//!
//! **What this crate must never know:** edits, workbooks, who may ask for a backup.

mod create;
mod error;
mod lock;
mod manifest;
mod prune;
mod repository;
mod restore;
mod seal;
mod verify;

pub use create::{Created, create};
pub use error::BackupError;
pub use lock::Lock;
pub use manifest::{BackupId, Manifest};
pub use prune::{Pruned, prune};
pub use repository::Repository;
pub use restore::{KeysBack, Restored, restore};
pub use seal::{Identities, Recipients, Seal};
pub use verify::{Damage, Depth, Verified, delete_damaged, verify};

use std::path::Path;

use forks::{Blobs, Store};

/// What is backed up, or brought back.
#[derive(Clone, Copy)]
pub struct State<'a> {
    /// Forks, their logs, and what is known of saved versions.
    pub store: &'a dyn Store,
    /// The bytes that forks start from, and those of saved versions.
    pub blobs: &'a Blobs,
    /// The folder of the audit trail, where there is one.
    pub audit: Option<&'a Path>,
    /// The file of API keys, where keys are in a file.
    pub keys: Option<&'a Path>,
}

/// Asked before each step whether to go on: keeps locks and leases, and says when they are lost.
pub type GoOn<'a> = dyn Fn() -> Result<(), BackupError> + 'a;
