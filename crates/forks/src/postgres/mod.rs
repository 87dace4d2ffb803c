//! The store in PostgreSQL, for several replicas.
//!
//! Whatever changes something is one statement (but `versions::add`), and so one transaction and one round trip; what is decided on the way is
//! decided by functions of the database (`schema_1.sql`), under the lock of the fork's row. A commit is on the disk of the
//! server before it is acknowledged (`synchronous_commit`).
//!
//! **Exactly once.** When a connection is lost over a change, nobody knows whether it was made. It is repeated over another
//! connection, under the same nonce, by which the database knows what it did; only when that is not possible in time is the
//! caller told [`StoreError::InDoubt`].

mod checkpoints;
mod columns;
mod connections;
mod dial;
mod failure;
mod forks;
mod log;
mod rows;
mod schema;
mod shared;
mod staged;
mod tls;
mod url;
mod versions;

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::{
    Appended, Checkpoint, CheckpointName, ConnectionCounts, Digest, Entry, EntrySummary, Fork, ForkId,
    ForkQuery, Idempotency, IdempotencyKey, KeptVersion, Limits, Millis, Move, NewEntry, NewFork,
    NotedVersion, Permits, Repeated, RowSink, RowSource, SavedVersion, Seq, Staged, StagedId, StagedSummary,
    Store, StoreError,
};
use connections::Connections;
use failure::Failure;

pub use schema::Migration;
pub use url::{InvalidPostgresUrl, PostgresUrl};

/// What names one call, so that it is not done twice.
type Nonce = [u8; 16];

/// What gives the password, or says why it cannot.
pub type Password = Box<dyn Fn() -> Result<Option<String>, String> + Send + Sync>;

/// When something happens; none for the database's own time.
type Moment = Option<Millis>;

/// Whose time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// That of the database, so that replicas whose clocks differ agree. The times that callers give mean nothing.
    Database,
    /// That of the callers.
    Callers,
}

/// How a database is used.
pub struct PostgresOptions {
    /// Connections at most.
    pub connections: usize,
    /// How long anything may take, with waiting for a connection and with being repeated.
    pub patience: Duration,
    /// How long one host may take until a connection to it stands.
    pub connect_timeout: Duration,
    /// Gives the password whenever a connection is made.
    pub password: Password,
    /// Gives random bytes: a name for each call.
    pub random: Box<dyn Fn() -> Nonce + Send + Sync>,
    /// Whose time counts.
    pub clock: Clock,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// Forks in a PostgreSQL database.
///
/// Its methods block, and must not be called from a task of a runtime. They end within [`PostgresOptions::patience`], those of
/// cleaners within a minute.
pub struct PostgresStore {
    connections: Connections,
    random: Box<dyn Fn() -> Nonce + Send + Sync>,
    clock: Clock,
}

impl PostgresStore {
    /// Uses the database at `url`; nothing is asked yet, so it need not be there.
    ///
    /// # Errors
    /// `Refused` when certificates of authorities cannot be read.
    pub fn new(
        url: &PostgresUrl,
        mut options: PostgresOptions,
        runtime: Handle,
    ) -> Result<PostgresStore, StoreError> {
        let random = std::mem::replace(&mut options.random, Box::new(|| [0; 16]));
        let clock = options.clock;
        let connections = Connections::new(url, options, runtime)
            .map_err(|problem| StoreError::Refused { place: url.to_string(), problem })?;
        Ok(PostgresStore { connections, random, clock })
    }

    /// Brings the tables of a database to the format of this program, making them when there are none; with `only_look`, says
    /// what is to be done.
    ///
    /// # Errors
    /// `Away`, `Refused`.
    pub fn migrate(
        url: &PostgresUrl,
        options: &PostgresOptions,
        runtime: &Handle,
        only_look: bool,
    ) -> Result<Migration, StoreError> {
        schema::migrate(url, options, runtime, only_look)
    }

    fn moment(&self, now: Millis) -> Moment {
        match self.clock {
            Clock::Database => None,
            Clock::Callers => Some(now),
        }
    }

    /// A failed write of a fork, as its caller sees it.
    fn explain(&self, id: &ForkId, expected: Seq, (failure, in_doubt): (Failure, bool)) -> StoreError {
        match failure {
            Failure::Stale { actual } => self
                .connections
                .read(async |client| log::conflict(client, id, expected, actual).await)
                .unwrap_or_else(|error| error),
            other => self.connections.explain(other, in_doubt),
        }
    }
}

impl Store for PostgresStore {
    fn create_fork(&self, fork: &NewFork, limits: &Limits, now: Millis) -> Result<Fork, StoreError> {
        let (now, nonce) = (self.moment(now), (self.random)());
        self.connections.write(async |client, _| forks::create(client, fork, limits, now, &nonce).await)
    }

    fn fork(&self, id: &ForkId) -> Result<Fork, StoreError> {
        self.connections.read(async |client| forks::get(client, id).await)
    }

    fn forks(&self, query: &ForkQuery<'_>) -> Result<Vec<Fork>, StoreError> {
        self.connections.read(async |client| forks::list(client, query).await)
    }

    fn count_forks(&self) -> Result<u64, StoreError> {
        self.connections.read(async |client| forks::count(client).await)
    }

    fn touch(&self, id: &ForkId, now: Millis) -> Result<(), StoreError> {
        let now = self.moment(now);
        if self.connections.read(async |client| forks::is_use_noted(client, id, now).await)? {
            return Ok(());
        }
        self.connections.write(async |client, _| forks::note_use(client, id, now).await)
    }

    fn follow_origin(&self, id: &ForkId, path: &str, digest: &Digest) -> Result<(), StoreError> {
        self.connections.write(async |client, _| forks::follow_origin(client, id, path, digest).await)
    }

    fn discard(&self, id: &ForkId) -> Result<(), StoreError> {
        self.connections.write_long(async |client, attempt| forks::discard(client, id, attempt).await)
    }

    fn expire(&self, now: Millis) -> Result<Vec<ForkId>, StoreError> {
        let now = self.moment(now);
        self.connections.write_long(async |client, _| {
            shared::forget_permits(client, now).await?;
            forks::expire(client, now).await
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
        let (now, nonce) = (self.moment(now), (self.random)());
        self.connections
            .try_write(async |client, _| {
                log::append(client, id, expected, entry, idempotency, now, &nonce).await
            })
            .map_err(|failed| self.explain(id, expected, failed))
    }

    fn recall(
        &self,
        id: &ForkId,
        key: &IdempotencyKey,
        request: &Digest,
    ) -> Result<Option<Repeated>, StoreError> {
        self.connections.read(async |client| log::recall(client, id, key, request).await)
    }

    fn move_head(&self, id: &ForkId, expected: Seq, to: Move, now: Millis) -> Result<Seq, StoreError> {
        let (now, nonce) = (self.moment(now), (self.random)());
        self.connections
            .try_write(async |client, _| log::move_head(client, id, expected, to, now, &nonce).await)
            .map_err(|failed| self.explain(id, expected, failed))
    }

    fn path(&self, id: &ForkId, from: Seq, to: Seq) -> Result<Vec<Entry>, StoreError> {
        self.connections.read(async |client| log::path(client, id, from, to).await)
    }

    fn history(&self, id: &ForkId, to: Seq, limit: u32) -> Result<Vec<EntrySummary>, StoreError> {
        self.connections.read(async |client| log::history(client, id, to, limit).await)
    }

    fn create_checkpoint(
        &self,
        id: &ForkId,
        name: &CheckpointName,
        now: Millis,
    ) -> Result<Checkpoint, StoreError> {
        let (now, nonce) = (self.moment(now), (self.random)());
        self.connections.write(async |client, _| checkpoints::create(client, id, name, now, &nonce).await)
    }

    fn checkpoints(&self, id: &ForkId) -> Result<Vec<Checkpoint>, StoreError> {
        self.connections.read(async |client| checkpoints::list(client, id).await)
    }

    fn checkpoint(&self, id: &ForkId, name: &CheckpointName) -> Result<Checkpoint, StoreError> {
        self.connections.read(async |client| checkpoints::get(client, id, name).await)
    }

    fn delete_checkpoint(&self, id: &ForkId, name: &CheckpointName) -> Result<(), StoreError> {
        self.connections.write(async |client, attempt| checkpoints::delete(client, id, name, attempt).await)
    }

    fn stage(&self, id: &ForkId, staged: &Staged) -> Result<(), StoreError> {
        self.connections.write(async |client, attempt| staged::put(client, id, staged, attempt).await)
    }

    fn staged_changes(&self, id: &ForkId) -> Result<Vec<StagedSummary>, StoreError> {
        self.connections.read(async |client| staged::list(client, id).await)
    }

    fn staged(&self, id: &ForkId, staged: &StagedId) -> Result<Staged, StoreError> {
        self.connections.read(async |client| staged::get(client, id, staged).await)
    }

    fn discard_staged(&self, id: &ForkId, staged: &StagedId) -> Result<(), StoreError> {
        self.connections.write(async |client, attempt| staged::discard(client, id, staged, attempt).await)
    }

    fn add_version(&self, version: &SavedVersion) -> Result<NotedVersion, StoreError> {
        self.connections.write(async |client, _| versions::add(client, version).await)
    }

    fn confirm_version(&self, noted: &NotedVersion) -> Result<(), StoreError> {
        self.connections.write(async |client, _| versions::confirm(client, noted).await)
    }

    fn withdraw_version(&self, noted: &NotedVersion) -> Result<(), StoreError> {
        self.connections.write(async |client, _| versions::withdraw(client, noted).await)
    }

    fn versions(&self, path: &str) -> Result<Vec<KeptVersion>, StoreError> {
        self.connections.read(async |client| versions::list(client, path).await)
    }

    fn version(&self, path: &str, number: u64) -> Result<KeptVersion, StoreError> {
        self.connections.read(async |client| versions::get(client, path, number).await)
    }

    fn prune_versions(&self, keep: u32) -> Result<u64, StoreError> {
        self.connections.write_long(async |client, _| versions::prune(client, keep).await)
    }

    fn referenced_blobs(&self) -> Result<HashSet<Digest>, StoreError> {
        self.connections.write_long(async |client, _| versions::referenced_blobs(client).await)
    }

    fn time(&self, now: Millis) -> Result<Millis, StoreError> {
        match self.moment(now) {
            Some(moment) => Ok(moment),
            None => self.connections.read(async |client| shared::time(client).await),
        }
    }

    fn lease(&self, name: &str, holder: &str, span: Millis, now: Millis) -> Result<bool, StoreError> {
        let now = self.moment(now);
        self.connections.write(async |client, _| shared::lease(client, name, holder, span, now).await)
    }

    fn shared_secret(&self, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.connections.write(async |client, _| shared::secret(client, name, candidate).await)
    }

    fn take_permits(
        &self,
        caller: &str,
        wanted: u32,
        per_minute: u32,
        now: Millis,
    ) -> Result<Permits, StoreError> {
        let now = self.moment(now);
        self.connections
            .write(async |client, _| shared::take_permits(client, caller, wanted, per_minute, now).await)
    }

    /// That the database answers and has the tables that are needed; it looks for damage itself.
    fn check(&self) -> Result<(), StoreError> {
        self.count_forks().map(|_| ())
    }

    /// With what was deleted and waits to be used again.
    fn used_bytes(&self) -> Result<u64, StoreError> {
        self.connections.read(async |client| shared::used_bytes(client).await)
    }

    fn connections(&self) -> Option<ConnectionCounts> {
        Some(self.connections.counts())
    }

    fn export(&self, sink: &mut RowSink<'_>) -> Result<(), StoreError> {
        self.connections.session(rows::ONE_MOMENT, async |client| rows::export(client, sink).await)
    }

    fn import(&self, source: &mut RowSource<'_>) -> Result<u64, StoreError> {
        self.connections.session(rows::CHANGE, async |client| rows::import(client, source).await)
    }
}
