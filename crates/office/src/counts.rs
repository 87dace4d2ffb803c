//! What the workers have done so far.

use std::collections::BTreeMap;

/// Counts since the pool was made, and what it does now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfficeCounts {
    /// Jobs that were asked for, whatever became of them.
    pub jobs: u64,
    /// Jobs that failed, by [`OfficeError::kind`](crate::OfficeError::kind).
    pub failures: BTreeMap<&'static str, u64>,
    /// Jobs that were given to a second worker because the first one died.
    pub retries: u64,
    /// Workers that were started.
    pub starts: u64,
    /// Workers that were ended: for a failure, or because they had done their share.
    pub replaced: u64,
    /// Workers that have a job now.
    pub busy: usize,
    /// Workers that are warm and have none.
    pub idle: usize,
    /// Jobs that wait for a worker now.
    pub waiting: usize,
}
