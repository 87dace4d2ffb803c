//! Logs, on standard error: standard output belongs to the protocol and to answers.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::IsTerminal,
};

use server::config::LogFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Registry,
    filter::filter_fn,
    layer::{Layer, SubscriberExt},
    reload,
    util::SubscriberInitExt,
};

/// Changes what is logged while the program runs.
#[derive(Debug, Clone)]
pub(crate) struct LogControl(reload::Handle<EnvFilter, Registry>);

impl LogControl {
    /// Logs what the filter lets through from now on.
    pub(crate) fn set(&self, filter: &LogFilter) {
        if let Err(error) = self.0.reload(filter.to_env_filter()) {
            tracing::error!(%error, "the log filter could not be changed");
        }
    }
}

/// Starts logging what the operator asked for, within bounds.
pub(crate) fn start(filter: &LogFilter) -> LogControl {
    let (asked_for, handle) = reload::Layer::new(filter.to_env_filter());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        // A supervisor that closes its end of the log must not take the server down.
        .log_internal_errors(false);
    let bounded = lines.with_filter(filter_fn(quotes_no_requests));
    tracing_subscriber::registry().with(asked_for).with(bounded).init();
    std::panic::set_hook(Box::new(|panic| {
        // Where, and not what: a panic's text may quote a cell.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = Backtrace::capture();
        match backtrace.status() {
            BacktraceStatus::Captured => tracing::error!(%place, %backtrace, "panicked"),
            _ => tracing::error!(%place, "panicked"),
        }
    }));
    LogControl(handle)
}

/// The protocol library logs whole requests below `error`, which may quote cells (PRIVATE), whatever the operator asks.
fn quotes_no_requests(metadata: &Metadata<'_>) -> bool {
    !metadata.target().starts_with("rmcp") || *metadata.level() == Level::ERROR
}
