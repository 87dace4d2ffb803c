//! API keys: a file that knows their digests, and what changes it.
//!
//! A key is `smcp_NAME_SECRET`, where the secret is 256 random bits. The file holds its SHA-256 digest, which is enough for a
//! secret that cannot be guessed, and which a check takes no time for.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{Denied, PathScope, Principal, PrincipalId, Role, Source};

/// What every key starts with, so that scanners for leaked secrets find it.
const PREFIX: &str = "smcp_";
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;
/// The version of the file that this program writes.
const VERSION: u32 = 1;
/// Keys of a file at most.
const MAX_KEYS: usize = 10_000;

/// The keys of a server, as its file has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    version: u32,
    #[serde(default)]
    keys: Vec<Key>,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its name.
    pub id: PrincipalId,
    /// What its bearer may do.
    pub role: Role,
    /// Where.
    #[serde(default = "PathScope::everything")]
    pub paths: PathScope,
    /// Whose forks its bearer works on; by default those made with this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<PrincipalId>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<DateTime<Utc>>,
    digest: Digest,
    /// The secret before the last rotation, while it is still taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Previous {
    digest: Digest,
    until: DateTime<Utc>,
}

/// The digest of a key: of all of it, so that the same secret under another name is another one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Digest([u8; 32]);

/// Whether a key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can.
    Active,
    /// It can, and so can the secret before it.
    Rotating,
    /// Its time has passed.
    Expired,
    /// It was taken back.
    Revoked,
}

/// What a new key is for.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its name.
    pub id: PrincipalId,
    /// What its bearer may do.
    pub role: Role,
    /// Where.
    pub paths: PathScope,
    /// Whose forks its bearer works on.
    pub tenant: Option<PrincipalId>,
    /// When it ends.
    pub expires: Option<DateTime<Utc>>,
}

/// Why a file of keys is not taken, or not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is no file of keys.
    #[error("the file of keys is damaged: {0}")]
    Damaged(String),
    /// A later program wrote it.
    #[error("the file of keys has version {0}, and this program knows version {VERSION}")]
    Version(u32),
    /// A name stands for two keys.
    #[error("there is a key {0:?} already; rotate it, or take another name")]
    Exists(String),
    /// A name stands for none.
    #[error("there is no key {0:?}; `keys list` shows which there are")]
    NoSuchKey(String),
    /// It was taken back, and stays so.
    #[error("the key {0:?} was revoked; create one with another name")]
    Revoked(String),
    /// A path leads out of the workspace.
    #[error(transparent)]
    Folder(#[from] crate::InvalidFolder),
    /// There are too many.
    #[error("there are more than {MAX_KEYS} keys")]
    TooMany,
    /// Names of keys stand between underscores.
    #[error("{0:?} can't be the name of a key: use 1 to 64 of A-Z, a-z, 0-9 and .@-|:")]
    Underscore(String),
    /// The system has no randomness.
    #[error("no secret could be made: {0}")]
    Random(getrandom::Error),
}

impl KeyFile {
    /// No keys yet.
    pub fn empty() -> KeyFile {
        KeyFile { version: VERSION, keys: Vec::new() }
    }

    /// Reads a file of keys.
    ///
    /// # Errors
    /// When it is none, is of a later version, or has two keys of one name.
    pub fn parse(text: &str) -> Result<KeyFile, KeyError> {
        // The library's own message quotes the line, which may hold a digest.
        let damaged = |error: toml::de::Error| {
            let line = error
                .span()
                .map(|span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
            let place = line.map(|line| format!(", at line {line}")).unwrap_or_default();
            KeyError::Damaged(format!("{}{place}", error.message()))
        };
        let file: KeyFile = toml::from_str(text).map_err(damaged)?;
        if file.version != VERSION {
            return Err(KeyError::Version(file.version));
        }
        if file.keys.len() > MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        for (index, key) in file.keys.iter().enumerate() {
            check_name(&key.id)?;
            if file.keys[..index].iter().any(|other| other.id == key.id) {
                return Err(KeyError::Damaged(format!("two keys have the name {:?}", key.id.as_str())));
            }
        }
        Ok(file)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// When it can't be written as TOML, which no value of this type is known to cause.
    pub fn to_text(&self) -> Result<String, KeyError> {
        let body = toml::to_string_pretty(self).map_err(|error| KeyError::Damaged(error.to_string()))?;
        Ok(format!(
            "# Keys of spreadsheet-mcp; `spreadsheet-mcp keys` changes them. It holds no secrets, only digests.\n{body}"
        ))
    }

    /// The keys.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Adds a key, and gives its secret, which nothing knows afterwards.
    ///
    /// # Errors
    /// When its name is taken or no name of a key.
    pub fn create(&mut self, new: NewKey, now: DateTime<Utc>) -> Result<SecretString, KeyError> {
        check_name(&new.id)?;
        if self.keys.iter().any(|key| key.id == new.id) {
            return Err(KeyError::Exists(new.id.to_string()));
        }
        if self.keys.len() >= MAX_KEYS {
            return Err(KeyError::TooMany);
        }
        let secret = make_secret(&new.id)?;
        self.keys.push(Key {
            digest: Digest::of(secret.expose_secret()),
            id: new.id,
            role: new.role,
            paths: new.paths,
            tenant: new.tenant,
            created: now,
            expires: new.expires,
            revoked: None,
            previous: None,
        });
        Ok(secret)
    }

    /// Gives a key a new secret. The one before is taken for as long as `grace` lasts.
    ///
    /// # Errors
    /// When there is no such key, or it was revoked.
    pub fn rotate(
        &mut self,
        id: &PrincipalId,
        grace: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<SecretString, KeyError> {
        let key = self.find_mut(id)?;
        if key.revoked.is_some() {
            return Err(KeyError::Revoked(id.to_string()));
        }
        let secret = make_secret(id)?;
        let digest = std::mem::replace(&mut key.digest, Digest::of(secret.expose_secret()));
        key.previous = (grace > TimeDelta::zero()).then(|| Previous { digest, until: now + grace });
        Ok(secret)
    }

    /// Takes a key back: its secrets are taken no more.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn revoke(&mut self, id: &PrincipalId, now: DateTime<Utc>) -> Result<(), KeyError> {
        let key = self.find_mut(id)?;
        key.revoked.get_or_insert(now);
        key.previous = None;
        Ok(())
    }

    fn find_mut(&mut self, id: &PrincipalId) -> Result<&mut Key, KeyError> {
        self.keys.iter_mut().find(|key| key.id == *id).ok_or_else(|| KeyError::NoSuchKey(id.to_string()))
    }

    /// Who presents a key.
    ///
    /// # Errors
    /// When it is none, or one that is taken no more. Only who has the secret learns which.
    pub fn verify(&self, presented: &str, now: DateTime<Utc>) -> Result<Principal, Denied> {
        let name = presented.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
        let (name, _) = name.ok_or(Denied::Malformed)?;
        let digest = Digest::of(presented);
        let key = self.keys.iter().find(|key| key.id.as_str() == name).ok_or(Denied::UnknownKey)?;
        let is_current = digest.is(&key.digest);
        let is_previous =
            key.previous.as_ref().is_some_and(|previous| digest.is(&previous.digest) && now < previous.until);
        if !is_current && !is_previous {
            return Err(Denied::UnknownKey);
        }
        key.bearer(now)
    }

    /// What a key permits now in whose name something was granted: no more than was granted, and no more than it permits.
    ///
    /// # Errors
    /// When there is no such key any more, or it is taken no more.
    pub fn still(&self, granted: &Principal, now: DateTime<Utc>) -> Result<Principal, Denied> {
        let key = self.keys.iter().find(|key| key.id == granted.id).ok_or(Denied::UnknownKey)?;
        let bearer = key.bearer(now)?;
        Ok(Principal { role: bearer.role.min(granted.role), ..bearer })
    }
}

impl Key {
    /// Who has it.
    fn bearer(&self, now: DateTime<Utc>) -> Result<Principal, Denied> {
        match (self.revoked, self.expires) {
            (Some(_), _) => Err(Denied::RevokedKey { id: self.id.clone() }),
            (None, Some(expires)) if expires <= now => {
                Err(Denied::ExpiredKey { id: self.id.clone(), at: expires })
            }
            _ => Ok(Principal {
                id: self.id.clone(),
                tenant: self.tenant.clone(),
                role: self.role,
                scope: self.paths.clone(),
                source: Source::Key,
            }),
        }
    }

    /// Whether it can be used.
    pub fn status(&self, now: DateTime<Utc>) -> Status {
        match (self.revoked, self.expires, &self.previous) {
            (Some(_), ..) => Status::Revoked,
            (None, Some(expires), _) if expires <= now => Status::Expired,
            (None, _, Some(previous)) if now < previous.until => Status::Rotating,
            _ => Status::Active,
        }
    }
}

impl Status {
    /// The status as lists show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Rotating => "rotating",
            Status::Expired => "expired",
            Status::Revoked => "revoked",
        }
    }
}

/// Whether a bearer's credentials look like a key rather than a token.
pub fn is_key(presented: &str) -> bool {
    presented.starts_with(PREFIX)
}

fn check_name(id: &PrincipalId) -> Result<(), KeyError> {
    match id.as_str().contains('_') {
        true => Err(KeyError::Underscore(id.to_string())),
        false => Ok(()),
    }
}

fn make_secret(id: &PrincipalId) -> Result<SecretString, KeyError> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
    Ok(SecretString::from(format!("{PREFIX}{id}_{}", BASE64.encode(bytes))))
}

impl Digest {
    fn of(presented: &str) -> Digest {
        Digest(Sha256::digest(presented.as_bytes()).into())
    }

    fn is(&self, other: &Digest) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Digest, &'static str> {
        let wrong = "a digest is sha256: and 64 hexadecimal digits";
        let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64).ok_or(wrong)?;
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = digits.get(index * 2..index * 2 + 2).ok_or(wrong)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong)?;
        }
        Ok(Digest(bytes))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        let digits: Vec<String> = digest.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{}", digits.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn id(name: &str) -> PrincipalId {
        name.parse().expect("a name")
    }

    fn with_key(expires: Option<DateTime<Utc>>) -> (KeyFile, SecretString) {
        let mut file = KeyFile::empty();
        let new = NewKey {
            id: id("ci"),
            role: Role::Editor,
            paths: PathScope::new(["finance"]).expect("a folder"),
            tenant: Some(id("acme")),
            expires,
        };
        let secret = file.create(new, at(0)).expect("a new key");
        (file, secret)
    }

    #[test]
    fn a_key_is_known_by_its_secret_alone() {
        let (file, secret) = with_key(None);
        let text = file.to_text().expect("text");
        let file = KeyFile::parse(&text).expect("the same file");
        let secret = secret.expose_secret();
        let principal = file.verify(secret, at(1)).expect("a good key");
        assert_eq!((principal.role, principal.owner().as_str()), (Role::Editor, "tenant:acme"));
        assert!(principal.scope.contains("finance/a.xlsx") && !principal.scope.contains("a.xlsx"));
        let (head, tail) = secret.split_at(secret.len() - 1);
        let other = format!("{head}{}", if tail == "A" { "B" } else { "A" });
        assert_eq!(file.verify(&other, at(1)), Err(Denied::UnknownKey));
        assert_eq!(file.verify(&secret.replace("_ci_", "_cd_"), at(1)), Err(Denied::UnknownKey));
        assert_eq!(file.verify("Bearer", at(1)), Err(Denied::Malformed));
        assert!(!text.contains(&secret[8..]), "the file holds the secret");
        assert!(!format!("{file:?}").contains("sha256"), "a digest is shown");
    }

    #[test]
    fn rotation_takes_both_secrets_for_a_while() {
        let (mut file, old) = with_key(None);
        let new = file.rotate(&id("ci"), TimeDelta::hours(2), at(10)).expect("a key");
        let is_taken = |file: &KeyFile, secret: &SecretString, hour| {
            file.verify(secret.expose_secret(), at(hour)).is_ok()
        };
        assert!(is_taken(&file, &old, 11) && is_taken(&file, &new, 11));
        assert_eq!(file.keys()[0].status(at(11)), Status::Rotating);
        assert!(!is_taken(&file, &old, 12) && is_taken(&file, &new, 12));
        let newest = file.rotate(&id("ci"), TimeDelta::zero(), at(13)).expect("a key");
        assert!(!is_taken(&file, &new, 13) && is_taken(&file, &newest, 13));
    }

    #[test]
    fn keys_end() {
        let (mut file, secret) = with_key(Some(at(5)));
        assert_eq!(
            file.verify(secret.expose_secret(), at(5)),
            Err(Denied::ExpiredKey { id: id("ci"), at: at(5) })
        );
        assert_eq!(file.keys()[0].status(at(5)), Status::Expired);
        file.revoke(&id("ci"), at(4)).expect("a key");
        assert_eq!(file.verify(secret.expose_secret(), at(4)), Err(Denied::RevokedKey { id: id("ci") }));
        assert!(matches!(file.rotate(&id("ci"), TimeDelta::hours(1), at(4)), Err(KeyError::Revoked(_))));
        assert!(matches!(file.revoke(&id("cd"), at(4)), Err(KeyError::NoSuchKey(_))));
    }

    #[test]
    fn damaged_files_are_refused_with_their_place() {
        let check = |text: &str, said: &str| {
            let error = KeyFile::parse(text).expect_err(text).to_string();
            assert!(error.contains(said), "{error}");
        };
        check("version = 2", "version 2");
        check("version = 1\nkey = []", "at line 2");
        let (file, _) = with_key(None);
        let text = file.to_text().expect("text");
        check(&text.replace("editor", "king"), "king");
        check(&text.replace("finance", "../finance"), "no path within the workspace");
        check(&text.replace("sha256:", "md5:"), "sha256: and 64");
        check(&text.replace("\"ci\"", "\"c_i\""), "can't be the name of a key");
        let twice = format!("{text}\n{}", &text[text.find("[[keys]]").expect("a key")..]);
        check(&twice, "two keys have the name");
    }
}
