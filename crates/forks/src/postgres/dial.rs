//! Makes connections to whichever host of a database may be written to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{Failure, connection_failure};
use super::{Password, PostgresOptions, PostgresUrl, tls};

/// What is needed to connect, but for the password.
pub(super) struct Dialer {
    /// One for each host.
    hosts: Vec<Config>,
    /// The host that could be written to last: a primary that was replaced, and comes back, is not asked first.
    last: AtomicUsize,
    connector: MakeRustlsConnect,
    connect_timeout: Duration,
}

impl Dialer {
    /// The error says why nothing can be trusted.
    pub(super) fn new(url: &PostgresUrl, options: &PostgresOptions) -> Result<Dialer, String> {
        let mut hosts = url.each_host();
        for config in &mut hosts {
            config
                .connect_timeout(options.connect_timeout)
                .target_session_attrs(TargetSessionAttrs::ReadWrite)
                .keepalives_idle(options.patience.max(Duration::from_secs(1)))
                .keepalives_interval(Duration::from_secs(2))
                .keepalives_retries(3)
                .tcp_user_timeout(options.patience);
        }
        Ok(Dialer {
            hosts,
            last: AtomicUsize::new(0),
            connector: tls::connector(&url.trust)?,
            connect_timeout: options.connect_timeout,
        })
    }

    /// Hosts beside the first that is tried.
    pub(super) fn other_hosts(&self) -> u32 {
        u32::try_from(self.hosts.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Tries one host after the other. Each but the last has its time for all that it takes until a statement can be sent, as
    /// with PostgreSQL's own clients: one that accepts connections and says nothing keeps nobody from the next.
    pub(super) async fn connect(&self, password: &Password) -> Result<(Client, JoinHandle<()>), Failure> {
        let password = password().map_err(Failure::Refused)?;
        let first = self.last.load(Ordering::Relaxed);
        let mut failed = Failure::Away("it has no host".to_owned());
        for tried in 0..self.hosts.len() {
            let index = (first + tried) % self.hosts.len();
            let mut config = self.hosts[index].clone();
            if let Some(password) = &password {
                config.password(password);
            }
            let connecting = config.connect(self.connector.clone());
            let connected = match tried + 1 < self.hosts.len() {
                true => tokio::time::timeout(self.connect_timeout, connecting).await,
                false => Ok(connecting.await),
            };
            match connected {
                Ok(Ok((client, connection))) => {
                    self.last.store(index, Ordering::Relaxed);
                    return Ok((client, tokio::spawn(serve(connection))));
                }
                Ok(Err(error)) => failed = connection_failure(&error),
                Err(_) => failed = Failure::Away("a host is silent".to_owned()),
            }
        }
        Err(failed)
    }
}

/// Moves what is sent and received, until the client goes. Why it ended is told by the statements that it ended over.
async fn serve<S>(connection: Connection<Socket, S>)
where
    S: tokio_postgres::tls::TlsStream + Unpin,
{
    let _told_elsewhere = connection.await;
}
