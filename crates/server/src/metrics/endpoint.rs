//! The port that operators look at: `/metrics`, the health, and the level of the log under `/admin/log-level`.
//!
//! It is apart from the port of calls, and answers while calls drain.

use std::{io, net::SocketAddr, sync::Arc};

use super::{Format, labels::Port};
use crate::{
    Server,
    config::{LogFilter, MetricsConfig, Transport},
    http,
    tls::{Listener, Peer, Tls},
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

/// Bytes of a filter of the log.
const MAX_FILTER: usize = 1_000;

/// The level of the log, which can change while the program runs.
pub trait LogLevel: Send + Sync {
    /// The filter that holds now.
    fn current(&self) -> LogFilter;

    /// Lets through what the filter does from now on.
    fn set(&self, filter: &LogFilter);
}

/// Where metrics are served.
#[derive(Debug)]
pub enum MetricsEndpoint {
    /// Nowhere.
    Off,
    /// Nowhere: the port, which nobody asked for, is taken.
    Taken {
        /// The port.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// On a bound port.
    Bound(Listener),
}

#[derive(Clone)]
struct Shared {
    server: Arc<Server>,
    level: Arc<dyn LogLevel>,
}

impl MetricsEndpoint {
    /// Binds the port, if there is to be one. One that nobody asked for may be taken: then the server has no metrics.
    ///
    /// # Errors
    /// When the port that was asked for can't be bound.
    pub async fn bind(
        config: &MetricsConfig,
        transport: Transport,
        tls: Option<&Arc<Tls>>,
    ) -> io::Result<MetricsEndpoint> {
        let Some((address, is_asked_for)) = config.address(transport) else {
            return Ok(MetricsEndpoint::Off);
        };
        match Listener::bind(address, Port::Metrics, tls).await {
            Ok(listener) => Ok(MetricsEndpoint::Bound(listener)),
            Err(error) if is_asked_for => {
                Err(io::Error::new(error.kind(), format!("--metrics-bind {address}: {error}")))
            }
            Err(error) => Ok(MetricsEndpoint::Taken { address, error }),
        }
    }

    /// Serves until the runtime ends.
    pub fn start(self, server: Arc<Server>, level: Arc<dyn LogLevel>) {
        let listener = match self {
            MetricsEndpoint::Off => return,
            MetricsEndpoint::Taken { address, error } => {
                tracing::warn!(%address, %error, "the port of metrics is taken; name another one by --metrics-bind");
                return;
            }
            MetricsEndpoint::Bound(listener) => listener,
        };
        if let Ok(address) = listener.address() {
            tracing::info!("serving metrics on {}://{address}/metrics", listener.scheme());
        }
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/admin/log-level", get(log_level).put(set_log_level))
            .with_state(Shared { server: Arc::clone(&server), level })
            .merge(http::health().with_state(server))
            .fallback(not_found)
            .into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(listener, router);
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "serving metrics failed");
            }
        });
    }
}

async fn metrics(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let format = Format::accepted(accept);
    let server = shared.server;
    let page = tokio::task::spawn_blocking(move || server.context.metrics.page(&server, format));
    match page.await {
        Ok(page) => ([(header::CONTENT_TYPE, format.content_type())], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn log_level(
    State(shared): State<Shared>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Response {
    if !is_operator(peer, &headers) {
        return not_an_operator();
    }
    Json(json!({ "filter": shared.level.current().to_string() })).into_response()
}

async fn set_log_level(
    State(shared): State<Shared>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
    filter: String,
) -> Response {
    if !is_operator(peer, &headers) {
        return not_an_operator();
    }
    let filter = filter.trim();
    let parsed = match filter.len() {
        1..=MAX_FILTER => filter.parse::<LogFilter>().map_err(|error| error.to_string()),
        _ => Err(format!("it has to have 1 to {MAX_FILTER} bytes")),
    };
    match parsed {
        Ok(parsed) => {
            shared.level.set(&parsed);
            tracing::warn!(filter, "the level of the log was changed");
            Json(json!({ "filter": shared.level.current().to_string() })).into_response()
        }
        Err(problem) => failed(
            StatusCode::BAD_REQUEST,
            "invalid_argument",
            &problem,
            "send error, warn, info or debug, or levels per module such as info,server::recalc=debug",
        ),
    }
}

/// An operator sits at this machine: neither behind a proxy nor in a page that a browser shows.
fn is_operator(peer: SocketAddr, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    peer.ip().to_canonical().is_loopback()
        && matches!(name, "localhost" | "127.0.0.1" | "[::1]")
        && [header::ORIGIN, header::FORWARDED].iter().all(|sign| !headers.contains_key(sign))
        && !headers.contains_key("x-forwarded-for")
}

fn not_an_operator() -> Response {
    failed(
        StatusCode::FORBIDDEN,
        "forbidden",
        "the level of the log is changed from this machine only",
        "run curl -X PUT -d debug http://127.0.0.1:PORT/admin/log-level where the server runs",
    )
}

fn failed(status: StatusCode, code: &str, message: &str, hint: &str) -> Response {
    let error = json!({ "code": code, "message": message, "hint": hint });
    (status, Json(json!({ "error": error }))).into_response()
}

async fn not_found(uri: Uri) -> Response {
    let message = format!("there is nothing at {}", uri.path());
    failed(
        StatusCode::NOT_FOUND,
        "not_found",
        &message,
        "metrics are at /metrics, health at /health/live, /health/ready and /health/startup, the log's level at /admin/log-level",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(peer: &str, host: &'static str, sign: Option<&'static str>, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(sign) = sign {
            headers.insert(sign, HeaderValue::from_static("x"));
        }
        let peer = SocketAddr::new(peer.parse().expect("an address"), 1);
        assert_eq!(is_operator(peer, &headers), expected, "{peer} {host} {sign:?}");
    }

    #[test]
    fn an_operator_sits_at_this_machine() {
        check("127.0.0.1", "127.0.0.1:9090", None, true);
        check("::1", "[::1]:9090", None, true);
        check("::ffff:127.0.0.1", "localhost", None, true);
        check("::1", "[::1]", None, true);
        check("192.168.0.7", "127.0.0.1:9090", None, false);
        check("127.0.0.1", "evil.example:9090", None, false);
        check("127.0.0.1", "localhost:9090", Some("origin"), false);
        check("127.0.0.1", "localhost:9090", Some("x-forwarded-for"), false);
        check("127.0.0.1", "localhost:9090", Some("forwarded"), false);
    }
}
