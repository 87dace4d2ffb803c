//! `spreadsheet-mcp`: an MCP server and CLI to read and analyse workbooks.
//!
//! This page is the whole flow: configuration, build, announce, run, drain. Bad configuration ends with exit code 64
//! and every problem, before anything is opened.

mod allocator;
mod audit;
mod call;
mod cli;
mod configuration;
mod exit;
mod keys;
mod reload;
mod render;
mod telemetry;
mod tools;

use std::{process::ExitCode, sync::Arc, time::Duration};

use cli::{Cli, Command};
use reload::Reload;
use server::{
    Server,
    config::{
        Settings,
        layers::{Resolved, Sources},
    },
    flags,
    serve::{self, Endpoint, Outcome},
};

fn main() -> ExitCode {
    allocator::tune();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(refusal) => return refusal.report(),
    };
    let sources = cli.sources();
    match cli.command {
        Command::Serve(_) => configured(sources, run_server),
        Command::Call(arguments) => configured(sources, |settings, _| call::run(arguments, settings.config)),
        Command::Tools(arguments) => {
            configured(sources, |settings, _| tools::run(&arguments, &settings.config.live))
        }
        Command::Config(command) => configuration::run(&command, &sources),
        Command::Keys(command) => configured(sources, |settings, _| keys::run(&command, &settings.config)),
        Command::Audit(command) => configured(sources, |settings, _| audit::run(command, &settings.config)),
        Command::EvaluateFormulas => evaluate(),
    }
}

/// Does what needs a right configuration, and logs.
fn configured(sources: Sources, run: impl FnOnce(Settings, Reload) -> ExitCode) -> ExitCode {
    let Resolved { mut settings, values } = match sources.resolve() {
        Ok(resolved) => resolved,
        Err(problems) => return exit::wrong_configuration(&problems),
    };
    // For evaluations that cannot be stopped from within.
    settings.config.fixed.recalc.program = std::env::current_exe().ok();
    let log = telemetry::start(&settings.log.log);
    run(settings, Reload::new(sources, values, log))
}

/// What the program starts itself for: the configuration is not its business.
fn evaluate() -> ExitCode {
    match server::recalc::evaluate_stdin() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::failed("evaluating failed", &error),
    }
}

fn run_server(settings: Settings, reload: Reload) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed("the runtime could not start", &error),
    };
    let Settings { config, listen, .. } = settings;
    let outcome = runtime.block_on(async {
        let hangups = reload::hangups()?;
        flags::announce(&config.live.flags, &listen);
        let server = Arc::new(Server::build(config)?);
        let endpoint = Endpoint::bind(&listen, &server.context.config).await?;
        endpoint.announce(&server);
        tokio::spawn(reload.at(hangups, Arc::clone(&server)));
        serve::run(server, endpoint, listen.drain_timeout()).await
    });
    // A body that ignores its stop signal, or a read of standard input, must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    match outcome {
        Ok(Outcome::Finished) => ExitCode::SUCCESS,
        Ok(Outcome::Abandoned { calls }) => exit::abandoned(calls),
        Err(error) => exit::failed("serving failed", &error),
    }
}
