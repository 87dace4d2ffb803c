//! Why a trail can't be written or believed.

use std::io;
use std::path::{Path, PathBuf};

/// Why a trail can't be written or believed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The system refuses a file.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The trail is not what was written.
    #[error("{} line {line}: {problem}", path.display())]
    Broken {
        /// The segment.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// Another program writes the trail.
    #[error("{}: another server writes this trail", .0.display())]
    Locked(PathBuf),
}

impl AuditError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> AuditError + '_ {
        |error| AuditError::Io { path: path.to_owned(), error }
    }

    pub(crate) fn broken(path: &Path, line: usize, problem: impl Into<String>) -> AuditError {
        AuditError::Broken { path: path.to_owned(), line, problem: problem.into() }
    }
}
