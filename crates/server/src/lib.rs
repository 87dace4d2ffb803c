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

pub mod book;
pub mod cache;
pub mod call;
pub mod config;
pub mod cursor;
pub mod error;
pub mod forks;
pub mod handler;
pub mod http;
pub mod lifecycle;
pub mod locate;
pub mod metrics;
pub mod near_miss;
pub mod open;
pub mod private;
pub mod prompts;
pub mod recalc;
pub mod registry;
pub mod resources;
pub mod runner;
pub mod schema;
pub mod screenshots;
pub mod serve;
pub mod stdio;
pub mod tool;
pub mod workspace;

mod arguments;
mod cell_json;
mod changed_cells;
mod export;
mod freshness;
mod room;
mod table_filter;
mod table_target;
#[cfg(test)]
mod testing;
mod timestamp;
pub mod tools;
pub mod trace;
mod verify_engines;

use std::{io, sync::Arc};

use call::Context;
use config::Config;
use lifecycle::Lifecycle;
use registry::Registry;
use runner::Runner;

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
}

impl Server {
    /// Builds a server.
    ///
    /// # Errors
    /// When the workspace can't be opened.
    pub fn build(config: Config) -> io::Result<Server> {
        let registry = Registry::new(&config.tools);
        let context = Arc::new(Context::open(config)?);
        let lifecycle = Arc::new(Lifecycle::default());
        let runner = Runner::new(Arc::clone(&context), Arc::clone(&lifecycle));
        Ok(Server { registry, runner, lifecycle, context })
    }
}
