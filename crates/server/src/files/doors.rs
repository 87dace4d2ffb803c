//! Who comes in for files: by the names of this server, from pages that may call, with credentials or with a signed URL.

use std::sync::Arc;

use access::{Denied, grant::Grant};
use axum::{
    extract::{Request, State},
    http::{Method, StatusCode, Uri, header, request::Parts, uri::Authority},
    middleware::Next,
    response::Response,
};
use url::Url;

use super::{FileRequest, grants::NotTaken, refusal, request::grant_of};
use crate::{
    Server,
    auth::{self, Authenticator},
    config::SecureUrl,
    error::{ErrorCode, ToolError},
    metrics::labels::Rejection,
    principal::Principal,
    refused,
};

/// From where requests for files are taken.
#[derive(Debug)]
pub(crate) struct Entrance {
    /// Knows who has credentials.
    pub(crate) authenticator: Arc<Authenticator>,
    /// Names of this server; none for any.
    pub(crate) hosts: Vec<String>,
    /// Pages that may call, the port left out or `*` for any.
    pub(crate) origins: Vec<String>,
}

/// Of a request by a signed URL for a new file: it replaces none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OnlyNew;

/// How clients reach this server: what URLs begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base(String);

impl Base {
    /// The configured one, or what the client says.
    pub(crate) fn of(parts: &Parts, public_url: Option<&SecureUrl>, scheme: &str) -> Option<Base> {
        if let Some(url) = public_url {
            return Some(Base(url.trimmed().to_owned()));
        }
        Some(Base(format!("{scheme}://{}", host_of(parts)?)))
    }

    /// The URL of something here.
    pub(crate) fn url(&self, target: &str) -> String {
        format!("{}{target}", self.0)
    }
}

/// The name by which a client reaches this server.
pub(crate) fn host_of(parts: &Parts) -> Option<Authority> {
    let sent = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    sent.or_else(|| parts.uri.authority().map(Authority::as_str))?.parse().ok()
}

impl Entrance {
    /// Whether a request comes by a name of this server, and from no page that may not call.
    fn lets_in(&self, parts: &Parts) -> bool {
        let is_ours = |host: &Authority| self.hosts.iter().any(|known| auth::is_named(known, host));
        let is_named = self.hosts.is_empty() || host_of(parts).as_ref().is_some_and(is_ours);
        let may_call = match parts.headers.get(header::ORIGIN) {
            None => true,
            Some(origin) => origin.to_str().is_ok_and(|origin| self.may_call(origin)),
        };
        is_named && may_call
    }

    fn may_call(&self, origin: &str) -> bool {
        let Ok(origin) = Url::parse(origin) else { return false };
        self.origins.iter().any(|known| {
            let any_port = known.strip_suffix(":*").unwrap_or(known);
            let Ok(known_url) = Url::parse(any_port) else { return false };
            let is_same = known_url.scheme() == origin.scheme() && known_url.host_str() == origin.host_str();
            let has_port = any_port.len() == known.len() && known_url.port().is_some();
            is_same && (!has_port || known_url.port_or_known_default() == origin.port_or_known_default())
        })
    }
}

/// Lets requests through whose senders are known, with who they are.
pub(super) async fn only_known(
    State((server, entrance)): State<(Arc<Server>, Arc<Entrance>)>,
    request: Request,
    next: Next,
) -> Response {
    // The body can't be shared between threads, and is not looked at.
    let (parts, body) = request.into_parts();
    if !entrance.lets_in(&parts) {
        server.context.metrics.calls.rejected(Rejection::ForbiddenOrigin);
        let error =
            ToolError::new(ErrorCode::Forbidden, "this server does not take requests of that Host or Origin")
                .hint("whoever runs the server names both with --allowed-hosts and --allowed-origins");
        return refused::response(StatusCode::FORBIDDEN, &error);
    }
    let Some(grant) = grant_of(&parts.uri) else {
        let state = State((server, Arc::clone(&entrance.authenticator)));
        return auth::only_known(state, Request::from_parts(parts, body), next).await;
    };
    match granted(&server, &entrance.authenticator, grant, &parts.method, &parts.uri).await {
        Ok(grant) => {
            let mut request = Request::from_parts(parts, body);
            request.extensions_mut().insert(Principal::from(grant.principal));
            if grant.is_for_new {
                request.extensions_mut().insert(OnlyNew);
            }
            next.run(request).await
        }
        Err(error) => refusal::response(&error, &parts.headers),
    }
}

/// What a signed URL permits now.
async fn granted(
    server: &Arc<Server>,
    authenticator: &Authenticator,
    grant: String,
    method: &Method,
    uri: &Uri,
) -> Result<Grant, ToolError> {
    // Who may read may ask how long it is.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let request = format!("{method} {}", FileRequest::parse(uri)?.target());
    let context = Arc::clone(&server.context);
    let verified =
        tokio::task::spawn_blocking(move || context.files.grants.verify(&grant, &request, &context.forks));
    let denied = match verified.await {
        Ok(Ok(grant)) => match authenticator.still(grant.principal) {
            Ok(principal) => return Ok(Grant { principal, ..grant }),
            Err(denied) => denied,
        },
        Ok(Err(NotTaken::Unknown(error))) => return Err(error),
        Ok(Err(NotTaken::Denied(denied))) => denied,
        Err(_) => Denied::InvalidUrl,
    };
    server.audit.denied(&denied);
    server.context.metrics.calls.not_let_in(&denied);
    let code = if denied == Denied::ExpiredUrl { ErrorCode::UrlExpired } else { ErrorCode::UrlInvalid };
    Err(ToolError::new(code, denied.to_string())
        .hint("ask for a new one with transfer_url, and use it as it is, with the method that it is for"))
}

#[cfg(test)]
mod tests {
    use access::store::KeyRing;
    use clap::Parser;

    use super::*;
    use crate::config::ListenConfig;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        listen: ListenConfig,
    }

    #[track_caller]
    fn check(host: &str, origin: Option<&str>, is_let_in: bool) {
        let listen = Line::parse_from(["test"]).listen;
        let entrance = Entrance {
            authenticator: Arc::new(Authenticator::new(Arc::new(KeyRing::handed_in()), false, &listen)),
            hosts: vec!["localhost".to_owned(), "box:8079".to_owned()],
            origins: [
                "http://localhost:*",
                "http://[::1]:*",
                "https://app.example.org",
                "https://b.example.org:8443",
            ]
            .map(str::to_owned)
            .to_vec(),
        };
        let mut request = axum::http::Request::builder().header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        assert_eq!(entrance.lets_in(&parts), is_let_in, "{host} {origin:?}");
    }

    #[test]
    fn names_and_pages_that_are_known_come_in() {
        for host in ["localhost", "LOCALHOST:1", "box:8079"] {
            check(host, None, true);
        }
        for host in ["box", "box:1", "evil.example.org", ""] {
            check(host, None, false);
        }
        for origin in [
            "http://localhost:3000",
            "http://[::1]:1",
            "https://app.example.org",
            "https://app.example.org:8443",
            "https://b.example.org:8443",
        ] {
            check("localhost", Some(origin), true);
        }
        for origin in [
            "https://localhost",
            "http://localhost.example.org",
            "https://b.example.org",
            "http://app.example.org",
            "null",
            "",
        ] {
            check("localhost", Some(origin), false);
        }
    }
}
