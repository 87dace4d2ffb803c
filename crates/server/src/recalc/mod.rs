//! Results of formulas: which engine, warm ones, and where evaluations run that cannot be stopped from within.

mod compute;
mod fetched;
mod libreoffice;
mod process;
mod warm;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use office::{Office, OfficeOptions};
use recalc::Moment;

use crate::config::RecalcConfig;

pub use process::{SUBCOMMAND, evaluate_stdin};

pub(crate) use compute::{Computation, EngineParam, Loaded, Scope, engine_error, file_of};
pub(crate) use libreoffice::office_error;

use process::Process;
use warm::WarmEngines;

/// What calls share of the engines.
pub struct RecalcState {
    warm: WarmEngines,
    process: Option<Process>,
    office: Office,
    most_office_memory: u64,
    scratch: PathBuf,
}

impl RecalcState {
    /// Nothing is loaded yet.
    pub fn new(config: &RecalcConfig, job_timeout: Duration) -> RecalcState {
        let process = config.program.clone().map(|program| Process { program });
        let scratch = std::env::temp_dir().join("spreadsheet-mcp-libreoffice");
        let options = OfficeOptions {
            workers: config.max_concurrent_recalcs,
            queue: config.recalc_queue,
            job_timeout,
            memory_limit: config.libreoffice_memory,
            jobs_per_worker: config.libreoffice_jobs,
            soffice: config.soffice.clone(),
            ..OfficeOptions::new(scratch.clone())
        };
        let warm = WarmEngines::new(config.warm_engines);
        let at_once = if options.has_soffice() { config.max_concurrent_recalcs.max(1) as u64 } else { 0 };
        let most_office_memory = at_once.saturating_mul(config.libreoffice_memory);
        RecalcState { warm, process, office: Office::new(options), most_office_memory, scratch }
    }

    /// The pool of LibreOffice; nothing is started until it is needed.
    pub fn office(&self) -> &Office {
        &self.office
    }

    /// Bytes of memory that all LibreOffices may take together; none where its program is not.
    pub(crate) fn most_office_memory(&self) -> u64 {
        self.most_office_memory
    }

    /// Where LibreOffice has what it works with.
    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Lets go of engines that are kept for later, and says how many those were.
    pub(crate) fn evict(&self) -> usize {
        self.warm.evict()
    }
}

impl fmt::Debug for RecalcState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecalcState").finish_non_exhaustive()
    }
}

/// What volatile functions see now.
pub(crate) fn moment() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let local = chrono::Local::now().naive_local().and_utc().timestamp_millis();
    Moment { local_millis: local, seed: since.as_nanos() as u64 }
}
