//! SIGHUP reads the configuration again: what is live changes, all or nothing, while calls go on.

use std::{io, sync::Arc};

use server::{
    Server,
    config::layers::{Effective, Problem, Resolved, Sources},
    flags,
    metrics::LogLevel,
    tls::Tls,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Where the configuration comes from, and what of it is in force.
pub(crate) struct Reload {
    sources: Arc<Sources>,
    in_force: Vec<Effective>,
    log: Arc<dyn LogLevel>,
}

/// SIGHUP, which from now on no longer ends the process.
pub(crate) fn hangups() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

impl Reload {
    /// What to do at a SIGHUP, with what is in force now.
    pub(crate) fn new(sources: Sources, in_force: Vec<Effective>, log: Arc<dyn LogLevel>) -> Reload {
        Reload { sources: Arc::new(sources), in_force, log }
    }

    /// Reloads at every SIGHUP.
    pub(crate) async fn at(mut self, mut hangups: Signal, server: Arc<Server>, tls: Option<Arc<Tls>>) {
        while hangups.recv().await.is_some() {
            // On its own: a wrong certificate holds up no option, nor does a wrong option hold up a certificate.
            if let Some(tls) = tls.clone()
                && let Err(error) = tokio::task::spawn_blocking(move || tls.reload()).await
            {
                tracing::error!(%error, "the certificate could not be read again");
            }
            let sources = Arc::clone(&self.sources);
            // Folders and the file are looked at, which may take its time.
            match tokio::task::spawn_blocking(move || sources.resolve()).await {
                Ok(Ok(resolved)) => self.apply(resolved, &server),
                Ok(Err(problems)) => refuse(&problems),
                Err(error) => tracing::error!(%error, "the configuration could not be read again"),
            }
        }
    }

    fn apply(&mut self, resolved: Resolved, server: &Server) {
        let Resolved { settings, values } = resolved;
        self.log.set(&settings.log.log);
        flags::announce(&settings.config.live.flags, &settings.listen);
        server.reconfigure(settings.config.live);
        let mut changed = 0;
        for (running, value) in self.in_force.iter_mut().zip(values) {
            if running.text == value.text {
                continue;
            }
            let from = running.shown().unwrap_or_default();
            let to = value.shown().unwrap_or_default();
            let option = value.option.name();
            if value.option.is_live {
                changed += 1;
                tracing::info!(option, from, to, origin = %value.origin, "an option has changed");
                *running = value;
            } else {
                tracing::warn!(option, from, to, origin = %value.origin, "an option changes at a restart");
            }
        }
        tracing::info!(changed, "the configuration was read again");
    }
}

/// Says what is wrong; all stays as it was.
fn refuse(problems: &[Problem]) {
    for problem in problems {
        tracing::error!(origin = %problem.origin, "the configuration is wrong: {}", problem.what);
    }
    tracing::error!(problems = problems.len(), "the configuration stays as it was");
}
