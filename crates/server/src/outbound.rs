//! Asking other servers over HTTP: TLS by rustls with `ring`, roots of the system and a private one, answers of bounded size, no
//! redirects to other servers.

use std::{path::Path, sync::Once, time::Duration};

use reqwest::{Certificate, Client, ClientBuilder, Response, redirect::Policy};

use crate::config::SecureUrl;

/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(3);
/// Redirects of one request that are followed.
const MAX_REDIRECTS: usize = 3;

/// Makes `ring` what TLS computes with. Whoever builds an HTTP client calls it first.
pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Who installed another one meant it.
        let _other = rustls::crypto::ring::default_provider().install_default();
    });
}

/// A client for plain HTTP alone: it needs no certificates, which an image may not have.
pub fn plain_client() -> ClientBuilder {
    install_crypto();
    Client::builder().tls_certs_only([]).no_proxy().redirect(Policy::none())
}

/// A client for one server, whose certificate a private authority may have issued.
///
/// # Errors
/// When the authority's file can't be taken, or there are no certificates at all.
pub(crate) fn client(server: &SecureUrl, ca: Option<&Path>, limit: Duration) -> Result<Client, String> {
    let builder = match (server.is_plain(), ca) {
        (true, _) => plain_client(),
        (false, None) => {
            install_crypto();
            Client::builder().https_only(true)
        }
        (false, Some(path)) => {
            install_crypto();
            Client::builder().https_only(true).tls_certs_merge(certificates(path)?)
        }
    };
    let builder = builder.connect_timeout(CONNECTING).timeout(limit).redirect(same_server());
    builder.build().map_err(|error| in_full(&error))
}

/// The certificates of a file in PEM.
///
/// # Errors
/// When it can't be read, or holds none.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("\"{shown}\" can't be read: {error}"))?;
    match Certificate::from_pem_bundle(&text) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!("\"{shown}\" holds no certificates in PEM")),
    }
}

/// Somebody else must not be asked on the word of who was.
fn same_server() -> Policy {
    Policy::custom(|attempt| {
        let first = attempt.previous().first();
        let is_same = first.is_some_and(|first| first.origin() == attempt.url().origin());
        match is_same && attempt.previous().len() <= MAX_REDIRECTS {
            true => attempt.follow(),
            false => attempt.stop(),
        }
    })
}

/// The body of an answer, of so many bytes at most.
///
/// # Errors
/// When it is longer, or breaks off.
pub(crate) async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| in_full(&error))? {
        if bytes.len() + chunk.len() > most {
            return Err(format!("the answer has more than {most} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// An error with its causes, and without the URL, which names what it is about twice.
pub(crate) fn in_full(error: &reqwest::Error) -> String {
    let mut said = match error.is_timeout() {
        true => "it does not answer in time".to_owned(),
        false => "the request failed".to_owned(),
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        said.push_str(&format!(": {error}"));
        cause = error.source();
    }
    said
}
