//! Where objects are.

use std::{fmt, str::FromStr};

use object_store::ObjectStoreScheme;

/// A bucket, or what is below a prefix of it: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUrl {
    pub(crate) url: url::Url,
    pub(crate) prefix: object_store::path::Path,
}

/// The text is no URL of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidUrl(String);

impl BucketUrl {
    /// Whether a text is meant as a URL of a bucket, rather than as a path.
    pub fn is_meant(text: &str) -> bool {
        ["s3://", "gs://", "az://"].iter().any(|scheme| text.starts_with(scheme))
    }

    /// The name of the bucket, or of the container.
    pub(crate) fn bucket(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl FromStr for BucketUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<BucketUrl, InvalidUrl> {
        let expected = "expected s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX";
        let url = url::Url::parse(text).map_err(|error| InvalidUrl(format!("{error}; {expected}")))?;
        if !matches!(url.scheme(), "s3" | "gs" | "az") || url.host_str().is_none() {
            return Err(InvalidUrl(expected.to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let told = "a URL of a bucket has no credentials; they come from the environment or from files";
            return Err(InvalidUrl(told.to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidUrl(format!("a URL of a bucket has no ? and no #; {expected}")));
        }
        let (_, prefix) =
            ObjectStoreScheme::parse(&url).map_err(|error| InvalidUrl(format!("{error}; {expected}")))?;
        Ok(BucketUrl { url, prefix })
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}
