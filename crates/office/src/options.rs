//! What a pool of workers may use.

use std::path::PathBuf;
use std::time::Duration;

use crate::availability::Programs;

/// How many workers there may be, what each may use, and where everything is.
#[derive(Debug, Clone)]
pub struct OfficeOptions {
    /// How many LibreOffice processes there may be at once; at least one is.
    pub workers: usize,
    /// How many jobs may wait for a worker; one more is refused as busy.
    pub queue: usize,
    /// How long a job may run on a worker. Waiting for one does not count.
    pub job_timeout: Duration,
    /// How long a worker may take to start.
    pub start_timeout: Duration,
    /// How much memory the processes of one worker may hold together, in bytes.
    pub memory_limit: u64,
    /// How many jobs a worker does before it is replaced: LibreOffice grows with what it has opened.
    pub jobs_per_worker: u32,
    /// The folder that each worker has its own folder in. It is made when it is missing.
    pub scratch: PathBuf,
    /// The program `soffice`; searched for when not given.
    pub soffice: Option<PathBuf>,
    /// A Python that has the module `uno`; the system's when not given.
    pub python: Option<PathBuf>,
    /// The program `pdftoppm`; searched for when not given.
    pub pdftoppm: Option<PathBuf>,
}

impl OfficeOptions {
    /// Two workers of up to 2 GiB, thirty seconds to start and sixty for a job, eight jobs waiting.
    pub fn new(scratch: impl Into<PathBuf>) -> OfficeOptions {
        OfficeOptions {
            workers: 2,
            queue: 8,
            job_timeout: Duration::from_secs(60),
            start_timeout: Duration::from_secs(30),
            memory_limit: 2 << 30,
            jobs_per_worker: 200,
            scratch: scratch.into(),
            soffice: None,
            python: None,
            pdftoppm: None,
        }
    }

    /// Whether the program of LibreOffice is there; whether it works is not tried.
    pub fn has_soffice(&self) -> bool {
        Programs::soffice(self).is_ok()
    }
}
