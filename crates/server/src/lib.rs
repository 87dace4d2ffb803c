//! The server: MCP tools over stdio and HTTP, the workspace, the cache, and every limit on a call.
//!
//! One call, from request to answer: [`http`] or [`stdio`] takes the request, [`handler`] finds the tool in the
//! [`registry`], [`runner`] runs its body on a bounded pool under a timeout, and the file of the tool in `tools` parses
//! its parameters, calls a lower crate and shapes the answer.
//!
//! **Invariants.** Every answer is bounded in bytes, items and time (BOUNDED). Files are opened through [`workspace`]
//! alone (CONFINED). No content of a workbook reaches the log (PRIVATE). A failed call says so, with a closed code
//! (HONEST).
//!
//! **What this crate must never know:** how a format is parsed, what a region is: it calls those who do.

pub mod auth;
pub mod book;
pub mod buckets;
pub mod cache;
pub mod call;
pub mod config;
pub mod cursor;
pub mod descriptors;
pub mod disk;
pub mod error;
pub mod files;
pub mod flags;
pub mod forks;
pub mod handler;
pub mod health;
pub mod http;
pub mod lifecycle;
pub mod locate;
pub mod memory;
pub mod metrics;
pub mod near_miss;
pub mod open;
pub mod outbound;
pub mod principal;
pub mod private;
pub mod prompts;
pub mod recalc;
pub mod registry;
pub mod resources;
pub mod runner;
pub mod schema;
pub mod screenshots;
pub mod serve;
pub mod signals;
pub mod stdio;
pub mod tls;
pub mod tool;
pub mod vault;
pub mod workspace;

mod admission;
mod arguments;
mod audit_log;
mod cell_json;
mod changed_cells;
mod console;
mod export;
mod freshness;
mod refused;
mod room;
mod shares;
mod table_filter;
mod table_target;
#[cfg(test)]
mod testing;
mod timestamp;
pub mod tools;
pub mod trace;
mod verify_engines;

use std::{io, sync::Arc};

use audit_log::AuditLog;
use call::Context;
use config::{Config, LiveConfig};
use error::ToolError;
use health::Health;
use lifecycle::Lifecycle;
use principal::Principal;
use registry::Registry;
use runner::Runner;
use tool::ToolEntry;

/// Everything that answers calls, apart from how clients connect.
#[derive(Debug)]
pub struct Server {
    /// The tools.
    pub registry: Registry,
    /// Runs them.
    pub runner: Runner,
    /// The phase, and the calls in flight.
    pub lifecycle: Arc<Lifecycle>,
    /// What all calls share.
    pub context: Arc<Context>,
    /// What is told of what callers do.
    pub(crate) audit: AuditLog,
    /// Whether calls can be answered.
    pub health: Health,
}

impl Server {
    /// Builds a server that goes on with the audit trail of its configuration.
    ///
    /// # Errors
    /// When the workspace can't be opened, the audit trail is not what was written, or another server writes it.
    pub fn build(config: Config) -> io::Result<Server> {
        let audit = AuditLog::open(&config.fixed.access).map_err(io::Error::other)?;
        Server::telling(audit, config)
    }

    /// Builds what a command line of this machine calls, beside a server that may run: a trail has one writer, and what is
    /// called here is not told in it. Whoever calls reads and writes the files themselves anyway.
    ///
    /// # Errors
    /// When the workspace can't be opened.
    pub fn of_command_line(config: Config) -> io::Result<Server> {
        Server::telling(AuditLog::none(), config)
    }

    fn telling(audit: AuditLog, config: Config) -> io::Result<Server> {
        let registry = Registry::default();
        let context = Arc::new(Context::open(config)?);
        let lifecycle = Arc::new(Lifecycle::default());
        let runner = Runner::new(Arc::clone(&context), Arc::clone(&lifecycle));
        let health = Health::new(Arc::clone(&context), Arc::clone(&lifecycle));
        Ok(Server { registry, runner, lifecycle, context, audit, health })
    }

    /// The tools that a caller may use now.
    pub fn tools(&self, principal: &Principal) -> Vec<&ToolEntry> {
        self.registry.offered(&self.context.live(), principal)
    }

    /// The tool of a name, if a caller may use it now.
    ///
    /// # Errors
    /// When there is none, with near misses; when it is switched off.
    pub fn find_tool(&self, name: &str, principal: &Principal) -> Result<&ToolEntry, ToolError> {
        self.registry.find(name, &self.context.live(), principal)
    }

    /// Changes what may change while the server runs. Calls that run keep to what they began with.
    pub fn reconfigure(&self, live: LiveConfig) {
        self.runner.resize(live.limits.max_concurrent_calls);
        self.context.reconfigure(live);
        self.context.announce_memory();
    }
}
