//! Options whose values are nobody's business.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// The path of a file that holds a secret. Secrets come from files alone, and neither they nor where they are is shown:
/// an option of this type is redacted wherever values are told.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretFile(PathBuf);

/// What is shown instead.
pub const REDACTED: &str = "[redacted]";

/// No path was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("name a file")]
pub struct NoFile;

impl SecretFile {
    /// Where the secret is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl FromStr for SecretFile {
    type Err = NoFile;

    fn from_str(text: &str) -> Result<SecretFile, NoFile> {
        if text.is_empty() { Err(NoFile) } else { Ok(SecretFile(PathBuf::from(text))) }
    }
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Where a secret, or a file of them, is read from: a file, or a field of a secret of Vault's or OpenBao's KV store of version 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// `PATH`.
    File(PathBuf),
    /// `vault:MOUNT/PATH#FIELD`.
    Vault(VaultPath),
}

/// A field of a secret of a KV store of version 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultPath {
    /// Where the store is mounted.
    pub mount: String,
    /// The secret in it.
    pub path: String,
    /// The field of the secret.
    pub field: String,
}

/// What values that name Vault begin with.
const VAULT_SCHEME: &str = "vault:";

impl SecretSource {
    /// The field in Vault, if it is there.
    pub fn vault(&self) -> Option<&VaultPath> {
        match self {
            SecretSource::Vault(path) => Some(path),
            SecretSource::File(_) => None,
        }
    }
}

impl FromStr for SecretSource {
    type Err = String;

    fn from_str(text: &str) -> Result<SecretSource, String> {
        let Some(rest) = text.strip_prefix(VAULT_SCHEME) else {
            return match text.is_empty() {
                true => Err("name a file, or vault:MOUNT/PATH#FIELD".to_owned()),
                false => Ok(SecretSource::File(PathBuf::from(text))),
            };
        };
        let is_plain = |part: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain)
        };
        let parts = rest.split_once('#').and_then(|(place, field)| {
            let (mount, path) = place.split_once('/')?;
            let is_right = [mount, field].into_iter().chain(path.split('/')).all(is_plain);
            is_right.then(|| VaultPath {
                mount: mount.to_owned(),
                path: path.to_owned(),
                field: field.to_owned(),
            })
        });
        parts.map(SecretSource::Vault).ok_or_else(|| {
            "write vault:MOUNT/PATH#FIELD, as in vault:secret/spreadsheet-mcp#keys, of A-Z, a-z, 0-9, . _ and -".to_owned()
        })
    }
}

impl fmt::Display for VaultPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VAULT_SCHEME}{}/{}#{}", self.mount, self.path, self.field)
    }
}

/// Whether the name of a variable says that its value is a secret.
pub fn is_named_as_secret(variable: &str) -> bool {
    const WORDS: [&str; 9] =
        ["KEY", "KEYS", "TOKEN", "TOKENS", "PASSWORD", "PASSWD", "SECRET", "SECRETS", "CREDENTIALS"];
    variable.rsplit('_').next().is_some_and(|last| WORDS.contains(&last))
}

/// What to do with a secret that a variable of the environment holds.
pub(super) const NOT_FROM_THE_ENVIRONMENT: &str = "secrets are not taken from the environment, which other programs can see: put it \
     into a file or into Vault, and name that place. Keys of callers: --keys-file FILE or vault:MOUNT/PATH#FIELD; the way to \
     Vault: --vault-token-file, --vault-secret-id-file; then take this variable away";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_in_files_or_in_vault() {
        let file: SecretSource = "/run/secrets/keys".parse().expect("a file");
        assert_eq!(file, SecretSource::File(PathBuf::from("/run/secrets/keys")));
        let path = "vault:secret/teams/a/sheets#keys";
        let source: SecretSource = path.parse().expect("a field");
        let found = source.vault().expect("a field of Vault");
        assert_eq!((found.mount.as_str(), found.path.as_str()), ("secret", "teams/a/sheets"));
        assert_eq!(found.to_string(), path);
        let wrong = [
            "",
            "vault:",
            "vault:secret",
            "vault:secret/a",
            "vault:/a#b",
            "vault:secret/a#",
            "vault:secret/../sys#b",
            "vault:secret/a?x#b",
            "vault:secret//a#b",
        ];
        for wrong in wrong {
            assert!(wrong.parse::<SecretSource>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_variables_tell_secrets() {
        for secret in ["SPREADSHEET_MCP_API_KEY", "SPREADSHEET_MCP_TOKEN", "SPREADSHEET_MCP_DB_PASSWORD"] {
            assert!(is_named_as_secret(secret), "{secret}");
        }
        for plain in
            ["SPREADSHEET_MCP_KEYS_FILE", "SPREADSHEET_MCP_MAX_CELL", "SPREADSHEET_MCP_TOKENS_PER_DAY"]
        {
            assert!(!is_named_as_secret(plain), "{plain}");
        }
    }

    #[test]
    fn a_secret_file_does_not_show_where_it_is() {
        let file: SecretFile = "/run/secrets/keys".parse().expect("a path");
        assert_eq!(format!("{file:?}"), REDACTED);
        assert_eq!(file.path(), Path::new("/run/secrets/keys"));
        assert_eq!("".parse::<SecretFile>(), Err(NoFile));
    }
}
