//! Where workbooks are.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use objects::{BucketUrl, InvalidUrl};

/// A folder, or what is below a prefix of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `DIR`.
    Folder(PathBuf),
    /// `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`.
    Bucket(BucketUrl),
}

impl Location {
    /// Reads what an option says.
    ///
    /// # Errors
    /// When it is meant as a URL, and is none of a bucket.
    pub(crate) fn parse(text: OsString) -> Result<Location, InvalidUrl> {
        match text.to_str() {
            Some(url) if BucketUrl::is_meant(url) => url.parse().map(Location::Bucket),
            _ => Ok(Location::Folder(PathBuf::from(text))),
        }
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Location::Folder(folder) => Some(folder),
            Location::Bucket(_) => None,
        }
    }

    /// The location as the system knows it: whatever a folder is called, it has one name.
    #[must_use]
    pub fn canonical(&self) -> Location {
        match self {
            Location::Folder(folder) => {
                Location::Folder(folder.canonicalize().unwrap_or_else(|_| folder.clone()))
            }
            Location::Bucket(url) => Location::Bucket(url.clone()),
        }
    }

    /// What a reference names within the location; one that does not begin with it is left as it is.
    pub(crate) fn strip<'a>(&self, reference: &'a str) -> &'a Path {
        let given = Path::new(reference);
        match self {
            Location::Folder(folder) => given.strip_prefix(folder).unwrap_or(given),
            Location::Bucket(url) => {
                let below = reference.strip_prefix(&url.to_string());
                below.and_then(|below| below.strip_prefix('/')).map_or(given, Path::new)
            }
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Folder(folder) => folder.display().fmt(f),
            Location::Bucket(url) => url.fmt(f),
        }
    }
}

impl From<PathBuf> for Location {
    fn from(folder: PathBuf) -> Location {
        Location::Folder(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_told_from_folders() {
        let parse = |text: &str| Location::parse(text.into());
        assert_eq!(parse("a/b").expect("a folder"), Location::Folder("a/b".into()));
        assert_eq!(parse("s3:/x").expect("a folder"), Location::Folder("s3:/x".into()));
        let bucket = parse("s3://books/finance/").expect("a bucket");
        assert_eq!(bucket.to_string(), "s3://books/finance");
        for (reference, inside) in [
            ("s3://books/finance/a/b.xlsx", "a/b.xlsx"),
            ("a/b.xlsx", "a/b.xlsx"),
            ("s3://books/finances/b.xlsx", "s3://books/finances/b.xlsx"),
        ] {
            assert_eq!(bucket.strip(reference), Path::new(inside));
        }
        assert!(parse("s3://").is_err() && parse("s3://key:secret@books").is_err());
    }
}
