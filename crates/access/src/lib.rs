//! Who calls, and what they may: [`Principal`]s with a [`Role`] and a [`PathScope`], known by an API key of the
//! [`keys::KeyFile`].
//!
//! **Invariants.** A secret is kept as its digest alone, and is shown once: when it is made. What is compared with a secret
//! is compared in constant time. A refusal does not tell whether a key exists.
//!
//! **What this crate must never know:** tools, HTTP, the network. Whoever serves asks it, and hands in the time.

pub mod keys;
mod principal;
mod role;
mod scope;
pub mod store;

pub use principal::{InvalidId, Principal, PrincipalId, Source};
pub use role::{Role, UnknownRole};
pub use scope::{InvalidFolder, PathScope};

use chrono::{DateTime, Utc};

/// Why somebody is not let in. Its text is for the caller; [`Denied::reason`] is for metrics and the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No key was sent.
    #[error("no credentials were sent")]
    Missing,
    /// What was sent is no key.
    #[error("the credentials are malformed")]
    Malformed,
    /// There is no such key, or another secret belongs to it.
    #[error("the API key is not valid")]
    UnknownKey,
    /// The key's time has passed.
    #[error("the API key expired at {0}")]
    ExpiredKey(DateTime<Utc>),
    /// The key was taken back.
    #[error("the API key was revoked")]
    RevokedKey,
}

impl Denied {
    /// One word of a closed list.
    pub fn reason(&self) -> &'static str {
        match self {
            Denied::Missing => "missing",
            Denied::Malformed => "malformed",
            Denied::UnknownKey => "unknown_key",
            Denied::ExpiredKey(_) => "expired_key",
            Denied::RevokedKey => "revoked_key",
        }
    }
}
