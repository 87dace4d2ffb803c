//! Logs, on standard error: standard output belongs to the protocol and to answers.

use std::{
    io::IsTerminal,
    sync::{Arc, Mutex, PoisonError},
};

use server::{config::LogConfig, metrics::LogLevel};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use crate::log_line::LogLine;

/// Our crates that log: nothing private. Libraries may log what passes through them.
const OURS: [&str; 2] = ["server", "spreadsheet_mcp"];

/// Starts logging, and gives what changes its level. `filter` is what the operator asked for, within bounds.
pub(crate) fn start(filter: &str, log: &LogConfig) -> Arc<dyn LogLevel> {
    let (filtered, handle) = reload::Layer::new(EnvFilter::builder().parse_lossy(filter));
    let level = Arc::new(FilterHandle { text: Mutex::new(filter.to_owned()), handle });
    let lines = tracing_subscriber::fmt::layer()
        .event_format(LogLine(log.log_format))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A supervisor that closes its end of the log must not take the server down.
        .log_internal_errors(false)
        .with_filter(filtered.and(filter_fn(may_be_logged)));
    tracing_subscriber::registry().with(lines).init();
    std::panic::set_hook(Box::new(|panic| {
        // Where, and not what: a panic's text may quote a cell.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(%place, "panicked");
    }));
    level
}

/// The filter of the log, which can change while the program runs.
struct FilterHandle<S> {
    text: Mutex<String>,
    handle: reload::Handle<EnvFilter, S>,
}

impl<S: 'static> LogLevel for FilterHandle<S> {
    fn current(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, filter: &str) -> Result<(), String> {
        let parsed = EnvFilter::builder().parse(filter).map_err(|error| error.to_string())?;
        self.handle.reload(parsed).map_err(|error| error.to_string())?;
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = filter.to_owned();
        Ok(())
    }
}

/// Whatever the operator asks for, libraries tell no more than warnings: the protocol's logs whole requests below errors,
/// which may quote cells (PRIVATE).
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    match library(metadata) {
        ours if OURS.contains(&ours) => true,
        "rmcp" => *metadata.level() <= Level::ERROR,
        _ => *metadata.level() <= Level::WARN,
    }
}

fn library<'a>(metadata: &Metadata<'a>) -> &'a str {
    let target = metadata.target();
    target.split_once("::").map_or(target, |(library, _)| library)
}
