//! Encrypting what is stored, and reading it back (age-encryption.org/v1).

use std::{
    fmt,
    io::{self, Read, Write},
};

use age::{Decryptor, Encryptor, secrecy::ExposeSecret as _, x25519};
use sha2::{Digest as _, Sha256};

use crate::BackupError;

/// Whom backups are encrypted to.
#[derive(Clone)]
pub struct Recipients(Vec<x25519::Recipient>);

impl Recipients {
    /// Public keys (`age1…`), one a line; lines that begin with `#` are comments.
    ///
    /// # Errors
    /// `Keys` when a line is none, or there is no line.
    pub fn parse(text: &str) -> Result<Recipients, BackupError> {
        let parse = |line: &str| {
            line.parse()
                .map_err(|error: &str| BackupError::Keys(format!("{line:?} is no recipient: {error}")))
        };
        let recipients: Vec<_> = meaningful(text).map(parse).collect::<Result<_, _>>()?;
        match recipients.is_empty() {
            true => Err(BackupError::Keys("there is no recipient".to_owned())),
            false => Ok(Recipients(recipients)),
        }
    }

    /// What tells these recipients from others: what is encrypted to some is of no use to others.
    fn fingerprint(&self) -> String {
        let mut names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        names.sort();
        hex(&Sha256::digest(names.join("\n")))[..16].to_owned()
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipients").field(&self.fingerprint()).finish()
    }
}

/// What can read encrypted backups.
#[derive(Clone, Default)]
pub struct Identities(Vec<x25519::Identity>);

impl Identities {
    /// Secret keys (`AGE-SECRET-KEY-1…`) as `age-keygen` writes them, one a line.
    ///
    /// # Errors
    /// `Keys` when a line is none; the line is not told.
    pub fn parse(text: &str) -> Result<Identities, BackupError> {
        let parse = |(number, line): (usize, &str)| {
            let told = |error: &str| BackupError::Keys(format!("identity {} is none: {error}", number + 1));
            line.parse().map_err(told)
        };
        meaningful(text).enumerate().map(parse).collect::<Result<_, _>>().map(Identities)
    }

    /// A new identity: its secret, and the recipient that belongs to it.
    pub fn generate() -> (String, String) {
        let identity = x25519::Identity::generate();
        (identity.to_string().expose_secret().to_owned(), identity.to_public().to_string())
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identities").field(&self.0.len()).finish()
    }
}

fn meaningful(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// How what is stored is protected.
#[derive(Debug, Clone)]
pub enum Seal {
    /// Encrypted to these.
    To(Recipients),
    /// Not at all.
    Open,
}

impl Seal {
    /// The folder of blobs that are protected in this way.
    pub(crate) fn blobs(&self) -> String {
        format!("blobs/{}", self.named())
    }

    /// The folder of what belongs to audit trails and is protected in this way.
    pub(crate) fn audit(&self) -> String {
        format!("audit/{}", self.named())
    }

    fn named(&self) -> String {
        match self {
            Seal::To(recipients) => recipients.fingerprint(),
            Seal::Open => "open".to_owned(),
        }
    }

    /// What a key ends with.
    pub(crate) fn ending(&self) -> &'static str {
        match self {
            Seal::To(_) => ".age",
            Seal::Open => "",
        }
    }

    /// Lets `write` write, and protects what it writes on the way to `to`. Gives how many bytes arrived there, and their SHA-256.
    pub(crate) fn write(
        &self,
        to: impl Write,
        write: impl FnOnce(&mut dyn Write) -> Result<(), BackupError>,
    ) -> Result<(u64, String), BackupError> {
        let mut counted = Counted { to, bytes: 0, hash: Sha256::new() };
        let failed = BackupError::at("a temporary file");
        match self {
            Seal::Open => write(&mut counted)?,
            Seal::To(recipients) => {
                let keys = recipients.0.iter().map(|recipient| recipient as &dyn age::Recipient);
                let encryptor =
                    Encryptor::with_recipients(keys).map_err(|error| BackupError::Keys(error.to_string()))?;
                let sealed = encryptor.wrap_output(&mut counted);
                let mut sealed = sealed.map_err(BackupError::at("a temporary file"))?;
                write(&mut sealed)?;
                sealed.finish().map_err(BackupError::at("a temporary file"))?;
            }
        }
        counted.to.flush().map_err(failed)?;
        Ok((counted.bytes, hex(&counted.hash.finalize())))
    }
}

/// Reads what was protected.
pub(crate) fn open<'a>(
    key: &str,
    sealed: Box<dyn Read + 'a>,
    identities: &Identities,
) -> Result<Box<dyn Read + 'a>, BackupError> {
    if !key.ends_with(".age") {
        return Ok(sealed);
    }
    let told = |problem: String| BackupError::Sealed { key: key.to_owned(), problem };
    let decryptor = Decryptor::new(sealed).map_err(|error| told(error.to_string()))?;
    let keys = identities.0.iter().map(|identity| identity as &dyn age::Identity);
    let opened = decryptor.decrypt(keys).map_err(|error| told(error.to_string()))?;
    Ok(Box::new(opened))
}

struct Counted<W> {
    to: W,
    bytes: u64,
    hash: Sha256,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
