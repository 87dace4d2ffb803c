//! Who may call over HTTP: by API key, or anybody where the server is for this machine alone.
//!
//! A server that others can reach starts closed: until there is a key, every call is answered with what to do.

mod refusal;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use access::{
    Denied, keys,
    store::{KeyRing, StoreError},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::Utc;

pub use refusal::Refusal;

use crate::{Server, config::ListenConfig, principal::Principal};

/// The header of a key for clients that can't send `Authorization`.
const KEY_HEADER: &str = "x-api-key";

/// Knows who may call.
#[derive(Debug)]
pub struct Authenticator {
    keys: KeyRing,
    /// Whether nobody gets in without credentials, also while there is no key.
    is_closed: bool,
    /// Whether credentials are not asked for at all.
    is_open: bool,
    /// Whether there were keys: a file that goes lets nobody in.
    had_keys: AtomicBool,
}

impl Authenticator {
    /// By the keys of a file. They are asked for if others can reach the server, if the file was named, or if there are any.
    pub fn new(keys: KeyRing, is_named: bool, listen: &ListenConfig) -> Authenticator {
        let is_closed = !listen.insecure && (is_named || listen.is_open_to_others());
        Authenticator { keys, is_closed, is_open: listen.insecure, had_keys: AtomicBool::default() }
    }

    /// Who sent a request.
    ///
    /// # Errors
    /// When they have to say who they are and don't, or say so wrongly.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, Denied> {
        let (keys, problem) = self.keys.keys();
        if let Some(error) = problem {
            tracing::error!(%error, "the file of keys can't be taken; the keys before stay in force");
        }
        let had_keys = self.had_keys.fetch_or(!keys.keys().is_empty(), Ordering::Relaxed);
        let asks = !self.is_open && (self.is_closed || had_keys || !keys.keys().is_empty());
        match credentials(headers) {
            Ok(Some(presented)) if asks || keys::is_key(presented) => {
                keys.verify(presented, Utc::now()).map(Principal::from)
            }
            Err(malformed) if asks => Err(malformed),
            Ok(None) if asks => Err(Denied::Missing),
            Ok(_) | Err(_) => Ok(Principal::anonymous()),
        }
    }

    /// Says who is let in.
    pub(crate) fn announce(&self) {
        let keys = self.keys.keys().0.keys().len();
        let file = self.keys.path().display();
        match (self.is_open, self.is_closed, keys) {
            (true, ..) => tracing::warn!("anybody who connects may call (--insecure)"),
            (_, true, 0) => {
                tracing::warn!(%file, "nobody may call yet: make a key with `spreadsheet-mcp keys create`");
            }
            (_, false, 0) => tracing::info!("callers of this machine need no key"),
            _ => tracing::info!(%file, keys, "callers need a key"),
        }
    }

    /// What to tell somebody who is not let in.
    fn refusal(&self, denied: &Denied) -> Refusal {
        let has_keys = !self.keys.keys().0.keys().is_empty();
        Refusal::new(denied, has_keys, self.keys.path())
    }
}

/// The keys of a server's configuration.
///
/// # Errors
/// When the file is there and can't be taken.
pub fn key_ring(config: &crate::config::FixedConfig) -> Result<KeyRing, StoreError> {
    KeyRing::open(config.keys_file())
}

/// What a request presents: `Authorization: Bearer …`, or the header for keys.
fn credentials(headers: &HeaderMap) -> Result<Option<&str>, Denied> {
    if let Some(key) = headers.get(KEY_HEADER) {
        return key.to_str().map(|key| Some(key.trim())).map_err(|_| Denied::Malformed);
    }
    let Some(header) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = header.to_str().map_err(|_| Denied::Malformed)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Denied::Malformed),
    }
}

/// Lets requests through whose senders are known, with who they are.
pub(crate) async fn only_known(
    State((server, authenticator)): State<(Arc<Server>, Arc<Authenticator>)>,
    mut request: Request,
    next: Next,
) -> Response {
    match authenticator.authenticate(request.headers()) {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(denied) => {
            server.audit.denied(&denied);
            server.context.metrics.calls.not_let_in(&denied);
            authenticator.refusal(&denied).into_response()
        }
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

    #[test]
    fn who_gets_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        let authenticator = |is_named, arguments: &[&str]| {
            Authenticator::new(KeyRing::open(path.clone()).expect("keys"), is_named, &listen(arguments))
        };
        let who = |authenticator: &Authenticator, headers: &HeaderMap| {
            authenticator.authenticate(headers).map(|principal| principal.id().to_owned())
        };
        let (local, named) = (authenticator(false, &[]), authenticator(true, &[]));
        let open = authenticator(false, &["--bind", "0.0.0.0:8079", "--insecure"]);
        let closed = authenticator(false, &["--bind", "0.0.0.0:8079"]);
        let nothing = HeaderMap::new();
        assert_eq!(who(&local, &nothing).as_deref(), Ok("anonymous"));
        assert_eq!(who(&open, &nothing).as_deref(), Ok("anonymous"));
        assert_eq!(who(&named, &nothing), Err(Denied::Missing));
        assert_eq!(who(&closed, &nothing), Err(Denied::Missing));
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
            assert_eq!(who(authenticator, &nothing), Err(Denied::Missing));
            for headers in [
                sent("authorization", &format!("Bearer {secret}")),
                sent("authorization", &format!("bearer {secret}")),
                sent("x-api-key", secret),
            ] {
                assert_eq!(who(authenticator, &headers).as_deref(), Ok("ci"));
            }
            assert_eq!(who(authenticator, &sent("authorization", "Basic YTpi")), Err(Denied::Malformed));
            assert_eq!(who(authenticator, &sent("x-api-key", "smcp_ci_x")), Err(Denied::UnknownKey));
        }
        // A file that goes lets nobody in.
        std::fs::remove_file(&path).expect("it goes");
        assert_eq!(who(&local, &nothing), Err(Denied::Missing));
        std::fs::write(&path, text).expect("it comes");
        // Open means that nobody has to, and who does is known.
        assert_eq!(who(&open, &nothing).as_deref(), Ok("anonymous"));
        assert_eq!(who(&open, &sent("x-api-key", secret)).as_deref(), Ok("ci"));
        assert_eq!(who(&open, &sent("x-api-key", "smcp_ci_x")), Err(Denied::UnknownKey));
    }
}
