//! Whether a trail is what was written.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::chain::Digest;
use crate::error::AuditError;
use crate::segment::{self, Head};
use crate::trail::{HEAD, is_unborn, told_head};

/// What a sound trail holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Records.
    pub records: u64,
    /// The number of the first one that retention left.
    pub first: u64,
    /// The number of the last one.
    pub last: u64,
    /// The digest of the last one: kept elsewhere, it tells this trail from another.
    pub digest: Digest,
    /// When the first and the last record were written.
    pub times: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Whether a last line is not whole: its writer was stopped.
    pub is_torn: bool,
}

/// Checks every record of a trail, and that none is missing between the first and the last.
///
/// # Errors
/// Where it is not what was written, or can't be read.
pub fn verify(folder: &Path) -> Result<Verified, AuditError> {
    let mut found =
        Verified { records: 0, first: 1, last: 0, digest: Digest::START, times: None, is_torn: false };
    let mut head: Option<Head> = None;
    // Before the segments: they may grow meanwhile, and the head with them.
    let told = told_head(folder)?;
    if told.is_none() && is_unborn(folder)? {
        return Ok(found);
    }
    for (first, path) in segment::list(folder)? {
        let mut see = |record: &crate::Record| {
            found.records += 1;
            found.times = Some((found.times.map_or(record.time, |(first, _)| first), record.time));
        };
        let (start, end, whole) = segment::read(&path, &mut see)?;
        if start.first != first {
            return Err(AuditError::broken(&path, 1, "its name is that of another segment"));
        }
        match head {
            Some(head) if head.seq + 1 != start.first || head.digest != start.follows => {
                let problem = format!("it does not follow record {}", head.seq);
                return Err(AuditError::broken(&path, 1, problem));
            }
            // A trail may start in its middle, where retention took the rest away; not with another start.
            None if start.first == 1 && start.follows != Digest::START => {
                return Err(AuditError::broken(&path, 1, "the first record follows something"));
            }
            None => found.first = start.first,
            Some(_) => {}
        }
        found.is_torn = fs::metadata(&path).map_err(AuditError::io(&path))?.len() > whole;
        head = Some(end);
    }
    let path = folder.join(HEAD);
    let told = match told {
        Some(told) => told,
        None => return Err(AuditError::broken(&path, 1, "it is missing")),
    };
    let end = head.unwrap_or(Head { seq: 0, digest: Digest::START });
    // The head is written after the record: the writer may have been stopped between the two.
    if end.seq < told.seq {
        let problem = format!("records {} to {} are missing", end.seq + 1, told.seq);
        return Err(AuditError::broken(&path, 1, problem));
    }
    if end.seq == told.seq && end.digest != told.digest {
        return Err(AuditError::broken(&path, 1, "it is the head of another trail"));
    }
    (found.last, found.digest) = (end.seq, end.digest);
    Ok(found)
}
