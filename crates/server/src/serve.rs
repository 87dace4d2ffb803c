//! Serving: an endpoint, until a signal; then the drain.

use std::{io, sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    Server,
    auth::Authenticator,
    call::Context,
    config::{ListenConfig, Transport},
    http::{self, Doors},
    metrics::labels::Port,
    principal::Principal,
    stdio,
    tls::{Listener, Tls},
};

/// How long connections may take to close after the last answer.
const CLOSING: Duration = Duration::from_secs(2);

/// Where clients connect.
#[derive(Debug)]
pub enum Endpoint {
    /// The standard streams.
    Stdio,
    /// A bound port, and from where it takes requests.
    Http(Listener, Doors),
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The client left, or all calls in flight were answered.
    Finished,
    /// Calls were in flight when time was up or a second signal came.
    Abandoned {
        /// How many.
        calls: usize,
    },
}

impl Endpoint {
    /// Binds the port, if there is one; it speaks TLS where that is configured.
    ///
    /// # Errors
    /// When the port can't be bound, or what is known of callers can't be taken.
    pub async fn bind(
        listen: &ListenConfig,
        context: &Context,
        tls: Option<&Arc<Tls>>,
    ) -> io::Result<Endpoint> {
        match listen.transport {
            Transport::Stdio => Ok(Endpoint::Stdio),
            Transport::Http => {
                let scheme = if tls.is_some() { "https" } else { "http" };
                let doors = Doors::new(Authenticator::open(context, listen, scheme).await?, listen);
                let listener = Listener::bind(listen.bind, Port::Mcp, tls).await.map_err(|error| {
                    io::Error::new(error.kind(), format!("{} can't be listened on: {error}", listen.bind))
                })?;
                Ok(Endpoint::Http(listener, doors))
            }
        }
    }

    /// Says where clients connect, on standard error.
    pub fn announce(&self, server: &Server) {
        let workspace = server.context.workspace.root().display();
        let tools = server.tools(&Principal::anonymous()).len();
        match self {
            Endpoint::Stdio => tracing::info!(%workspace, tools, "serving MCP on standard input and output"),
            Endpoint::Http(listener, doors) => match listener.address() {
                Ok(address) => {
                    let scheme = listener.scheme();
                    tracing::info!(%workspace, tools, "serving MCP on {scheme}://{address}/mcp");
                    doors.authenticator.announce();
                    if scheme == "http" && !address.ip().is_loopback() {
                        tracing::warn!(
                            %address,
                            "keys and contents pass the network as plain text: give --tls-cert and --tls-key, or let \
                             what stands in front of the server speak TLS"
                        );
                    }
                }
                Err(error) => tracing::warn!(%error, "the bound address is unknown"),
            },
        }
    }
}

/// How long what was told of callers may be in memory only.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// How long the end of LibreOffice is waited for.
const ENDING: Duration = Duration::from_secs(5);

/// Serves until the client leaves or a signal comes; then refuses new calls and lets those in flight finish.
///
/// # Errors
/// When the endpoint fails.
pub async fn run(server: Arc<Server>, endpoint: Endpoint, drain_timeout: Duration) -> io::Result<Outcome> {
    let cleaner = tokio::spawn(clean(Arc::clone(&server)));
    let syncer = tokio::spawn(sync(Arc::clone(&server)));
    let audited = Arc::clone(&server);
    let context = Arc::clone(&server.context);
    let outcome = serve(server, endpoint, drain_timeout).await;
    cleaner.abort();
    syncer.abort();
    audited.audit.sync();
    // Programs that were started go before their files do, and both before this process.
    let ending = tokio::task::spawn_blocking(move || context.recalc.office().end_all(ENDING));
    if !ending.await.unwrap_or(false) {
        tracing::warn!("a LibreOffice does not end; its files are swept by the next start");
    }
    outcome
}

/// What was told of callers outlives the machine a moment later.
async fn sync(server: Arc<Server>) {
    let mut interval = tokio::time::interval(SYNC_INTERVAL);
    loop {
        interval.tick().await;
        let server = Arc::clone(&server);
        let _failed = tokio::task::spawn_blocking(move || server.audit.sync()).await;
    }
}

/// Looks for damage once, and now and again for what may go: forks whose time has passed, and what crashes left behind.
async fn clean(server: Arc<Server>) {
    let mut interval = tokio::time::interval(server.context.config.state.fork_cleanup_interval());
    let mut is_checked = false;
    loop {
        interval.tick().await;
        let context = Arc::clone(&server.context);
        let work = move || {
            let swept = context.workspace.sweep();
            if swept > 0 {
                tracing::info!(files = swept, "deleted what crashed writers left in the workspace");
            }
            let age = Duration::from_secs(context.config.state.screenshots_ttl);
            let pictures = context.screenshots.clean(age);
            if pictures > 0 {
                tracing::debug!(pictures, "dropped old pictures");
            }
            context.recalc.office().end_idle();
            if !is_checked {
                context.forks.check()?;
            }
            context.forks.clean(context.config.state.keep_versions)
        };
        let audited = Arc::clone(&server);
        let _failed = tokio::task::spawn_blocking(move || audited.audit.purge()).await;
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(cleaned)) => {
                is_checked = true;
                tracing::debug!(forks = cleaned.forks, bytes = cleaned.bytes, "cleaned the state directory");
            }
            Ok(Err(error)) => {
                let folder = server.context.forks.folder().display();
                tracing::warn!(%folder, %error, "the state directory cannot be used; forks are not available");
            }
            Err(error) => tracing::error!(%error, "cleaning the state directory failed"),
        }
    }
}

async fn serve(server: Arc<Server>, endpoint: Endpoint, drain_timeout: Duration) -> io::Result<Outcome> {
    let mut signals = Signals::listen()?;
    let stop = CancellationToken::new();
    let cut = CancellationToken::new();
    // From the first request on: nobody is answered before `start`.
    server.lifecycle.ready();
    let mut serving = start(Arc::clone(&server), endpoint, stop.clone(), cut.clone());
    tokio::select! {
        ended = &mut serving => return ended.map_err(io::Error::other)?.map(|()| Outcome::Finished),
        () = signals.next() => {}
    }
    server.lifecycle.drain();
    tracing::info!(in_flight = server.lifecycle.in_flight(), "draining");
    tokio::select! {
        () = server.lifecycle.drained() => {}
        () = tokio::time::sleep(drain_timeout) => tracing::warn!("the drain took too long"),
        () = signals.next() => tracing::warn!("a second signal ends the drain"),
    }
    let calls = server.lifecycle.in_flight();
    stop.cancel();
    if calls > 0 {
        return Ok(Outcome::Abandoned { calls });
    }
    // Answers that are written but not yet sent get a moment.
    let _still_open = tokio::time::timeout(CLOSING, serving).await;
    cut.cancel();
    Ok(Outcome::Finished)
}

/// Starts serving; `stop` closes the endpoint once what it answers is answered, `cut` ends even that.
fn start(
    server: Arc<Server>,
    endpoint: Endpoint,
    stop: CancellationToken,
    cut: CancellationToken,
) -> JoinHandle<io::Result<()>> {
    match endpoint {
        Endpoint::Stdio => tokio::spawn(stdio::serve(server, stop)),
        Endpoint::Http(listener, doors) => {
            let router = http::router(server, doors, cut);
            let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
            tokio::spawn(async move { serving.await })
        }
    }
}

/// SIGTERM and SIGINT.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn listen() -> io::Result<Signals> {
        Ok(Signals {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        let _unavailable = tokio::signal::ctrl_c().await;
    }
}
