//! What is written into the ledger.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Head;
use crate::{
    digest::{Digest, canonical},
    keys::{PublicKey, Signature},
    record::Subject,
    spec::ItemId,
};

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Which line it is, from 1.
    pub number: u64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The digest of the line before.
    pub previous: Digest,
    /// What was done.
    pub act: Act,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// The checklist was run.
    Run {
        /// The digest of the record, which is in `runs/`.
        record: Digest,
        /// The profile.
        profile: String,
        /// The environment.
        environment: String,
        /// Who ran it.
        author: String,
    },
    /// Somebody stated something.
    Attest(Attestation),
    /// Somebody takes the risk of a box for a while.
    Waive(Waiver),
    /// Somebody takes a waiver back.
    Withdraw {
        /// The box.
        id: ItemId,
        /// In which environment.
        environment: String,
        /// Who does.
        person: String,
    },
    /// Somebody signed everything.
    SignOff(Box<SignOff>),
    /// A report was made.
    Report {
        /// The digest of its file.
        digest: Digest,
        /// Its format.
        format: String,
        /// The record that it is about.
        record: Digest,
    },
    /// The gate was asked.
    Gate {
        /// The record that it judged.
        record: Digest,
        /// What it said, as an exit code.
        code: u8,
        /// The digest of the verdict that it gave.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verdict: Option<Digest>,
    },
}

/// What somebody states of a box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Attestation {
    /// The box.
    pub id: ItemId,
    /// Of which environment.
    pub environment: String,
    /// What is stated.
    pub statement: String,
    /// Who states it.
    pub person: String,
    /// As what.
    pub role: String,
    /// What shows it: the digest of a file in `evidence/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
    /// The name that the file had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_name: Option<String>,
    /// Until when it counts.
    pub expires: DateTime<Utc>,
}

/// That the risk of a box is taken for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Waiver {
    /// The box.
    pub id: ItemId,
    /// In which environment.
    pub environment: String,
    /// Who will set it right.
    pub owner: String,
    /// Who takes the risk: somebody else.
    pub approver: String,
    /// What may go wrong.
    pub risk: String,
    /// What is done meanwhile, so that it does not.
    pub control: String,
    /// Where it is followed up.
    pub ticket: String,
    /// Until when.
    pub expires: DateTime<Utc>,
}

/// A signature under the state of everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignOff {
    /// What was signed.
    pub signed: Signed,
    /// The public half of the key.
    pub key: PublicKey,
    /// The signature, under the canonical JSON of what was signed.
    pub signature: Signature,
}

/// What a signature is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Signed {
    /// That it is one of this kind: [`Signed::PURPOSE`], so that it can be taken for nothing else.
    pub purpose: String,
    /// What ships.
    pub subject: Subject,
    /// The record of the run.
    pub record: Digest,
    /// The run, and what was stated and waived: the state that was looked at.
    pub state: Digest,
    /// The ledger at that time.
    pub head: Head,
    /// Who signs.
    pub person: String,
    /// For whom.
    pub role: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Until when a verdict that rests on it lets servers start.
    pub expires: DateTime<Utc>,
}

impl Signed {
    /// What signatures of this kind begin with.
    pub const PURPOSE: &'static str = "checklist/sign-off/1";

    /// What is signed, byte by byte.
    pub fn message(&self) -> String {
        canonical(self)
    }
}
