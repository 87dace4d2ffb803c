//! How the program ends, for scripts and supervisors.

use std::{fmt::Display, process::ExitCode};

/// The call failed with a typed error.
pub(crate) const CALL_FAILED: u8 = 1;

/// The command line or the environment is wrong (`EX_USAGE` of sysexits.h).
pub(crate) const BAD_CONFIGURATION: u8 = 64;

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
