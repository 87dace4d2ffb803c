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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_file_does_not_show_where_it_is() {
        let file: SecretFile = "/run/secrets/keys".parse().expect("a path");
        assert_eq!(format!("{file:?}"), REDACTED);
        assert_eq!(file.path(), Path::new("/run/secrets/keys"));
        assert_eq!("".parse::<SecretFile>(), Err(NoFile));
    }
}
