//! This server as a protected resource: its canonical URL (RFC 8707), and what it tells of itself (RFC 9728).

use access::{
    Role,
    token::{Verifier, scope_of},
};
use axum::{
    Json,
    http::{StatusCode, header, request::Parts, uri::Authority},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    config::{ListenConfig, SecureUrl},
    error::{ErrorCode, ToolError},
    http::{ALLOWED_HOSTS, MCP_PATH},
};

/// Where the metadata of a protected resource is, before the resource's own path (RFC 9728 §3).
pub(crate) const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// What is told of this server to those who want a token for it.
#[derive(Debug)]
pub(super) struct Resource {
    issuer: String,
    required_scopes: Vec<String>,
    public_url: Option<SecureUrl>,
    /// Names by which clients reach this server, where its URL is not configured, and how.
    hosts: Vec<String>,
    scheme: &'static str,
}

impl Resource {
    pub(super) fn new(verifier: &Verifier, listen: &ListenConfig, scheme: &'static str) -> Resource {
        let own = || ALLOWED_HOSTS.map(str::to_owned).to_vec();
        Resource {
            issuer: verifier.issuer.clone(),
            required_scopes: verifier.required_scopes.clone(),
            public_url: listen.public_url.clone(),
            hosts: if listen.allowed_hosts.is_empty() { own() } else { listen.allowed_hosts.clone() },
            scheme,
        }
    }

    /// The URL before `/mcp`: the configured one, or what the client says where that is a name of this server.
    fn base(&self, parts: &Parts) -> Option<(String, String)> {
        if let Some(url) = &self.public_url {
            return Some((url.origin(), url.path().to_owned()));
        }
        let sent = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = sent.or_else(|| parts.uri.authority().map(Authority::as_str))?;
        let host: Authority = host.parse().ok()?;
        let is_ours = self.hosts.iter().any(|known| is_named(known, &host));
        is_ours.then(|| (format!("{}://{host}", self.scheme), String::new()))
    }

    /// Where the metadata of this server is.
    pub(super) fn metadata_url(&self, parts: &Parts) -> Option<String> {
        let (origin, path) = self.base(parts)?;
        Some(format!("{origin}{METADATA_PATH}{path}{MCP_PATH}"))
    }

    /// The scopes that a client should ask for: what every token needs, and the least that gives a role.
    pub(super) fn scope_to_ask_for(&self) -> String {
        self.scopes([Role::Viewer]).join(" ")
    }

    fn scopes(&self, roles: impl IntoIterator<Item = Role>) -> Vec<&str> {
        let mut scopes: Vec<&str> = self.required_scopes.iter().map(String::as_str).collect();
        for scope in roles.into_iter().map(scope_of) {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes
    }

    /// The metadata document (RFC 9728 §3.2), at its place or at the one without the resource's path.
    pub(super) fn metadata(&self, parts: &Parts) -> Response {
        let Some((origin, path)) = self.base(parts) else {
            let error = ToolError::new(ErrorCode::Forbidden, "this server has no such name")
                .hint("whoever runs the server names it with --public-url or --allowed-hosts");
            return (StatusCode::FORBIDDEN, Json(error.to_body())).into_response();
        };
        let asked = parts.uri.path().strip_prefix(METADATA_PATH).unwrap_or_default();
        let known = ["", "/", MCP_PATH];
        if !known.contains(&asked) && asked != format!("{path}{MCP_PATH}") && asked != path {
            let error = ToolError::new(ErrorCode::NotFound, "there is no such resource")
                .hint(format!("the resource is {origin}{path}{MCP_PATH}"));
            return (StatusCode::NOT_FOUND, Json(error.to_body())).into_response();
        }
        let document = json!({
            "resource": format!("{origin}{path}{MCP_PATH}"),
            "authorization_servers": [self.issuer],
            "scopes_supported": self.scopes(Role::ALL),
            "bearer_methods_supported": ["header"],
            "resource_name": "spreadsheet-mcp",
        });
        // Clients in browsers read it before they know anything of the server.
        ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(document)).into_response()
    }
}

/// Whether a name of the configuration, with or without a port, is that of a request.
pub(crate) fn is_named(known: &str, host: &Authority) -> bool {
    let bare = |name: &str| name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    match known.parse::<Authority>() {
        Ok(known) if known.port().is_some() => {
            bare(known.host()) == bare(host.host()) && known.port_u16() == host.port_u16()
        }
        _ => bare(known) == bare(host.host()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(public_url: Option<&str>, host: &str) -> Option<String> {
        let resource = Resource {
            issuer: "https://id.example.org".to_owned(),
            required_scopes: vec!["openid".to_owned()],
            public_url: public_url.map(|url| url.parse().expect("a URL")),
            hosts: vec!["localhost".to_owned(), "::1".to_owned(), "box:8079".to_owned()],
            scheme: "http",
        };
        let request = axum::http::Request::builder().header("host", host).body(()).expect("a request");
        resource.metadata_url(&request.into_parts().0)
    }

    #[test]
    fn the_metadata_is_where_clients_reach_it() {
        let at = |base: &str| Some(format!("{base}/.well-known/oauth-protected-resource/mcp"));
        assert_eq!(url(None, "localhost:8079"), at("http://localhost:8079"));
        assert_eq!(url(None, "[::1]:8079"), at("http://[::1]:8079"));
        assert_eq!(url(None, "box:8079"), at("http://box:8079"));
        assert_eq!((url(None, "box:1"), url(None, "evil.example.org")), (None, None));
        assert_eq!(
            url(Some("https://sheets.example.org/"), "evil.example.org"),
            at("https://sheets.example.org")
        );
        assert_eq!(
            url(Some("https://a.example.org/sheets"), "x").as_deref(),
            Some("https://a.example.org/.well-known/oauth-protected-resource/sheets/mcp")
        );
    }
}
