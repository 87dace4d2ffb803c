//! Callers with tokens of an identity provider: this server as an OAuth 2.1 resource server (MCP, Authorization).

use std::sync::Arc;

use access::{
    Denied,
    token::{Outcome, TokenProblem, Verifier},
};
use axum::http::request::Parts;
use chrono::Utc;

use super::{discovery::Discovery, provider::Provider, resource::Resource};
use crate::{
    config::{ListenConfig, OidcConfig},
    health::Watched,
    metrics::Metrics,
    principal::Principal,
};

/// Knows who has a token.
#[derive(Debug)]
pub(super) struct Tokens {
    verifier: Verifier,
    provider: Arc<Provider>,
    pub(super) resource: Resource,
}

impl Tokens {
    /// Of the configuration's provider, if there is one. Within a runtime, where its keys are fetched from now on.
    ///
    /// # Errors
    /// When the provider can't be asked at all.
    pub(super) fn new(
        config: &OidcConfig,
        listen: &ListenConfig,
        scheme: &'static str,
        metrics: Arc<Metrics>,
    ) -> Result<Option<Tokens>, String> {
        let (Some(verifier), Some(issuer)) = (config.verifier(listen), config.oidc_issuer.clone()) else {
            return Ok(None);
        };
        let discovery = Discovery::new(issuer, config)
            .map_err(|error| format!("the identity provider can't be asked: {error}"))?;
        let provider = Provider::start(discovery, config, metrics);
        let resource = Resource::new(&verifier, listen, scheme);
        Ok(Some(Tokens { verifier, provider, resource }))
    }

    /// The provider, as its tokens name it.
    pub(super) fn issuer(&self) -> &str {
        self.provider.issuer()
    }

    /// What health tells of it.
    pub(super) fn watched(&self) -> Arc<dyn Watched> {
        Arc::clone(&self.provider) as Arc<dyn Watched>
    }

    /// Who presents a token.
    ///
    /// # Errors
    /// When it is not one that lets its bearer in, or can't be checked now.
    pub(super) async fn verify(&self, token: &str) -> Result<Principal, Denied> {
        let mut known = self.provider.keys().await?;
        for is_last in [false, true] {
            match self.verifier.verify(token, &known.keys, Utc::now())? {
                Outcome::Known(principal) => return Ok(Principal::from(*principal)),
                Outcome::KeyNotFound if is_last => break,
                // The provider may have a new key since.
                Outcome::KeyNotFound => known = self.provider.keys_after(&known).await,
            }
        }
        Err(Denied::InvalidToken { problem: TokenProblem::UnknownKey, id: None })
    }

    /// What clients are told with a refusal.
    pub(super) fn challenge(&self, parts: &Parts) -> Challenge {
        Challenge { metadata: self.resource.metadata_url(parts), scope: self.resource.scope_to_ask_for() }
    }
}

/// Where a client learns how to get a token, and with which scope (RFC 9728 §5.1, RFC 6750 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) metadata: Option<String>,
    pub(super) scope: String,
}
