//! What is known of objects, and when they may be written.

use std::time::SystemTime;

use bytes::Bytes;
use object_store::{PutMode, UpdateVersion};

/// What tells one content under a key from another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Version {
    /// The entity tag.
    pub etag: Option<String>,
    /// The version, where the store counts them.
    pub version: Option<String>,
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The key below the prefix, with `/` between its parts.
    pub key: String,
    /// The length in bytes.
    pub size: u64,
    /// When it was written, by the clock of the store.
    pub modified: SystemTime,
    /// What tells its content from another one.
    pub version: Version,
}

/// An object that was read.
#[derive(Debug, Clone)]
pub struct Received {
    /// What it was when it was read.
    pub object: Object,
    /// Its bytes.
    pub bytes: Bytes,
}

/// When a write may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Always.
    None,
    /// If there is nothing under the key (`If-None-Match: *`).
    Absent,
    /// If it still is that content (`If-Match`).
    Unchanged(Version),
}

impl Precondition {
    pub(crate) fn mode(&self) -> PutMode {
        match self {
            Precondition::None => PutMode::Overwrite,
            Precondition::Absent => PutMode::Create,
            Precondition::Unchanged(version) => PutMode::Update(UpdateVersion {
                e_tag: version.etag.clone(),
                version: version.version.clone(),
            }),
        }
    }
}
