//! Pictures as objects, beside the blobs.

use std::time::{Duration, SystemTime};

use objects::{Bucket, Object, ObjectError, Precondition};

use crate::{buckets::bucket_error, error::ToolError};

/// The folder of pictures.
const FOLDER: &str = "screenshots";
/// Objects of a page.
const PAGE: usize = 1_000;

/// Pictures in a bucket.
#[derive(Debug)]
pub(super) struct PictureBucket {
    bucket: Bucket,
    max_bytes: u64,
}

impl PictureBucket {
    pub(super) fn new(bucket: Bucket, max_bytes: u64) -> PictureBucket {
        PictureBucket { bucket, max_bytes }
    }

    /// Keeps a picture; one of the same name is the same one, and is young again.
    pub(super) fn keep(&self, name: &str, png: &[u8]) -> Result<(), ToolError> {
        let key = format!("{FOLDER}/{name}");
        self.bucket.put(&key, png.to_vec().into(), &Precondition::None).map_err(bucket_error)?;
        Ok(())
    }

    /// The bytes of a picture, if there is one.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ToolError> {
        match self.bucket.get(&format!("{FOLDER}/{name}")) {
            Ok(received) => Ok(Some(received.bytes.into())),
            Err(ObjectError::NotFound { .. }) => Ok(None),
            Err(error) => Err(bucket_error(error)),
        }
    }

    /// Drops what is too old, and the oldest of what is too much. What can't be done now is done the next time.
    pub(super) fn clean(&self, age: Duration) -> u64 {
        self.clean_all(age).unwrap_or_else(|error| {
            tracing::warn!(%error, "old pictures can't be dropped");
            0
        })
    }

    fn clean_all(&self, age: Duration) -> Result<u64, ObjectError> {
        let now = SystemTime::now();
        let is_old = |picture: &Object| now.duration_since(picture.modified).is_ok_and(|since| since >= age);
        let mut goes: Vec<Object> = Vec::new();
        let mut young: Vec<Object> = Vec::new();
        let mut page = self.bucket.list(FOLDER, None, PAGE)?;
        while let Some(last) = page.last().map(|picture| picture.key.clone()) {
            let (old, newer): (Vec<Object>, Vec<Object>) = page.into_iter().partition(is_old);
            goes.extend(old);
            young.extend(newer);
            page = self.bucket.list(FOLDER, Some(&last), PAGE)?;
        }
        young.sort_unstable_by_key(|picture| std::cmp::Reverse(picture.modified));
        let mut held = 0_u64;
        goes.extend(young.into_iter().filter(|picture| {
            held = held.saturating_add(picture.size);
            held > self.max_bytes
        }));
        for picture in &goes {
            self.bucket.delete(&picture.key)?;
        }
        Ok(goes.len() as u64)
    }
}
