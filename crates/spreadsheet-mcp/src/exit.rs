//! How the program ends, for scripts and supervisors.

use std::{fmt::Display, process::ExitCode};

use server::{config::layers::Problem, serve::Outcome, signals::Signals};

/// The call failed with a typed error.
pub(crate) const CALL_FAILED: u8 = 1;

/// The configuration is wrong (`EX_USAGE` of sysexits.h).
pub(crate) const BAD_CONFIGURATION: u8 = 64;

/// Something of the system failed (`EX_OSERR`).
const SYSTEM_FAILED: u8 = 71;

/// Calls were in flight when the time of the drain was up or a second signal came: they can be repeated (`EX_TEMPFAIL`).
const CALLS_GIVEN_UP: u8 = 75;

/// The verdict of the deployment gate does not let the server start (`EX_NOPERM`).
const NOT_LET_GO: u8 = 77;

/// Reports that the verdict of the deployment gate does not let the server start.
pub(crate) fn not_let_go(why: &dyn Display) -> ExitCode {
    eprintln!("spreadsheet-mcp: not started: {why}");
    ExitCode::from(NOT_LET_GO)
}

/// Reports a failure of the system.
pub(crate) fn failed(what: &str, error: &dyn Display) -> ExitCode {
    eprintln!("spreadsheet-mcp: {what}: {error}");
    ExitCode::from(SYSTEM_FAILED)
}

/// Reports how serving ended.
pub(crate) fn ended(outcome: Outcome) -> ExitCode {
    ExitCode::from(code_of(outcome))
}

/// Ends the program at the next signal, whatever it is about: serving has ended that way already.
pub(crate) async fn at_signal(mut signals: Signals, outcome: Outcome) {
    signals.next().await;
    std::process::exit(code_of(outcome).into());
}

fn code_of(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Finished | Outcome::Abandoned { calls: 0 } => 0,
        Outcome::Abandoned { calls } => {
            eprintln!("spreadsheet-mcp: ended with {calls} calls in flight");
            CALLS_GIVEN_UP
        }
    }
}

/// Reports everything that is wrong with the configuration.
pub(crate) fn wrong_configuration(problems: &[Problem]) -> ExitCode {
    eprintln!("spreadsheet-mcp: the configuration is wrong:");
    for problem in problems {
        eprintln!("  {problem}");
    }
    ExitCode::from(BAD_CONFIGURATION)
}
