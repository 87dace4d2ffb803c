//! Pages for people, for administrators alone: `/console/checklist`, what is known of the checklist by which this server may go into
//! service, and a form to sign it.
//!
//! The one script of it signs in the browser: no private key is ever sent. What is taken is what the command
//! `spreadsheet-mcp checklist sign` takes ([`checklist::signing`]), and nothing here reads files that callers name.

mod entrance;
mod page;
mod signing;

use std::sync::Arc;

use access::Role;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use checklist::{ledger::LedgerError, place::Place, place::PlaceError};
use serde_json::Value;

pub(crate) use entrance::Entrance;

use crate::{
    Server,
    admission::admitted,
    error::{ErrorCode, ToolError},
    http::spanned,
    principal::Principal,
    refused,
};

/// What is told of routes.
const ROUTE: &str = "/console/checklist";

/// The page's script; it is written to be read.
const SCRIPT: &str = include_str!("checklist.js");

/// The routes of pages.
pub(crate) fn routes(server: &Arc<Server>, entrance: Entrance) -> Router<Arc<Server>> {
    Router::new()
        .route("/console/checklist", get(show))
        .route("/console/checklist.js", get(script))
        .route("/console/checklist/to-sign", post(to_sign))
        .route("/console/checklist/sign", post(sign))
        .route_layer(middleware::from_fn_with_state(
            (Arc::clone(server), Arc::new(entrance)),
            entrance::only_known,
        ))
        .route_layer(middleware::from_fn_with_state(Arc::clone(server), admitted))
        .route_layer(middleware::from_fn_with_state(ROUTE, spanned))
        .route_layer(middleware::from_fn(guarded))
}

/// Says what browsers may do with what they get: nothing but what the page needs, and to keep none of it.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy =
        HeaderValue::try_from(page::policy()).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers: [(HeaderName, HeaderValue); 7] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    response.headers_mut().extend(headers);
    response
}

async fn show(State(server): State<Arc<Server>>, request: Request) -> Response {
    let principal = principal_of(&request);
    let recording = server.audit.call(&principal, "console/checklist", &Value::Null);
    let shown = match check_admin(&principal) {
        Ok(()) => page::show(&server, request.uri()).await,
        Err(error) => Err(error),
    };
    recording.ended(shown.as_ref().err());
    match shown {
        Ok(page) => page::response(page),
        Err(error) => page::refused(&error),
    }
}

async fn script(request: Request) -> Response {
    match check_admin(&principal_of(&request)) {
        Ok(()) => ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response(),
        Err(error) => page::refused(&error),
    }
}

async fn to_sign(State(server): State<Arc<Server>>, request: Request) -> Response {
    let told = match check_admin(&principal_of(&request)) {
        Ok(()) => signing::to_sign(&server, request).await,
        Err(error) => Err(error),
    };
    told.unwrap_or_else(|error| refused::response(refused::status(error.code), &error))
}

async fn sign(State(server): State<Arc<Server>>, request: Request) -> Response {
    let principal = principal_of(&request);
    let recording = server.audit.call(&principal, "console/sign", &Value::Null);
    let signed = match check_admin(&principal) {
        Ok(()) => signing::sign(&server, request).await,
        Err(error) => Err(error),
    };
    recording.ended(signed.as_ref().err());
    signed.unwrap_or_else(|error| refused::response(refused::status(error.code), &error))
}

fn principal_of(request: &Request) -> Principal {
    request.extensions().get().cloned().unwrap_or_else(Principal::anonymous)
}

/// Whether somebody may see the pages.
fn check_admin(principal: &Principal) -> Result<(), ToolError> {
    let role = principal.role();
    if role >= Role::Admin {
        return Ok(());
    }
    Err(ToolError::new(ErrorCode::Forbidden, format!("this page is for the role admin, and yours is {role}"))
        .hint("ask whoever runs the server for a key with that role: `spreadsheet-mcp keys create NAME --role admin`"))
}

/// Where the checklist of the configuration is.
fn place(server: &Server) -> Result<Place, ToolError> {
    let gate = &server.context.config.gate;
    let Some(file) = &gate.checklist_file else {
        return Err(ToolError::new(ErrorCode::NotFound, "this server shows no checklist").hint(
            "whoever runs it names one with --checklist-file FILE, SPREADSHEET_MCP_CHECKLIST_FILE, or checklist_file \
             in the section gate of the configuration",
        ));
    };
    Ok(Place::new(file.clone(), gate.checklist_ledger.clone(), gate.checklist_keys.clone()))
}

/// Runs what reads and writes the ledger where it may wait.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ToolError> + Send + 'static,
) -> Result<T, ToolError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "a page of the checklist failed");
        Err(ToolError::new(ErrorCode::Internal, "that failed, and it is not known why")
            .hint("whoever runs the server finds the cause in its log"))
    })
}

/// Why nothing is known of a checklist, and what to do.
fn unknown(error: &PlaceError) -> ToolError {
    match error {
        PlaceError::Ledger(error) => of_ledger(error),
        PlaceError::Spec(error) => ToolError::new(ErrorCode::StateUnavailable, error.to_string())
            .hint("set the checklist right: `spreadsheet-mcp checklist show` says the same"),
        PlaceError::Keys(error) => ToolError::new(ErrorCode::StateUnavailable, error.to_string())
            .hint("set the file right: `spreadsheet-mcp checklist keys list` says the same"),
    }
}

fn of_ledger(error: &LedgerError) -> ToolError {
    let (code, hint) = match error {
        LedgerError::NoRun { .. } => {
            (ErrorCode::NotFound, "run it with that ledger: `spreadsheet-mcp checklist run`")
        }
        LedgerError::Tampered { .. } => (
            ErrorCode::StateUnavailable,
            "find out who changed it: `spreadsheet-mcp checklist verify` says everything that is wrong",
        ),
        LedgerError::Io { .. } => {
            (ErrorCode::StateUnavailable, "the server has to be able to read the ledger, and to write it")
        }
    };
    ToolError::new(code, error.to_string()).hint(hint)
}
