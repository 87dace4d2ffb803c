//! An OpenBao that runs, in its development mode, and what an operator asks of it.

use serde_json::{Value, json};

use components::{Listener, eventually, free_port, http, installed};

/// The token of whoever runs it.
const ROOT: &str = "root-of-the-test";

/// An OpenBao, killed when it goes.
pub(crate) struct Bao {
    listener: Listener,
    port: u16,
}

/// A free port whose neighbour is free as well: that is where servers of a cluster would meet.
fn port_before_a_free_one() -> u16 {
    loop {
        let port = free_port();
        if free_port() == port + 1 {
            return port;
        }
    }
}

impl Bao {
    /// On a free port of loopback; `None`, said aloud, where it is not installed.
    pub(crate) fn start() -> Option<Bao> {
        Bao::at(port_before_a_free_one())
    }

    /// At a port, where it may have been before; it remembers nothing.
    pub(crate) fn at(port: u16) -> Option<Bao> {
        let bao = Bao::launch(port, |_| Vec::new())?;
        eventually("it does not start", || {
            bao.asked("GET", "sys/health", ROOT, &json!({})).0.eq(&200).then_some(())
        });
        let rule = "path \"secret/data/sheets\" { capabilities = [\"read\"] }";
        bao.ask("PUT", "sys/policies/acl/sheets", &json!({ "policy": rule }));
        Some(bao)
    }

    /// Over TLS, with an authority of its own, by a certificate for loopback.
    pub(crate) fn over_tls() -> Option<Bao> {
        let bao = Bao::launch(port_before_a_free_one(), |folder| {
            vec!["-dev-tls".to_owned(), format!("-dev-tls-cert-dir={folder}")]
        })?;
        eventually("it does not start", || bao.listener.said().contains("server started!").then_some(()));
        Some(bao)
    }

    fn launch(port: u16, more: impl FnOnce(&str) -> Vec<String>) -> Option<Bao> {
        let listener = Listener::start(installed("bao")?, |folder| {
            let mut arguments: Vec<String> = [
                "server",
                "-dev",
                "-dev-no-store-token",
                &format!("-dev-root-token-id={ROOT}"),
                &format!("-dev-listen-address=127.0.0.1:{port}"),
            ]
            .map(str::to_owned)
            .to_vec();
            arguments.extend(more(&folder.path().display().to_string()));
            arguments
        });
        listener.wait_for(port);
        Some(Bao { listener, port })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The certificates of its authority.
    pub(crate) fn ca(&self) -> String {
        let folder = self.listener.folder.path().read_dir().expect("its folder");
        let found = folder.flatten().map(|entry| entry.path());
        let is_authority =
            |name: &str| name.contains("ca") && name.ends_with(".pem") && !name.contains("key");
        let mut found =
            found.filter(|path| is_authority(&path.file_name().unwrap_or_default().to_string_lossy()));
        found.next().unwrap_or_else(|| panic!("no authority: {}", self.listener.said())).display().to_string()
    }

    fn asked(&self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let headers = format!("X-Vault-Token: {token}\r\nContent-Type: application/json\r\n");
        let address = format!("127.0.0.1:{}", self.port);
        let (status, _, text) = http(method, &address, &format!("/v1/{path}"), &headers, &body.to_string());
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// What it answers to whoever runs it.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.asked(method, path, ROOT, body);
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// Puts the text of a file of keys where servers read it.
    pub(crate) fn put(&self, keys: &str) {
        self.ask("POST", "secret/data/sheets", &json!({ "data": { "keys": keys } }));
    }

    /// A token that may read the keys, for so long.
    pub(crate) fn token(&self, ttl: &str) -> String {
        let order = json!({ "policies": ["sheets"], "ttl": ttl, "renewable": true });
        let answer = self.ask("POST", "auth/token/create", &order);
        answer["auth"]["client_token"].as_str().expect("a token").to_owned()
    }
}
