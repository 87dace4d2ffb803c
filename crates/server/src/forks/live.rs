//! Drafts in memory: a fork at one of its states, replayed from its log (REPLAY).

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ::forks::{Digest, Entry, Fork, ForkId, Seq, Store, StoreError};
use workbook::edit::{Draft, ExplicitPlaces};

use crate::{
    book::Book,
    call::Call,
    error::{ErrorCode, ToolError},
    forks::{Payload, edit_error, now, store_error},
};

/// Writers and uses of forks beyond which those that are of no use any more are forgotten.
const REMEMBERED: usize = 4_096;
/// For so long the store is not told again that a fork is used. It notes a use a minute at most.
const USE_IS_NOTED_FOR: Duration = Duration::from_secs(30);
/// Bases that are kept ready beside the live forks.
const BASES: usize = 8;
/// Earlier states of forks that are kept ready: a page of one is followed by the next.
const STATES: usize = 4;

/// A fork at one of its states.
#[derive(Debug, Clone)]
pub struct Live {
    /// The state.
    pub seq: Seq,
    /// The workbook with what became of it.
    pub draft: Arc<Draft>,
    /// The same to read, with what is found out about it.
    pub book: Arc<Book>,
}

/// A fork, and the state of it that was asked for.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The fork as it is in the store.
    pub fork: Fork,
    /// The state.
    pub live: Live,
}

/// A few forks at their heads and some at earlier states, the least recently used first out.
pub(super) struct LiveForks {
    capacity: usize,
    forks: Mutex<Recent<ForkId, Live>>,
    /// Apart, so that who reads an earlier state does not make the next writer replay the log.
    states: Mutex<Recent<(ForkId, Seq), Live>>,
    bases: Mutex<Recent<Digest, Arc<Draft>>>,
    /// One writer of a fork at a time within this process; others are told by the store.
    writers: Mutex<HashMap<ForkId, Arc<Mutex<()>>>>,
    /// When the use of a fork was last noted in the store: what is read often asks it once.
    uses: Mutex<HashMap<ForkId, Instant>>,
}

impl LiveForks {
    pub(super) fn new(capacity: usize) -> LiveForks {
        LiveForks {
            capacity,
            forks: Mutex::default(),
            states: Mutex::default(),
            bases: Mutex::default(),
            writers: Mutex::default(),
            uses: Mutex::default(),
        }
    }

    /// Lets all of them go, and says how many those were.
    pub(super) fn evict(&self) -> usize {
        lock(&self.forks).clear() + lock(&self.states).clear() + lock(&self.bases).clear()
    }

    pub(super) fn forget(&self, id: &ForkId) {
        lock(&self.forks).remove(id);
        lock(&self.states).items.retain(|((known, _), _)| known != id);
        lock(&self.writers).remove(id);
        lock(&self.uses).remove(id);
    }
}

impl Call {
    /// The fork of an id, which has to be the caller's.
    ///
    /// # Errors
    /// When there is none.
    pub fn fork(&self, id: &ForkId) -> Result<Fork, ToolError> {
        let state = self.forks().open()?;
        let fork = state.store.fork(id).map_err(store_error)?;
        match self.may_see(&fork) {
            true => Ok(fork),
            // As if there were none.
            false => Err(store_error(StoreError::NotFound { what: "fork", name: id.to_string() })),
        }
    }

    /// Whether a fork is the caller's, and of what they may see: a tenant's callers may see different folders.
    pub(crate) fn may_see(&self, fork: &Fork) -> bool {
        let scope = self.principal().scope();
        let is_in_sight = match &fork.origin {
            Some(origin) => scope.contains(&origin.path),
            // Made of nothing, or of a file that was converted.
            None => true,
        };
        fork.owner == self.principal().owner() && is_in_sight
    }

    /// A fork at a state: its head if none is given.
    ///
    /// # Errors
    /// When there is no such fork or state, or its log can't be replayed.
    pub fn replayed(&self, id: &ForkId, seq: Option<Seq>) -> Result<Replayed, ToolError> {
        let state = self.forks().open()?;
        let cached = &self.forks().live;
        // What is live is looked up before the head is: a writer in between leaves us with a state that the head continues,
        // and not with one beyond it, which only the whole log leads back from.
        let known = lock(&cached.forks).get(id);
        let fork = self.fork(id)?;
        let to = seq.unwrap_or(fork.head);
        let is_head = to == fork.head;
        let as_asked = match is_head {
            true => None,
            false => lock(&cached.states).get(&(id.clone(), to)),
        };
        if let Some(live) = known.iter().chain(&as_asked).find(|live| live.seq == to) {
            return Ok(Replayed { fork, live: live.clone() });
        }
        // From where we are, if the state continues that; from the base otherwise.
        let continued = known.and_then(|live| Some((state.store.path(id, live.seq, to).ok()?, live)));
        let live = match continued {
            Some((entries, known)) => {
                let draft = replay(&known.draft, &entries, self)?;
                Live { seq: to, book: Arc::new(Book::following(&draft, &known.book)), draft }
            }
            None => {
                let entries = state.store.path(id, Seq::BASE, to).map_err(store_error)?;
                let draft = replay(&self.base(&fork)?, &entries, self)?;
                Live { seq: to, book: Arc::new(Book::of(&draft)), draft }
            }
        };
        if is_head {
            self.keep_live(id, &live);
        } else {
            lock(&cached.states).put((id.clone(), to), live.clone(), STATES);
        }
        Ok(Replayed { fork, live })
    }

    /// Whether a state of a fork continues an earlier one.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(crate) fn continues(&self, id: &ForkId, earlier: Seq, later: Seq) -> Result<bool, ToolError> {
        Ok(self.forks().open()?.store.path(id, earlier, later).is_ok())
    }

    /// Keeps a state ready for the next call.
    pub(crate) fn keep_live(&self, id: &ForkId, live: &Live) {
        let forks = &self.forks().live;
        lock(&forks.forks).put(id.clone(), live.clone(), forks.capacity);
    }

    /// Keeps a base ready, so that a fork of what is open already costs no reading.
    pub(crate) fn keep_base(&self, digest: Digest, draft: Arc<Draft>) {
        lock(&self.forks().live.bases).put(digest, draft, BASES);
    }

    /// Lets one writer at a time work on a fork.
    pub(crate) fn writer(&self, id: &ForkId) -> Arc<Mutex<()>> {
        let mut writers = lock(&self.forks().live.writers);
        if writers.len() > REMEMBERED {
            writers.retain(|_, writer| Arc::strong_count(writer) > 1);
        }
        Arc::clone(writers.entry(id.clone()).or_default())
    }

    /// Notes that a fork is used, which puts off its expiry; not again within a while.
    ///
    /// # Errors
    /// When there is no such fork, or the store does not take it.
    pub(crate) fn note_use(&self, id: &ForkId) -> Result<(), ToolError> {
        let uses = || lock(&self.forks().live.uses);
        if uses().get(id).is_some_and(|noted| noted.elapsed() < USE_IS_NOTED_FOR) {
            return Ok(());
        }
        self.forks().open()?.store.touch(id, now()).map_err(store_error)?;
        let mut uses = uses();
        if uses.len() > REMEMBERED {
            uses.retain(|_, noted| noted.elapsed() < USE_IS_NOTED_FOR);
        }
        uses.insert(id.clone(), Instant::now());
        Ok(())
    }

    /// The draft that a fork starts from.
    fn base(&self, fork: &Fork) -> Result<Arc<Draft>, ToolError> {
        if let Some(known) = lock(&self.forks().live.bases).get(&fork.base.digest) {
            return Ok(known);
        }
        let bytes = self.forks().open()?.blobs.read(&fork.base.digest, now()).map_err(store_error)?;
        let limits = self.config().limits.for_reading();
        let book = self.read_workbook(bytes, &fork.base.file_name)?;
        let draft = Arc::new(Draft::new(&book, &limits).map_err(edit_error)?);
        self.keep_base(fork.base.digest, Arc::clone(&draft));
        Ok(draft)
    }
}

fn replay(draft: &Arc<Draft>, entries: &[Entry], call: &Call) -> Result<Arc<Draft>, ToolError> {
    if entries.is_empty() {
        return Ok(Arc::clone(draft));
    }
    let mut draft = (**draft).clone();
    for entry in entries {
        call.check()?;
        let unreadable = |problem: String| {
            ToolError::new(
                ErrorCode::StateUnavailable,
                format!("entry {} of the log can't be replayed: {problem}", entry.summary.seq),
            )
            .hint("use the version of the program that wrote it, or restore an earlier state with checkpoint")
        };
        let payload: Payload =
            serde_json::from_str(&entry.payload).map_err(|error| unreadable(error.to_string()))?;
        if payload.version > workbook::edit::VERSION {
            return Err(unreadable(format!("it is of version {}", payload.version)));
        }
        draft.apply(&payload.ops, &ExplicitPlaces).map_err(|error| unreadable(error.to_string()))?;
    }
    Ok(Arc::new(draft))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was used last, in that order; a handful, so that lists suffice.
struct Recent<K, V> {
    items: VecDeque<(K, V)>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Recent<K, V> {
        Recent { items: VecDeque::new() }
    }
}

impl<K: PartialEq, V: Clone> Recent<K, V> {
    fn get(&mut self, key: &K) -> Option<V> {
        let found = self.items.iter().position(|(known, _)| known == key)?;
        let item = self.items.remove(found)?;
        let value = item.1.clone();
        self.items.push_front(item);
        Some(value)
    }

    fn put(&mut self, key: K, value: V, capacity: usize) {
        self.remove(&key);
        self.items.push_front((key, value));
        self.items.truncate(capacity.max(1));
    }

    /// Drops all, and says how many those were.
    fn clear(&mut self) -> usize {
        std::mem::take(&mut self.items).len()
    }

    fn remove(&mut self, key: &K) {
        self.items.retain(|(known, _)| known != key);
    }
}
