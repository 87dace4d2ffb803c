//! Who we are in Vault: by a token in a file, by AppRole, or as a service account of Kubernetes. And for how long.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{Vault, VaultError};
use crate::{
    config::{VaultAuth, VaultConfig},
    metrics::labels::VaultOperation,
};

/// How we say who we are. Files are read when it is said: others may replace them.
#[derive(Debug)]
pub(super) enum Login {
    TokenFile(PathBuf),
    AppRole { mount: String, role_id: PathBuf, secret_id: PathBuf },
    Kubernetes { mount: String, role: String, jwt: PathBuf },
}

/// A token, and for how long it is good.
#[derive(Debug)]
pub(super) struct Session {
    token: SecretString,
    /// When it ends, if it does.
    ends: Option<Instant>,
    /// When it is to be renewed, if it can be.
    renew: Option<Instant>,
}

impl Session {
    /// Of an answer that tells a lease in seconds: 0 is one without end.
    fn new(token: SecretString, lease: &Value, renewable: &Value) -> Session {
        let lease = lease.as_u64().filter(|seconds| *seconds > 0).map(Duration::from_secs);
        let now = Instant::now();
        let renew = lease.filter(|_| renewable.as_bool() == Some(true)).map(|lease| now + lease.mul_f64(0.6));
        Session { token, ends: lease.map(|lease| now + lease), renew }
    }
}

impl Login {
    pub(super) fn new(config: &VaultConfig) -> Login {
        let path = |file: &Option<crate::config::SecretFile>| {
            file.as_ref().map(|file| file.path().to_owned()).unwrap_or_default()
        };
        let mount = |usual: &str| config.vault_auth_mount.clone().unwrap_or_else(|| usual.to_owned());
        match config.vault_auth {
            VaultAuth::TokenFile => Login::TokenFile(path(&config.vault_token_file)),
            VaultAuth::Approle => Login::AppRole {
                mount: mount("approle"),
                role_id: path(&config.vault_role_id_file),
                secret_id: path(&config.vault_secret_id_file),
            },
            VaultAuth::Kubernetes => Login::Kubernetes {
                mount: mount("kubernetes"),
                role: config.vault_role.clone().unwrap_or_default(),
                jwt: config.vault_jwt_file.clone(),
            },
        }
    }
}

impl Vault {
    /// A token that is good now: the one we have, renewed where it is time, or a new one.
    pub(super) async fn token(&self) -> Result<SecretString, VaultError> {
        let mut session = self.session.lock().await;
        let now = Instant::now();
        if let (Login::TokenFile(path), Some(known)) = (&self.login, session.as_ref())
            && read("--vault-token-file", path)?.expose_secret() != known.token.expose_secret()
        {
            *session = None;
        }
        if let Some(known) = session.take_if(|known| known.renew.is_some_and(|at| at <= now)) {
            *session = self.renewed(known).await;
        }
        if let Some(known) = session.as_ref().filter(|known| known.ends.is_none_or(|end| now < end)) {
            return Ok(known.token.clone());
        }
        let new = self.log_in().await?;
        let token = new.token.clone();
        *session = Some(new);
        Ok(token)
    }

    /// When the token is to be renewed, or ends.
    pub(super) async fn due(&self) -> Option<Instant> {
        let session = self.session.lock().await;
        session.as_ref().and_then(|known| known.renew.or(known.ends))
    }

    /// Drops the token, which Vault does not take any more.
    pub(super) async fn forget(&self) {
        *self.session.lock().await = None;
    }

    /// The session with a new lease; the same one while Vault does not answer; none where it refuses.
    async fn renewed(&self, known: Session) -> Option<Session> {
        let (path, token) = ("auth/token/renew-self", &known.token);
        match self.ask(VaultOperation::Renew, Method::POST, path, Some(token), Some(&json!({}))).await {
            Ok(answer) => {
                let auth = answer.map(|mut answer| answer["auth"].take()).unwrap_or_default();
                tracing::debug!("renewed the token of Vault");
                Some(Session::new(known.token, &auth["lease_duration"], &auth["renewable"]))
            }
            Err(error @ VaultError::Refused { .. }) => {
                tracing::warn!(%error, "logging in to Vault again");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the token of Vault can't be renewed yet");
                Some(known)
            }
        }
    }

    async fn log_in(&self) -> Result<Session, VaultError> {
        let (mount, body) = match &self.login {
            Login::TokenFile(path) => return self.look_up(read("--vault-token-file", path)?).await,
            Login::AppRole { mount, role_id, secret_id } => {
                let role_id = read("--vault-role-id-file", role_id)?;
                let secret_id = read("--vault-secret-id-file", secret_id)?;
                (mount, json!({ "role_id": role_id.expose_secret(), "secret_id": secret_id.expose_secret() }))
            }
            Login::Kubernetes { mount, role, jwt } => {
                let jwt = read("--vault-jwt-file", jwt)?;
                (mount, json!({ "role": role, "jwt": jwt.expose_secret() }))
            }
        };
        let path = format!("auth/{mount}/login");
        let answer = self.ask(VaultOperation::Login, Method::POST, &path, None, Some(&body)).await?;
        let auth = answer.map(|mut answer| answer["auth"].take()).unwrap_or_default();
        match auth["client_token"].as_str() {
            Some(token) => {
                Ok(Session::new(SecretString::from(token), &auth["lease_duration"], &auth["renewable"]))
            }
            None => Err(VaultError::Refused {
                addr: self.addr.clone(),
                asked: "who we say we are",
                what: format!("nobody can log in at {path}; --vault-auth-mount names where"),
            }),
        }
    }

    /// What becomes of a token that somebody else asked for.
    async fn look_up(&self, token: SecretString) -> Result<Session, VaultError> {
        let path = "auth/token/lookup-self";
        let answer = self.ask(VaultOperation::Login, Method::GET, path, Some(&token), None).await?;
        let data = answer.map(|mut answer| answer["data"].take()).unwrap_or_default();
        Ok(Session::new(token, &data["ttl"], &data["renewable"]))
    }
}

/// The secret in a file. Neither it nor the path is told.
fn read(flag: &'static str, path: &Path) -> Result<SecretString, VaultError> {
    let wrong = |what: String| VaultError::File { flag, what };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    match text.trim() {
        "" => Err(wrong("it is empty".to_owned())),
        secret => Ok(SecretString::from(secret)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{
        Json, Router,
        http::HeaderMap,
        routing::{get, post},
    };
    use clap::Parser;

    use super::*;
    use crate::{config::VaultPath, metrics::Metrics};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        vault: VaultConfig,
    }

    /// What Vault's Kubernetes method answers, by its documentation; the real one needs a cluster that it asks.
    async fn kubernetes() -> String {
        let log_in = |headers: HeaderMap, Json(body): Json<Value>| async move {
            assert_eq!(body, json!({ "role": "sheets", "jwt": "of-the-pod" }));
            assert_eq!(
                headers.get("x-vault-namespace").map(axum::http::HeaderValue::as_bytes),
                Some(b"team".as_slice())
            );
            let auth = json!({ "client_token": "hvs.given", "lease_duration": 3_600, "renewable": true });
            Json(json!({ "auth": auth }))
        };
        let read = |headers: HeaderMap| async move {
            assert_eq!(headers["x-vault-token"], "hvs.given");
            Json(json!({ "data": { "data": { "keys": "text" }, "metadata": { "version": 1 } } }))
        };
        let router = Router::new()
            .route("/v1/auth/cluster-a/login", post(log_in))
            .route("/v1/secret/data/sheets", get(read));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn a_service_account_logs_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let jwt = folder.path().join("token");
        fs::write(&jwt, "of-the-pod\n").expect("a file");
        let (addr, jwt) = (kubernetes().await, jwt.display().to_string());
        let line = [
            "test",
            "--vault-addr",
            &addr,
            "--vault-auth",
            "kubernetes",
            "--vault-role",
            "sheets",
            "--vault-jwt-file",
            &jwt,
            "--vault-auth-mount",
            "cluster-a",
            "--vault-namespace",
            "team",
        ];
        let config = Line::try_parse_from(line).expect("options").vault;
        let vault = Vault::new(&config, Arc::<Metrics>::default()).expect("a client");
        let place = |field: &str| VaultPath {
            mount: "secret".to_owned(),
            path: "sheets".to_owned(),
            field: field.to_owned(),
        };
        assert_eq!(vault.read(&place("keys")).await.expect("a secret").expose_secret(), "text");
        assert!(matches!(vault.read(&place("other")).await, Err(VaultError::Missing { .. })));
        let due = vault.due().await.expect("a lease").saturating_duration_since(Instant::now());
        assert!(due > Duration::from_secs(2_000) && due < Duration::from_secs(2_200), "{due:?}");
        assert!(!format!("{vault:?}").contains("given"), "a token is printed");
    }
}
