//! Forks: where they are kept, and what is live of them.
//!
//! The store is the truth: a log of edits over a base. What is in memory (drafts at some state of a fork) is a cache of
//! what replaying that log gives, and any of it may go at any time.

pub mod database;
pub(crate) mod edits;
mod errors;
mod ids;
mod live;
mod observed;
mod state;
mod sweeping;
mod versions;

pub use live::{Live, Replayed};
pub use state::{BlobPlace, ForkState, Opened, now};
pub use sweeping::{Sweeping, keep_during};

pub(crate) use edits::{Edited, Request};
pub(crate) use errors::{edit_error, save_error, store_error};
pub(crate) use ids::new_id;

use serde::{Deserialize, Serialize};
use workbook::edit::Edit;

/// What an entry of a fork's log holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Payload {
    /// The version of the edits' vocabulary.
    pub(crate) version: u32,
    /// The edits, their addresses explicit.
    pub(crate) ops: Vec<Edit>,
}
