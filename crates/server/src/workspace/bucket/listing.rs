//! Which workbooks are in a bucket.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use objects::{Bucket, ObjectError};

use crate::workspace::{Listed, Listing, WorkbookId, WorkspaceRules, listing::MAX_ENTRIES};

/// Objects that are asked for at once.
const PAGE: usize = 20_000;
/// How long one scan may take.
const MAX_TIME: Duration = Duration::from_secs(20);

/// A listing that is told again for a while. Who comes while it is made waits for it, and does not make another.
#[derive(Debug)]
pub(super) struct KeptListing {
    keep: Duration,
    kept: Mutex<Option<Kept>>,
    /// Counts what this server wrote: nobody misses their own writes.
    writes: AtomicU64,
    lists: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    begun: Instant,
    writes: u64,
    listing: Listing,
}

impl KeptListing {
    pub(super) fn new(keep: Duration) -> KeptListing {
        KeptListing {
            keep,
            kept: Mutex::default(),
            writes: AtomicU64::default(),
            lists: AtomicU64::default(),
        }
    }

    /// The listing of a moment ago, or what `list` gives now.
    pub(super) fn get(
        &self,
        list: impl FnOnce() -> Result<Listing, ObjectError>,
    ) -> Result<Listing, ObjectError> {
        let asked = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let writes = self.writes.load(Ordering::Acquire);
        if let Some(kept) = kept.as_ref()
            && kept.writes == writes
            && (kept.begun >= asked || kept.begun.elapsed() < self.keep)
        {
            return Ok(kept.listing.clone());
        }
        let begun = Instant::now();
        self.lists.fetch_add(1, Ordering::Relaxed);
        let listing = list()?;
        *kept = Some(Kept { begun, writes, listing: listing.clone() });
        Ok(listing)
    }

    /// How often it was listed.
    pub(super) fn lists(&self) -> u64 {
        self.lists.load(Ordering::Relaxed)
    }

    /// What was listed until now is old.
    pub(super) fn forget(&self) {
        self.writes.fetch_add(1, Ordering::AcqRel);
    }
}

/// Asks for all keys below the prefix, within bounds of number and time.
pub(super) fn list(bucket: &Bucket, rules: &WorkspaceRules) -> Result<Listing, ObjectError> {
    let begun = Instant::now();
    let mut listing = Listing::default();
    let mut after: Option<String> = None;
    let mut entries = 0;
    loop {
        let page = bucket.list("", after.as_deref(), PAGE)?;
        entries += page.len();
        let is_last = page.len() < PAGE;
        after = page.last().map(|object| object.key.clone());
        let shown = page.into_iter().filter(|object| rules.shows(&object.key));
        listing.workbooks.extend(shown.map(|object| Listed {
            id: WorkbookId::of(&object.key),
            size: object.size,
            modified: Some(object.modified),
            path: object.key,
        }));
        if is_last {
            break;
        }
        if entries >= MAX_ENTRIES || begun.elapsed() > MAX_TIME {
            listing.truncated = true;
            break;
        }
    }
    listing.workbooks.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Listing {
        let id = WorkbookId::of(path);
        let listed = Listed { id, path: path.to_owned(), size: 1, modified: None };
        Listing { workbooks: vec![listed], truncated: false }
    }

    #[test]
    fn a_listing_is_told_again_until_it_is_old_or_something_was_written() {
        let kept = KeptListing::new(Duration::from_secs(60));
        assert_eq!(kept.get(|| Ok(of("a"))).expect("listed"), of("a"));
        assert_eq!(kept.get(|| panic!("it is there")).expect("kept"), of("a"));
        kept.forget();
        assert_eq!(kept.get(|| Ok(of("b"))).expect("listed"), of("b"));
        let at_once = KeptListing::new(Duration::ZERO);
        for path in ["a", "b"] {
            assert_eq!(at_once.get(|| Ok(of(path))).expect("listed"), of(path));
        }
    }

    #[test]
    fn a_write_while_it_is_listed_is_not_missed() {
        let kept = KeptListing::new(Duration::from_secs(60));
        let listed = kept.get(|| {
            kept.forget();
            Ok(of("before"))
        });
        assert_eq!(listed.expect("listed"), of("before"));
        assert_eq!(kept.get(|| Ok(of("after"))).expect("listed"), of("after"));
    }

    #[test]
    fn those_who_wait_are_told_what_is_found_meanwhile() {
        let kept = KeptListing::new(Duration::ZERO);
        let (lists, start) = (AtomicU64::default(), std::sync::Barrier::new(8));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    let listed = kept.get(|| {
                        lists.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(100));
                        Ok(of("a"))
                    });
                    assert_eq!(listed.expect("listed"), of("a"));
                });
            }
        });
        // Who came before the first one began may share in the second, and nobody needs a third.
        assert!(lists.load(Ordering::Relaxed) <= 2);
    }
}
