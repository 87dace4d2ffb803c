//! Whether a bucket writes under conditions. One that does not know them, or takes no notice of them, would lose what somebody
//! else wrote.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use objects::{Bucket, ObjectError, Precondition, Version};

use super::failed;
use crate::{
    error::{ErrorCode, ToolError},
    forks::new_id,
};

/// What the keys of objects that are tried with begin with.
const TRIAL: &str = ".spreadsheet-mcp-trial-";

/// What was found out about a bucket.
#[derive(Debug, Default)]
pub(super) struct Conditions(Mutex<Option<Heeded>>);

/// Which conditions it heeds.
#[derive(Debug, Clone, Copy)]
struct Heeded {
    absent: bool,
    unchanged: bool,
}

impl Conditions {
    /// Whether writes under a condition like this one can be trusted. It is tried out before the first write of a server.
    pub(super) fn check(&self, bucket: &Bucket, when: &Precondition) -> Result<(), ToolError> {
        let heeded = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match *known {
                Some(heeded) => heeded,
                None => *known.insert(tried(bucket).map_err(|error| failed(&error))?),
            }
        };
        let (is_heeded, header) = match when {
            Precondition::Absent => (heeded.absent, "If-None-Match"),
            // What has no name cannot be told from something else.
            Precondition::Unchanged(version) => {
                (heeded.unchanged && *version != Version::default(), "If-Match")
            }
            Precondition::None => return Ok(()),
        };
        if is_heeded {
            return Ok(());
        }
        Err(ToolError::new(
            ErrorCode::FileUnreadable,
            format!("{} does not write under conditions ({header})", bucket.url()),
        )
        .at("path")
        .hint("nothing was written, since it might be over what somebody else wrote; use a store that heeds them"))
    }
}

fn tried(bucket: &Bucket) -> Result<Heeded, ObjectError> {
    let key = new_id(TRIAL);
    let tried = try_out(bucket, &key);
    bucket.delete(&key)?;
    tried
}

fn try_out(bucket: &Bucket, key: &str) -> Result<Heeded, ObjectError> {
    let is_refused = |when: &Precondition| match bucket.put(key, Bytes::from_static(b"trial"), when) {
        Ok(_) => Ok(false),
        Err(ObjectError::Changed { .. }) => Ok(true),
        Err(ObjectError::Unsupported { .. }) => Ok(false),
        Err(error) => Err(error),
    };
    bucket.put(key, Bytes::new(), &Precondition::None)?;
    let absent = is_refused(&Precondition::Absent)?;
    // What no content has. Google counts versions from the time.
    let etag = format!("\"{}\"", "0".repeat(32));
    let other = Version { etag: Some(etag), version: Some("1".to_owned()) };
    let unchanged = is_refused(&Precondition::Unchanged(other))?;
    Ok(Heeded { absent, unchanged })
}
