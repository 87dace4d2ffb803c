//! How the program ends, for scripts and supervisors.

use std::{fmt::Display, process::ExitCode};

use server::config::layers::Problem;

/// The call failed with a typed error.
pub(crate) const CALL_FAILED: u8 = 1;

/// The configuration is wrong (`EX_USAGE` of sysexits.h).
const BAD_CONFIGURATION: u8 = 64;

/// Something of the system failed (`EX_OSERR`).
const SYSTEM_FAILED: u8 = 71;

/// Reports a failure of the system.
pub(crate) fn failed(what: &str, error: &dyn Display) -> ExitCode {
    eprintln!("spreadsheet-mcp: {what}: {error}");
    ExitCode::from(SYSTEM_FAILED)
}

/// Reports calls that were cut off by the end.
pub(crate) fn abandoned(calls: usize) -> ExitCode {
    eprintln!("spreadsheet-mcp: ended with {calls} calls in flight");
    ExitCode::from(SYSTEM_FAILED)
}

/// Reports everything that is wrong with the configuration.
pub(crate) fn wrong_configuration(problems: &[Problem]) -> ExitCode {
    eprintln!("spreadsheet-mcp: the configuration is wrong:");
    for problem in problems {
        eprintln!("  {problem}");
    }
    ExitCode::from(BAD_CONFIGURATION)
}
