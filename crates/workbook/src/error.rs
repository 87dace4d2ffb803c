//! Why a workbook could not be read.

use ooxml::PackageError;

/// Everything that can go wrong while bytes become a workbook. Each message says what the file is and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The bytes are something else than a spreadsheet, or than what the name claims and we can read.
    #[error("this is not a spreadsheet that can be read: {found}; {remedy}")]
    NotASpreadsheet {
        /// What the bytes look like ("a PDF document").
        found: String,
        /// What the caller can do.
        remedy: String,
    },
    /// The workbook is encrypted with a password.
    #[error("the workbook is protected with a password to open; save a copy without one and open that")]
    Encrypted,
    /// A part breaks its format in a way that leaves no right answer.
    #[error(
        "the workbook is damaged: {part}: {problem}; open and re-save it in a spreadsheet program to repair it"
    )]
    Damaged {
        /// The package part, or the stream of a legacy file.
        part: String,
        /// What is wrong, with its position where known.
        problem: String,
    },
    /// The workbook needs more than its budget.
    #[error("the workbook exceeds the limit of {limit} {what}; raise {option} if you trust the file")]
    OverBudget {
        /// What was counted ("cells").
        what: String,
        /// The bound.
        limit: u64,
        /// The configuration option that sets it.
        option: &'static str,
    },
    /// The caller asked to stop.
    #[error("reading was cancelled")]
    Cancelled,
}

impl OpenError {
    /// A list of a part is longer than allowed.
    pub(crate) fn too_many_items(limits: &crate::Limits) -> OpenError {
        OpenError::OverBudget {
            what: "items of one list (merged ranges, rules, names, comments)".to_owned(),
            limit: u64::from(limits.max_list_items),
            option: "SPREADSHEET_MCP_MAX_LIST_ITEMS",
        }
    }
}

impl From<PackageError> for OpenError {
    fn from(error: PackageError) -> OpenError {
        match error {
            PackageError::OverBudget { what, limit, option } => OpenError::OverBudget { what, limit, option },
            PackageError::Zip(problem) => {
                OpenError::Damaged { part: "the zip container".to_owned(), problem }
            }
            PackageError::MissingPart(part) => {
                OpenError::Damaged { part, problem: "the part is missing".to_owned() }
            }
            PackageError::DamagedPart { part, problem } => OpenError::Damaged { part, problem },
            PackageError::Xml { part, position, problem } => {
                OpenError::Damaged { part, problem: format!("broken XML at byte {position}: {problem}") }
            }
            PackageError::EncryptedPart(_) => OpenError::Encrypted,
            thread @ PackageError::Thread(_) => {
                OpenError::Damaged { part: "the package".to_owned(), problem: thread.to_string() }
            }
        }
    }
}
