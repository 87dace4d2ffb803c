//! Refusals at the level of HTTP: a status, the typed error that every failure has, and when to come again.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::error::{ErrorCode, ToolError};

/// A request that was turned away, and `Retry-After` where the error says when to come again.
pub(crate) fn response(status: StatusCode, error: &ToolError) -> Response {
    let mut response = (status, Json(error.to_body())).into_response();
    if let Some(seconds) = error.retry_after_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The status that says of an error what HTTP can.
pub(crate) fn status(code: ErrorCode) -> StatusCode {
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
