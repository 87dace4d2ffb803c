//! Who did what to which workbook, and how it ended: an append-only trail of [`Entry`]s in files of JSON lines, each chained
//! to the one before by its digest.
//!
//! A folder holds segments named by the number of their first record, and `head.json`, which says how far the trail went.
//! Retention takes whole segments away, the oldest first: the next one starts with the digest of the last record that went.
//! A folder may also hold folders with a trail each, of replicas.
//!
//! **Invariants.** A record tells of an action, never of content. A record that was changed, moved or taken out, and an end
//! that is missing, are found by [`verify`]. Who can write the folder can make a new trail of it: `head.json`, copied to
//! somewhere else, tells it from the old one.
//!
//! **What this crate must never know:** what an action means, who may read the trail.

mod chain;
mod copy;
mod entry;
mod error;
mod replicas;
mod segment;
mod trail;
mod verify;

pub use chain::Digest;
pub use copy::copy;
pub use entry::{Entry, Outcome, Record};
pub use error::AuditError;
pub use replicas::{Abandoned, Named, purge_abandoned, trails};
pub use trail::{Query, Retention, Trail, find};
pub use verify::{Verified, verify};
