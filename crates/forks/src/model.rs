//! What the store keeps, as plain values. Times are milliseconds since the Unix epoch, handed in by the caller.

use crate::{CheckpointName, Digest, ForkId, IdempotencyKey, Seq, StagedId};

/// Milliseconds since the Unix epoch, or a span of milliseconds.
pub type Millis = i64;

/// The bytes that a fork starts from; they are kept as a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The blob.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// The file name it had, whose ending says its format.
    pub file_name: String,
}

/// The workspace file that a fork was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Where it is in the workspace.
    pub path: String,
    /// What it held when the fork was made; saving over the file requires that it still does.
    pub digest: Digest,
}

/// A fork that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFork {
    /// Its id, minted by the caller.
    pub id: ForkId,
    /// Who it belongs to.
    pub owner: String,
    /// What it starts from; the blob is stored already.
    pub base: Base,
    /// The file that it was made from; none when it was made from blank.
    pub origin: Option<Origin>,
    /// What its owner calls it.
    pub label: Option<String>,
    /// How long after its last use it is dropped.
    pub ttl: Millis,
}

/// What was taken of a caller's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permits {
    /// How many calls may be made.
    pub granted: u32,
    /// If that is none: for how long there will be none.
    pub wait: Millis,
}

/// How many calls a caller may make within a minute, at once or one by one: the arithmetic of a bucket that fills evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// For how long a call counts, in microseconds.
    pub(crate) each: i64,
    /// For how long all of them do.
    pub(crate) all: i64,
}

impl Bucket {
    /// Of so many calls a minute; at least one.
    pub(crate) fn per_minute(calls: u32) -> Bucket {
        let calls = i64::from(calls.max(1));
        // Rounded up, so that there are never more.
        let each = (60_000_000 + calls - 1) / calls;
        Bucket { each, all: each * calls }
    }

    /// What the columns of a caller's row say, read at `now`.
    pub(crate) fn permits(self, granted: i64, until: i64, now: Millis) -> Permits {
        let wait = until + self.each - self.all - now * 1_000;
        Permits {
            granted: u32::try_from(granted).unwrap_or(0),
            wait: if granted > 0 { 0 } else { (wait.max(1) + 999) / 1_000 },
        }
    }
}

/// A fork.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// Its id.
    pub id: ForkId,
    /// Who it belongs to.
    pub owner: String,
    /// What it starts from.
    pub base: Base,
    /// The file that it was made from; none when it was made from blank.
    pub origin: Option<Origin>,
    /// What its owner calls it.
    pub label: Option<String>,
    /// When it was made.
    pub created: Millis,
    /// When it was last used.
    pub last_used: Millis,
    /// When it is dropped unless it is used before.
    pub expires: Millis,
    /// Its live state.
    pub head: Seq,
}

/// How much may be kept. The options are named in the error that a limit gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Forks in total.
    pub forks: u64,
    /// Forks of one owner.
    pub forks_per_owner: u64,
    /// Bytes of the bases of all forks, each distinct base counted once.
    pub base_bytes: u64,
}

/// Which forks to list.
#[derive(Debug, Clone, Copy)]
pub struct ForkQuery<'a> {
    /// Only the forks of this owner.
    pub owner: Option<&'a str>,
    /// Where the page before ended: `last_used` and `id` of its last fork.
    pub after: Option<(Millis, &'a ForkId)>,
    /// At most so many.
    pub limit: u32,
}

/// An edit that is to be appended to a fork's log.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    /// The edit itself: JSON that this crate never looks into.
    pub payload: &'a str,
    /// What it does, in words.
    pub summary: &'a str,
    /// Who does it.
    pub actor: &'a str,
    /// The staged change that this entry applies: it is dropped in the same transaction, so that it is applied once.
    pub applies: Option<&'a StagedId>,
}

/// An edit in a fork's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is known of it without its payload.
    pub summary: EntrySummary,
    /// The edit itself, as it was appended.
    pub payload: String,
}

/// An edit in a fork's log, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntrySummary {
    /// Its number.
    pub seq: Seq,
    /// The state that it was applied to.
    pub parent: Seq,
    /// What it does, in words.
    pub summary: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: Millis,
}

/// One call that may be sent again, and how it is answered.
#[derive(Clone, Copy)]
pub struct Idempotency<'a> {
    /// The client's name for the call.
    pub key: &'a IdempotencyKey,
    /// What is asked, so that another call under the same name is noticed.
    pub request: Digest,
    /// The answer (JSON) to give now and whenever the call is sent again, from the number of the new entry.
    pub answer: &'a (dyn Fn(Seq) -> String + Sync),
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// The entry is durable and the head is on it.
    Added {
        /// Its number.
        seq: Seq,
        /// The answer, when an idempotency key was given.
        answer: Option<String>,
    },
    /// The same call was applied before; nothing was applied now.
    Repeated(Repeated),
}

/// What a call did when it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated {
    /// The number of the entry that it appended.
    pub seq: Seq,
    /// How it was answered (JSON).
    pub answer: String,
}

/// Where a head is to go. Nothing is deleted: every state can be come back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// So many entries towards the base.
    Undo(u64),
    /// So many entries away from the base, each time to the newest that was applied there.
    Redo(u64),
    /// To that state.
    To(Seq),
}

/// A named state of a fork.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// What it is called; unique within its fork.
    pub name: CheckpointName,
    /// The state.
    pub seq: Seq,
    /// When it was named.
    pub created: Millis,
}

/// A change that was previewed and waits to be applied or discarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// What is known of it without its payload.
    pub summary: StagedSummary,
    /// The change itself: JSON that this crate never looks into.
    pub payload: String,
}

/// A staged change without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedSummary {
    /// Its id, minted by the caller.
    pub id: StagedId,
    /// The state that it was previewed on.
    pub seq: Seq,
    /// What it does, in words.
    pub summary: String,
    /// When it was staged.
    pub created: Millis,
}

/// What a workspace file held before a save replaced it; the bytes are kept as a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedVersion {
    /// The file's place in the workspace.
    pub path: String,
    /// The blob.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// When it was replaced.
    pub saved_at: Millis,
    /// The fork that was saved over it; none when it was uploaded over, or deleted.
    pub fork: Option<ForkId>,
    /// The state of that fork that was saved; the base where there is none.
    pub seq: Seq,
    /// What the file holds since, unless that was interrupted before; none when it was deleted.
    pub became: Option<Digest>,
}

/// A version that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVersion {
    /// Its number, which no other version of any file has.
    pub number: u64,
    /// What it is.
    pub saved: SavedVersion,
}

/// A version as somebody noted it who is about to replace the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedVersion {
    /// What was noted.
    pub kept: KeptVersion,
    /// Whether nobody had noted these bytes under that number before.
    pub is_new: bool,
}
