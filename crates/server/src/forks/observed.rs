//! The store of forks as calls use it: what it does is timed, counted and traced.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use forks::{
    Appended, Checkpoint, CheckpointName, ConnectionCounts, Digest, Entry, EntrySummary, Fork, ForkId,
    ForkQuery, Idempotency, IdempotencyKey, KeptVersion, Limits, Millis, Move, NewEntry, NewFork,
    NotedVersion, Permits, Repeated, RowSink, RowSource, SavedVersion, Seq, Staged, StagedId, StagedSummary,
    Store, StoreError,
};

use crate::metrics::{
    Metrics,
    labels::{ForkEvent, StoreOperation},
};

/// A store that is watched.
pub struct ObservedStore {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    /// Whether the database could not be used when it was last asked, which was told.
    is_out: AtomicBool,
}

impl ObservedStore {
    pub(super) fn new(store: Arc<dyn Store>, metrics: Arc<Metrics>) -> ObservedStore {
        ObservedStore { store, metrics, is_out: AtomicBool::new(false) }
    }

    fn read<T>(
        &self,
        what: &'static str,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.observed(StoreOperation::Read, what, read)
    }

    fn write<T>(
        &self,
        what: &'static str,
        write: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.observed(StoreOperation::Write, what, write)
    }

    /// Whether it was told that the database cannot be used.
    pub(super) fn is_out(&self) -> bool {
        self.is_out.load(Ordering::Relaxed)
    }

    /// Says once that the database cannot be used, and once that it can again.
    fn tell(&self, error: Option<&StoreError>) {
        match error {
            Some(error @ (StoreError::Away { .. } | StoreError::InDoubt { .. })) => {
                if !self.is_out.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the database does not answer; forks are not available");
                }
            }
            Some(
                error @ (StoreError::Refused { .. }
                | StoreError::NotMigrated { .. }
                | StoreError::NewerVersion { .. }),
            ) => {
                if !self.is_out.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the database cannot be used; forks are not available");
                }
            }
            Some(_) => {}
            None => {
                if self.is_out.swap(false, Ordering::Relaxed) {
                    tracing::info!("the database answers again");
                }
            }
        }
    }

    /// What is asked too often to be counted.
    fn asked<T>(&self, body: impl FnOnce(&dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let done = body(&*self.store);
        self.tell(done.as_ref().err());
        done
    }

    fn observed<T>(
        &self,
        operation: StoreOperation,
        what: &'static str,
        body: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let span = tracing::info_span!("store", operation = operation.as_str(), what);
        let begun = Instant::now();
        let done = span.in_scope(|| body(&*self.store));
        self.metrics.work.stored(operation, begun.elapsed());
        self.tell(done.as_ref().err());
        if let Err(error) = &done {
            self.metrics.work.not_stored(error);
            if matches!(error, StoreError::Conflict { .. }) {
                self.metrics.work.forks(ForkEvent::Conflict, 1);
            }
        }
        done
    }
}

impl Store for ObservedStore {
    fn create_fork(&self, fork: &NewFork, limits: &Limits, now: Millis) -> Result<Fork, StoreError> {
        let fork = self.write("create_fork", |store| store.create_fork(fork, limits, now))?;
        self.metrics.work.forks(ForkEvent::Created, 1);
        Ok(fork)
    }

    fn fork(&self, id: &ForkId) -> Result<Fork, StoreError> {
        self.read("fork", |store| store.fork(id))
    }

    fn forks(&self, query: &ForkQuery<'_>) -> Result<Vec<Fork>, StoreError> {
        self.read("forks", |store| store.forks(query))
    }

    fn count_forks(&self) -> Result<u64, StoreError> {
        // Asked by who looks at metrics, which is no use of the store.
        self.asked(|store| store.count_forks())
    }

    fn touch(&self, id: &ForkId, now: Millis) -> Result<(), StoreError> {
        self.write("touch", |store| store.touch(id, now))
    }

    fn follow_origin(&self, id: &ForkId, path: &str, digest: &Digest) -> Result<(), StoreError> {
        self.write("follow_origin", |store| store.follow_origin(id, path, digest))
    }

    fn discard(&self, id: &ForkId) -> Result<(), StoreError> {
        self.write("discard", |store| store.discard(id))?;
        self.metrics.work.forks(ForkEvent::Discarded, 1);
        Ok(())
    }

    fn expire(&self, now: Millis) -> Result<Vec<ForkId>, StoreError> {
        let expired = self.write("expire", |store| store.expire(now))?;
        self.metrics.work.forks(ForkEvent::Expired, expired.len() as u64);
        Ok(expired)
    }

    fn append(
        &self,
        id: &ForkId,
        expected: Seq,
        entry: &NewEntry<'_>,
        idempotency: Option<&Idempotency<'_>>,
        now: Millis,
    ) -> Result<Appended, StoreError> {
        self.observed(StoreOperation::Append, "append", |store| {
            store.append(id, expected, entry, idempotency, now)
        })
    }

    fn recall(
        &self,
        id: &ForkId,
        key: &IdempotencyKey,
        request: &Digest,
    ) -> Result<Option<Repeated>, StoreError> {
        self.read("recall", |store| store.recall(id, key, request))
    }

    fn move_head(&self, id: &ForkId, expected: Seq, to: Move, now: Millis) -> Result<Seq, StoreError> {
        self.write("move_head", |store| store.move_head(id, expected, to, now))
    }

    fn path(&self, id: &ForkId, from: Seq, to: Seq) -> Result<Vec<Entry>, StoreError> {
        self.read("path", |store| store.path(id, from, to))
    }

    fn history(&self, id: &ForkId, to: Seq, limit: u32) -> Result<Vec<EntrySummary>, StoreError> {
        self.read("history", |store| store.history(id, to, limit))
    }

    fn create_checkpoint(
        &self,
        id: &ForkId,
        name: &CheckpointName,
        now: Millis,
    ) -> Result<Checkpoint, StoreError> {
        self.write("create_checkpoint", |store| store.create_checkpoint(id, name, now))
    }

    fn checkpoints(&self, id: &ForkId) -> Result<Vec<Checkpoint>, StoreError> {
        self.read("checkpoints", |store| store.checkpoints(id))
    }

    fn checkpoint(&self, id: &ForkId, name: &CheckpointName) -> Result<Checkpoint, StoreError> {
        self.read("checkpoint", |store| store.checkpoint(id, name))
    }

    fn delete_checkpoint(&self, id: &ForkId, name: &CheckpointName) -> Result<(), StoreError> {
        self.write("delete_checkpoint", |store| store.delete_checkpoint(id, name))
    }

    fn stage(&self, id: &ForkId, staged: &Staged) -> Result<(), StoreError> {
        self.write("stage", |store| store.stage(id, staged))
    }

    fn staged_changes(&self, id: &ForkId) -> Result<Vec<StagedSummary>, StoreError> {
        self.read("staged_changes", |store| store.staged_changes(id))
    }

    fn staged(&self, id: &ForkId, staged: &StagedId) -> Result<Staged, StoreError> {
        self.read("staged", |store| store.staged(id, staged))
    }

    fn discard_staged(&self, id: &ForkId, staged: &StagedId) -> Result<(), StoreError> {
        self.write("discard_staged", |store| store.discard_staged(id, staged))
    }

    fn add_version(&self, version: &SavedVersion) -> Result<NotedVersion, StoreError> {
        self.write("add_version", |store| store.add_version(version))
    }

    fn confirm_version(&self, noted: &NotedVersion) -> Result<(), StoreError> {
        self.write("confirm_version", |store| store.confirm_version(noted))
    }

    fn withdraw_version(&self, noted: &NotedVersion) -> Result<(), StoreError> {
        self.write("withdraw_version", |store| store.withdraw_version(noted))
    }

    fn versions(&self, path: &str) -> Result<Vec<KeptVersion>, StoreError> {
        self.read("versions", |store| store.versions(path))
    }

    fn version(&self, path: &str, number: u64) -> Result<KeptVersion, StoreError> {
        self.read("version", |store| store.version(path, number))
    }

    fn prune_versions(&self, keep: u32) -> Result<u64, StoreError> {
        self.write("prune_versions", |store| store.prune_versions(keep))
    }

    fn referenced_blobs(&self) -> Result<HashSet<Digest>, StoreError> {
        self.read("referenced_blobs", |store| store.referenced_blobs())
    }

    fn time(&self, now: Millis) -> Result<Millis, StoreError> {
        self.read("time", |store| store.time(now))
    }

    fn lease(&self, name: &str, holder: &str, span: Millis, now: Millis) -> Result<bool, StoreError> {
        self.write("lease", |store| store.lease(name, holder, span, now))
    }

    fn shared_secret(&self, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.write("shared_secret", |store| store.shared_secret(name, candidate))
    }

    fn take_permits(
        &self,
        caller: &str,
        wanted: u32,
        per_minute: u32,
        now: Millis,
    ) -> Result<Permits, StoreError> {
        self.write("take_permits", |store| store.take_permits(caller, wanted, per_minute, now))
    }

    fn connections(&self) -> Option<ConnectionCounts> {
        self.store.connections()
    }

    fn check(&self) -> Result<(), StoreError> {
        self.asked(|store| store.check())
    }

    fn used_bytes(&self) -> Result<u64, StoreError> {
        self.asked(|store| store.used_bytes())
    }

    fn export(&self, sink: &mut RowSink<'_>) -> Result<(), StoreError> {
        self.read("export", |store| store.export(sink))
    }

    fn import(&self, source: &mut RowSource<'_>) -> Result<u64, StoreError> {
        self.write("import", |store| store.import(source))
    }
}
