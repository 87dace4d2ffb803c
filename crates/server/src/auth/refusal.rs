//! The answer to somebody who is not let in.

use std::path::Path;

use access::Denied;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::error::{ErrorCode, ToolError};

/// What somebody who is not let in is told (RFC 6750 §3, and a typed error like every other).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    challenge: &'static str,
    error: ToolError,
}

impl Refusal {
    /// Why, and what to do. Where keys are is told only while there are none: who starts a server has to find out.
    pub(super) fn new(denied: &Denied, has_keys: bool, keys: &Path) -> Refusal {
        let challenge = match denied {
            Denied::Missing => "Bearer realm=\"spreadsheet-mcp\"",
            Denied::Malformed => "Bearer realm=\"spreadsheet-mcp\", error=\"invalid_request\"",
            _ => "Bearer realm=\"spreadsheet-mcp\", error=\"invalid_token\"",
        };
        let hint = match has_keys {
            true => {
                "send a key as the header Authorization: Bearer KEY; whoever runs the server makes one with \
                     `spreadsheet-mcp keys create`"
                    .to_owned()
            }
            false => format!(
                "nobody has a key yet: whoever runs the server makes one with `spreadsheet-mcp keys create NAME --role editor \
                 --keys-file {}`, and clients send it as the header Authorization: Bearer KEY",
                keys.display()
            ),
        };
        let error = ToolError::new(ErrorCode::Unauthorized, denied.to_string()).hint(hint);
        Refusal { challenge, error }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let challenge = HeaderValue::from_static(self.challenge);
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], Json(self.error.to_body()))
            .into_response()
    }
}
