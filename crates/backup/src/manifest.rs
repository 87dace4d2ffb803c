//! What belongs to a backup.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::BackupError;

/// The format that this program writes.
pub(crate) const FORMAT: u32 = 1;

/// The file of a trail that says how far it went.
const HEAD: &str = "head.json";

/// The name of a backup: its time and some random letters, so that names sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BackupId(String);

impl BackupId {
    /// The name of a backup of that time; `random` tells it from another one of the same second.
    pub fn new(at: DateTime<Utc>, random: u32) -> BackupId {
        BackupId(format!("{}-{random:08x}", at.format("%Y%m%dT%H%M%SZ")))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BackupId {
    type Err = BackupError;

    fn from_str(text: &str) -> Result<BackupId, BackupError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        match !text.is_empty() && text.bytes().all(is_plain) {
            true => Ok(BackupId(text.to_owned())),
            false => Err(BackupError::NotFound { id: text.to_owned(), place: "any repository".to_owned() }),
        }
    }
}

/// What belongs to a backup, and what it counts. Nothing here tells of content: a manifest is not encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the backup.
    pub format: u32,
    /// Its name.
    pub id: BackupId,
    /// The moment that it holds.
    pub created: DateTime<Utc>,
    /// The version of the program that made it.
    pub program: String,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Forks.
    pub forks: u64,
    /// Edits in their logs.
    pub edits: u64,
    /// Versions of files.
    pub versions: u64,
    /// The rows of the state.
    pub(crate) rows: Stored,
    /// The blobs.
    pub(crate) blobs: Vec<Stored>,
    /// The segments of audit trails and their heads, the last that is brought back first. Those of replicas have the names of
    /// their folders before their own.
    pub(crate) audit: Vec<Stored>,
    /// The file of API keys, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<Stored>,
}

impl Manifest {
    /// Everything that belongs to the backup.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Stored> {
        std::iter::once(&self.rows).chain(&self.blobs).chain(&self.audit).chain(&self.keys)
    }

    /// Bytes of all that belongs to it, as they are stored.
    pub fn bytes(&self) -> u64 {
        self.objects().map(|object| object.size).sum()
    }

    /// Audit trails.
    pub fn audit_trails(&self) -> u64 {
        let heads = self.audit.iter().filter(|part| part.name.rsplit('/').next() == Some(HEAD));
        heads.count() as u64
    }

    /// Whether API keys are among it.
    pub fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Blobs.
    pub fn blob_count(&self) -> u64 {
        self.blobs.len() as u64
    }
}

/// Something that belongs to a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// Where it is in the repository.
    pub(crate) key: String,
    /// What it is called where it comes from.
    pub(crate) name: String,
    /// Bytes, as they are stored.
    pub(crate) size: u64,
    /// The SHA-256 of its bytes as they are stored.
    pub(crate) sha256: String,
}
