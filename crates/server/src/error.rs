//! What a caller is told when a call fails (HONEST): a closed code, what was wrong, where, and what to do next.

use serde::Serialize;

/// The kinds of failure, a closed set: clients and metrics may match on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "`meaning` says it of each")]
pub enum ErrorCode {
    InvalidArgument,
    UnknownArgument,
    UnknownTool,
    WorkbookNotFound,
    OutsideWorkspace,
    SheetNotFound,
    InvalidAddress,
    NotFound,
    InvalidCursor,
    UnsupportedFile,
    DamagedFile,
    EncryptedFile,
    FileChanging,
    FileUnreadable,
    LimitExceeded,
    ResponseTooLarge,
    Timeout,
    Cancelled,
    Busy,
    RateLimited,
    ShortOfMemory,
    ShuttingDown,
    Disabled,
    Unauthorized,
    Forbidden,
    IdentityProviderUnavailable,
    ForkNotFound,
    Conflict,
    EditRefused,
    AlreadyExists,
    SignatureWouldBreak,
    OverwriteNotAllowed,
    TargetChanged,
    StorageFull,
    StateUnavailable,
    WorkspaceUnavailable,
    CalculationFailed,
    LibreofficeUnavailable,
    ContentRefused,
    ScannerUnavailable,
    UrlExpired,
    UrlInvalid,
    Internal,
}

impl ErrorCode {
    /// Every code, in the order of the reference.
    pub const ALL: [ErrorCode; 43] = [
        ErrorCode::InvalidArgument,
        ErrorCode::UnknownArgument,
        ErrorCode::UnknownTool,
        ErrorCode::WorkbookNotFound,
        ErrorCode::OutsideWorkspace,
        ErrorCode::SheetNotFound,
        ErrorCode::InvalidAddress,
        ErrorCode::NotFound,
        ErrorCode::InvalidCursor,
        ErrorCode::UnsupportedFile,
        ErrorCode::DamagedFile,
        ErrorCode::EncryptedFile,
        ErrorCode::FileChanging,
        ErrorCode::FileUnreadable,
        ErrorCode::LimitExceeded,
        ErrorCode::ResponseTooLarge,
        ErrorCode::Timeout,
        ErrorCode::Cancelled,
        ErrorCode::Busy,
        ErrorCode::RateLimited,
        ErrorCode::ShortOfMemory,
        ErrorCode::ShuttingDown,
        ErrorCode::Disabled,
        ErrorCode::Unauthorized,
        ErrorCode::Forbidden,
        ErrorCode::IdentityProviderUnavailable,
        ErrorCode::ForkNotFound,
        ErrorCode::Conflict,
        ErrorCode::EditRefused,
        ErrorCode::AlreadyExists,
        ErrorCode::SignatureWouldBreak,
        ErrorCode::OverwriteNotAllowed,
        ErrorCode::TargetChanged,
        ErrorCode::StorageFull,
        ErrorCode::StateUnavailable,
        ErrorCode::WorkspaceUnavailable,
        ErrorCode::CalculationFailed,
        ErrorCode::LibreofficeUnavailable,
        ErrorCode::ContentRefused,
        ErrorCode::ScannerUnavailable,
        ErrorCode::UrlExpired,
        ErrorCode::UrlInvalid,
        ErrorCode::Internal,
    ];

    /// What it means, for the reference.
    pub fn meaning(self) -> &'static str {
        match self {
            ErrorCode::InvalidArgument => {
                "An argument has the wrong type or value, or a required one is missing"
            }
            ErrorCode::UnknownArgument => "There is no argument of that name",
            ErrorCode::UnknownTool => "There is no tool of that name",
            ErrorCode::WorkbookNotFound => "No workbook of that id or path is in the workspace",
            ErrorCode::OutsideWorkspace => "The path leads out of the workspace",
            ErrorCode::SheetNotFound => "The workbook has no sheet of that name",
            ErrorCode::InvalidAddress => "The address is neither A1 nor a name or table of the workbook",
            ErrorCode::NotFound => "The region, table, name or column does not exist",
            ErrorCode::InvalidCursor => "The cursor is not one that this tool gave for these arguments",
            ErrorCode::UnsupportedFile => "The bytes are not a spreadsheet of a supported format",
            ErrorCode::DamagedFile => "The file is damaged",
            ErrorCode::EncryptedFile => "The file needs a password",
            ErrorCode::FileChanging => "The file is being written, or changed while it was read",
            ErrorCode::FileUnreadable => "The operating system refused to read the file",
            ErrorCode::LimitExceeded => "Reading or answering would cost more than a configured limit",
            ErrorCode::ResponseTooLarge => "The answer would be larger than the configured bound",
            ErrorCode::Timeout => "The call took longer than the configured bound",
            ErrorCode::Cancelled => "The client cancelled the call",
            ErrorCode::Busy => "Too many calls are waiting",
            ErrorCode::RateLimited => "The caller has taken as much as one caller may",
            ErrorCode::ShortOfMemory => "The server holds as much memory as it may",
            ErrorCode::ShuttingDown => "The server is going away",
            ErrorCode::Disabled => "The feature is switched off",
            ErrorCode::Unauthorized => "The request came without a key or token that is valid",
            ErrorCode::Forbidden => "The role of who calls does not include this",
            ErrorCode::IdentityProviderUnavailable => {
                "Tokens cannot be checked: the identity provider does not answer"
            }
            ErrorCode::ForkNotFound => {
                "There is no fork of that id; it may have been discarded or have expired"
            }
            ErrorCode::Conflict => "The fork moved on since the caller looked",
            ErrorCode::EditRefused => "An edit cannot be applied; nothing of its batch was",
            ErrorCode::AlreadyExists => "There is one of that name already",
            ErrorCode::SignatureWouldBreak => {
                "The workbook is digitally signed, and saving drops the signature"
            }
            ErrorCode::OverwriteNotAllowed => "Replacing files of the workspace is switched off",
            ErrorCode::TargetChanged => {
                "The file to be replaced is not what the fork was made from, or not what the caller expects"
            }
            ErrorCode::StorageFull => "The disk is full; nothing was changed",
            ErrorCode::StateUnavailable => {
                "What forks are kept in, a directory or a database, cannot be used now"
            }
            ErrorCode::WorkspaceUnavailable => "The bucket of the workspace does not answer",
            ErrorCode::CalculationFailed => {
                "The engine could not compute or draw the workbook; nothing was changed"
            }
            ErrorCode::LibreofficeUnavailable => "LibreOffice is not installed, or cannot be isolated",
            ErrorCode::ContentRefused => {
                "The upload is not what its name says, or is infected; nothing was kept"
            }
            ErrorCode::ScannerUnavailable => {
                "The program that looks at uploads did not say whether one is clean; nothing was kept"
            }
            ErrorCode::UrlExpired => "The time of the signed URL has passed",
            ErrorCode::UrlInvalid => {
                "The signed URL is not one that this server gave, not for this request, or its key was taken back"
            }
            ErrorCode::Internal => "A defect of the server",
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::InvalidArgument => "invalid_argument",
            ErrorCode::UnknownArgument => "unknown_argument",
            ErrorCode::UnknownTool => "unknown_tool",
            ErrorCode::WorkbookNotFound => "workbook_not_found",
            ErrorCode::OutsideWorkspace => "outside_workspace",
            ErrorCode::SheetNotFound => "sheet_not_found",
            ErrorCode::InvalidAddress => "invalid_address",
            ErrorCode::NotFound => "not_found",
            ErrorCode::InvalidCursor => "invalid_cursor",
            ErrorCode::UnsupportedFile => "unsupported_file",
            ErrorCode::DamagedFile => "damaged_file",
            ErrorCode::EncryptedFile => "encrypted_file",
            ErrorCode::FileChanging => "file_changing",
            ErrorCode::FileUnreadable => "file_unreadable",
            ErrorCode::LimitExceeded => "limit_exceeded",
            ErrorCode::ResponseTooLarge => "response_too_large",
            ErrorCode::Timeout => "timeout",
            ErrorCode::Cancelled => "cancelled",
            ErrorCode::Busy => "busy",
            ErrorCode::RateLimited => "rate_limited",
            ErrorCode::ShortOfMemory => "short_of_memory",
            ErrorCode::ShuttingDown => "shutting_down",
            ErrorCode::Disabled => "disabled",
            ErrorCode::Unauthorized => "unauthorized",
            ErrorCode::Forbidden => "forbidden",
            ErrorCode::IdentityProviderUnavailable => "identity_provider_unavailable",
            ErrorCode::ForkNotFound => "fork_not_found",
            ErrorCode::Conflict => "conflict",
            ErrorCode::EditRefused => "edit_refused",
            ErrorCode::AlreadyExists => "already_exists",
            ErrorCode::SignatureWouldBreak => "signature_would_break",
            ErrorCode::OverwriteNotAllowed => "overwrite_not_allowed",
            ErrorCode::TargetChanged => "target_changed",
            ErrorCode::StorageFull => "storage_full",
            ErrorCode::StateUnavailable => "state_unavailable",
            ErrorCode::WorkspaceUnavailable => "workspace_unavailable",
            ErrorCode::CalculationFailed => "calculation_failed",
            ErrorCode::LibreofficeUnavailable => "libreoffice_unavailable",
            ErrorCode::ContentRefused => "content_refused",
            ErrorCode::ScannerUnavailable => "scanner_unavailable",
            ErrorCode::UrlExpired => "url_expired",
            ErrorCode::UrlInvalid => "url_invalid",
            ErrorCode::Internal => "internal",
        }
    }
}

/// A failed call, as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct ToolError {
    /// The kind of failure.
    pub code: ErrorCode,
    /// What was wrong: a lowercase sentence without a full stop.
    pub message: String,
    /// Where: an argument, a path, an address.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// In how many seconds the same call may go through, where waiting helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// What the caller may have meant, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
}

impl ToolError {
    /// An error that only says what was wrong.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ToolError {
        ToolError {
            code,
            message: message.into(),
            location: None,
            hint: None,
            retry_after_seconds: None,
            candidates: Vec::new(),
        }
    }

    /// Says where: an argument, a path, an address.
    #[must_use]
    pub fn at(mut self, location: impl Into<String>) -> ToolError {
        self.location = Some(location.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> ToolError {
        self.hint = Some(hint.into());
        self
    }

    /// Says in how many seconds the same call may go through.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> ToolError {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Offers what the caller may have meant, best first.
    #[must_use]
    pub fn candidates(mut self, candidates: Vec<String>) -> ToolError {
        self.candidates = candidates;
        self
    }

    /// The call ran out of time.
    pub fn timeout(limit: std::time::Duration) -> ToolError {
        ToolError::new(ErrorCode::Timeout, format!("the call took longer than {} ms", limit.as_millis()))
            .hint("ask for less at once (a smaller range, fewer columns, one sheet), or raise SPREADSHEET_MCP_TOOL_TIMEOUT_MS")
    }

    /// The client withdrew the call.
    pub fn cancelled() -> ToolError {
        ToolError::new(ErrorCode::Cancelled, "the call was cancelled")
    }

    /// The body of the error in an answer: `{"error": {…}}`.
    pub fn to_body(&self) -> serde_json::Value {
        serde_json::json!({ "error": self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_carries_only_what_is_known() {
        let error = ToolError::new(ErrorCode::SheetNotFound, "no sheet \"Sals\"")
            .at("address")
            .candidates(vec!["Sales".to_owned()]);
        assert_eq!(
            error.to_body().to_string(),
            r#"{"error":{"code":"sheet_not_found","message":"no sheet \"Sals\"","where":"address","candidates":["Sales"]}}"#
        );
    }

    #[test]
    fn the_names_in_text_and_json_agree() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::json!(code), serde_json::json!(code.as_str()));
        }
    }
}
