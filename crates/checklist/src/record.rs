//! What a run found: the record that attestations, waivers and signatures are about.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, spec::ItemId, status::Status};

/// What a run found. Its digest is that of its canonical JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunRecord {
    /// The version of this format: 1.
    pub format: u32,
    /// What the checklist is called.
    pub title: String,
    /// The service that it is about.
    pub service: String,
    /// Which checklist, of which environment, for what.
    pub subject: Subject,
    /// The configuration that was judged, without secrets: what a difference is traced to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<serde_json::Value>,
    /// Who ran it.
    pub author: String,
    /// When it began.
    #[schemars(with = "String")]
    pub began: DateTime<Utc>,
    /// When it ended.
    #[schemars(with = "String")]
    pub ended: DateTime<Utc>,
    /// What was found, box by box in the order of the checklist; groups are not among them.
    pub findings: Vec<Found>,
}

/// What a verdict is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subject {
    /// The checklist and its document.
    pub checklist: Digest,
    /// The profile.
    pub profile: String,
    /// Where it is deployed, as `production-eu`.
    pub environment: String,
    /// The program, or the image's, that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<Digest>,
    /// The image, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Digest>,
    /// Its configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Digest>,
    /// What decided which boxes apply.
    pub facts: BTreeMap<String, String>,
}

/// What was found of a box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Found {
    /// The box.
    pub id: ItemId,
    /// What is known.
    pub status: Status,
    /// That in a sentence.
    pub summary: String,
    /// What shows it: lines of what was looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// When it was found out.
    #[schemars(with = "String")]
    pub at: DateTime<Utc>,
    /// How long that took, in milliseconds.
    pub took_ms: u64,
}

impl RunRecord {
    /// What signatures are about.
    pub fn digest(&self) -> Digest {
        Digest::of_value(self)
    }

    /// What was found of a box.
    pub fn find(&self, id: &ItemId) -> Option<&Found> {
        self.findings.iter().find(|found| found.id == *id)
    }

    /// How many boxes machines have looked at.
    pub fn executed(&self) -> usize {
        let is_executed =
            |status: Status| matches!(status, Status::Pass | Status::Warn | Status::Fail | Status::Error);
        self.findings.iter().filter(|found| is_executed(found.status)).count()
    }
}
