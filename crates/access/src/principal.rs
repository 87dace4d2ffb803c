//! Who calls.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{PathScope, Role};

/// The most characters of a name.
const MAX_LENGTH: usize = 64;
/// The most characters of a provider's name for somebody (OpenID Connect Core 1.0 §2: 255) that are told as they are.
const MAX_SUBJECT: usize = 128;

/// The name of a key or a tenant: letters of ASCII, digits and `.@-_|:`, so that it
/// can stand in a log, a header and a file as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PrincipalId(String);

/// A text that can't be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} can't be a name: use 1 to 64 of A-Z, a-z, 0-9 and .@-_|:")]
pub struct InvalidId(pub String);

impl PrincipalId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of somebody whom a provider vouches for: `ada@id.example.org`. A subject that can't be a name is told by its
    /// digest, so that everybody has a name, and nobody has another's.
    pub(crate) fn of_subject(subject: &str, issuer: &str) -> PrincipalId {
        let host = issuer.split_once("://").map_or(issuer, |(_, host)| host).trim_end_matches('/');
        let host: String =
            host.chars().map(|character| if is_plain(character) { character } else { ':' }).collect();
        let is_name = subject.len() <= MAX_SUBJECT && subject.chars().all(is_plain);
        PrincipalId(match is_name {
            true => format!("{subject}@{host}"),
            false => {
                let digest = Sha256::digest(subject.as_bytes());
                let digits: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("sha256-{}@{host}", digits.concat())
            }
        })
    }

    /// A name that this server gave somebody before, and signed.
    pub(crate) fn vouched_for(text: String) -> Option<PrincipalId> {
        (!text.is_empty() && text.chars().all(is_plain)).then_some(PrincipalId(text))
    }
}

/// What names are made of.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || ".@-_|:".contains(character)
}

impl FromStr for PrincipalId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<PrincipalId, InvalidId> {
        match !text.is_empty() && text.len() <= MAX_LENGTH && text.chars().all(is_plain) {
            true => Ok(PrincipalId(text.to_owned())),
            false => Err(InvalidId(text.to_owned())),
        }
    }
}

impl TryFrom<String> for PrincipalId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<PrincipalId, InvalidId> {
        text.parse()
    }
}

impl From<PrincipalId> for String {
    fn from(id: PrincipalId) -> String {
        id.0
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How somebody became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Who can reach the server may use it: whoever started it, or anybody.
    Local,
    /// By an API key.
    Key,
    /// By a token of an identity provider.
    Token,
}

/// Who calls, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The name.
    pub id: PrincipalId,
    /// Whose forks are theirs, too.
    pub tenant: Option<PrincipalId>,
    /// What they may do.
    pub role: Role,
    /// Where they may do it.
    pub scope: PathScope,
    /// How they became known.
    pub source: Source,
}

impl Principal {
    /// Whoever started the program.
    pub fn local() -> Principal {
        Principal {
            id: PrincipalId("local".to_owned()),
            tenant: None,
            role: Role::Admin,
            scope: PathScope::everything(),
            source: Source::Local,
        }
    }

    /// Whoever connects to a server that lets anybody in.
    pub fn anonymous() -> Principal {
        Principal { id: PrincipalId("anonymous".to_owned()), role: Role::Editor, ..Principal::local() }
    }

    /// Whose forks they work on: those of their tenant, or their own. Names of tenants, keys and bearers of
    /// tokens are told apart.
    pub fn owner(&self) -> String {
        match (&self.tenant, self.source) {
            (Some(tenant), _) => format!("tenant:{tenant}"),
            (None, Source::Local) => "local".to_owned(),
            (None, Source::Key) => format!("key:{}", self.id),
            (None, Source::Token) => format!("token:{}", self.id),
        }
    }
}
