//! Why a package could not be read.

/// Everything that can go wrong between bytes and a part's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// The zip's own structure is broken or cut off.
    #[error(
        "the zip container is damaged or cut off: {0}; fetch the file again, or save it anew from its program"
    )]
    Zip(String),
    /// A part that the package needs is not there.
    #[error("the part {0} is missing")]
    MissingPart(String),
    /// A part's compressed bytes are damaged.
    #[error("the part {part} is damaged: {problem}")]
    DamagedPart {
        /// Its name.
        part: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A part's XML is not well formed, or uses what no spreadsheet needs (entities of its own, deep nesting).
    #[error("the part {part} has broken XML at byte {position}: {problem}")]
    Xml {
        /// Its name.
        part: String,
        /// How far reading came.
        position: u64,
        /// What is wrong.
        problem: String,
    },
    /// An entry is encrypted by the zip itself.
    #[error("the part {0} is encrypted within the zip")]
    EncryptedPart(String),
    /// The system gives no thread to inflate on.
    #[error("no thread to read the part on: {0}; try again when the machine is less busy")]
    Thread(String),
    /// The package costs more than its budget.
    #[error("{what} exceeds the limit of {limit}; if the file is trusted, raise {option}")]
    OverBudget {
        /// What was measured.
        what: String,
        /// The bound.
        limit: u64,
        /// The configuration option that sets it.
        option: &'static str,
    },
}

/// What is wrong with a part, found while another is written from it.
impl From<PackageError> for std::io::Error {
    fn from(error: PackageError) -> std::io::Error {
        std::io::Error::new(std::io::ErrorKind::InvalidData, error)
    }
}
