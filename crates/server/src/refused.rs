//! Refusals at the level of HTTP: a status, the typed error that every failure has, and when to come again.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::error::ToolError;

/// A request that was turned away, and `Retry-After` where the error says when to come again.
pub(crate) fn response(status: StatusCode, error: &ToolError) -> Response {
    let mut response = (status, Json(error.to_body())).into_response();
    if let Some(seconds) = error.retry_after_seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
