//! Where the database is, and how its server is trusted.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// `postgres://USER@HOST:PORT,HOST:PORT/DATABASE?PARAMETER=VALUE`, as PostgreSQL's own clients take it. It has no password: that
/// is handed in whenever a connection is made.
#[derive(Clone)]
pub struct PostgresUrl {
    pub(super) config: Config,
    pub(super) trust: Trust,
    place: String,
}

/// How the server's certificate is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// It is not: there is no TLS, or any certificate will do.
    Anyone,
    /// An authority vouches for it, whatever name it has.
    Authority(Roots),
    /// An authority vouches for it, and it has the name of the host.
    Host(Roots),
}

/// The authorities that may vouch for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    System,
    File(PathBuf),
}

/// A text that is no such URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPostgresUrl(String);

/// Parameters that are taken as they are.
const TAKEN: [&str; 6] = ["host", "port", "user", "dbname", "application_name", "channel_binding"];

/// What all of the parameters are.
const PARAMETERS: &str = "sslmode, sslrootcert, channel_binding, application_name, host, port, user, dbname and target_session_attrs=read-write";

impl FromStr for PostgresUrl {
    type Err = InvalidPostgresUrl;

    fn from_str(text: &str) -> Result<PostgresUrl, InvalidPostgresUrl> {
        let refuse = |what: &str| Err(InvalidPostgresUrl(what.to_owned()));
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let Some(rest) = base.strip_prefix("postgres://").or_else(|| base.strip_prefix("postgresql://"))
        else {
            return refuse("expected postgres://USER@HOST:PORT/DATABASE");
        };
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return refuse("the URL must not hold a password: put it into a file, and name that");
        }
        let (mut mode, mut roots) = (None, None);
        let mut taken = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                ("sslmode", _) => mode = Some(value.into_owned()),
                ("sslrootcert", "system") => roots = Some(Roots::System),
                ("sslrootcert", _) => roots = Some(Roots::File(PathBuf::from(value.as_ref()))),
                // It is so anyway.
                ("target_session_attrs", "read-write") => {}
                ("password", _) => {
                    return refuse("the URL must not hold a password: put it into a file, and name that");
                }
                (known, _) if TAKEN.contains(&known) => {
                    taken.append_pair(&name, &value);
                }
                _ => {
                    return Err(InvalidPostgresUrl(format!(
                        "{name}={value} is not understood; there are {PARAMETERS}"
                    )));
                }
            }
        }
        // The parser of the driver takes %20, and no plus for a space.
        let taken = taken.finish().replace('+', "%20");
        let mut config: Config = format!("postgres://{rest}?{taken}").parse().map_err(|error| {
            let mut said = format!("{error}");
            if let Some(cause) = std::error::Error::source(&error) {
                said = format!("{said}: {cause}");
            }
            InvalidPostgresUrl(said)
        })?;
        if config.get_hosts().is_empty() {
            return refuse("it names no host");
        }
        if config.get_dbname().is_none() {
            return refuse("it names no database: end it with /DATABASE");
        }
        let is_near = config.get_hosts().iter().all(is_near);
        let mode = mode.as_deref().unwrap_or(if is_near { "prefer" } else { "verify-full" });
        let (mode, trust) = match (mode, roots) {
            ("disable", None) => (SslMode::Disable, Trust::Anyone),
            ("prefer", None) => (SslMode::Prefer, Trust::Anyone),
            ("require", None) => (SslMode::Require, Trust::Anyone),
            ("disable" | "prefer", Some(_)) => {
                return refuse("sslrootcert means nothing with this sslmode; use sslmode=verify-full");
            }
            // As PostgreSQL's own clients do.
            ("require", Some(roots)) => (SslMode::Require, Trust::Authority(roots)),
            ("verify-ca", roots) => (SslMode::Require, Trust::Authority(roots.unwrap_or(Roots::System))),
            ("verify-full", roots) => (SslMode::Require, Trust::Host(roots.unwrap_or(Roots::System))),
            (other, _) => {
                return Err(InvalidPostgresUrl(format!(
                    "there is no sslmode={other}; there are disable, prefer, require, verify-ca and verify-full"
                )));
            }
        };
        config.ssl_mode(mode);
        let place = format!("postgres://{}", rest.rsplit_once('@').map_or(rest, |(_, place)| place));
        Ok(PostgresUrl { config, trust, place })
    }
}

impl PostgresUrl {
    /// What the driver is told of each host, in their order.
    pub(super) fn each_host(&self) -> Vec<Config> {
        let ports = self.config.get_ports();
        let of_host = |(index, host): (usize, &Host)| {
            let mut config = Config::new();
            match host {
                #[cfg(unix)]
                Host::Unix(folder) => config.host_path(folder),
                Host::Tcp(name) => config.host(name),
            };
            if let Some(port) = ports.get(index).or(ports.first()) {
                config.port(*port);
            }
            config.user(self.config.get_user().unwrap_or_default());
            config.dbname(self.config.get_dbname().unwrap_or_default());
            config.application_name(self.config.get_application_name().unwrap_or("spreadsheet-mcp"));
            config.channel_binding(self.config.get_channel_binding());
            config.ssl_mode(self.config.get_ssl_mode());
            config
        };
        self.config.get_hosts().iter().enumerate().map(of_host).collect()
    }
}

/// Whether nobody is in between.
fn is_near(host: &Host) -> bool {
    match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// Without the user and the parameters.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, shown: &str, mode: SslMode, trust: Trust) {
        let url: PostgresUrl = text.parse().expect(text);
        assert_eq!((url.to_string().as_str(), &url.trust), (shown, &trust), "{text}");
        assert_eq!(url.config.get_ssl_mode(), mode, "{text}");
    }

    #[test]
    fn trust_is_as_the_url_says() {
        let system = || Roots::System;
        let file = || Roots::File("/a b.pem".into());
        check(
            "postgres://me@db.example/s",
            "postgres://db.example/s",
            SslMode::Require,
            Trust::Host(system()),
        );
        check("postgresql://me@127.0.0.1:7/s", "postgres://127.0.0.1:7/s", SslMode::Prefer, Trust::Anyone);
        check(
            "postgres://me@a:1,b:2/s?sslmode=disable",
            "postgres://a:1,b:2/s",
            SslMode::Disable,
            Trust::Anyone,
        );
        check("postgres://me@a/s?sslmode=require", "postgres://a/s", SslMode::Require, Trust::Anyone);
        let with_root = "postgres://me@a/s?sslmode=require&sslrootcert=%2Fa%20b.pem";
        check(with_root, "postgres://a/s", SslMode::Require, Trust::Authority(file()));
        let full = "postgres://me@a/s?sslrootcert=/a+b.pem&application_name=my%20own";
        check(full, "postgres://a/s", SslMode::Require, Trust::Host(file()));
        check("postgres:///s?host=/run/pg&user=me", "postgres:///s", SslMode::Prefer, Trust::Anyone);
    }

    #[test]
    fn each_host_has_its_port_and_what_is_common() {
        let url: PostgresUrl =
            "postgres://me@a:1,b:2/s?application_name=own&sslmode=disable".parse().unwrap();
        let hosts = url.each_host();
        assert_eq!(hosts.len(), 2);
        for (config, (host, port)) in hosts.iter().zip([("a", 1), ("b", 2)]) {
            assert_eq!(
                (config.get_hosts(), config.get_ports()),
                (&[Host::Tcp(host.to_owned())][..], &[port][..])
            );
            assert_eq!((config.get_user(), config.get_dbname()), (Some("me"), Some("s")));
            assert_eq!(
                (config.get_application_name(), config.get_ssl_mode()),
                (Some("own"), SslMode::Disable)
            );
        }
        let same: PostgresUrl = "postgres:///s?user=me&host=a,b&port=7&sslmode=disable".parse().unwrap();
        assert!(same.each_host().iter().all(|config| config.get_ports() == [7]));
    }

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        for (text, said) in [
            ("mysql://a/b", "expected postgres://"),
            ("postgres://me:secret@a/b", "must not hold a password"),
            ("postgres://me@a/b?password=secret", "must not hold a password"),
            ("postgres://me@a", "no database"),
            ("postgres://", "no host"),
            ("postgres://me@a/b?sslmode=allow", "there is no sslmode=allow"),
            ("postgres://me@a/b?sslmode=disable&sslrootcert=x", "means nothing"),
            ("postgres://me@a/b?sslcert=x", "sslcert=x is not understood"),
            ("postgres://me@a/b?target_session_attrs=any", "is not understood"),
            ("postgres://me@a:x/b", "port"),
        ] {
            let refused = text.parse::<PostgresUrl>().expect_err(text).to_string();
            assert!(refused.contains(said), "{text}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
