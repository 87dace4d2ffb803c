//! `spreadsheet-mcp`: an MCP server and CLI to read and analyse workbooks.
//!
//! This page is the whole flow: configuration, build, announce, run, drain. Bad configuration ends with exit code 64
//! and every problem, before anything is opened.

mod allocator;
mod call;
mod cli;
mod exit;
mod render;
mod telemetry;
mod tools;

use std::{process::ExitCode, sync::Arc, time::Duration};

use cli::{Cli, Command, ServeArguments};
use server::{
    Server,
    serve::{self, Endpoint, Outcome},
};

fn main() -> ExitCode {
    allocator::tune();
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(refusal) => return refusal.report(),
    };
    telemetry::start(&cli.log);
    match cli.command {
        Command::Serve(arguments) => run_server(arguments),
        Command::Call(arguments) => call::run(arguments),
        Command::Tools(arguments) => tools::run(&arguments),
        Command::EvaluateFormulas => match server::recalc::evaluate_stdin() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => exit::failed("evaluating failed", &error),
        },
    }
}

fn run_server(arguments: ServeArguments) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed("the runtime could not start", &error),
    };
    let outcome = runtime.block_on(async {
        let server = Arc::new(Server::build(arguments.config)?);
        let endpoint = Endpoint::bind(&arguments.listen).await?;
        endpoint.announce(&server);
        serve::run(server, endpoint, arguments.listen.drain_timeout()).await
    });
    // A body that ignores its stop signal, or a read of standard input, must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    match outcome {
        Ok(Outcome::Finished) => ExitCode::SUCCESS,
        Ok(Outcome::Abandoned { calls }) => exit::abandoned(calls),
        Err(error) => exit::failed("serving failed", &error),
    }
}
