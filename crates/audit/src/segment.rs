//! One file of a trail: a line that says what it follows, and a line for each record.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::chain::Digest;
use crate::entry::{Entry, Record};
use crate::error::AuditError;

/// The start of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    pub(crate) version: u32,
    /// The number of the first record.
    pub(crate) first: u64,
    /// The digest of the record before it.
    pub(crate) follows: Digest,
}

pub(crate) const VERSION: u32 = 1;

/// Where a trail has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// The number of the last record; 0 before the first.
    pub(crate) seq: u64,
    pub(crate) digest: Digest,
}

/// What is digested of a record: all but its digest, in the order in which a line has it.
#[derive(Serialize)]
struct Signed<'a> {
    seq: u64,
    time: chrono::DateTime<chrono::Utc>,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// A record that follows another one.
pub(crate) fn record(head: Head, time: chrono::DateTime<chrono::Utc>, entry: Entry) -> Record {
    let seq = head.seq + 1;
    let digest = digest(head.digest, seq, time, &entry);
    Record { seq, time, entry, digest }
}

fn digest(previous: Digest, seq: u64, time: chrono::DateTime<chrono::Utc>, entry: &Entry) -> Digest {
    // Texts and numbers only: writing them as JSON does not fail.
    let line = serde_json::to_vec(&Signed { seq, time, entry }).unwrap_or_default();
    Digest::of(previous, &line)
}

/// The name of the segment that starts with a record.
pub(crate) fn name(first: u64) -> String {
    format!("{first:012}.jsonl")
}

/// The segments of a folder with the numbers of their first records, in order.
pub(crate) fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>, AuditError> {
    let mut segments = Vec::new();
    for found in fs::read_dir(folder).map_err(AuditError::io(folder))? {
        let path = found.map_err(AuditError::io(folder))?.path();
        let first =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".jsonl"));
        if let Some(first) = first.and_then(|digits| digits.parse().ok()) {
            segments.push((first, path));
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Reads a segment and checks its chain. `see` gets each record; gives where the segment starts and where it ends, and how
/// many bytes of it are whole lines.
pub(crate) fn read(path: &Path, see: impl FnMut(&Record)) -> Result<(Start, Head, u64), AuditError> {
    let text = fs::read(path).map_err(AuditError::io(path))?;
    let whole = whole(&text);
    let (start, head) = check(path, &text[..whole], see)?;
    Ok((start, head, whole as u64))
}

/// How many bytes of a segment are whole lines.
pub(crate) fn whole(text: &[u8]) -> usize {
    text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)
}

/// Checks the chain of whole lines of a segment. `see` gets each record; gives where the segment starts and where it ends.
pub(crate) fn check(
    path: &Path,
    text: &[u8],
    mut see: impl FnMut(&Record),
) -> Result<(Start, Head), AuditError> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let start: Start = match lines.next().map(serde_json::from_slice) {
        Some(Ok(start)) => start,
        Some(Err(error)) => return Err(AuditError::broken(path, 1, format!("it is no start: {error}"))),
        None => return Err(AuditError::broken(path, 1, "it is empty")),
    };
    if start.version != VERSION {
        return Err(AuditError::broken(path, 1, format!("version {} is not known", start.version)));
    }
    let mut head = Head { seq: start.first.saturating_sub(1), digest: start.follows };
    for (index, line) in lines.enumerate() {
        let broken = |problem: String| AuditError::broken(path, index + 2, problem);
        let record: Record =
            serde_json::from_slice(line).map_err(|error| broken(format!("it is no record: {error}")))?;
        if record.seq != head.seq + 1 {
            return Err(broken(format!("record {} follows record {}", record.seq, head.seq)));
        }
        if digest(head.digest, record.seq, record.time, &record.entry) != record.digest {
            return Err(broken(format!(
                "record {} is not what was written, or follows another one",
                record.seq
            )));
        }
        // What was added to a line that keeps its meaning.
        let mut written = serde_json::to_vec(&record).unwrap_or_default();
        written.push(b'\n');
        if written != line {
            return Err(broken(format!("record {} is not written as it was", record.seq)));
        }
        head = Head { seq: record.seq, digest: record.digest };
        see(&record);
    }
    Ok((start, head))
}
