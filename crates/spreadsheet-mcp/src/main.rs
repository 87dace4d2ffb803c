//! `spreadsheet-mcp`: an MCP server and CLI to read and analyse workbooks.
//!
//! This page is the whole flow: configuration, build, announce, run, drain. Bad configuration ends with exit code 64
//! and every problem, before anything is opened.

mod allocator;
mod audit;
mod backup;
mod call;
mod checklist;
mod cli;
mod configuration;
mod exit;
mod healthcheck;
mod keys;
mod log_line;
mod migrate;
mod reload;
mod render;
mod telemetry;
mod tools;

use std::{io, process::ExitCode, sync::Arc, time::Duration};

use cli::{Cli, Command};
use reload::Reload;
use server::{
    Server,
    config::{
        Config, ListenConfig, MetricsConfig, Settings, TlsConfig,
        layers::{Resolved, Sources},
    },
    descriptors, flags,
    metrics::{self, ACCESS, MetricsEndpoint},
    serve::{self, Endpoint, Outcome},
    signals::Signals,
    tls::Tls,
};
use tokio::task::JoinHandle;

/// How long the last spans may take to reach the collector.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// How long what the start is about may go on when a signal ends it.
const LAST_STEP: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    allocator::tune();
    server::outbound::install_crypto();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(refusal) => return refusal.report(),
    };
    let sources = cli.sources();
    match cli.command {
        Command::Serve(_) => match sources.resolve_for_serving() {
            Ok(resolved) => run_server(resolved, sources),
            Err(problems) => exit::wrong_configuration(&problems),
        },
        Command::Call(arguments) => logged(&sources, |settings| call::run(arguments, settings.config)),
        Command::Tools(arguments) => {
            logged(&sources, |settings| tools::run(&arguments, &settings.config.live))
        }
        Command::Migrate(arguments) => {
            logged(&sources, |settings| migrate::run(&arguments, &settings.config.fixed))
        }
        Command::Config(command) => configuration::run(&command, &sources),
        Command::Healthcheck(arguments) => {
            configured(&sources, |settings| healthcheck::run(&arguments, &settings))
        }
        Command::Keys(command) => configured(&sources, |settings| keys::run(&command, &settings.config)),
        Command::Backup(command) => logged(&sources, |settings| backup::run(command, settings.config)),
        Command::Checklist(command) => checklist::run(command, &sources),
        Command::Audit(command) => configured(&sources, |settings| audit::run(command, &settings.config)),
        Command::EvaluateFormulas => evaluate(),
    }
}

/// Does what needs a right configuration.
fn configured(sources: &Sources, run: impl FnOnce(Settings) -> ExitCode) -> ExitCode {
    match sources.resolve() {
        Ok(resolved) => run(with_program(resolved.settings)),
        Err(problems) => exit::wrong_configuration(&problems),
    }
}

/// Knows this program, for evaluations that cannot be stopped from within.
fn with_program(mut settings: Settings) -> Settings {
    settings.config.fixed.recalc.program = std::env::current_exe().ok();
    settings
}

/// Does one thing and logs meanwhile: a call is no trace of a service, and who makes it sees how it ends.
fn logged(sources: &Sources, run: impl FnOnce(Settings) -> ExitCode) -> ExitCode {
    configured(sources, |settings| {
        let filter = settings.log.log.without(ACCESS);
        match telemetry::start(&filter, &settings.config.fixed.lines, None) {
            Ok(_) => run(settings),
            Err(error) => exit::failed("the log could not start", &error),
        }
    })
}

/// What the program starts itself for: the configuration is not its business.
fn evaluate() -> ExitCode {
    match server::recalc::evaluate_stdin() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::failed("evaluating failed", &error),
    }
}

fn run_server(resolved: Resolved, sources: Sources) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed("the runtime could not start", &error),
    };
    let Resolved { settings, values } = resolved;
    if let Err(refusal) = checklist::may_start(&settings.config.fixed.gate, &values) {
        return refusal;
    }
    let Settings { log, config, listen, tls, metrics, tracing } = with_program(settings);
    let telemetry = {
        // Spans are sent from within it.
        let _runtime = runtime.enter();
        match telemetry::start(&log.log, &config.fixed.lines, Some(&tracing)) {
            Ok(telemetry) => telemetry,
            Err(error) => return exit::failed("tracing could not start", &error),
        }
    };
    if let Some(problem) = config.fixed.files.missing() {
        tracing::warn!(problem, "something that is configured is not there");
    }
    let reload = Reload::new(sources, values, telemetry.level());
    let drain = listen.drain();
    let outcome = runtime.block_on(async {
        // From here on no signal ends the program by itself.
        let mut signals = Signals::listen()?;
        let hangups = reload::hangups()?;
        let starting = tokio::spawn(start(config, listen, metrics.clone(), tls));
        let Some(started) = unless_signalled(starting, &mut signals).await else {
            return Ok(Outcome::Finished);
        };
        let Started { server, endpoint, metrics_endpoint, tls } = started?;
        endpoint.announce(&server);
        descriptors::raise();
        metrics_endpoint.start(Arc::clone(&server), telemetry.level());
        if let Some(tls) = &tls {
            server.health.watch_certificate(Arc::clone(tls));
            tokio::spawn(Arc::clone(tls).watch());
        }
        tokio::spawn(reload.at(hangups, Arc::clone(&server), tls));
        let outcome = serve::run(Arc::clone(&server), endpoint, drain, &mut signals).await?;
        // What is left to do is worth less than the time of who sends another signal.
        tokio::spawn(exit::at_signal(signals, outcome));
        if outcome == Outcome::Finished {
            metrics::push_last(&metrics, &server, drain.limit).await;
        }
        Ok::<Outcome, io::Error>(outcome)
    });
    if matches!(outcome, Ok(Outcome::Finished)) {
        telemetry.finish(LAST_SPANS);
        // A body that ignores its stop signal, or a read of standard input, must not hold up the end.
        runtime.shutdown_timeout(Duration::from_millis(100));
    } else {
        // Who ends the server twice waits for nothing. Calls that are cut off here are not told: a LibreOffice that they began to
        // end would not clean up by itself.
        telemetry.finish(Duration::ZERO);
        std::mem::forget(runtime);
    }
    match outcome {
        Ok(outcome) => exit::ended(outcome),
        Err(error) => exit::failed("serving failed", &error),
    }
}

/// A server that can be reached, and answers nobody yet.
struct Started {
    server: Arc<Server>,
    endpoint: Endpoint,
    metrics_endpoint: MetricsEndpoint,
    tls: Option<Arc<Tls>>,
}

async fn start(
    config: Config,
    listen: ListenConfig,
    metrics: MetricsConfig,
    tls: TlsConfig,
) -> io::Result<Started> {
    flags::announce(&config.live.flags, &listen);
    let server = Arc::new(Server::build(config)?);
    let tls = Tls::load(&tls, Arc::clone(&server.context.metrics))?;
    let endpoint = Endpoint::bind(&listen, &server.context, tls.as_ref()).await?;
    let metrics_endpoint = MetricsEndpoint::bind(&metrics, listen.transport, tls.as_ref()).await?;
    Ok(Started { server, endpoint, metrics_endpoint, tls })
}

/// What the start came to, or nothing if a signal came first. What it was about then has a moment to end.
async fn unless_signalled<T>(
    mut starting: JoinHandle<io::Result<T>>,
    signals: &mut Signals,
) -> Option<io::Result<T>> {
    tokio::select! {
        started = &mut starting => return Some(started.unwrap_or_else(|error| Err(io::Error::other(error)))),
        _ = signals.next() => tracing::info!("a signal ends the start"),
    }
    let _ended = tokio::time::timeout(LAST_STEP, starting).await;
    None
}
