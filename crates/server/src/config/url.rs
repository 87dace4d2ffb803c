//! URLs of servers that secrets and tokens pass between.

use std::{fmt, net::IpAddr, str::FromStr};

use reqwest::Url;

/// An `https://` URL, or an `http://` one of this machine, without credentials, which would be a secret in plain sight. It is kept
/// as it was written: an issuer is compared letter by letter (RFC 8414 §3.3).
#[derive(Clone, PartialEq, Eq)]
pub struct SecureUrl {
    written: String,
    url: Url,
}

impl SecureUrl {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether it is plain HTTP.
    pub fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// The URL without a slash at its end.
    pub fn trimmed(&self) -> &str {
        self.written.trim_end_matches('/')
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The path without a slash at its end: nothing, or `/realms/a`.
    pub fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }
}

impl FromStr for SecureUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<SecureUrl, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        let host = url.host_str().ok_or("give an https:// URL with a host")?;
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err("give an https:// URL; http:// is for this machine alone".to_owned()),
            _ => return Err("give an https:// URL".to_owned()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("leave user and password out: they would be in plain sight".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("leave out what begins with ? or #".to_owned());
        }
        Ok(SecureUrl { written: text.to_owned(), url })
    }
}

impl fmt::Debug for SecureUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Display for SecureUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_over_tls_or_within_this_machine() {
        for right in
            ["https://id.example.org/realms/a", "http://127.0.0.1:9400", "http://[::1]/", "http://localhost"]
        {
            let url: SecureUrl = right.parse().expect("a URL");
            assert_eq!(url.as_str(), right);
        }
        for wrong in [
            "http://id.example.org",
            "https://a:b@x",
            "https://x/?a=1",
            "ftp://x",
            "x",
            "http://localhost.example.org",
        ] {
            assert!(wrong.parse::<SecureUrl>().is_err(), "{wrong}");
        }
        let url: SecureUrl = "https://id.example.org/realms/a/".parse().expect("a URL");
        assert_eq!((url.origin().as_str(), url.path()), ("https://id.example.org", "/realms/a"));
    }
}
