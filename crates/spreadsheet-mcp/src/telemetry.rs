//! Logs, on standard error: standard output belongs to the protocol and to answers.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. `filter` is what the operator asked for, within bounds: the protocol library logs whole requests
/// below `error`, which may quote cells (PRIVATE).
pub(crate) fn start(filter: &str) {
    let filter = EnvFilter::builder().parse_lossy(format!("{filter},rmcp=error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        // A supervisor that closes its end of the log must not take the server down.
        .log_internal_errors(false)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        // Where, and not what: a panic's text may quote a cell.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(%place, "panicked");
    }));
}
