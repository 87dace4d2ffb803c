//! Who comes in for pages: by a name of this server, from its own pages alone, with a key as browsers ask for one.

use std::sync::Arc;

use access::Role;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use url::Url;

use super::page;
use crate::{
    Server,
    auth::{Authenticator, KEY_HEADER, Refusal, is_named},
    config::SecureUrl,
    error::{ErrorCode, ToolError},
    files::host_of,
    metrics::labels::Rejection,
    refused,
};

/// What browsers ask for a name and a password by (RFC 7617); the password is the key.
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"spreadsheet-mcp console\", charset=\"UTF-8\"");

/// From where requests for pages are taken.
#[derive(Debug)]
pub(crate) struct Entrance {
    /// Knows who has credentials.
    pub(crate) authenticator: Arc<Authenticator>,
    /// Names of this server; none for any.
    pub(crate) hosts: Vec<String>,
    /// The URL by which browsers reach it, if that is configured.
    pub(crate) public_url: Option<SecureUrl>,
}

impl Entrance {
    /// Whether a request comes by a name of this server.
    fn is_asked_for(&self, parts: &Parts) -> bool {
        let host = host_of(parts);
        self.hosts.is_empty()
            || host.is_some_and(|host| self.hosts.iter().any(|known| is_named(known, &host)))
    }

    /// Whether a request may change something: not from the page of somebody else, whatever a browser sends along. What is no
    /// browser says neither where a request comes from (Fetch Metadata) nor its origin (RFC 6454).
    fn is_from_own_page(&self, parts: &Parts) -> bool {
        let sent = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap_or("null"));
        match (sent("sec-fetch-site"), sent(header::ORIGIN.as_str())) {
            (Some(site), _) => site == "same-origin",
            (None, Some(origin)) => self.is_own(origin, parts),
            (None, None) => true,
        }
    }

    fn is_own(&self, origin: &str, parts: &Parts) -> bool {
        let Ok(url) = Url::parse(origin) else { return false };
        let is_public = self.public_url.as_ref().is_some_and(|public| public.origin() == origin);
        // How it came may be known to what stands in front of the server alone.
        let of_host = || {
            let host = host_of(parts)?;
            Url::parse(&format!("{}://{host}", url.scheme())).ok()
        };
        is_public || of_host().is_some_and(|own| own.origin() == url.origin() && own.origin().is_tuple())
    }
}

/// Lets requests through whose senders are known, with who they are.
pub(super) async fn only_known(
    State((server, entrance)): State<(Arc<Server>, Arc<Entrance>)>,
    request: Request,
    next: Next,
) -> Response {
    // The body can't be shared between threads, and is not looked at.
    let (mut parts, body) = request.into_parts();
    let is_page = matches!(parts.method, Method::GET | Method::HEAD);
    if !entrance.is_asked_for(&parts) || !(is_page || entrance.is_from_own_page(&parts)) {
        server.context.metrics.calls.rejected(Rejection::ForbiddenOrigin);
        let error = ToolError::new(
            ErrorCode::Forbidden,
            "this server takes no requests by that name, or from pages of another",
        )
        .hint("open the page by a name of the server, which whoever runs it gives with --allowed-hosts and --public-url");
        return refused(is_page, StatusCode::FORBIDDEN, &error);
    }
    take_key_of_browser(&mut parts.headers);
    let principal = match entrance.authenticator.let_in(&server, &parts).await {
        Ok(principal) => principal,
        Err(refusal) => return asked_for_key(is_page, refusal),
    };
    // Whom nobody asked may have a key all the same.
    if principal.role() < Role::Admin
        && principal.is_local()
        && let Some(refusal) = entrance.authenticator.ask(&parts)
    {
        return asked_for_key(is_page, refusal);
    }
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(principal);
    next.run(request).await
}

/// Takes the password that a browser sends for a key.
fn take_key_of_browser(headers: &mut HeaderMap) {
    let Some(key) = headers.get(header::AUTHORIZATION).and_then(password) else { return };
    headers.remove(header::AUTHORIZATION);
    headers.entry(KEY_HEADER).or_insert(key);
}

fn password(header: &HeaderValue) -> Option<HeaderValue> {
    let (scheme, sent) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = BASE64.decode(sent.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let mut key = HeaderValue::from_bytes(&pair[colon + 1..]).ok()?;
    key.set_sensitive(true);
    Some(key)
}

/// The refusal that everybody gets, which browsers ask for a key by, too.
fn asked_for_key(is_page: bool, refusal: Refusal) -> Response {
    let error = refusal.error().clone();
    let (parts, _) = refusal.into_response().into_parts();
    let mut response = refused(is_page, parts.status, &error);
    for name in [header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    if parts.status == StatusCode::UNAUTHORIZED {
        response.headers_mut().append(header::WWW_AUTHENTICATE, CHALLENGE);
    }
    response
}

fn refused(is_page: bool, status: StatusCode, error: &ToolError) -> Response {
    match is_page {
        true => page::refused_with(status, error),
        false => refused::response(status, error),
    }
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
    fn check(headers: &[(&str, &str)], expected: bool) {
        let listen = Line::parse_from(["test"]).listen;
        let entrance = Entrance {
            authenticator: Arc::new(Authenticator::new(Arc::new(KeyRing::handed_in()), false, &listen)),
            hosts: Vec::new(),
            public_url: Some("https://sheets.example.org/below".parse().expect("a URL")),
        };
        let mut request = axum::http::Request::builder().header("host", "localhost:8079");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        assert_eq!(entrance.is_from_own_page(&parts), expected, "{headers:?}");
    }

    #[test]
    fn only_own_pages_change_something() {
        check(&[], true);
        check(&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8079")], true);
        for site in ["cross-site", "same-site", "none", ""] {
            check(&[("sec-fetch-site", site), ("origin", "http://localhost:8079")], false);
        }
        for origin in ["http://localhost:8079", "https://localhost:8079", "https://sheets.example.org"] {
            check(&[("origin", origin)], true);
        }
        for origin in [
            "http://localhost",
            "http://localhost:1",
            "http://sheets.example.org",
            "https://evil.example.org",
            "null",
            "",
            "file://localhost:8079",
        ] {
            check(&[("origin", origin)], false);
        }
    }

    #[test]
    fn the_password_of_a_browser_is_the_key() {
        let key = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().expect("a value"));
            take_key_of_browser(&mut headers);
            headers.get(KEY_HEADER).map(|key| key.to_str().expect("text").to_owned())
        };
        let basic = |pair: &str| key(&format!("Basic {}", BASE64.encode(pair)));
        assert_eq!(basic("ada:smcp_a:b").as_deref(), Some("smcp_a:b"));
        assert_eq!(basic(":smcp_a").as_deref(), Some("smcp_a"));
        assert_eq!(basic("smcp_a"), None);
        assert_eq!(basic("ada:a\nb"), None);
        assert_eq!(key("Bearer YTpi"), None);
    }
}
