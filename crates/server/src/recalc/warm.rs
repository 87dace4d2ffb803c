//! Engines that stay loaded, so that an edit recalculates only what depends on it.

use std::sync::{Mutex, PoisonError};
use std::thread;

use ::forks::{ForkId, Seq};
use recalc::{Choice, Engine, Native};

/// An engine with a fork loaded, at a state at which nothing was left to compute.
pub(super) struct Warm {
    pub(super) engine: Box<dyn Engine>,
    pub(super) native: Native,
    pub(super) seq: Seq,
    /// [`workbook::edit::Draft::shape`] of that state.
    pub(super) shape: u64,
    /// [`workbook::edit::Draft::results`] of that state: what changed since is pending, unless somebody else computed meanwhile.
    pub(super) results: u64,
    /// Why this engine, and what is not known of it.
    pub(super) choice: Choice,
}

/// A few of them, the one that was not used for the longest time first out.
pub(super) struct WarmEngines {
    capacity: usize,
    engines: Mutex<Vec<(ForkId, Warm)>>,
}

impl WarmEngines {
    pub(super) fn new(capacity: usize) -> WarmEngines {
        WarmEngines { capacity, engines: Mutex::default() }
    }

    /// Takes the engine of a fork out; who computes with it puts it back.
    pub(super) fn take(&self, id: &ForkId) -> Option<Warm> {
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        let found = engines.iter().position(|(known, _)| known == id)?;
        Some(engines.remove(found).1)
    }

    /// Lets all of them go, and says how many those were.
    pub(super) fn evict(&self) -> usize {
        std::mem::take(&mut *self.engines.lock().unwrap_or_else(PoisonError::into_inner)).len()
    }

    pub(super) fn put(&self, id: &ForkId, warm: Warm) {
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        engines.retain(|(known, _)| known != id);
        engines.push((id.clone(), warm));
        if engines.len() > self.capacity {
            let old = engines.remove(0);
            // A large one takes its time to go: nobody waits for that.
            thread::spawn(move || drop(old));
        }
    }
}
