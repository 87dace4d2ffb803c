//! Where an identity provider says its keys are (OpenID Connect Discovery 1.0 §4, RFC 8414 §3), and the keys (RFC 7517).

use std::time::Duration;

use access::token::PublicKeys;
use reqwest::{Client, StatusCode};
use serde::Deserialize;

use crate::{
    config::{OidcConfig, SecureUrl},
    outbound,
};

/// How long one request may take.
const ASKING: Duration = Duration::from_secs(5);
/// Bytes of a document at most.
const MAX_BYTES: usize = 512 << 10;

/// What is used of a provider's metadata.
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Asks one provider.
#[derive(Debug)]
pub(super) struct Discovery {
    issuer: SecureUrl,
    client: Client,
}

impl Discovery {
    /// Of the configuration's provider.
    ///
    /// # Errors
    /// When the file of its authority can't be taken.
    pub(super) fn new(issuer: SecureUrl, config: &OidcConfig) -> Result<Discovery, String> {
        let client = outbound::client(&issuer, config.oidc_ca.as_deref(), ASKING)?;
        Ok(Discovery { issuer, client })
    }

    /// The provider.
    pub(super) fn issuer(&self) -> &SecureUrl {
        &self.issuer
    }

    /// The keys that it publishes now.
    ///
    /// # Errors
    /// What went wrong, without contents of answers.
    pub(super) async fn keys(&self) -> Result<PublicKeys, String> {
        let metadata = self.metadata().await?;
        if metadata.issuer != self.issuer.as_str() {
            // RFC 8414 §3.3: whoever answers is not who was asked.
            return Err(format!(
                "the metadata is of another issuer than {}; compare --oidc-issuer letter by letter",
                self.issuer
            ));
        }
        let keys_at: SecureUrl = metadata.jwks_uri.parse().map_err(|what| format!("its jwks_uri: {what}"))?;
        if keys_at.is_plain() && !self.issuer.is_plain() {
            return Err("its jwks_uri is not https".to_owned());
        }
        let bytes = self.get(keys_at.as_str()).await?.ok_or("there is nothing at its jwks_uri")?;
        PublicKeys::parse(&bytes).map_err(|error| error.to_string())
    }

    async fn metadata(&self) -> Result<Metadata, String> {
        for place in self.places() {
            if let Some(bytes) = self.get(&place).await? {
                return serde_json::from_slice(&bytes)
                    .map_err(|_| "its metadata lacks issuer or jwks_uri".to_owned());
            }
        }
        Err("it publishes no metadata: neither openid-configuration nor oauth-authorization-server"
            .to_owned())
    }

    /// Where metadata may be: OpenID appends to the issuer, RFC 8414 inserts before its path.
    fn places(&self) -> [String; 3] {
        let (origin, path) = (self.issuer.origin(), self.issuer.path());
        [
            format!("{}/.well-known/openid-configuration", self.issuer.trimmed()),
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}/.well-known/openid-configuration{path}"),
        ]
    }

    /// A document; `None` where there is none.
    async fn get(&self, url: &str) -> Result<Option<Vec<u8>>, String> {
        let request = self.client.get(url).header("accept", "application/json");
        let response = request.send().await.map_err(|error| outbound::in_full(&error))?;
        match response.status() {
            StatusCode::OK => outbound::body(response, MAX_BYTES).await.map(Some),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(None),
            status if status.is_redirection() => {
                Err(format!("it redirects ({status}) to another server, which is not followed"))
            }
            status => Err(format!("it answers {status}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, response::Redirect, routing::get};
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        oidc: OidcConfig,
    }

    #[test]
    fn metadata_is_looked_for_where_the_standards_say() {
        let config = Line::try_parse_from(["test"]).expect("options").oidc;
        let discovery =
            |issuer: &str| Discovery::new(issuer.parse().expect("a URL"), &config).expect("a client");
        assert_eq!(
            discovery("http://127.0.0.1:1/realms/a").places(),
            [
                "http://127.0.0.1:1/realms/a/.well-known/openid-configuration",
                "http://127.0.0.1:1/.well-known/oauth-authorization-server/realms/a",
                "http://127.0.0.1:1/.well-known/openid-configuration/realms/a",
            ]
        );
        assert_eq!(
            discovery("http://127.0.0.1:1/").places()[0],
            "http://127.0.0.1:1/.well-known/openid-configuration"
        );
    }

    async fn listen() -> (tokio::net::TcpListener, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        (listener, url)
    }

    /// What comes of asking a provider whose documents are made by `routes`, which is told the provider's URL.
    async fn asked(routes: impl FnOnce(&str) -> Router) -> Result<usize, String> {
        let (listener, issuer) = listen().await;
        let router = routes(&issuer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = Line::try_parse_from(["test"]).expect("options").oidc;
        let discovery = Discovery::new(issuer.parse().expect("a URL"), &config).expect("a client");
        discovery.keys().await.map(|keys| keys.len())
    }

    const OPENID: &str = "/.well-known/openid-configuration";

    #[tokio::test]
    async fn a_provider_is_believed_for_itself_alone() {
        let metadata = |issuer: String, keys: String| {
            get(move || async move { Json(json!({ "issuer": issuer, "jwks_uri": keys })) })
        };
        let keys =
            || get(|| async { Json(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" }] })) });
        // As an authorization server of OAuth that knows nothing of OpenID, and moves its keys about at home.
        let of_oauth = |url: &str| {
            let metadata = metadata(url.to_owned(), format!("{url}/old"));
            Router::new()
                .route("/.well-known/oauth-authorization-server", metadata)
                .route("/old", get(|| async { Redirect::permanent("/new") }))
                .route("/new", keys())
        };
        assert_eq!(asked(of_oauth).await, Ok(1));
        let of_another =
            |url: &str| Router::new().route(OPENID, metadata(format!("{url}/"), format!("{url}/keys")));
        assert!(asked(of_another).await.expect_err("refused").contains("of another issuer"));
        let plain_elsewhere = |url: &str| {
            Router::new().route(OPENID, metadata(url.to_owned(), "http://id.example.org".to_owned()))
        };
        assert!(asked(plain_elsewhere).await.expect_err("refused").contains("jwks_uri"));
        // Who answers elsewhere is not asked.
        let (elsewhere, other) = listen().await;
        let to_other = |url: &str| {
            Router::new()
                .route(OPENID, metadata(url.to_owned(), format!("{url}/keys")))
                .route("/keys", get(move || async move { Redirect::temporary(&other) }))
        };
        assert!(asked(to_other).await.expect_err("refused").contains("redirects"));
        assert!(tokio::time::timeout(Duration::from_millis(200), elsewhere.accept()).await.is_err());
        let endless = |_: &str| Router::new().route(OPENID, get(|| async { "x".repeat(MAX_BYTES + 1) }));
        assert!(asked(endless).await.expect_err("refused").contains("more than"));
        assert!(asked(|_| Router::new()).await.expect_err("refused").contains("no metadata"));
    }
}
