//! MCP over streamable HTTP at `/mcp`, stateless: any replica answers any request. Files, pages for people, and the
//! health of the server.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::Layer;
use tracing::{Instrument, Span};

use crate::{
    Server,
    admission::admitted,
    auth::{Authenticator, METADATA_PATH, only_known, resource_metadata},
    config::{ListenConfig, SecureUrl},
    console,
    files::{self, Base, Entrance},
    handler::Handler,
    lifecycle::Phase,
    metrics::labels::Rejection,
    trace,
};

/// Pages that may call: those of this machine, on any port. A page from elsewhere is refused, whatever its DNS says.
const ALLOWED_ORIGINS: [&str; 6] = [
    "http://localhost:*",
    "http://127.0.0.1:*",
    "http://[::1]:*",
    "https://localhost:*",
    "https://127.0.0.1:*",
    "https://[::1]:*",
];

/// Where MCP is.
pub(crate) const MCP_PATH: &str = "/mcp";

/// Names of this machine.
pub(crate) const ALLOWED_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// From where requests are taken.
#[derive(Debug, Clone)]
pub struct Doors {
    /// Knows who may call.
    pub authenticator: Arc<Authenticator>,
    /// Names by which clients may reach the server; none means any.
    pub hosts: Vec<String>,
    /// Pages that may call beside those of this machine.
    pub origins: Vec<String>,
    /// The URL by which clients reach the server, if it is configured.
    pub public_url: Option<SecureUrl>,
    /// How they connect where it is not.
    pub scheme: &'static str,
}

impl Doors {
    /// As the configuration says.
    pub fn new(authenticator: Authenticator, listen: &ListenConfig, scheme: &'static str) -> Doors {
        let hosts = match listen.takes_own_names_only() {
            true => names_of_this_machine(listen),
            false => listen.allowed_hosts.clone(),
        };
        Doors {
            authenticator: Arc::new(authenticator),
            hosts,
            origins: listen.allowed_origins.clone(),
            public_url: listen.public_url.clone(),
            scheme,
        }
    }
}

/// Names of this machine, and the address of it that is listened on: no page can have its own name lead there.
fn names_of_this_machine(listen: &ListenConfig) -> Vec<String> {
    let address = listen.bind.ip();
    let named = (!address.is_unspecified() && !address.is_loopback()).then(|| address.to_string());
    ALLOWED_HOSTS.into_iter().map(str::to_owned).chain(named).collect()
}

/// The routes. Cancelling `stop` ends what still streams.
pub fn router(server: Arc<Server>, doors: Doors, stop: CancellationToken) -> Router {
    let Doors { authenticator, hosts, origins, public_url, scheme } = doors;
    let origins: Vec<String> = ALLOWED_ORIGINS.into_iter().map(str::to_owned).chain(origins).collect();
    let entrance = Entrance {
        authenticator: Arc::clone(&authenticator),
        hosts: hosts.clone(),
        origins: origins.clone(),
    };
    let to_console = console::Entrance {
        authenticator: Arc::clone(&authenticator),
        hosts: hosts.clone(),
        public_url: public_url.clone(),
    };
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_max_request_body_bytes(server.context.config.requests.max_request_bytes)
        .with_cancellation_token(stop);
    let handler = Handler::new(Arc::clone(&server));
    let mcp = StreamableHttpService::new(
        move || Ok(handler.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    for watched in authenticator.watched() {
        server.health.watch(watched);
    }
    let metadata = get(resource_metadata).with_state(Arc::clone(&authenticator));
    let known = middleware::from_fn_with_state((Arc::clone(&server), authenticator), only_known);
    Router::new()
        .route_service(MCP_PATH, known.layer(mcp))
        .route_layer(middleware::from_fn_with_state(Arc::new((public_url, scheme)), based))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&server), admitted))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&server), observed))
        .route_layer(middleware::from_fn_with_state(MCP_PATH, spanned))
        .merge(files::routes(&server, entrance))
        .merge(console::routes(&server, to_console))
        .merge(health())
        .route(METADATA_PATH, metadata.clone())
        .route(&format!("{METADATA_PATH}/{{*resource}}"), metadata)
        .fallback(not_found)
        .with_state(server)
}

/// The health, on both ports: who probes may have no certificate, which the port of MCP can ask for.
pub(crate) fn health() -> Router<Arc<Server>> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/health/startup", get(startup))
}

/// The span of the request that a call came with.
#[derive(Debug, Clone)]
pub(crate) struct RequestSpan(pub(crate) Span);

/// Gives a request to a route its span.
pub(crate) async fn spanned(State(route): State<&'static str>, mut request: Request, next: Next) -> Response {
    let span = trace::request_span(request.method(), route, request.headers());
    request.extensions_mut().insert(RequestSpan(span.clone()));
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    response
}

/// Counts a request when it was turned away.
async fn observed(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let reason = match response.status() {
        // Who lacks a scope is told which, and counted with those who were not let in.
        StatusCode::FORBIDDEN if !response.headers().contains_key(header::WWW_AUTHENTICATE) => {
            Some(Rejection::ForbiddenOrigin)
        }
        StatusCode::PAYLOAD_TOO_LARGE => Some(Rejection::RequestTooLarge),
        _ => None,
    };
    if let Some(reason) = reason {
        server.context.metrics.calls.rejected(reason);
    }
    response
}

/// Says how the client reaches the server, for URLs that it is given.
async fn based(
    State(place): State<Arc<(Option<SecureUrl>, &'static str)>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let (public_url, scheme) = &*place;
    if let Some(base) = Base::of(&parts, public_url.as_ref(), scheme) {
        parts.extensions.insert(base);
    }
    next.run(Request::from_parts(parts, body)).await
}

/// The process answers: nothing more, so that a slow disk does not get it killed.
async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// Calls are taken, and can be answered.
async fn ready(State(server): State<Arc<Server>>) -> (StatusCode, Json<Value>) {
    let report = server.health.ready().await;
    let status = if report.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report.body))
}

/// Everything has been set up once.
async fn startup(State(server): State<Arc<Server>>) -> (StatusCode, Json<Value>) {
    match server.lifecycle.phase() {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "starting" }))),
        Phase::Ready | Phase::Leaving | Phase::Draining => {
            (StatusCode::OK, Json(json!({ "status": "started" })))
        }
    }
}

async fn not_found(uri: Uri) -> impl IntoResponse {
    nothing_at(&uri)
}

/// What is told where nothing is.
pub(crate) fn nothing_at(uri: &Uri) -> impl IntoResponse + use<> {
    let error = json!({
        "code": "not_found",
        "message": format!("there is nothing at {}", uri.path()),
        "hint": "MCP is at /mcp, files at /files/PATH, health at /health/live, /health/ready and /health/startup",
    });
    (StatusCode::NOT_FOUND, Json(json!({ "error": error })))
}
