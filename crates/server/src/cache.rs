//! Opened workbooks, kept as long as they fit.
//!
//! Bounded by count **and** by bytes, least recently used first out; one load in flight per content; keyed by what tells
//! one content of a file from another, so that an outside change is seen on the next use.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use moka::{notification::RemovalCause, policy::EvictionPolicy, sync::Cache as Entries};

use crate::{
    error::{ErrorCode, ToolError},
    workspace::FileIdentity,
};

/// Moka counts a weight in 32 bits: we count kibibytes.
const WEIGHT_UNIT: u64 = 1024;

/// What knows its size in memory. It may grow: sheets load when they are first read.
pub trait Weigh {
    /// Bytes in memory now.
    fn bytes(&self) -> usize;
}

/// How often the cache could help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheCounts {
    /// Uses that found their content.
    pub hits: u64,
    /// Uses that had to load it, or waited for who loaded it.
    pub misses: u64,
    /// Entries that gave way to others for lack of room.
    pub evictions: u64,
    /// Entries now.
    pub entries: u64,
    /// Bytes of the entries, as last counted.
    pub bytes: u64,
}

/// A cache of what is loaded from files.
pub struct Cache<V> {
    /// Counts uses, to tell what was used before what.
    clock: AtomicU64,
    entries: Entries<FileIdentity, Entry<V>>,
    /// The content last used of each path: a newer one replaces it at once.
    latest: Mutex<HashMap<String, FileIdentity>>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: Arc<AtomicU64>,
}

struct Entry<V> {
    value: Arc<V>,
    /// What the value weighed when it was last put in.
    counted: Arc<AtomicUsize>,
    /// When it was last used, by the cache's clock.
    used: Arc<AtomicU64>,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Entry<V> {
        Entry {
            value: Arc::clone(&self.value),
            counted: Arc::clone(&self.counted),
            used: Arc::clone(&self.used),
        }
    }
}

impl<V> fmt::Debug for Cache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("hits", &self.hits)
            .field("misses", &self.misses)
            .finish_non_exhaustive()
    }
}

impl<V: Weigh + Send + Sync + 'static> Cache<V> {
    /// A cache of at most `capacity` entries and `max_bytes`.
    ///
    /// An entry weighs its bytes, and at least an equal share of all: that one weight keeps both bounds.
    pub fn new(capacity: u64, max_bytes: u64) -> Cache<V> {
        let max_weight = (max_bytes / WEIGHT_UNIT).clamp(1, u64::from(u32::MAX));
        let share = (max_weight / capacity.max(1)).max(1);
        let weigh = move |_: &FileIdentity, entry: &Entry<V>| {
            let weight = (entry.counted.load(Ordering::Relaxed) as u64).div_ceil(WEIGHT_UNIT).max(share);
            u32::try_from(weight).unwrap_or(u32::MAX)
        };
        let evictions = Arc::<AtomicU64>::default();
        let evicted = Arc::clone(&evictions);
        let entries = Entries::builder()
            .max_capacity(share.saturating_mul(capacity.max(1)).max(max_weight - max_weight % share))
            .eviction_policy(EvictionPolicy::lru())
            .weigher(weigh)
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evicted.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build();
        Cache {
            entries,
            clock: AtomicU64::new(0),
            latest: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions,
        }
    }

    /// The value of this content, loaded now if it is not there. Whoever comes while it loads waits for it.
    ///
    /// # Errors
    /// What `load` says. The withdrawal of the call that loads is no answer to those who wait: one of them loads.
    pub fn get(
        &self,
        identity: &FileIdentity,
        is_stopped: &dyn Fn() -> bool,
        mut load: impl FnMut() -> Result<V, ToolError>,
    ) -> Result<Arc<V>, ToolError> {
        self.forget_older(identity);
        if let Some(entry) = self.entries.get(identity) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            entry.used.store(self.now(), Ordering::Relaxed);
            self.recount(identity, &entry);
            return Ok(entry.value);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        loop {
            let loaded = self.entries.try_get_with(identity.clone(), || {
                let value = load()?;
                let counted = Arc::new(AtomicUsize::new(value.bytes()));
                let used = Arc::new(AtomicU64::new(self.now()));
                Ok::<_, ToolError>(Entry { value: Arc::new(value), counted, used })
            });
            match loaded {
                Ok(entry) => {
                    self.entries.run_pending_tasks();
                    return Ok(entry.value);
                }
                Err(error) if error.code == ErrorCode::Cancelled && !is_stopped() => {}
                Err(error) => return Err(ToolError::clone(&error)),
            }
        }
    }

    /// Lets the half go that was used least recently, at least one, and says how many those were.
    pub fn evict_half(&self) -> usize {
        let mut entries: Vec<(u64, FileIdentity)> = self
            .entries
            .iter()
            .map(|(identity, entry)| (entry.used.load(Ordering::Relaxed), (*identity).clone()))
            .collect();
        entries.sort_unstable_by_key(|(used, _)| *used);
        let half = entries.len().div_ceil(2);
        for (_, identity) in entries.iter().take(half) {
            self.entries.invalidate(identity);
        }
        self.entries.run_pending_tasks();
        self.evictions.fetch_add(half as u64, Ordering::Relaxed);
        half
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// How often the cache could help.
    pub fn counts(&self) -> CacheCounts {
        self.entries.run_pending_tasks();
        CacheCounts {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
            entries: self.entries.entry_count(),
            // Weighing them now would wait for who is working on one.
            bytes: self.entries.iter().map(|(_, entry)| entry.counted.load(Ordering::Relaxed) as u64).sum(),
        }
    }

    /// Puts a value that has grown in again, so that the bound sees its new weight.
    fn recount(&self, identity: &FileIdentity, entry: &Entry<V>) {
        let bytes = entry.value.bytes();
        let before = entry.counted.swap(bytes, Ordering::Relaxed);
        if before.abs_diff(bytes) > before / 16 {
            self.entries.insert(identity.clone(), entry.clone());
            self.entries.run_pending_tasks();
        }
    }

    fn forget_older(&self, identity: &FileIdentity) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let older = match latest.get(&identity.path) {
            Some(known) if known == identity => return,
            _ => latest.insert(identity.path.clone(), identity.clone()),
        };
        if let Some(older) = older {
            self.entries.invalidate(&older);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Barrier,
        time::{Duration, SystemTime},
    };

    use super::*;
    use crate::workspace::Mark;

    struct Blob(AtomicUsize);

    impl Weigh for Blob {
        fn bytes(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn blob(bytes: usize) -> Result<Blob, ToolError> {
        Ok(Blob(AtomicUsize::new(bytes)))
    }

    fn content(path: &str, size: u64) -> FileIdentity {
        let modified = Some(SystemTime::UNIX_EPOCH);
        FileIdentity { path: path.to_owned(), size, modified, mark: Mark::Inode(1, 0, 0) }
    }

    fn running() -> bool {
        false
    }

    #[test]
    fn a_changed_file_is_loaded_again_and_its_old_content_forgotten() {
        let cache = Cache::new(10, 1 << 20);
        for (size, hits, misses) in [(1, 0, 1), (1, 1, 1), (2, 1, 2), (2, 2, 2)] {
            cache.get(&content("a", size), &running, || blob(100)).expect("loads");
            let counts = cache.counts();
            assert_eq!((counts.hits, counts.misses, counts.entries), (hits, misses, 1));
        }
    }

    #[test]
    fn both_bounds_hold_and_the_least_recently_used_goes_first() {
        let by_count = Cache::new(2, 1 << 20);
        for path in ["a", "b", "a", "c"] {
            by_count.get(&content(path, 1), &running, || blob(10)).expect("loads");
        }
        assert_eq!((by_count.counts().entries, by_count.counts().evictions), (2, 1));
        by_count.get(&content("a", 1), &running, || panic!("a was used last but one")).expect("is there");

        let by_bytes = Cache::new(100, 1 << 20);
        for path in ["a", "b", "c", "d"] {
            by_bytes.get(&content(path, 1), &running, || blob(400 << 10)).expect("loads");
        }
        let counts = by_bytes.counts();
        assert!(counts.entries == 2 && counts.bytes <= 1 << 20, "{counts:?}");
    }

    #[test]
    fn the_older_half_goes_when_memory_is_short() {
        let cache = Cache::new(10, 1 << 20);
        for path in ["a", "b", "c", "a"] {
            cache.get(&content(path, 1), &running, || blob(10)).expect("loads");
        }
        assert_eq!(cache.evict_half(), 2);
        cache.get(&content("a", 1), &running, || panic!("a was used last")).expect("is there");
        assert_eq!((cache.counts().entries, cache.counts().evictions), (1, 2));
        assert_eq!((cache.evict_half(), cache.evict_half()), (1, 0));
    }

    #[test]
    fn a_value_that_grows_is_weighed_again() {
        let cache = Cache::new(100, 1 << 20);
        let first = cache.get(&content("a", 1), &running, || blob(10)).expect("loads");
        cache.get(&content("b", 1), &running, || blob(600 << 10)).expect("loads");
        first.0.store(600 << 10, Ordering::Relaxed);
        cache.get(&content("a", 1), &running, || blob(0)).expect("is there");
        let counts = cache.counts();
        assert!(counts.bytes <= 1 << 20, "{counts:?}");
    }

    #[test]
    fn one_load_is_in_flight_per_content() {
        let cache = Cache::new(10, 1 << 20);
        let loads = AtomicUsize::new(0);
        let start = Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    let loaded = cache.get(&content("a", 1), &running, || {
                        loads.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(20));
                        blob(10)
                    });
                    assert!(loaded.is_ok());
                });
            }
        });
        assert_eq!(loads.into_inner(), 1);
    }

    #[test]
    fn the_withdrawal_of_the_loading_call_does_not_fail_those_who_wait() {
        let cache: Cache<Blob> = Cache::new(10, 1 << 20);
        let failed = cache.get(&content("a", 1), &|| true, || Err(ToolError::cancelled()));
        assert_eq!(failed.map(|_| ()).expect_err("withdrawn").code, ErrorCode::Cancelled);
        let mut attempts = 0;
        let waited = cache.get(&content("a", 1), &running, || {
            attempts += 1;
            if attempts == 1 { Err(ToolError::cancelled()) } else { blob(1) }
        });
        assert!(waited.is_ok());
        let broken =
            cache.get(&content("b", 1), &running, || Err(ToolError::new(ErrorCode::DamagedFile, "broken")));
        assert_eq!(broken.map(|_| ()).expect_err("damaged").code, ErrorCode::DamagedFile);
    }
}
