//! Errors of transfers as HTTP says them: the status, and the same body that tools give.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::Response,
};

use crate::{
    error::{ErrorCode, ToolError},
    refused,
};

/// An error, as HTTP says it to a request with these headers.
pub(super) fn response(error: &ToolError, headers: &HeaderMap) -> Response {
    let is_conditional =
        [header::IF_MATCH, header::IF_NONE_MATCH].iter().any(|name| headers.contains_key(name));
    let status = match error.code {
        // What is to be replaced or deleted is named (RFC 6585 §3).
        ErrorCode::AlreadyExists | ErrorCode::TargetChanged if !is_conditional => {
            StatusCode::PRECONDITION_REQUIRED
        }
        code => status(code),
    };
    refused::response(status, error)
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidArgument
        | ErrorCode::UnknownArgument
        | ErrorCode::UnknownTool
        | ErrorCode::InvalidAddress
        | ErrorCode::InvalidCursor
        | ErrorCode::Cancelled => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden
        | ErrorCode::Disabled
        | ErrorCode::OverwriteNotAllowed
        | ErrorCode::UrlInvalid => StatusCode::FORBIDDEN,
        // What is out of sight is not there.
        ErrorCode::WorkbookNotFound
        | ErrorCode::OutsideWorkspace
        | ErrorCode::SheetNotFound
        | ErrorCode::NotFound
        | ErrorCode::ForkNotFound => StatusCode::NOT_FOUND,
        ErrorCode::Timeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::Conflict | ErrorCode::FileChanging => StatusCode::CONFLICT,
        ErrorCode::UrlExpired => StatusCode::GONE,
        ErrorCode::AlreadyExists | ErrorCode::TargetChanged => StatusCode::PRECONDITION_FAILED,
        ErrorCode::LimitExceeded | ErrorCode::ResponseTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::UnsupportedFile
        | ErrorCode::DamagedFile
        | ErrorCode::EncryptedFile
        | ErrorCode::ContentRefused
        | ErrorCode::EditRefused
        | ErrorCode::SignatureWouldBreak
        | ErrorCode::CalculationFailed => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Busy
        | ErrorCode::ShortOfMemory
        | ErrorCode::ShuttingDown
        | ErrorCode::StateUnavailable
        | ErrorCode::WorkspaceUnavailable
        | ErrorCode::IdentityProviderUnavailable
        | ErrorCode::LibreofficeUnavailable
        | ErrorCode::ScannerUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::FileUnreadable | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
