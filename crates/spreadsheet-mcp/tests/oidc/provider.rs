//! An OpenID provider that runs: `oidc-provider-mock` of PyPI, with a back door (`tests/clients/oidc_provider.py`).

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use components::{Listener, free_port, http, python};
use serde_json::{Value, json};

/// The audience of tokens in these tests.
pub(crate) const AUDIENCE: &str = "sheets";

/// A provider, killed when it goes.
pub(crate) struct Provider {
    listener: Listener,
    port: u16,
    is_secure: bool,
}

impl Provider {
    /// On a free port of loopback; `None`, said aloud, where Python's packages are not installed.
    pub(crate) fn start() -> Option<Provider> {
        Provider::at(free_port(), false)
    }

    /// The same, over TLS.
    pub(crate) fn over_tls() -> Option<Provider> {
        Provider::at(free_port(), true)
    }

    /// At a port, where it may have been before.
    pub(crate) fn at(port: u16, is_secure: bool) -> Option<Provider> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/oidc_provider.py");
        let script = script.canonicalize().expect("the script");
        let listener = Listener::start(python("oidc_provider_mock")?, |folder| {
            let mut arguments = vec![script.display().to_string(), port.to_string()];
            arguments.extend(is_secure.then(|| folder.path().display().to_string()));
            arguments
        });
        listener.wait_for(port);
        Some(Provider { listener, port, is_secure })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of its authority.
    pub(crate) fn ca(&self) -> PathBuf {
        self.listener.folder.path().join("ca.pem")
    }

    /// How its tokens name it.
    pub(crate) fn issuer(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    fn post(&self, path: &str, content: &str, body: &str) -> (u16, String, String) {
        let headers = format!("Content-Type: {content}\r\n");
        http("POST", &format!("127.0.0.1:{}", self.port), path, &headers, body)
    }

    /// What a token for us says of somebody.
    pub(crate) fn claims(&self, subject: &str, roles: &[&str]) -> Value {
        json!({ "iss": self.issuer(), "aud": AUDIENCE, "sub": subject, "exp": now() + 600, "roles": roles })
    }

    /// A token that it signs through its back door.
    pub(crate) fn sign(&self, order: &Value) -> String {
        let (status, _, token) = self.post("/test/sign", "application/json", &order.to_string());
        assert_eq!(status, 200, "{token} {}", self.listener.said());
        token
    }

    /// A token of somebody.
    pub(crate) fn token(&self, subject: &str, roles: &[&str]) -> String {
        self.sign(&json!({ "claims": self.claims(subject, roles) }))
    }

    /// A token as clients get one: by the authorization code flow (OpenID Connect Core 1.0 §3.1).
    pub(crate) fn logged_in(&self, subject: &str, roles: &[&str]) -> String {
        let address = format!("127.0.0.1:{}", self.port);
        let claims = json!({ "roles": roles }).to_string();
        let json = "Content-Type: application/json\r\n";
        assert_eq!(http("PUT", &address, &format!("/users/{subject}"), json, &claims).0, 204);
        let form = "application/x-www-form-urlencoded";
        let redirect = "http%3A%2F%2F127.0.0.1%2Fback";
        let asked = format!(
            "/oauth2/authorize?client_id={AUDIENCE}&redirect_uri={redirect}&response_type=code&scope=openid"
        );
        let code = self.code(&asked, subject);
        let order = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={redirect}&client_id={AUDIENCE}&client_secret=x"
        );
        let (status, _, body) = self.post("/oauth2/token", form, &order);
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).expect("json");
        answer["id_token"].as_str().expect("a token").to_owned()
    }

    /// The code that the provider sends a browser back with, letter by letter.
    fn code(&self, asked: &str, subject: &str) -> String {
        use std::io::{Read, Write};
        let body = format!("sub={subject}");
        let request = format!(
            "POST {asked} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        );
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let code = answer.split("code=").nth(1).expect("a code");
        code.split(|end: char| end == '&' || end.is_whitespace()).next().expect("a code").to_owned()
    }

    /// Gives it a new key, the only one from now on.
    pub(crate) fn rotate(&self) {
        assert_eq!(self.post("/test/rotate", "text/plain", "").0, 200);
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> u64 {
        let (_, _, body) = http("GET", &format!("127.0.0.1:{}", self.port), "/test/asked", "", "");
        serde_json::from_str::<Value>(&body).expect("json")[path].as_u64().unwrap_or(0)
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs()
}
