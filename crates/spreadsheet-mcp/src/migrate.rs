//! `spreadsheet-mcp migrate`: the tables of the database that servers share.

use std::process::ExitCode;

use server::{
    config::{FixedConfig, StateUrl},
    forks::database::{self, Migration},
};

use crate::{cli::MigrateArguments, exit};

/// Brings the tables to the format of this program, or says what is to be done.
pub(crate) fn run(arguments: &MigrateArguments, config: &FixedConfig) -> ExitCode {
    let Some(StateUrl::Postgres(url)) = &config.state.state_url else {
        eprintln!(
            "spreadsheet-mcp: say where the database is: --state-url postgres://USER@HOST:PORT/DATABASE, or \
             SPREADSHEET_MCP_STATE_URL; an SQLite database is brought to the format when it is opened"
        );
        return ExitCode::from(exit::BAD_CONFIGURATION);
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed("the runtime could not start", &error),
    };
    match database::migrate(url, config, runtime.handle(), arguments.check) {
        Ok(Migration { from, to }) if from == to => {
            println!("{url} has the format {to} already");
            ExitCode::SUCCESS
        }
        Ok(Migration { from, to }) if arguments.check => {
            println!("{url} has the format {from}, and this program needs {to}: run spreadsheet-mcp migrate");
            ExitCode::from(exit::CALL_FAILED)
        }
        Ok(Migration { from, to }) => {
            println!("{url} had the format {from} and has {to} now");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("spreadsheet-mcp: {error}");
            ExitCode::from(exit::CALL_FAILED)
        }
    }
}
