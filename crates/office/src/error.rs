//! What can go wrong between a document and its answer.

use std::io;
use std::time::Duration;

/// Why a job has no answer. None of them says anything of what is in the document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfficeError {
    /// A program that is needed is not installed, or not where the options say.
    #[error("{what} is missing: {remedy}")]
    Missing {
        /// Which program or module.
        what: String,
        /// What to do about it.
        remedy: String,
    },
    /// All workers have work, and as many jobs wait as may.
    #[error("LibreOffice is busy: {waiting} jobs are waiting already, try again in a moment")]
    Busy {
        /// How many jobs wait.
        waiting: usize,
    },
    /// The job ran longer than it may, and was ended with its worker.
    #[error("LibreOffice has no answer after {} s: it may be too large for it, or send it in circles", limit.as_secs_f32())]
    Timeout {
        /// How long a job may run.
        limit: Duration,
    },
    /// The job's worker held more memory than it may, and was ended.
    #[error("LibreOffice needs more than {} MiB of memory for this document", limit >> 20)]
    OutOfMemory {
        /// How much a worker may hold, in bytes.
        limit: u64,
    },
    /// LibreOffice ended while it worked on this job, on a fresh worker as well.
    #[error("LibreOffice crashed on this document, twice")]
    Crashed,
    /// LibreOffice could not be started.
    #[error("LibreOffice does not start: {detail}")]
    DoesNotStart {
        /// What is known of the reason.
        detail: String,
    },
    /// A worker could not be cut off from the network, so it was not started.
    #[error(
        "a LibreOffice worker cannot be isolated ({detail}): a Linux kernel with seccomp filters is needed, and a \
         container profile that allows a process to install one"
    )]
    Unprotected {
        /// Which protection failed, and how.
        detail: String,
    },
    /// LibreOffice does not open the document as a spreadsheet.
    #[error(
        "LibreOffice does not open this as a spreadsheet: it may be damaged, encrypted, or of another kind"
    )]
    Unloadable,
    /// The caller told the job to stop.
    #[error("the job was cancelled")]
    Cancelled,
    /// The picture would be larger than the request allows; nothing was drawn.
    #[error(
        "the picture would have {width_px} x {height_px} pixels: ask for fewer rows or columns, or a lower resolution"
    )]
    PictureTooLarge {
        /// How wide it would be.
        width_px: u64,
        /// How high it would be.
        height_px: u64,
    },
    /// All rows or all columns of the range are hidden.
    #[error("every row or every column of the range is hidden: ask for a range with visible cells")]
    NothingVisible,
    /// The document has no sheet of the name that was asked for.
    #[error("LibreOffice finds no sheet of that name in the document")]
    NoSuchSheet,
    /// The request makes no sense to any document.
    #[error("the request is not valid: {what}")]
    InvalidRequest {
        /// What is wrong with it.
        what: &'static str,
    },
    /// LibreOffice refused a step of the job.
    #[error("LibreOffice failed on this document: {detail}")]
    Failed {
        /// The kind of the failure and the step.
        detail: String,
    },
    /// A file or a process of a worker could not be handled.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl OfficeError {
    /// Every kind there is.
    pub const KINDS: [&'static str; 15] = [
        "missing",
        "busy",
        "timeout",
        "out_of_memory",
        "crashed",
        "does_not_start",
        "unprotected",
        "unloadable",
        "cancelled",
        "picture_too_large",
        "nothing_visible",
        "no_such_sheet",
        "invalid_request",
        "failed",
        "io",
    ];

    /// A name for the kind of the error, one of [`KINDS`](OfficeError::KINDS): a label for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            OfficeError::Missing { .. } => "missing",
            OfficeError::Busy { .. } => "busy",
            OfficeError::Timeout { .. } => "timeout",
            OfficeError::OutOfMemory { .. } => "out_of_memory",
            OfficeError::Crashed => "crashed",
            OfficeError::DoesNotStart { .. } => "does_not_start",
            OfficeError::Unprotected { .. } => "unprotected",
            OfficeError::Unloadable => "unloadable",
            OfficeError::Cancelled => "cancelled",
            OfficeError::PictureTooLarge { .. } => "picture_too_large",
            OfficeError::NothingVisible => "nothing_visible",
            OfficeError::NoSuchSheet => "no_such_sheet",
            OfficeError::InvalidRequest { .. } => "invalid_request",
            OfficeError::Failed { .. } => "failed",
            OfficeError::Io { .. } => "io",
        }
    }

    /// Whether the worker that gave it is still as good as before.
    pub(crate) fn leaves_worker_sound(&self) -> bool {
        matches!(
            self,
            OfficeError::Unloadable
                | OfficeError::PictureTooLarge { .. }
                | OfficeError::NothingVisible
                | OfficeError::NoSuchSheet
                | OfficeError::InvalidRequest { .. }
        )
    }

    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> OfficeError {
        move |source| OfficeError::Io { what, source }
    }
}
