//! Digests: of bytes, and of values in their canonical form.

use std::{fmt, io};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// What the first entry of a ledger follows.
    pub const START: Digest = Digest([0; 32]);

    /// That of bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// That of everything that can be read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_reader(reader: &mut impl io::Read) -> io::Result<Digest> {
        let mut hash = Sha256::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match reader.read(&mut piece)? {
                0 => return Ok(Digest(hash.finalize().into())),
                count => hash.update(&piece[..count]),
            }
        }
    }

    /// That of a value: of its JSON with sorted keys and no blanks (as RFC 8785 does, whose numbers are those of serde_json here).
    ///
    /// # Panics
    /// Not at all: the values of this crate have texts as keys.
    pub fn of_value(value: &impl Serialize) -> Digest {
        Digest::of(canonical(value).as_bytes())
    }

    /// That of bytes which follow others.
    pub(crate) fn after(previous: Digest, bytes: &[u8]) -> Digest {
        Digest(Sha256::new().chain_update(previous.0).chain_update(bytes).finalize().into())
    }

    /// The hexadecimal digits alone.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Enough of it to tell it from others.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }
}

/// A value as JSON with sorted keys and no blanks.
pub(crate) fn canonical(value: &impl Serialize) -> String {
    fn sorted(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(fields) => {
                let mut fields: Vec<_> =
                    fields.into_iter().map(|(key, value)| (key, sorted(value))).collect();
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                fields.into_iter().collect()
            }
            serde_json::Value::Array(items) => items.into_iter().map(sorted).collect(),
            other => other,
        }
    }
    let value = serde_json::to_value(value).expect("keys are texts");
    sorted(value).to_string()
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Digest, String> {
        let wrong = || format!("{text:?} is no digest: sha256: and 64 hexadecimal digits");
        let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64).ok_or_else(wrong)?;
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = digits.get(index * 2..index * 2 + 2).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Digest(bytes))
    }
}

impl std::str::FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Digest, String> {
        Digest::try_from(text.to_owned())
    }
}
