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
        code => refused::status(code),
    };
    refused::response(status, error)
}
