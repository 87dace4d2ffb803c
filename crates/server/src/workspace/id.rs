//! Stable, short names for workbooks.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

/// The short id of a workbook: `wb-` and eight hexadecimal digits of the hash of its path. Stable between starts and
/// replicas; two paths may share one, which resolving reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WorkbookId(u32);

impl WorkbookId {
    /// The id of a path within the workspace.
    pub fn of(path: &str) -> WorkbookId {
        let digest = Sha256::digest(path.as_bytes());
        WorkbookId(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]))
    }
}

impl fmt::Display for WorkbookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wb-{:08x}", self.0)
    }
}

/// The text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a workbook id: expected wb- and eight hexadecimal digits")]
pub struct NotAnId;

impl FromStr for WorkbookId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<WorkbookId, NotAnId> {
        let digits = text.strip_prefix("wb-").ok_or(NotAnId)?;
        let plain = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !plain {
            return Err(NotAnId);
        }
        u32::from_str_radix(digits, 16).map(WorkbookId).map_err(|_| NotAnId)
    }
}
