//! Signing by a browser: what is to be signed, and the signature.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use checklist::{
    ledger::{Ledger, SignOff, Signed},
    signing::{self, SigningError},
};
use chrono::Utc;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{of_ledger, on_disk, place, unknown};
use crate::{
    Server,
    error::{ErrorCode, ToolError},
    metrics::labels::Rejection,
};

/// Bytes of a body at most: names and digests, and no more.
const LARGEST: usize = 16 << 10;

/// Who is about to sign.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signer {
    person: String,
    role: String,
    /// Of which environment the run is; the last run of any without it.
    #[serde(default)]
    environment: Option<String>,
}

/// What is to be signed, and byte by byte.
#[derive(Debug, Serialize)]
struct ToSign {
    message: String,
    signed: Signed,
}

/// Says what somebody signs.
pub(super) async fn to_sign(server: &Arc<Server>, request: Request) -> Result<Response, ToolError> {
    let place = place(server)?;
    let signer: Signer = body(server, request).await?;
    let to_sign = on_disk(move || {
        let now = Utc::now();
        let ledger = Ledger::read(&place.ledger).map_err(|error| of_ledger(&error))?;
        let known = place.known(&ledger, None, signer.environment.as_deref(), now);
        let known = known.map_err(|error| unknown(&error))?;
        let signed =
            signing::to_sign(&known, &signer.person, &signer.role, now).map_err(|error| told(&error))?;
        Ok(ToSign { message: signed.message(), signed })
    });
    Ok(Json(to_sign.await?).into_response())
}

/// Takes a signature into the ledger.
pub(super) async fn sign(server: &Arc<Server>, request: Request) -> Result<Response, ToolError> {
    let place = place(server)?;
    let sign_off: SignOff = body(server, request).await?;
    let added = on_disk(move || {
        let now = Utc::now();
        let mut ledger = Ledger::open(&place.ledger).map_err(|error| of_ledger(&error))?;
        let environment = sign_off.signed.subject.environment.clone();
        let known = place.known(&ledger, None, Some(&environment), now).map_err(|error| unknown(&error))?;
        let Signed { person, role, record, .. } = sign_off.signed.clone();
        let head = signing::add(&mut ledger, &known, sign_off, now).map_err(|error| told(&error))?;
        Ok(json!({ "person": person, "role": role, "record": record, "head": head.to_string() }))
    });
    Ok(Json(added.await?).into_response())
}

/// What a request says, as JSON.
async fn body<T: DeserializeOwned>(server: &Server, request: Request) -> Result<T, ToolError> {
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        // Forms of other pages can't send it without being asked for permission.
        return Err(ToolError::new(ErrorCode::InvalidArgument, "the body is not said to be JSON")
            .hint("send it as Content-Type: application/json"));
    }
    let bytes = whole(body).await.inspect_err(|error| {
        if error.code == ErrorCode::LimitExceeded {
            server.context.metrics.calls.rejected(Rejection::RequestTooLarge);
        }
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        ToolError::new(ErrorCode::InvalidArgument, format!("the body is not what it has to be: {error}"))
            .hint("send what the script of the page sends")
    })
}

async fn whole(body: Body) -> Result<axum::body::Bytes, ToolError> {
    to_bytes(body, LARGEST).await.map_err(|_| {
        ToolError::new(
            ErrorCode::LimitExceeded,
            format!("the body has more than {LARGEST} bytes, or did not come"),
        )
        .hint("send what the script of the page sends")
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    sent.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Why a signature is not taken, and what to do.
fn told(error: &SigningError) -> ToolError {
    let (code, hint) = match error {
        SigningError::Ledger(error) => return of_ledger(error),
        SigningError::UnknownRole { .. } | SigningError::DoesNotSign { .. } => {
            (ErrorCode::InvalidArgument, "choose the role for which you sign")
        }
        SigningError::Unnamed => (ErrorCode::InvalidArgument, "write your name as the trusted keys do"),
        SigningError::SomethingElse => (ErrorCode::InvalidArgument, "sign what this server gives to sign"),
        SigningError::ChecklistChanged => {
            (ErrorCode::Conflict, "`spreadsheet-mcp checklist run` makes a run of the checklist as it is now")
        }
        SigningError::OtherRun | SigningError::OtherState | SigningError::LedgerWentOn => {
            (ErrorCode::Conflict, "load the page again")
        }
        SigningError::OtherTime { .. } => (ErrorCode::Conflict, "sign again"),
        SigningError::Author(_) => (ErrorCode::Forbidden, "ask somebody else of that role"),
        SigningError::NoKey { .. } => {
            (ErrorCode::Forbidden, "write your name as the trusted keys do, and choose your role")
        }
        SigningError::OtherKey { .. } | SigningError::NotOfKey => {
            (ErrorCode::Forbidden, "choose the file of the key that is trusted")
        }
    };
    ToolError::new(code, error.to_string()).hint(hint)
}
