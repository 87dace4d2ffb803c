//! Who may call over HTTP: by API key, by token of an identity provider, or anybody where the server is for this machine alone.
//!
//! A server that others can reach starts closed: until there is a key or a provider, every call is answered with what to do.

mod discovery;
mod provider;
mod refusal;
mod resource;
mod tokens;
mod vault_keys;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use access::{
    Denied, Source,
    keys::{self, KeyFile},
    store::KeyRing,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::Utc;

pub use refusal::Refusal;
pub(crate) use resource::METADATA_PATH;

use crate::{
    Server,
    call::Context,
    config::{ListenConfig, SecretSource},
    health::Watched,
    http::nothing_at,
    principal::Principal,
    vault::Follower,
};
pub(crate) use resource::is_named;

use refusal::Remedy;
use tokens::Tokens;
use vault_keys::follow_keys;

/// The header of a key for clients that can't send `Authorization`.
pub(crate) const KEY_HEADER: &str = "x-api-key";

/// Knows who may call.
#[derive(Debug)]
pub struct Authenticator {
    keys: Arc<KeyRing>,
    /// Whether nobody gets in without credentials, also while there is no key.
    is_closed: bool,
    /// Whether credentials are not asked for at all.
    is_open: bool,
    /// Whether there were keys: a file that goes lets nobody in.
    had_keys: AtomicBool,
    /// Knows who has a token, where tokens are taken.
    tokens: Option<Tokens>,
    /// What follows the keys in Vault, where they are there.
    vault: Option<Arc<Follower>>,
}

/// What a request presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presented<'a> {
    /// In the header for keys, or a bearer's that looks like one.
    Key(&'a str),
    /// A bearer's that may be a token.
    Bearer(&'a str),
    /// Nothing.
    Nothing,
}

impl Authenticator {
    /// By the keys of a file. They are asked for if others can reach the server, if the file was named, or if there are any.
    pub fn new(keys: Arc<KeyRing>, is_named: bool, listen: &ListenConfig) -> Authenticator {
        let is_closed = !listen.insecure && (is_named || listen.is_open_to_others());
        let (is_open, had_keys) = (listen.insecure, AtomicBool::default());
        Authenticator { keys, is_closed, is_open, had_keys, tokens: None, vault: None }
    }

    /// By the keys and the identity provider of a configuration, for who connects by http or https. Within a runtime, where the
    /// provider is asked from now on.
    ///
    /// # Errors
    /// When the file of keys is there and can't be taken, Vault does not give it, or the provider can't be asked at all.
    pub async fn open(
        context: &Context,
        listen: &ListenConfig,
        scheme: &'static str,
    ) -> io::Result<Authenticator> {
        let config = &context.config;
        let mut vault = None;
        let keys = match config.keys_source() {
            SecretSource::File(path) => KeyRing::open(path).map_err(io::Error::other).map(Arc::new)?,
            SecretSource::Vault(place) => {
                let keys = Arc::new(KeyRing::handed_in());
                let followed = follow_keys(&config.vault, place, &keys, Arc::clone(&context.metrics));
                vault = Some(followed.await.map_err(io::Error::other)?);
                keys
            }
        };
        let by_keys = Authenticator::new(keys, config.access.keys_file.is_some(), listen);
        let tokens = Tokens::new(&config.oidc, listen, scheme, Arc::clone(&context.metrics))
            .map_err(io::Error::other)?;
        // Where there is a provider, everybody can say who they are.
        let is_closed = by_keys.is_closed || tokens.is_some();
        Ok(Authenticator { is_closed, tokens, vault, ..by_keys })
    }

    /// Who sent a request.
    ///
    /// # Errors
    /// When they have to say who they are and don't, or say so wrongly.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, Denied> {
        let keys = self.keys_now();
        let had_keys = self.had_keys.fetch_or(!keys.keys().is_empty(), Ordering::Relaxed);
        let asks = !self.is_open && (self.is_closed || had_keys || !keys.keys().is_empty());
        match (presented(headers), &self.tokens) {
            (Ok(Presented::Bearer(token)), Some(tokens)) => tokens.verify(token).await,
            (Ok(Presented::Key(presented)), _) if asks || keys::is_key(presented) => {
                keys.verify(presented, Utc::now()).map(Principal::from)
            }
            (Ok(Presented::Bearer(_)) | Err(_), _) if asks => Err(Denied::Malformed),
            (Ok(Presented::Nothing), _) if asks => Err(Denied::Missing),
            _ => Ok(Principal::anonymous()),
        }
    }

    /// Who may use what was granted in somebody's name: whose key was taken back since may not, and nobody may more than their key
    /// permits now. Who came by a token cannot be asked about: what was granted to them lasts until it ends.
    ///
    /// # Errors
    /// When the key is taken no more.
    pub(crate) fn still(&self, granted: access::Principal) -> Result<access::Principal, Denied> {
        match granted.source {
            Source::Key => self.keys_now().still(&granted, Utc::now()),
            Source::Local | Source::Token => Ok(granted),
        }
    }

    fn keys_now(&self) -> Arc<KeyFile> {
        let (keys, problem) = self.keys.keys();
        if let Some(error) = problem {
            tracing::error!(%error, "the file of keys can't be taken; the keys before stay in force");
        }
        keys
    }

    /// What health tells of those who know callers.
    pub(crate) fn watched(&self) -> Vec<Arc<dyn Watched>> {
        let vault = self.vault.as_ref().map(|vault| Arc::clone(vault) as Arc<dyn Watched>);
        self.tokens.as_ref().map(Tokens::watched).into_iter().chain(vault).collect()
    }

    /// Says who is let in.
    pub(crate) fn announce(&self) {
        let keys = self.keys.keys().0.keys().len();
        let file = match (self.keys.path(), &self.vault) {
            (Some(path), _) => path.display().to_string(),
            (None, Some(vault)) => vault.place().to_string(),
            (None, None) => String::new(),
        };
        if let Some(tokens) = &self.tokens {
            let issuer = tokens.issuer();
            tracing::info!(issuer, %file, keys, "callers need a token of the identity provider, or a key");
            return;
        }
        match (self.is_open, self.is_closed, keys) {
            (true, ..) => tracing::warn!("anybody who connects may call (--insecure)"),
            (_, true, 0) => {
                tracing::warn!(%file, "nobody may call yet: make a key with `spreadsheet-mcp keys create`");
            }
            (_, false, 0) => tracing::info!("callers of this machine need no key"),
            _ => tracing::info!(%file, keys, "callers need a key"),
        }
    }

    /// Who sent a request to a server, which tells of those whom it does not let in.
    ///
    /// # Errors
    /// When they are not let in: what to tell them.
    pub(crate) async fn let_in(&self, server: &Server, parts: &Parts) -> Result<Principal, Refusal> {
        self.authenticate(&parts.headers).await.map_err(|denied| {
            server.audit.denied(&denied);
            server.context.metrics.calls.not_let_in(&denied);
            self.refusal(&denied, parts)
        })
    }

    /// What to tell somebody who was let in without saying who they are, and may not do what they want; nothing if nobody could
    /// say more.
    pub(crate) fn ask(&self, parts: &Parts) -> Option<Refusal> {
        let knows_somebody = self.tokens.is_some() || !self.keys_now().keys().is_empty();
        knows_somebody.then(|| self.refusal(&Denied::Missing, parts))
    }

    /// What to tell somebody who is not let in.
    fn refusal(&self, denied: &Denied, parts: &Parts) -> Refusal {
        let remedy = Remedy {
            has_keys: !self.keys.keys().0.keys().is_empty(),
            keys: self.keys.path(),
            issuer: self.tokens.as_ref().map(Tokens::issuer),
        };
        Refusal::new(denied, &remedy, self.tokens.as_ref().map(|tokens| tokens.challenge(parts)))
    }
}

/// What a request presents: `Authorization: Bearer …`, or the header for keys.
fn presented(headers: &HeaderMap) -> Result<Presented<'_>, Denied> {
    if let Some(key) = headers.get(KEY_HEADER) {
        return key.to_str().map(|key| Presented::Key(key.trim())).map_err(|_| Denied::Malformed);
    }
    let Some(header) = headers.get(header::AUTHORIZATION) else { return Ok(Presented::Nothing) };
    let text = header.to_str().map_err(|_| Denied::Malformed)?;
    match text.split_once(' ') {
        Some((scheme, sent)) if scheme.eq_ignore_ascii_case("bearer") => Ok(match sent.trim() {
            key if keys::is_key(key) => Presented::Key(key),
            token => Presented::Bearer(token),
        }),
        _ => Err(Denied::Malformed),
    }
}

/// What this server tells of itself to those who want a token for it (RFC 9728): to anybody.
pub(crate) async fn resource_metadata(
    State(authenticator): State<Arc<Authenticator>>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    match &authenticator.tokens {
        Some(tokens) => tokens.resource.metadata(&parts),
        None => nothing_at(&parts.uri).into_response(),
    }
}

/// Lets requests through whose senders are known, with who they are.
pub(crate) async fn only_known(
    State((server, authenticator)): State<(Arc<Server>, Arc<Authenticator>)>,
    request: Request,
    next: Next,
) -> Response {
    // The body can't be shared between threads, and is not looked at.
    let (parts, body) = request.into_parts();
    match authenticator.let_in(&server, &parts).await {
        Ok(principal) => {
            let mut request = Request::from_parts(parts, body);
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use access::{PathScope, Role, keys::NewKey, store};
    use axum::http::HeaderValue;
    use clap::Parser;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        listen: ListenConfig,
    }

    fn listen(arguments: &[&str]) -> ListenConfig {
        Line::try_parse_from(["test"].iter().chain(arguments)).expect("arguments").listen
    }

    fn sent(header: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            header.parse().expect("a header"),
            HeaderValue::from_str(value).expect("a value"),
        )])
    }

    #[tokio::test]
    async fn who_gets_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        let authenticator = |is_named, arguments: &[&str]| {
            Authenticator::new(
                Arc::new(KeyRing::open(path.clone()).expect("keys")),
                is_named,
                &listen(arguments),
            )
        };
        async fn who(authenticator: &Authenticator, headers: &HeaderMap) -> Result<String, Denied> {
            authenticator.authenticate(headers).await.map(|principal| principal.id().to_owned())
        }
        let (local, named) = (authenticator(false, &[]), authenticator(true, &[]));
        let open = authenticator(false, &["--bind", "0.0.0.0:8079", "--insecure"]);
        let closed = authenticator(false, &["--bind", "0.0.0.0:8079"]);
        let nothing = HeaderMap::new();
        assert_eq!(who(&local, &nothing).await.as_deref(), Ok("anonymous"));
        assert_eq!(who(&open, &nothing).await.as_deref(), Ok("anonymous"));
        assert_eq!(who(&named, &nothing).await, Err(Denied::Missing));
        assert_eq!(who(&closed, &nothing).await, Err(Denied::Missing));
        let new = NewKey {
            id: "ci".parse().expect("a name"),
            role: Role::Viewer,
            paths: PathScope::everything(),
            tenant: None,
            expires: None,
        };
        let secret = store::update(&path, |file| file.create(new, Utc::now())).expect("a key");
        let secret = secret.expose_secret();
        let text = std::fs::read_to_string(&path).expect("a file");
        for authenticator in [&local, &named, &closed] {
            assert_eq!(who(authenticator, &nothing).await, Err(Denied::Missing));
            for headers in [
                sent("authorization", &format!("Bearer {secret}")),
                sent("authorization", &format!("bearer {secret}")),
                sent("x-api-key", secret),
            ] {
                assert_eq!(who(authenticator, &headers).await.as_deref(), Ok("ci"));
            }
            assert_eq!(
                who(authenticator, &sent("authorization", "Basic YTpi")).await,
                Err(Denied::Malformed)
            );
            assert_eq!(who(authenticator, &sent("x-api-key", "smcp_ci_x")).await, Err(Denied::UnknownKey));
        }
        // A file that goes lets nobody in.
        std::fs::remove_file(&path).expect("it goes");
        assert_eq!(who(&local, &nothing).await, Err(Denied::Missing));
        std::fs::write(&path, text).expect("it comes");
        // Open means that nobody has to, and who does is known.
        assert_eq!(who(&open, &nothing).await.as_deref(), Ok("anonymous"));
        assert_eq!(who(&open, &sent("x-api-key", secret)).await.as_deref(), Ok("ci"));
        assert_eq!(who(&open, &sent("x-api-key", "smcp_ci_x")).await, Err(Denied::UnknownKey));
    }
}
