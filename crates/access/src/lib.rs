//! Who calls, and what they may: [`Principal`]s with a [`Role`] and a [`PathScope`], known by an API key of the
//! [`keys::KeyFile`], by a token of an identity provider ([`token::Verifier`]), or by a signed URL ([`grant::Grant`]).
//!
//! **Invariants.** A secret is kept as its digest alone, and is shown once: when it is made. What is compared with a secret
//! is compared in constant time. A refusal does not tell whether a key exists.
//!
//! **What this crate must never know:** tools, HTTP, the network. Whoever serves asks it, and hands in the time and the
//! provider's keys.

mod claims;
pub mod grant;
pub mod keys;
mod principal;
mod role;
mod scope;
mod signatures;
pub mod store;
pub mod token;

pub use principal::{InvalidId, Principal, PrincipalId, Source};
pub use role::{Role, UnknownRole};
pub use scope::{InvalidFolder, PathScope};

use chrono::{DateTime, Utc};
use token::TokenProblem;

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
    #[error("the API key expired at {at}")]
    ExpiredKey {
        /// The key.
        id: PrincipalId,
        /// When it ended.
        at: DateTime<Utc>,
    },
    /// The key was taken back.
    #[error("the API key was revoked")]
    RevokedKey {
        /// The key.
        id: PrincipalId,
    },
    /// The token is not what a provider that is trusted made for this server.
    #[error("the token is not valid: {problem}")]
    InvalidToken {
        /// What is wrong with it.
        problem: TokenProblem,
        /// Its bearer, where the provider vouches for it.
        id: Option<PrincipalId>,
    },
    /// The token is sound, and does not let its bearer do anything here.
    #[error("the token lacks the scope {scope:?}")]
    InsufficientScope {
        /// The scope.
        scope: String,
        /// Its bearer.
        id: PrincipalId,
    },
    /// The keys of the provider are not known, or have not been seen for too long.
    #[error("tokens can't be checked: the identity provider does not answer")]
    ProviderUnavailable,
    /// The time of a signed URL has passed.
    #[error("the time of the signed URL has passed")]
    ExpiredUrl,
    /// Nobody signed the URL, or not for this request.
    #[error("the signed URL is not valid for this request")]
    InvalidUrl,
}

impl Denied {
    /// One word of a closed list.
    pub fn reason(&self) -> &'static str {
        match self {
            Denied::Missing => "missing",
            Denied::Malformed => "malformed",
            Denied::UnknownKey => "unknown_key",
            Denied::ExpiredKey { .. } => "expired_key",
            Denied::RevokedKey { .. } => "revoked_key",
            Denied::InvalidToken { problem, .. } => problem.as_str(),
            Denied::InsufficientScope { .. } => "insufficient_scope",
            Denied::ProviderUnavailable => "provider_unavailable",
            Denied::ExpiredUrl => "expired_url",
            Denied::InvalidUrl => "invalid_url",
        }
    }

    /// Who it is that is not let in, where a secret or a signature proves it. For the audit trail, not for the caller.
    pub fn principal(&self) -> Option<&PrincipalId> {
        match self {
            Denied::ExpiredKey { id, .. }
            | Denied::RevokedKey { id }
            | Denied::InvalidToken { id: Some(id), .. }
            | Denied::InsufficientScope { id, .. } => Some(id),
            _ => None,
        }
    }
}
