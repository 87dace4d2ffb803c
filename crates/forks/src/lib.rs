//! The durable state of forks: each is a base (a content-addressed blob) and an append-only log of edits.
//!
//! The log is a tree. An entry is a child of the state that it was applied to, the live state is the path from the base to
//! the head, and undoing, redoing and restoring only move the head. So a fork and an entry's number name one state for
//! good, and a checkpoint can always be come back to.
//!
//! **Invariants.** What a method returned `Ok` for survives a crash (DURABLE). The log is never rewritten, so replaying the
//! path to the head gives the live state (REPLAY). A stale writer changes nothing and is told what it missed. A blob whose
//! bytes do not match its name is never handed out. A state that could not be kept is an error that says what, where and
//! what to do (HONEST).
//!
//! **What this crate must never know:** workbooks and edit operations (an entry's payload is opaque JSON), clocks and
//! randomness (times, ids and nonces are handed in). It knows the file system, SQLite, PostgreSQL and buckets; the
//! runtime that the latter two need is handed in, and all methods block.

mod blobs;
mod digest;
mod error;
mod folder;
mod id;
mod model;
mod postgres;
mod rows;
mod sqlite;
mod store;

pub use blobs::{BUCKET_GRACE, BlobCounts, Blobs, Swept, sweep_blobs};
pub use digest::{Digest, InvalidDigest};
pub use error::StoreError;
pub use id::{CheckpointName, ForkId, IdempotencyKey, InvalidName, Seq, StagedId};
pub use model::{
    Appended, Base, Checkpoint, Entry, EntrySummary, Fork, ForkQuery, Idempotency, KeptVersion, Limits,
    Millis, Move, NewEntry, NewFork, NotedVersion, Origin, Permits, Repeated, SavedVersion, Staged,
    StagedSummary,
};
pub use postgres::{
    Clock, InvalidPostgresUrl, Migration, Password, PostgresOptions, PostgresStore, PostgresUrl,
};
pub use rows::{Row, RowSink, RowSource};
pub use sqlite::SqliteStore;
pub use store::{ConnectionCounts, Store};
