//! `spreadsheet-mcp`: an MCP server and CLI to read and analyse workbooks.
//!
//! This page is the whole flow: configuration, build, announce, run, drain. Bad configuration ends with exit code 64
//! and every problem, before anything is opened.

mod allocator;
mod call;
mod cli;
mod exit;
mod log_line;
mod render;
mod telemetry;
mod tools;

use std::{process::ExitCode, sync::Arc, time::Duration};

use cli::{Cli, Command, ServeArguments};
use server::{
    Server,
    metrics::{self, ACCESS, MetricsEndpoint},
    serve::{self, Endpoint, Outcome},
};

/// How long the last spans may take to reach the collector.
const LAST_SPANS: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    allocator::tune();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(refusal) => return refusal.report(),
    };
    let log = cli.log_config();
    if let Command::Serve(arguments) = cli.command {
        return run_server(&cli.log, *arguments);
    }
    // One call is no trace of a service, and who makes it sees how it ends.
    if let Err(error) = telemetry::start(&format!("{},{ACCESS}=off", cli.log), &log, None) {
        return exit::failed("the log could not start", &error);
    }
    match cli.command {
        Command::Serve(_) => unreachable!("it was taken above"),
        Command::Call(arguments) => call::run(arguments),
        Command::Tools(arguments) => tools::run(&arguments),
        Command::EvaluateFormulas => match server::recalc::evaluate_stdin() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => exit::failed("evaluating failed", &error),
        },
    }
}

fn run_server(log: &str, arguments: ServeArguments) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed("the runtime could not start", &error),
    };
    let telemetry = {
        // Spans are sent from within it.
        let _runtime = runtime.enter();
        match telemetry::start(log, &arguments.config.log, Some(&arguments.tracing)) {
            Ok(telemetry) => telemetry,
            Err(error) => return exit::failed("tracing could not start", &error),
        }
    };
    let outcome = runtime.block_on(async {
        let server = Arc::new(Server::build(arguments.config)?);
        let endpoint = Endpoint::bind(&arguments.listen).await?;
        let metrics = MetricsEndpoint::bind(&arguments.metrics, arguments.listen.transport).await?;
        endpoint.announce(&server);
        metrics.start(Arc::clone(&server), telemetry.level());
        let drain_timeout = arguments.listen.drain_timeout();
        let outcome = serve::run(Arc::clone(&server), endpoint, drain_timeout).await?;
        if outcome == Outcome::Finished {
            metrics::push_last(&arguments.metrics, &server, drain_timeout).await;
        }
        Ok::<Outcome, std::io::Error>(outcome)
    });
    // Who ends the server twice does not wait for a collector.
    let patience = if matches!(outcome, Ok(Outcome::Finished)) { LAST_SPANS } else { Duration::ZERO };
    telemetry.finish(patience);
    // A body that ignores its stop signal, or a read of standard input, must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    match outcome {
        Ok(Outcome::Finished) => ExitCode::SUCCESS,
        Ok(Outcome::Abandoned { calls }) => exit::abandoned(calls),
        Err(error) => exit::failed("serving failed", &error),
    }
}
