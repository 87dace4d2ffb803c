//! What a store of forks does, whatever database it is in.

use std::collections::HashSet;

use crate::{
    Appended, Checkpoint, CheckpointName, Digest, Entry, EntrySummary, Fork, ForkId, ForkQuery, Idempotency,
    IdempotencyKey, KeptVersion, Limits, Millis, Move, NewEntry, NewFork, NotedVersion, Permits, Repeated,
    RowSink, RowSource, SavedVersion, Seq, Staged, StagedId, StagedSummary, StoreError,
};

/// The durable state of forks. Every method is one transaction: it happens wholly or not at all, and what it returned `Ok`
/// for survives a crash (DURABLE). Several processes may use the same store at the same time.
///
/// Besides what is said at each method, all of them fail when the place where the state is kept does
/// (`Corrupt`, `Full`, `ReadOnly`, `Busy`, `Unavailable`, `Away`, `InDoubt`, `Refused`, `NotMigrated`, `NewerVersion`).
pub trait Store: Send + Sync {
    /// Makes a fork whose head is its base. The base's blob must be stored already.
    ///
    /// # Errors
    /// `LimitReached`; `Exists` when the id is taken.
    fn create_fork(&self, fork: &NewFork, limits: &Limits, now: Millis) -> Result<Fork, StoreError>;

    /// The fork of that id.
    ///
    /// # Errors
    /// `NotFound`.
    fn fork(&self, id: &ForkId) -> Result<Fork, StoreError>;

    /// Forks, those used last first, and by id among those used at the same time.
    ///
    /// # Errors
    /// None of its own.
    fn forks(&self, query: &ForkQuery<'_>) -> Result<Vec<Fork>, StoreError>;

    /// How many forks there are.
    ///
    /// # Errors
    /// None of its own.
    fn count_forks(&self) -> Result<u64, StoreError>;

    /// Notes that the fork was used, which puts off its expiry. Uses within a minute of the last noted one cost no write.
    ///
    /// # Errors
    /// `NotFound`.
    fn touch(&self, id: &ForkId, now: Millis) -> Result<(), StoreError>;

    /// Notes that the file that the fork was made from was replaced by what the fork is: it now holds `digest`. Nothing
    /// happens for a fork that was made from another file, or from none.
    ///
    /// # Errors
    /// `NotFound`.
    fn follow_origin(&self, id: &ForkId, path: &str, digest: &Digest) -> Result<(), StoreError>;

    /// Drops the fork with its log, keys, checkpoints and staged changes.
    ///
    /// # Errors
    /// `NotFound`.
    fn discard(&self, id: &ForkId) -> Result<(), StoreError>;

    /// Drops the forks whose time has passed, and says which.
    ///
    /// # Errors
    /// None of its own.
    fn expire(&self, now: Millis) -> Result<Vec<ForkId>, StoreError>;

    /// Appends an entry as a child of the head, which must be `expected`, and moves the head to it.
    ///
    /// A call that was applied before under the same key is answered as it was then, wherever the head is now.
    ///
    /// # Errors
    /// `Conflict`, `IdempotencyMismatch`, `NotFound` (the fork, or the staged change that the entry applies).
    fn append(
        &self,
        id: &ForkId,
        expected: Seq,
        entry: &NewEntry<'_>,
        idempotency: Option<&Idempotency<'_>>,
        now: Millis,
    ) -> Result<Appended, StoreError>;

    /// What the call under that key did, if it was applied: to ask before working out the edit again.
    ///
    /// # Errors
    /// `IdempotencyMismatch`; `NotFound` when there is no such fork.
    fn recall(
        &self,
        id: &ForkId,
        key: &IdempotencyKey,
        request: &Digest,
    ) -> Result<Option<Repeated>, StoreError>;

    /// Moves the head, which must be at `expected`, and says where it is now. No entry is deleted.
    ///
    /// # Errors
    /// `Conflict`, `NoSuchStep`, `NotFound` (the fork, or the state to go to).
    fn move_head(&self, id: &ForkId, expected: Seq, to: Move, now: Millis) -> Result<Seq, StoreError>;

    /// The entries that lead from the state `from` to the state `to`, oldest first: replaying them over `from` gives `to`.
    ///
    /// # Errors
    /// `NotAnAncestor` when `to` does not continue `from`; `NotFound` (the fork, or the state `to`).
    fn path(&self, id: &ForkId, from: Seq, to: Seq) -> Result<Vec<Entry>, StoreError>;

    /// The entries that lead to the state `to`, newest first, at most `limit`.
    ///
    /// # Errors
    /// `NotFound` (the fork, or the state).
    fn history(&self, id: &ForkId, to: Seq, limit: u32) -> Result<Vec<EntrySummary>, StoreError>;

    /// Names the live state.
    ///
    /// # Errors
    /// `NotFound` (the fork); `Exists` when the name is taken.
    fn create_checkpoint(
        &self,
        id: &ForkId,
        name: &CheckpointName,
        now: Millis,
    ) -> Result<Checkpoint, StoreError>;

    /// The checkpoints of a fork, in the order in which they were made.
    ///
    /// # Errors
    /// `NotFound` (the fork).
    fn checkpoints(&self, id: &ForkId) -> Result<Vec<Checkpoint>, StoreError>;

    /// The checkpoint of that name. To restore it, [`move_head`](Store::move_head) to its state.
    ///
    /// # Errors
    /// `NotFound` (the fork, or the checkpoint).
    fn checkpoint(&self, id: &ForkId, name: &CheckpointName) -> Result<Checkpoint, StoreError>;

    /// Forgets the name; the state stays.
    ///
    /// # Errors
    /// `NotFound` (the fork, or the checkpoint).
    fn delete_checkpoint(&self, id: &ForkId, name: &CheckpointName) -> Result<(), StoreError>;

    /// Keeps a change that was previewed, until it is applied ([`NewEntry::applies`]) or discarded.
    ///
    /// # Errors
    /// `NotFound` (the fork, or the state that it was previewed on); `Exists` when the id is taken.
    fn stage(&self, id: &ForkId, staged: &Staged) -> Result<(), StoreError>;

    /// The staged changes of a fork, oldest first.
    ///
    /// # Errors
    /// `NotFound` (the fork).
    fn staged_changes(&self, id: &ForkId) -> Result<Vec<StagedSummary>, StoreError>;

    /// A staged change with its payload.
    ///
    /// # Errors
    /// `NotFound` (the fork, or the change).
    fn staged(&self, id: &ForkId, staged: &StagedId) -> Result<Staged, StoreError>;

    /// Drops a staged change.
    ///
    /// # Errors
    /// `NotFound` (the fork, or the change).
    fn discard_staged(&self, id: &ForkId, staged: &StagedId) -> Result<(), StoreError>;

    /// Notes what a workspace file holds before it is replaced. The blob must be stored already. Nothing is noted twice in a row:
    /// a newest version with the same digest, of a save that failed or goes on at the same time, is the one, whoever noted it.
    ///
    /// # Errors
    /// None of its own.
    fn add_version(&self, version: &SavedVersion) -> Result<NotedVersion, StoreError>;

    /// The file was replaced by who noted this: the version tells of them.
    ///
    /// # Errors
    /// None of its own.
    fn confirm_version(&self, noted: &NotedVersion) -> Result<(), StoreError>;

    /// The file was not replaced by who noted this: the version goes, if it is theirs alone and another one holds the same bytes.
    /// Nobody else was told of it then.
    ///
    /// # Errors
    /// None of its own.
    fn withdraw_version(&self, noted: &NotedVersion) -> Result<(), StoreError>;

    /// What a workspace file held before, newest first.
    ///
    /// # Errors
    /// None of its own.
    fn versions(&self, path: &str) -> Result<Vec<KeptVersion>, StoreError>;

    /// A version of a workspace file.
    ///
    /// # Errors
    /// `NotFound`.
    fn version(&self, path: &str, number: u64) -> Result<KeptVersion, StoreError>;

    /// Drops all but the `keep` newest versions of every file, and says how many that were.
    ///
    /// # Errors
    /// None of its own.
    fn prune_versions(&self, keep: u32) -> Result<u64, StoreError>;

    /// The blobs that a fork or a saved version needs; all others may be swept.
    ///
    /// # Errors
    /// None of its own.
    fn referenced_blobs(&self) -> Result<HashSet<Digest>, StoreError>;

    /// The moment by the clock that all who use this store go by: the database's, or `now` where that is theirs.
    ///
    /// # Errors
    /// None of its own.
    fn time(&self, now: Millis) -> Result<Millis, StoreError>;

    /// Gives `holder` the lease of that name for `span`, or more of it when it has it already. Says whether it has it now;
    /// nobody else has it before the span is over.
    ///
    /// # Errors
    /// None of its own.
    fn lease(&self, name: &str, holder: &str, span: Millis, now: Millis) -> Result<bool, StoreError>;

    /// The secret of that name, which all processes have in common: the first `candidate` ever.
    ///
    /// # Errors
    /// None of its own.
    fn shared_secret(&self, name: &str, candidate: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Takes as many of a caller's calls as are `wanted`, or as there are, of so many a minute. All processes together take no
    /// more than that.
    ///
    /// # Errors
    /// None of its own.
    fn take_permits(
        &self,
        caller: &str,
        wanted: u32,
        per_minute: u32,
        now: Millis,
    ) -> Result<Permits, StoreError>;

    /// Looks for damage as far as the database can tell, which may take long: for the start of a server.
    ///
    /// # Errors
    /// `Corrupt`, saying what is wrong first.
    fn check(&self) -> Result<(), StoreError>;

    /// Bytes that the database has something in.
    ///
    /// # Errors
    /// None of its own.
    fn used_bytes(&self) -> Result<u64, StoreError>;

    /// Hands out every row, as all of them are at one moment. Writers are not held up.
    ///
    /// # Errors
    /// What `sink` fails with.
    fn export(&self, sink: &mut RowSink<'_>) -> Result<(), StoreError>;

    /// Takes rows that some store exported, all of them or none, and says how many.
    ///
    /// # Errors
    /// `Exists` when there is something already; `Source` when a row is none; what `source` fails with.
    fn import(&self, source: &mut RowSource<'_>) -> Result<u64, StoreError>;

    /// How connections to the database are doing, where it is on the other end of a network.
    fn connections(&self) -> Option<ConnectionCounts> {
        None
    }
}

/// Connections to a database elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectionCounts {
    /// How many there may be.
    pub most: usize,
    /// Those that there are.
    pub open: usize,
    /// Those in use.
    pub used: usize,
    /// Calls that wait for one.
    pub waiting: usize,
    /// Uses that failed because the database did not answer, until now.
    pub failures: u64,
    /// Uses that were refused at once because earlier ones had failed, until now.
    pub refusals: u64,
    /// Whether the newest use was refused so.
    pub is_left_alone: bool,
}
