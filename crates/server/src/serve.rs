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
    lifecycle::Lifecycle,
    metrics::labels::{BucketPurpose, Port},
    principal::Principal,
    signals::{Signal, Signals},
    stdio,
    tls::{Listener, Tls},
};

/// How long connections may take to close at least, when no time is left.
const CLOSING: Duration = Duration::from_millis(200);

/// For how long calls are refused at least, if the drain is not to be without delay.
const REFUSING: Duration = Duration::from_millis(250);

/// How much of the drain's time is kept for stopping calls that take too long, if a quarter of it is not less.
const STOPPING: Duration = Duration::from_secs(3);

/// Where clients connect.
#[derive(Debug)]
pub enum Endpoint {
    /// The standard streams.
    Stdio,
    /// A bound port, and from where it takes requests.
    Http(Listener, Box<Doors>),
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The client left, or all calls in flight were answered.
    Finished,
    /// Time was up, or a second signal came.
    Abandoned {
        /// How many calls were in flight then.
        calls: usize,
    },
}

/// How serving ends after a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drain {
    /// How long all of it may take.
    pub limit: Duration,
    /// For how long calls are taken while the health says already that no more should be sent.
    pub delay: Duration,
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
                let doors = Doors::new(Authenticator::open(context, listen, scheme).await?, listen, scheme);
                let listener = Listener::bind(listen.bind, Port::Mcp, tls).await.map_err(|error| {
                    io::Error::new(error.kind(), format!("{} can't be listened on: {error}", listen.bind))
                })?;
                Ok(Endpoint::Http(listener, Box::new(doors)))
            }
        }
    }

    /// Says where clients connect, on standard error.
    pub fn announce(&self, server: &Server) {
        let workspace = server.context.workspace.location();
        let caller = match self {
            Endpoint::Stdio => Principal::local(),
            Endpoint::Http(..) => Principal::anonymous(),
        };
        let tools = server.tools(&caller).len();
        server.context.announce_memory();
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

/// How often a database that nobody needs is asked whether it answers.
const DATABASE_WATCHED: Duration = Duration::from_secs(10);

/// How long the end of LibreOffice is waited for.
const ENDING: Duration = Duration::from_secs(5);

/// Serves until the client leaves or a signal comes; then says that it goes, refuses new calls and lets those in flight finish. A
/// second signal ends it at once.
///
/// # Errors
/// When the endpoint fails.
pub async fn run(
    server: Arc<Server>,
    endpoint: Endpoint,
    drain: Drain,
    signals: &mut Signals,
) -> io::Result<Outcome> {
    let cleaner = tokio::spawn(clean(Arc::clone(&server)));
    let syncer = tokio::spawn(sync(Arc::clone(&server)));
    let watching = server.context.buckets.used().into_iter().map(|bucket| {
        // Whether there is a workspace is told as that.
        if bucket.purpose != BucketPurpose::Workspace {
            server.health.watch(bucket.clone());
        }
        tokio::spawn(bucket.watch())
    });
    let mut watching: Vec<JoinHandle<()>> = watching.collect();
    if server.context.forks.is_shared() {
        watching.push(tokio::spawn(watch_database(Arc::clone(&server))));
    }
    let (lifecycle, audited) = (Arc::clone(&server.lifecycle), Arc::clone(&server));
    let context = Arc::clone(&server.context);
    let outcome = serve(server, endpoint, drain, signals).await;
    cleaner.abort();
    watching.iter().for_each(JoinHandle::abort);
    syncer.abort();
    audited.audit.sync();
    // Programs that were started go before their files do, and both before this process. Who is in a hurry has them go by
    // themselves.
    let patience = match outcome {
        Ok(Outcome::Finished) => ENDING.min(lifecycle.left_of(drain.limit)),
        _ => Duration::ZERO,
    };
    let ending = tokio::task::spawn_blocking(move || context.recalc.office().end_all(patience));
    let has_ended = tokio::select! {
        ended = ending => ended.unwrap_or(false),
        _ = signals.next() => false,
    };
    if !has_ended {
        tracing::warn!("a LibreOffice does not end; its files are swept by the next start");
    }
    if let Ok(outcome) = outcome {
        tell_stopped(&lifecycle, outcome);
    }
    outcome
}

/// The last line: whoever looks at a log sees that nothing was cut off, or how much.
fn tell_stopped(lifecycle: &Lifecycle, outcome: Outcome) {
    let (took, calls) = lifecycle.told_of_drain().unwrap_or_default();
    let given_up = match outcome {
        Outcome::Finished => 0,
        Outcome::Abandoned { calls } => calls,
    };
    let finished = calls.saturating_sub(given_up);
    tracing::info!(milliseconds = took.as_millis() as u64, finished, given_up, "stopped");
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

/// Asks a database that replicas share now and again whether it answers: the store says when that changes.
async fn watch_database(server: Arc<Server>) {
    let mut interval = tokio::time::interval(DATABASE_WATCHED);
    loop {
        interval.tick().await;
        let context = Arc::clone(&server.context);
        let _failed = tokio::task::spawn_blocking(move || context.forks.database()).await;
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
            // Those in a bucket are cleaned by one of the servers that share it.
            let is_ours =
                context.screenshots.folder().is_some() || context.forks.is_cleaner().unwrap_or(false);
            let pictures = if is_ours { context.screenshots.clean(age) } else { 0 };
            if pictures > 0 {
                tracing::debug!(pictures, "dropped old pictures");
            }
            context.recalc.office().end_idle();
            let folders = context.recalc.office().sweep();
            if folders > 0 {
                tracing::info!(folders, "deleted what killed LibreOffices left behind");
            }
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
            Ok(Err(error)) if server.context.forks.is_database_out() => {
                tracing::debug!(%error, "the state is cleaned later: the database cannot be used");
            }
            Ok(Err(error)) => {
                let folder = server.context.forks.folder().display();
                tracing::warn!(%folder, %error, "the state directory cannot be used; forks are not available");
            }
            Err(error) => tracing::error!(%error, "cleaning the state directory failed"),
        }
    }
}

async fn serve(
    server: Arc<Server>,
    endpoint: Endpoint,
    drain: Drain,
    signals: &mut Signals,
) -> io::Result<Outcome> {
    let lifecycle = Arc::clone(&server.lifecycle);
    let has_balancer = matches!(endpoint, Endpoint::Http(..));
    let stop = CancellationToken::new();
    let cut = CancellationToken::new();
    // From the first request on: nobody is answered before `start`.
    lifecycle.ready();
    let mut serving = start(server, endpoint, stop.clone(), cut.clone());
    let signal = tokio::select! {
        ended = &mut serving => {
            ended.map_err(io::Error::other)??;
            None
        }
        signal = signals.next() => Some(signal),
    };
    let drained = async {
        lifecycle.leave();
        if has_balancer && signal == Some(Signal::Terminate) {
            tracing::info!(milliseconds = drain.delay.as_millis() as u64, "leaving, and taking calls still");
            tokio::time::sleep(drain.delay).await;
        }
        lifecycle.drain();
        tracing::info!(in_flight = lifecycle.in_flight(), "draining");
        // Who is about to call is told to come again, and does not find the port closed.
        let refusing = tokio::time::sleep(REFUSING.min(drain.delay));
        tokio::join!(drained(&lifecycle, drain.limit), refusing).0
    };
    let given_up = tokio::select! {
        given_up = drained => given_up,
        _ = signals.next() => {
            tracing::warn!("a second signal ends the drain");
            return Ok(Outcome::Abandoned { calls: lifecycle.in_flight() });
        }
    };
    stop.cancel();
    if signal.is_some() {
        // Answers may be on their way still: to slow readers, and those of calls that were given up.
        let left = lifecycle.left_of(drain.limit).max(CLOSING);
        tokio::select! {
            _still_open = tokio::time::timeout(left, serving) => {}
            _ = signals.next() => tracing::warn!("a second signal closes connections"),
        }
    }
    cut.cancel();
    Ok(match given_up {
        0 => Outcome::Finished,
        calls => Outcome::Abandoned { calls },
    })
}

/// Waits for the calls in flight; those that take too long are stopped, and their callers told so. Gives how many that were.
async fn drained(lifecycle: &Lifecycle, limit: Duration) -> usize {
    let for_stopping = STOPPING.min(limit / 4);
    let for_calls = lifecycle.left_of(limit).saturating_sub(for_stopping);
    if tokio::time::timeout(for_calls, lifecycle.drained()).await.is_ok() {
        return 0;
    }
    let calls = lifecycle.in_flight();
    tracing::warn!(calls, "the drain took too long: the calls in flight are stopped");
    lifecycle.give_up();
    if tokio::time::timeout(lifecycle.left_of(limit), lifecycle.drained()).await.is_err() {
        tracing::warn!(calls = lifecycle.in_flight(), "calls do not stop");
    }
    calls
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
            let router = http::router(server, *doors, cut);
            let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
            tokio::spawn(async move { serving.await })
        }
    }
}
