//! The store in one SQLite file, used by several processes at the same time.
//!
//! Writes take the database's write lock at their start (`BEGIN IMMEDIATE`), so that what they check still holds when they
//! commit; reads see one state from their start to their end and wait for nobody (write-ahead log). A commit is on the
//! disk before it returns (`synchronous = FULL`). The file must be on a local disk: the write-ahead log needs shared memory.

mod checkpoints;
mod columns;
mod connection;
mod failure;
mod forks;
mod log;
mod rows;
mod schema;
mod shared;
mod staged;
mod versions;

use std::collections::HashSet;
use std::path::Path;

use crate::{
    Appended, Checkpoint, CheckpointName, Digest, Entry, EntrySummary, Fork, ForkId, ForkQuery, Idempotency,
    IdempotencyKey, KeptVersion, Limits, Millis, Move, NewEntry, NewFork, NotedVersion, Permits, Repeated,
    RowSink, RowSource, SavedVersion, Seq, Staged, StagedId, StagedSummary, Store, StoreError,
};
use connection::Connections;
use failure::Failure;

/// Forks in an SQLite database.
pub struct SqliteStore {
    connections: Connections,
}

impl SqliteStore {
    /// Opens the database, making it and its folder when they are not there.
    ///
    /// # Errors
    /// `NewerVersion`, `Corrupt`, `ReadOnly`, `Full`, `Busy`, `Unavailable`.
    pub fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        Ok(SqliteStore { connections: Connections::open(path)? })
    }

    /// A failed write of a fork, as its caller sees it.
    fn explain(&self, id: &ForkId, expected: Seq, failure: Failure) -> StoreError {
        match failure {
            Failure::Stale { actual } => self
                .connections
                .read(|database| log::conflict(database, id, expected, actual))
                .unwrap_or_else(|error| error),
            other => self.connections.explain(other),
        }
    }
}

impl Store for SqliteStore {
    fn create_fork(&self, fork: &NewFork, limits: &Limits, now: Millis) -> Result<Fork, StoreError> {
        self.connections.write(|database| forks::create(database, fork, limits, now))
    }

    fn fork(&self, id: &ForkId) -> Result<Fork, StoreError> {
        self.connections.read(|database| forks::get(database, id))
    }

    fn forks(&self, query: &ForkQuery<'_>) -> Result<Vec<Fork>, StoreError> {
        self.connections.read(|database| forks::list(database, query))
    }

    fn count_forks(&self) -> Result<u64, StoreError> {
        self.connections.read(|database| forks::count(database))
    }

    fn touch(&self, id: &ForkId, now: Millis) -> Result<(), StoreError> {
        if self.connections.read(|database| forks::is_use_noted(database, id, now))? {
            return Ok(());
        }
        self.connections.write(|database| forks::note_use(database, id, now))
    }

    fn follow_origin(&self, id: &ForkId, path: &str, digest: &Digest) -> Result<(), StoreError> {
        self.connections.write(|database| forks::follow_origin(database, id, path, digest))
    }

    fn discard(&self, id: &ForkId) -> Result<(), StoreError> {
        self.connections.write(|database| forks::discard(database, id))
    }

    fn expire(&self, now: Millis) -> Result<Vec<ForkId>, StoreError> {
        self.connections.write(|database| {
            shared::forget_permits(database, now)?;
            forks::expire(database, now)
        })
    }

    fn append(
        &self,
        id: &ForkId,
        expected: Seq,
        entry: &NewEntry<'_>,
        idempotency: Option<&Idempotency<'_>>,
        now: Millis,
    ) -> Result<Appended, StoreError> {
        self.connections
            .try_write(|database| log::append(database, id, expected, entry, idempotency, now))
            .map_err(|failure| self.explain(id, expected, failure))
    }

    fn recall(
        &self,
        id: &ForkId,
        key: &IdempotencyKey,
        request: &Digest,
    ) -> Result<Option<Repeated>, StoreError> {
        self.connections.read(|database| {
            log::head(database, id)?;
            log::recall(database, id, key, request)
        })
    }

    fn move_head(&self, id: &ForkId, expected: Seq, to: Move, now: Millis) -> Result<Seq, StoreError> {
        self.connections
            .try_write(|database| log::move_head(database, id, expected, to, now))
            .map_err(|failure| self.explain(id, expected, failure))
    }

    fn path(&self, id: &ForkId, from: Seq, to: Seq) -> Result<Vec<Entry>, StoreError> {
        self.connections.read(|database| log::path(database, id, from, to))
    }

    fn history(&self, id: &ForkId, to: Seq, limit: u32) -> Result<Vec<EntrySummary>, StoreError> {
        self.connections.read(|database| log::history(database, id, to, limit))
    }

    fn create_checkpoint(
        &self,
        id: &ForkId,
        name: &CheckpointName,
        now: Millis,
    ) -> Result<Checkpoint, StoreError> {
        self.connections.write(|database| checkpoints::create(database, id, name, now))
    }

    fn checkpoints(&self, id: &ForkId) -> Result<Vec<Checkpoint>, StoreError> {
        self.connections.read(|database| checkpoints::list(database, id))
    }

    fn checkpoint(&self, id: &ForkId, name: &CheckpointName) -> Result<Checkpoint, StoreError> {
        self.connections.read(|database| checkpoints::get(database, id, name))
    }

    fn delete_checkpoint(&self, id: &ForkId, name: &CheckpointName) -> Result<(), StoreError> {
        self.connections.write(|database| checkpoints::delete(database, id, name))
    }

    fn stage(&self, id: &ForkId, staged: &Staged) -> Result<(), StoreError> {
        self.connections.write(|database| staged::put(database, id, staged))
    }

    fn staged_changes(&self, id: &ForkId) -> Result<Vec<StagedSummary>, StoreError> {
        self.connections.read(|database| staged::list(database, id))
    }

    fn staged(&self, id: &ForkId, staged: &StagedId) -> Result<Staged, StoreError> {
        self.connections.read(|database| staged::get(database, id, staged))
    }

    fn discard_staged(&self, id: &ForkId, staged: &StagedId) -> Result<(), StoreError> {
        self.connections.write(|database| staged::discard(database, id, staged))
    }

    fn add_version(&self, version: &SavedVersion) -> Result<NotedVersion, StoreError> {
        self.connections.write(|database| versions::add(database, version))
    }

    fn confirm_version(&self, noted: &NotedVersion) -> Result<(), StoreError> {
        self.connections.write(|database| versions::confirm(database, noted))
    }

    fn withdraw_version(&self, noted: &NotedVersion) -> Result<(), StoreError> {
        self.connections.write(|database| versions::withdraw(database, noted))
    }

    fn versions(&self, path: &str) -> Result<Vec<KeptVersion>, StoreError> {
        self.connections.read(|database| versions::list(database, path))
    }

    fn version(&self, path: &str, number: u64) -> Result<KeptVersion, StoreError> {
        self.connections.read(|database| versions::get(database, path, number))
    }

    fn prune_versions(&self, keep: u32) -> Result<u64, StoreError> {
        self.connections.write(|database| versions::prune(database, keep))
    }

    fn referenced_blobs(&self) -> Result<HashSet<Digest>, StoreError> {
        self.connections.read(|database| versions::referenced_blobs(database))
    }

    fn time(&self, now: Millis) -> Result<Millis, StoreError> {
        Ok(now)
    }

    fn lease(&self, name: &str, holder: &str, span: Millis, now: Millis) -> Result<bool, StoreError> {
        self.connections.write(|database| shared::lease(database, name, holder, span, now))
    }

    fn shared_secret(&self, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.connections.write(|database| shared::secret(database, name, candidate))
    }

    fn take_permits(
        &self,
        caller: &str,
        wanted: u32,
        per_minute: u32,
        now: Millis,
    ) -> Result<Permits, StoreError> {
        self.connections.write(|database| shared::take_permits(database, caller, wanted, per_minute, now))
    }

    /// Reads the whole database (`PRAGMA quick_check`), at about half a millisecond per megabyte. Damage that an operation
    /// comes across is noticed anyway.
    fn check(&self) -> Result<(), StoreError> {
        self.connections.check()
    }

    /// The database's files keep the room of what was deleted for what comes: that is not counted.
    fn used_bytes(&self) -> Result<u64, StoreError> {
        self.connections.used_bytes()
    }

    fn export(&self, sink: &mut RowSink<'_>) -> Result<(), StoreError> {
        self.connections.read(|database| rows::export(database, sink))
    }

    fn import(&self, source: &mut RowSource<'_>) -> Result<u64, StoreError> {
        self.connections.write(|database| rows::import(database, source))
    }
}
