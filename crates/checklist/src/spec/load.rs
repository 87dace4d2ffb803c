//! Reading a specification.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Spec, validate};
use crate::{digest::Digest, document::Document};

/// Why a specification cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// A file of it cannot be read.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what a specification looks like.
    #[error("{} is no checklist: {what}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
    /// It contradicts itself or its document.
    #[error("{} is wrong:\n  {}", path.display(), problems.join("\n  "))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Everything that is wrong.
        problems: Vec<String>,
    },
}

/// A specification that makes sense, with its document.
#[derive(Debug)]
pub struct Loaded {
    /// The specification.
    pub spec: Spec,
    /// The document that its boxes are from.
    pub document: Option<Document>,
    /// The digest of the file and of its document: what a verdict is bound to.
    pub digest: Digest,
    /// The file.
    pub path: PathBuf,
}

impl Loaded {
    /// Reads a specification, and its document.
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn read(path: &Path) -> Result<Loaded, SpecError> {
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|source| SpecError::Unreadable { path: path.to_owned(), source })
        };
        let text = read(path)?;
        let spec: Spec = serde_saphyr::from_str(&text)
            .map_err(|error| SpecError::Malformed { path: path.to_owned(), what: error.to_string() })?;
        let mut digests = vec![Digest::of(text.as_bytes())];
        let document = match &spec.document {
            Some(name) => {
                let text = read(&path.parent().unwrap_or(Path::new("")).join(name))?;
                digests.push(Digest::of(text.as_bytes()));
                Some(Document::parse(text))
            }
            None => None,
        };
        let problems = validate::problems(&spec, document.as_ref());
        if problems.is_empty() {
            Ok(Loaded { spec, document, digest: Digest::of_value(&digests), path: path.to_owned() })
        } else {
            Err(SpecError::Invalid { path: path.to_owned(), problems })
        }
    }
}
