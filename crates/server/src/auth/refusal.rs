//! The answer to somebody who is not let in.

use std::path::Path;

use access::Denied;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::tokens::Challenge;
use crate::error::{ErrorCode, ToolError};

/// After how many seconds it is worth asking again whether tokens can be checked.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// What somebody who is not let in is told (RFC 6750 §3, RFC 9728 §5.1, and a typed error like every other).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    challenge: String,
    error: ToolError,
}

/// What may be sent to be let in.
#[derive(Debug)]
pub(super) struct Remedy<'a> {
    /// Whether there are keys.
    pub(super) has_keys: bool,
    /// Where they are: told only while nobody can get in, whoever starts a server has to find out.
    pub(super) keys: Option<&'a Path>,
    /// The provider whose tokens are taken, if any are.
    pub(super) issuer: Option<&'a str>,
}

impl Refusal {
    /// Why, and what to do.
    pub(super) fn new(denied: &Denied, remedy: &Remedy<'_>, challenge: Option<Challenge>) -> Refusal {
        let (status, code, error) = match denied {
            Denied::Missing => (StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, None),
            Denied::Malformed => (StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, Some("invalid_request")),
            Denied::InsufficientScope { .. } => {
                (StatusCode::FORBIDDEN, ErrorCode::Forbidden, Some("insufficient_scope"))
            }
            Denied::ProviderUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::IdentityProviderUnavailable, None)
            }
            _ => (StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, Some("invalid_token")),
        };
        let message = denied.to_string();
        let mut parts = vec!["realm=\"spreadsheet-mcp\"".to_owned()];
        if let Some(error) = error {
            parts.push(format!("error=\"{error}\""));
            // Quotes would end it.
            parts.push(format!("error_description=\"{}\"", message.replace(['"', '\\'], "'")));
        }
        if let Some(challenge) = challenge {
            parts.extend(challenge.metadata.map(|url| format!("resource_metadata=\"{url}\"")));
            let mut scope = challenge.scope;
            if let Denied::InsufficientScope { scope: missing, .. } = denied
                && !scope.split(' ').any(|word| word == missing)
            {
                scope.push_str(&format!(" {missing}"));
            }
            parts.push(format!("scope=\"{scope}\""));
        }
        let error = ToolError::new(code, message).hint(remedy.of(denied));
        Refusal { status, challenge: format!("Bearer {}", parts.join(", ")), error }
    }

    /// Why, and what to do.
    pub(crate) fn error(&self) -> &ToolError {
        &self.error
    }
}

impl Remedy<'_> {
    fn of(&self, denied: &Denied) -> String {
        match (denied, self.issuer, self.has_keys) {
            (Denied::ProviderUnavailable, ..) => {
                "repeat the request in a while; whoever runs the server finds the cause in its log".to_owned()
            }
            (Denied::InsufficientScope { scope, .. }, ..) => format!(
                "ask the identity provider for a token with the scope {scope}, or whoever runs it for a role: viewer, analyst, \
                 editor or admin"
            ),
            (_, Some(issuer), has_keys) => format!(
                "send a token of {issuer} for this server as the header Authorization: Bearer TOKEN; \
                 WWW-Authenticate says where to learn how to get one{}",
                if has_keys { ". An API key is taken, too" } else { "" }
            ),
            (_, None, true) => {
                "send a key as the header Authorization: Bearer KEY; whoever runs the server makes one with \
                     `spreadsheet-mcp keys create`"
                    .to_owned()
            }
            (_, None, false) => match self.keys {
                Some(path) => format!(
                    "nobody has a key yet: whoever runs the server makes one with `spreadsheet-mcp keys create NAME --role \
                     editor --keys-file {}`, and clients send it as the header Authorization: Bearer KEY",
                    path.display()
                ),
                None => "nobody has a key yet: whoever runs the server makes one with `spreadsheet-mcp keys create NAME --role \
                     editor --keys-file FILE` and puts the file into Vault, and clients send it as the header Authorization: \
                     Bearer KEY"
                    .to_owned(),
            },
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let challenge = HeaderValue::from_str(&self.challenge)
            .unwrap_or(HeaderValue::from_static("Bearer realm=\"spreadsheet-mcp\""));
        let body = Json(self.error.to_body());
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                (self.status, [(header::RETRY_AFTER, RETRY_AFTER)], body).into_response()
            }
            status => (status, [(header::WWW_AUTHENTICATE, challenge)], body).into_response(),
        }
    }
}
