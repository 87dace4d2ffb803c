//! Secrets from HashiCorp Vault or OpenBao: fields of a KV store of version 2, read by somebody who is logged in, again and again.
//!
//! `login.rs` says who we are and keeps saying it (leases are renewed), [`Vault::read`] reads a field, and a [`Follower`] hands what
//! it holds to whoever needs it, also when it changes. While Vault does not answer, what was read last goes on.

mod follower;
mod login;

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Method, StatusCode, header::HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

pub use follower::Follower;

use crate::{
    config::{VaultConfig, VaultPath},
    metrics::{
        Metrics,
        labels::{Success, VaultOperation},
    },
    outbound,
};
use login::{Login, Session};

/// How long one request may take.
const ASKING: Duration = Duration::from_secs(5);
/// Bytes of an answer at most.
const MAX_BYTES: usize = 4 << 20;
/// Characters of what Vault says of an error that are told.
const MAX_SAID: usize = 200;

/// Why a secret was not read. Texts tell no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It does not answer, or can't now: it is worth asking again.
    #[error("Vault at {addr} can't be asked: {what}")]
    Unavailable {
        /// Where it is.
        addr: String,
        /// What happened.
        what: String,
    },
    /// It does not let us.
    #[error("Vault at {addr} refuses {asked}: {what}")]
    Refused {
        /// Where it is.
        addr: String,
        /// What was asked.
        asked: &'static str,
        /// What it says.
        what: String,
    },
    /// A file that says who we are can't be read.
    #[error("what {flag} names can't be used: {what}")]
    File {
        /// The option that names the file.
        flag: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// There is no such secret.
    #[error("there is no {place} in Vault at {addr}: put it there, `bao kv put -mount={} {} {}=@FILE`, into a KV store of version 2", place.mount, place.path, place.field)]
    Missing {
        /// Where it is.
        addr: String,
        /// The field.
        place: VaultPath,
    },
}

/// Vault, and who we are there.
#[derive(Debug)]
pub struct Vault {
    client: Client,
    addr: String,
    namespace: Option<String>,
    login: Login,
    session: Mutex<Option<Session>>,
    metrics: Arc<Metrics>,
}

impl Vault {
    /// As the configuration says; nothing is asked yet.
    ///
    /// # Errors
    /// When there is no address, or the file of its authority can't be taken.
    pub fn new(config: &VaultConfig, metrics: Arc<Metrics>) -> Result<Vault, VaultError> {
        let unavailable = |addr: &str, what| VaultError::Unavailable { addr: addr.to_owned(), what };
        let Some(addr) = &config.vault_addr else {
            return Err(unavailable("?", "name it by --vault-addr".to_owned()));
        };
        let client = outbound::client(addr, config.vault_ca.as_deref(), ASKING)
            .map_err(|what| unavailable(addr.as_str(), what))?;
        Ok(Vault {
            client,
            addr: addr.trimmed().to_owned(),
            namespace: config.vault_namespace.clone(),
            login: Login::new(config),
            session: Mutex::default(),
            metrics,
        })
    }

    /// The value of a field.
    ///
    /// # Errors
    /// When Vault does not answer, does not let us, or has no such field.
    pub async fn read(&self, place: &VaultPath) -> Result<SecretString, VaultError> {
        let answer = match self.read_as(&self.token().await?, place).await {
            // The token may have been taken back before its time: who we are can be said again, once.
            Err(VaultError::Refused { .. }) => {
                self.forget().await;
                self.read_as(&self.token().await?, place).await
            }
            other => other,
        }?;
        let field = answer["data"]["data"][place.field.as_str()].as_str();
        let missing = || VaultError::Missing { addr: self.addr.clone(), place: place.clone() };
        field.map(SecretString::from).ok_or_else(missing)
    }

    async fn read_as(&self, token: &SecretString, place: &VaultPath) -> Result<Value, VaultError> {
        let path = format!("{}/data/{}", place.mount, place.path);
        let asked = self.ask(VaultOperation::Read, Method::GET, &path, Some(token), None).await;
        asked?.ok_or_else(|| VaultError::Missing { addr: self.addr.clone(), place: place.clone() })
    }

    /// Asks Vault's API, version 1. `None` where it says that there is nothing.
    async fn ask(
        &self,
        operation: VaultOperation,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<&Value>,
    ) -> Result<Option<Value>, VaultError> {
        let asked = self.ask_uncounted(operation, method, path, token, body).await;
        let outcome = if asked.is_ok() { Success::Completed } else { Success::Failed };
        self.metrics.access.asked_vault(operation, outcome);
        asked
    }

    async fn ask_uncounted(
        &self,
        operation: VaultOperation,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<&Value>,
    ) -> Result<Option<Value>, VaultError> {
        let unavailable = |what| VaultError::Unavailable { addr: self.addr.clone(), what };
        let mut request = self.client.request(method, format!("{}/v1/{path}", self.addr));
        request = request.header("x-vault-request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(token.expose_secret())
                .map_err(|_| unavailable("the token holds characters that no token has".to_owned()))?;
            value.set_sensitive(true);
            request = request.header("x-vault-token", value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.map_err(|error| unavailable(outbound::in_full(&error)))?;
        let status = response.status();
        let bytes = outbound::body(response, MAX_BYTES).await.map_err(unavailable)?;
        let answer: Option<Value> = match bytes.is_empty() {
            true => Some(json!({})),
            false => serde_json::from_slice(&bytes).ok(),
        };
        let Some(answer) = answer else {
            return Err(unavailable(format!("something else answers there ({status})")));
        };
        match status {
            status if status.is_success() => Ok(Some(answer)),
            // A proxy may say it, too, and does not know.
            StatusCode::NOT_FOUND if answer.get("errors").is_some() || answer.get("data").is_some() => {
                Ok(None)
            }
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                let asked = match operation {
                    VaultOperation::Login => "who we say we are",
                    VaultOperation::Renew => "to renew our token",
                    VaultOperation::Read => "to let us read",
                };
                Err(VaultError::Refused { addr: self.addr.clone(), asked, what: said(&answer) })
            }
            status => Err(unavailable(format!("it answers {status}: {}", said(&answer)))),
        }
    }
}

/// What Vault says of an error, in bounds.
fn said(answer: &Value) -> String {
    let errors = answer["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let text = errors.collect::<Vec<_>>().join("; ");
    let plain = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    plain.take(MAX_SAID).collect::<String>().trim().to_owned()
}
