//! `spreadsheet-mcp checklist`: the deployment gate.

mod arguments;
mod binding;
mod explain;
mod gate;
mod interlock;
mod people;
mod place;
mod probes;
mod rollback;
mod run;

use std::process::ExitCode;

use checklist::{
    ledger::LedgerError, place::PlaceError, signing::SigningError, spec::SpecError, verdict::Ruling,
};
use server::config::layers::Sources;

pub(crate) use arguments::{ChecklistCommand, EXAMPLES};
pub(crate) use interlock::may_start;

/// Why a command of the gate has not done what it was to.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("{0}")]
    Other(String),
    /// Everything is said already.
    #[error("")]
    Ruled(Ruling),
}

impl Refusal {
    fn other(what: impl std::fmt::Display) -> Refusal {
        Refusal::Other(what.to_string())
    }

    fn ruling(&self) -> Ruling {
        match self {
            Refusal::Spec(_) => Ruling::BadSpec,
            Refusal::Ledger(LedgerError::Tampered { .. }) => Ruling::Tampered,
            Refusal::Ledger(LedgerError::NoRun { .. }) => Ruling::Incomplete,
            Refusal::Ledger(_) | Refusal::Other(_) => Ruling::ToolError,
            Refusal::Ruled(ruling) => *ruling,
        }
    }
}

impl From<PlaceError> for Refusal {
    fn from(error: PlaceError) -> Refusal {
        match error {
            PlaceError::Spec(error) => Refusal::Spec(error),
            PlaceError::Ledger(error) => Refusal::Ledger(error),
            PlaceError::Keys(error) => Refusal::other(error),
        }
    }
}

impl From<SigningError> for Refusal {
    fn from(error: SigningError) -> Refusal {
        match error {
            SigningError::Ledger(error) => Refusal::Ledger(error),
            other => Refusal::other(other),
        }
    }
}

/// Does what is asked; the exit codes are those of [`Ruling`].
pub(crate) fn run(command: ChecklistCommand, sources: &Sources) -> ExitCode {
    let done = match command {
        ChecklistCommand::Run(arguments) => run::run(&arguments, sources),
        ChecklistCommand::Show(arguments) => explain::show(&arguments),
        ChecklistCommand::Explain(arguments) => explain::explain(&arguments),
        ChecklistCommand::Attest(arguments) => people::attest(&arguments),
        ChecklistCommand::Waive(arguments) => people::waive(&arguments),
        ChecklistCommand::Sign(arguments) => people::sign(&arguments),
        ChecklistCommand::Gate(arguments) => gate::gate(&arguments, sources),
        ChecklistCommand::Report(arguments) => gate::report(&arguments),
        ChecklistCommand::Diff(arguments) => gate::diff(&arguments),
        ChecklistCommand::Verify(arguments) => gate::verify(&arguments),
        ChecklistCommand::Keys(command) => people::keys(&command),
        ChecklistCommand::Rollback(arguments) => rollback::rollback(&arguments),
    };
    match done {
        Ok(ruling) => ExitCode::from(ruling.code()),
        Err(refusal) => {
            if !matches!(refusal, Refusal::Ruled(_)) {
                eprintln!("spreadsheet-mcp: {refusal}");
            }
            ExitCode::from(refusal.ruling().code())
        }
    }
}
