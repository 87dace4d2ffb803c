//! What is in force, and how it is replaced while connections go on.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use chrono::{DateTime, SecondsFormat, Utc};
use rustls::ServerConfig;

use super::files::{Found, Identity, find, is_readable_by_all, system_time};
use crate::{
    config::{MetricsTls, TlsConfig, WrongValue},
    metrics::{
        Metrics,
        labels::{HandshakeFailure, Port, Reload},
    },
};

/// How often the files are looked at. Orchestrators replace them by a link or by renaming, of which nobody tells.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);
/// How long files that do not go together may be in the course of being written.
const SETTLING: Duration = Duration::from_secs(1);
/// How long before its end a certificate should be renewed.
const SOON: Duration = Duration::from_secs(30 * 86_400);
/// How often that is said.
const REMINDER: Duration = Duration::from_secs(86_400);

/// TLS of both ports.
#[derive(Debug)]
pub struct Tls {
    config: TlsConfig,
    metrics: Arc<Metrics>,
    in_force: ArcSwap<InForce>,
    state: Mutex<State>,
}

/// What new connections get.
#[derive(Debug)]
struct InForce {
    mcp: Arc<ServerConfig>,
    metrics: Arc<ServerConfig>,
    expires: DateTime<Utc>,
}

#[derive(Debug)]
struct State {
    /// What was seen last, good or bad.
    digest: [u8; 32],
    /// The ports that are open.
    ports: Vec<Port>,
}

impl Tls {
    /// Reads the files; nothing where no TLS is configured.
    ///
    /// # Errors
    /// When they are wrong, which the configuration was held against a moment ago.
    pub fn load(config: &TlsConfig, metrics: Arc<Metrics>) -> io::Result<Option<Arc<Tls>>> {
        let Some(found) = find(config, SystemTime::now()) else { return Ok(None) };
        let in_force = found.identity.and_then(|identity| InForce::new(&identity, config));
        let in_force = in_force.map_err(|wrong| {
            io::Error::other(wrong.into_iter().map(|wrong| wrong.what).collect::<Vec<_>>().join("; "))
        })?;
        let state = State { digest: found.digest, ports: Vec::new() };
        let tls = Tls {
            config: config.clone(),
            metrics,
            in_force: ArcSwap::from_pointee(in_force),
            state: Mutex::new(state),
        };
        tls.announce();
        Ok(Some(Arc::new(tls)))
    }

    /// When the certificate expires.
    pub fn expires(&self) -> SystemTime {
        system_time(self.in_force.load().expires)
    }

    /// What is to be told of the certificate, and whether it has expired.
    pub(crate) fn health(&self) -> (String, bool) {
        told(self.expires(), SystemTime::now())
    }

    /// Looks at the files now, and takes them if they have changed and are right.
    pub fn reload(&self) {
        self.take(self.find());
    }

    /// Looks at the files now and again.
    pub async fn watch(self: Arc<Self>) {
        let mut interval = tokio::time::interval(LOOK_INTERVAL);
        let mut reminded = tokio::time::Instant::now();
        loop {
            interval.tick().await;
            let Some(mut found) = Arc::clone(&self).find_aside().await else { continue };
            if self.is_new(&found) && found.as_ref().is_some_and(|found| found.identity.is_err()) {
                // One file may be new and the other not yet.
                tokio::time::sleep(SETTLING).await;
                let Some(later) = Arc::clone(&self).find_aside().await else { continue };
                found = later;
            }
            if self.is_new(&found) {
                self.take(found);
            }
            if reminded.elapsed() >= REMINDER {
                reminded = tokio::time::Instant::now();
                self.remind();
            }
        }
    }

    /// Whether a port speaks TLS.
    pub(super) fn speaks(&self, port: Port) -> bool {
        match port {
            Port::Mcp => true,
            Port::Metrics => self.config.tls_metrics != MetricsTls::Off,
        }
    }

    /// A port is open from now on.
    pub(super) fn open(&self, port: Port) {
        self.state().ports.push(port);
        self.tell_expiry();
    }

    /// How a port speaks TLS to the next connection.
    pub(super) fn in_force(&self, port: Port) -> Arc<ServerConfig> {
        let in_force = self.in_force.load();
        match port {
            Port::Mcp => Arc::clone(&in_force.mcp),
            Port::Metrics => Arc::clone(&in_force.metrics),
        }
    }

    /// Counts a connection that does not speak TLS.
    pub(super) fn failed(&self, port: Port, reason: HandshakeFailure) {
        self.metrics.tls.handshake_failed(port, reason);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self) -> Option<Found> {
        find(&self.config, SystemTime::now())
    }

    /// Reading may take its time.
    async fn find_aside(self: Arc<Self>) -> Option<Option<Found>> {
        tokio::task::spawn_blocking(move || self.find()).await.ok()
    }

    fn is_new(&self, found: &Option<Found>) -> bool {
        found.as_ref().is_some_and(|found| found.digest != self.state().digest)
    }

    fn take(&self, found: Option<Found>) {
        let Some(Found { digest, identity }) = found else { return };
        let before = std::mem::replace(&mut self.state().digest, digest);
        let taken = identity.and_then(|identity| InForce::new(&identity, &self.config));
        match taken {
            Ok(_) if before == digest => tracing::info!("the certificate is the same as before"),
            Ok(in_force) => {
                self.in_force.store(Arc::new(in_force));
                self.metrics.tls.reloaded(Reload::Taken);
                self.tell_expiry();
                self.announce();
            }
            Err(wrong) => {
                self.metrics.tls.reloaded(Reload::Refused);
                for WrongValue { key, what } in wrong {
                    tracing::warn!(option = key, "the new certificate is not taken: {what}");
                }
                let expires = text(self.in_force.load().expires);
                tracing::warn!(expires, "the certificate before stays in force");
            }
        }
    }

    fn tell_expiry(&self) {
        let expires = self.in_force.load().expires.timestamp();
        for port in &self.state().ports {
            self.metrics.tls.certificate_expires(*port, expires);
        }
    }

    fn announce(&self) {
        let expires = text(self.in_force.load().expires);
        let is_mutual = self.config.tls_client_ca.is_some();
        tracing::info!(expires, is_mutual, "a certificate is in force");
        if let Some(key) = self.config.tls_key.as_deref().filter(|key| is_readable_by_all(key)) {
            let file = key.display();
            tracing::warn!(%file, "every user of this machine can read the private key: take that right away (chmod o-r, defaultMode: 0440)");
        }
        self.remind();
    }

    fn remind(&self) {
        let (said, _) = self.health();
        if self.expires() <= SystemTime::now() + SOON {
            tracing::warn!("the certificate {said}");
        }
    }
}

impl InForce {
    fn new(identity: &Identity, config: &TlsConfig) -> Result<InForce, Vec<WrongValue>> {
        let port = |is_mutual| {
            let made = identity.server_config(is_mutual, config.tls_min_version);
            made.map_err(|error| vec![WrongValue::new("tls_cert", format!("it can't be used: {error}"))])
        };
        let metrics = port(config.tls_metrics == MetricsTls::Mutual)?;
        Ok(InForce { mcp: port(true)?, metrics, expires: identity.expires })
    }
}

fn text(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What is to be told of a certificate, and whether it has expired.
fn told(expires: SystemTime, now: SystemTime) -> (String, bool) {
    let at = text(expires.into());
    match expires.duration_since(now) {
        Ok(left) if left > SOON => (format!("expires at {at}"), false),
        Ok(left) if !left.is_zero() => {
            (format!("expires at {at}, in {} days: renew it", left.as_secs() / 86_400), false)
        }
        _ => (format!("expired at {at}: renew it"), true),
    }
}
