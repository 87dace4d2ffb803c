//! Keys of people: Ed25519 (RFC 8032). The private half is a PKCS #8 file in PEM (RFC 8410) that its owner keeps; the public halves are
//! in a file that is reviewed like code.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, Utc};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// What stands before the 32 bytes of a private key: version 0, Ed25519 (RFC 8410, section 7). Browsers read this form.
const PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// What can go wrong with keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds no private key.
    #[error("{} holds no private key of Ed25519 (PKCS #8 in PEM): make one with `checklist keys create`", path.display())]
    NoPrivateKey {
        /// Which file.
        path: PathBuf,
    },
    /// The file of public keys is not what it looks like.
    #[error("{} is no list of keys: {what}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// There is one of that name already.
    #[error("there is a key of {0} already: revoke it first")]
    Exists(String),
    /// The key is known already.
    #[error("that is a key of {0}, in force or revoked: one key is of one person, for one role")]
    Reused(String),
    /// There is none of that name.
    #[error("there is no key of {0} that is in force")]
    Unknown(String),
    /// The system gave no random bytes.
    #[error("no random bytes: {0}")]
    Random(String),
}

/// The private half.
pub struct PrivateKey(Ed25519KeyPair);

impl PrivateKey {
    /// A new one, as the text of its file.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<String, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| KeyError::Random(error.to_string()))?;
        let document = BASE64.encode([&PREFIX[..], &seed].concat());
        Ok(format!("{BEGIN}\n{document}\n{END}\n"))
    }

    /// Reads one.
    ///
    /// # Errors
    /// When the file is not there or holds none.
    pub fn read(path: &Path) -> Result<PrivateKey, KeyError> {
        let text =
            fs::read_to_string(path).map_err(|source| KeyError::Io { path: path.to_owned(), source })?;
        PrivateKey::parse(&text).ok_or_else(|| KeyError::NoPrivateKey { path: path.to_owned() })
    }

    /// One from the text of its file.
    pub fn parse(text: &str) -> Option<PrivateKey> {
        let body = text.split_once(BEGIN)?.1.split_once(END)?.0;
        let document = BASE64.decode(body.split_whitespace().collect::<String>()).ok()?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document).ok().map(PrivateKey)
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().to_vec())
    }

    /// Signs bytes.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).as_ref().to_vec())
    }
}

/// The public half: 32 bytes, written in Base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// Whether it made a signature under a message.
    pub fn has_signed(&self, message: &[u8], signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, &signature.0).is_ok()
    }

    /// A short name for it.
    pub fn fingerprint(&self) -> String {
        Digest::of(&self.0).short()
    }
}

impl TryFrom<String> for PublicKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<PublicKey, &'static str> {
        let bytes = BASE64.decode(text).ok().filter(|bytes| bytes.len() == 32);
        let bytes = bytes.ok_or("a public key is 32 bytes in Base64")?;
        if is_of_small_order(&bytes) {
            return Err("that is no public key: anybody could sign with it");
        }
        Ok(PublicKey(bytes))
    }
}

/// Whether a point is one of the eight, in any of their encodings, whose signatures nobody has to make (RFC 8032 leaves them to the
/// caller; the list is that of libsodium).
fn is_of_small_order(point: &[u8]) -> bool {
    const Y: [&str; 7] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let mut y = point.to_vec();
    if let Some(last) = y.last_mut() {
        // The highest bit is the sign of x.
        *last &= 0x7f;
    }
    let digits: String = y.iter().map(|byte| format!("{byte:02x}")).collect();
    Y.contains(&digits.as_str())
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        BASE64.encode(key.0)
    }
}

/// A signature: 64 bytes, written in Base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Signature(Vec<u8>);

impl TryFrom<String> for Signature {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Signature, &'static str> {
        let bytes = BASE64.decode(text).ok().filter(|bytes| bytes.len() == 64);
        bytes.map(Signature).ok_or("a signature is 64 bytes in Base64")
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> String {
        BASE64.encode(signature.0)
    }
}

/// The keys that are trusted: whose they are, and for which role they sign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keyring {
    /// The keys.
    #[serde(default)]
    pub keys: Vec<TrustedKey>,
}

/// A key that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrustedKey {
    /// Whose it is.
    pub person: String,
    /// The role that the person has.
    pub role: String,
    /// The public half.
    pub public: PublicKey,
    /// Since when it is trusted.
    #[schemars(with = "String")]
    pub since: DateTime<Utc>,
    /// Until when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub revoked: Option<DateTime<Utc>>,
    /// Whether somebody else may have had it: nothing that it has ever signed counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compromised: bool,
}

impl TrustedKey {
    /// Whether it was trusted at a time.
    pub fn is_in_force(&self, at: DateTime<Utc>) -> bool {
        !self.compromised && self.revoked.is_none_or(|revoked| at < revoked)
    }
}

impl Keyring {
    /// Reads the file; where there is none, nobody is trusted.
    ///
    /// # Errors
    /// When it cannot be read, or is not what it looks like.
    pub fn read(path: &Path) -> Result<Keyring, KeyError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Keyring::default()),
            Err(source) => return Err(KeyError::Io { path: path.to_owned(), source }),
        };
        toml::from_str(&text)
            .map_err(|error| KeyError::Malformed { path: path.to_owned(), what: error.to_string() })
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When that fails; the file is then as it was.
    pub fn write(&self, path: &Path) -> Result<(), KeyError> {
        let text = toml::to_string(self)
            .map_err(|error| KeyError::Malformed { path: path.to_owned(), what: error.to_string() })?;
        crate::ledger::write_whole(path, text.as_bytes())
            .map_err(|source| KeyError::Io { path: path.to_owned(), source })
    }

    /// The key of a person for a role, at a time.
    pub fn find(&self, person: &str, role: &str, at: DateTime<Utc>) -> Option<&TrustedKey> {
        self.keys.iter().find(|key| key.person == person && key.role == role && key.is_in_force(at))
    }

    /// The key with a public half, at a time.
    pub fn of(&self, public: &PublicKey, at: DateTime<Utc>) -> Option<&TrustedKey> {
        self.keys.iter().find(|key| key.public == *public && key.is_in_force(at))
    }

    /// Trusts a key.
    ///
    /// # Errors
    /// When the person has one for the role already, or the key is somebody's.
    pub fn add(&mut self, key: TrustedKey) -> Result<(), KeyError> {
        if let Some(known) = self.keys.iter().find(|known| known.public == key.public) {
            return Err(KeyError::Reused(known.person.clone()));
        }
        if self.find(&key.person, &key.role, key.since).is_some() {
            return Err(KeyError::Exists(key.person));
        }
        self.keys.push(key);
        Ok(())
    }

    /// Trusts the keys of a person no more: from now on, or where they are compromised, in anything that they have signed.
    ///
    /// # Errors
    /// When the person has none.
    pub fn revoke(&mut self, person: &str, compromised: bool, at: DateTime<Utc>) -> Result<(), KeyError> {
        let mut is_known = false;
        let is_meant = |key: &&mut TrustedKey| key.person == person && (key.revoked.is_none() || compromised);
        for key in self.keys.iter_mut().filter(is_meant) {
            key.revoked.get_or_insert(at);
            key.compromised |= compromised;
            is_known = true;
        }
        if is_known { Ok(()) } else { Err(KeyError::Unknown(person.to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_has_signed_is_known_by_its_public_half() {
        let key = PrivateKey::parse(&PrivateKey::generate().unwrap()).unwrap();
        let other = PrivateKey::parse(&PrivateKey::generate().unwrap()).unwrap();
        let signature = key.sign(b"ship it");
        assert!(key.public().has_signed(b"ship it", &signature));
        assert!(!key.public().has_signed(b"ship it!", &signature));
        assert!(!other.public().has_signed(b"ship it", &signature));
        assert!(PrivateKey::parse("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----").is_none());
    }

    #[test]
    fn a_key_of_the_standard_is_read() {
        // RFC 8410, section 10.3.
        let text = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let public = String::from(PrivateKey::parse(text).unwrap().public());
        assert_eq!(public, "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    }

    #[test]
    fn a_key_that_is_revoked_was_trusted_until_then() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let public = PrivateKey::parse(&PrivateKey::generate().unwrap()).unwrap().public();
        let key = TrustedKey {
            person: "ada".into(),
            role: "security".into(),
            public,
            since: at(0),
            revoked: None,
            compromised: false,
        };
        let mut ring = Keyring::default();
        ring.add(key.clone()).unwrap();
        assert!(matches!(ring.add(key), Err(KeyError::Reused(_))));
        ring.revoke("ada", false, at(10)).unwrap();
        assert!(ring.find("ada", "security", at(9)).is_some());
        assert!(ring.find("ada", "security", at(10)).is_none());
        assert!(matches!(ring.revoke("ada", false, at(11)), Err(KeyError::Unknown(_))));
        ring.revoke("ada", true, at(12)).unwrap();
        assert!(ring.find("ada", "security", at(9)).is_none());
    }

    #[test]
    fn a_key_that_anybody_could_sign_with_is_none() {
        for digits in ["01", "00"] {
            let mut bytes = [0; 32];
            bytes[0] = u8::from_str_radix(digits, 16).unwrap();
            for sign in [0, 0x80] {
                bytes[31] = sign;
                assert!(PublicKey::try_from(BASE64.encode(bytes)).is_err(), "{digits} {sign}");
            }
        }
    }
}
