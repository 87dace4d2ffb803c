//! What a trail tells.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Digest;

/// An action, as whoever serves tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Who: the name of a key or of a user.
    pub principal: String,
    /// Their role.
    pub role: String,
    /// Whose forks they work on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What: a tool, or what else was asked for.
    pub action: String,
    /// The workbook, by its path within the workspace or its id, as it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workbook: Option<String>,
    /// The fork.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The code of the error, if it was none of success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The trace that it belongs to (W3C Trace Context), if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it was asked for.
    #[default]
    Ok,
    /// Not, for a reason that has nothing to do with who asked.
    Failed,
    /// Not, because of who asked.
    Denied,
}

/// A record of a trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was written.
    pub time: DateTime<Utc>,
    /// What it tells.
    #[serde(flatten)]
    pub entry: Entry,
    /// The digest of the record before, and of all of this one but itself.
    pub digest: Digest,
}
