//! Files over HTTP at `/files/{path}`, for people and agents who share no disk with the server.
//!
//! A transfer is a call: the same callers, shares, drain and trail. Its bytes pass through a bounded channel between the
//! connection and a thread that reads or writes a file of this machine, so that no file is in memory as a whole. A file that
//! arrives gets its name when all of it is here and was looked at (ORIGINAL).

mod check;
mod conditions;
mod delete;
mod doors;
mod download;
mod grants;
mod made;
mod refusal;
mod request;
mod scan;
mod source;
mod upload;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware,
    response::Response,
    routing::any,
};

pub(crate) use doors::{Base, Entrance, host_of};
pub(crate) use grants::Grants;
pub(crate) use request::{Export, FileRequest};
pub(crate) use source::{PICTURE, tag_of};

use crate::{
    Server,
    admission::admitted,
    call::Call,
    error::{ErrorCode, ToolError},
    http::{RequestSpan, spanned},
    lifecycle::Admission,
    metrics::labels::FileMethod,
    principal::Principal,
    runner::Link,
    trace,
};

/// Where files are.
pub(crate) const FILES_PATH: &str = "/files/";

/// What is told of routes, which name no file.
const ROUTE: &str = "/files/{path}";

/// What transfers share.
#[derive(Debug, Default)]
pub struct Files {
    /// The URLs that are signed.
    pub(crate) grants: Grants,
    heavy: Mutex<()>,
}

impl Files {
    /// Lets one transfer at a time have a whole workbook in memory.
    fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.heavy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes of files.
pub(crate) fn routes(server: &Arc<Server>, entrance: Entrance) -> Router<Arc<Server>> {
    Router::new()
        .route("/files/{*path}", any(answer))
        .route(FILES_PATH, any(answer))
        .route("/files", any(answer))
        .route_layer(middleware::from_fn_with_state(
            (Arc::clone(server), Arc::new(entrance)),
            doors::only_known,
        ))
        .route_layer(middleware::from_fn_with_state(Arc::clone(server), admitted))
        .route_layer(middleware::from_fn_with_state(ROUTE, spanned))
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let answered = match (FileRequest::parse(request.uri()), request.method()) {
        (Err(error), _) => Err(error),
        (Ok(asked), &Method::GET) => download::download(server, asked, request, FileMethod::Get).await,
        (Ok(asked), &Method::HEAD) => download::download(server, asked, request, FileMethod::Head).await,
        (Ok(asked), &Method::PUT) => upload::upload(server, asked, request).await,
        (Ok(asked), &Method::DELETE) => delete::delete(server, asked, request).await,
        _ => return not_allowed(),
    };
    answered.unwrap_or_else(|error| refusal::response(&error, &headers))
}

fn not_allowed() -> Response {
    let error = ToolError::new(ErrorCode::InvalidArgument, "files know GET, HEAD, PUT and DELETE")
        .hint("PUT replaces a file whole; there is no way to change a part of one");
    let mut response = crate::refused::response(StatusCode::METHOD_NOT_ALLOWED, &error);
    let allowed = axum::http::HeaderValue::from_static("GET, HEAD, PUT, DELETE");
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

/// How a request is connected to its client.
fn link_of(request: &Request) -> Link {
    let extensions = request.extensions();
    let span = extensions.get::<RequestSpan>().map(|span| span.0.clone());
    Link {
        principal: extensions.get().cloned().unwrap_or_else(Principal::anonymous),
        parent: trace::Parent { request: span, caller: None },
        admission: extensions.get::<Admission>().cloned(),
        ..Link::default()
    }
}

impl Call {
    /// Whether who calls may change files of the workspace.
    fn check_editor(&self, method: FileMethod) -> Result<(), ToolError> {
        let role = self.principal().role();
        if role >= access::Role::Editor {
            return Ok(());
        }
        let takes = format!("{} takes the role editor, and yours is {role}", method.as_str().to_uppercase());
        Err(ToolError::new(ErrorCode::Forbidden, takes)
            .hint("ask whoever runs the server for a key with that role"))
    }
}
