//! Who may sweep blobs: one process at a time, and nobody while a backup copies them.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use forks::{Millis, Store, StoreError};
use tokio::runtime::Handle;

use super::{ids::new_id, now, state::Opened};

/// The lease of who sweeps, or holds sweeping off.
const LEASE: &str = "sweep";
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(20);
/// How often it is looked whether that is due, or work is over.
const LOOKED: Duration = Duration::from_secs(5);

/// The right to sweep, or to hold sweeping off, until it is dropped.
pub struct Sweeping {
    state: Arc<Opened>,
    holder: String,
    renewed: Mutex<Instant>,
}

impl Sweeping {
    /// For how long it is had without being renewed: whoever was killed has it no longer.
    pub const SPAN: Duration = Duration::from_secs(60);

    /// Takes the right, if nobody has it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn take(state: &Arc<Opened>) -> Result<Option<Sweeping>, StoreError> {
        let sweeping = Sweeping {
            state: Arc::clone(state),
            holder: new_id("sweeper-"),
            renewed: Mutex::new(Instant::now()),
        };
        Ok(sweeping.lease(Self::SPAN)?.then_some(sweeping))
    }

    /// Does some work, and keeps the right meanwhile. A right that was lost is told by the next [`Sweeping::keep`] of the work.
    pub fn keep_during<T>(&self, work: impl FnOnce() -> T) -> T {
        keep_during(&|| drop(self.keep()), work)
    }

    /// Says that it is still needed: to be called again and again. Gives whether it still is there, and was all the time.
    ///
    /// # Errors
    /// Those of the store.
    pub fn keep(&self) -> Result<bool, StoreError> {
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if renewed.elapsed() < RENEWED {
            return Ok(true);
        }
        let now = Instant::now();
        let is_kept = renewed.elapsed() < Self::SPAN && self.lease(Self::SPAN)?;
        if is_kept {
            *renewed = now;
        }
        Ok(is_kept)
    }

    fn lease(&self, span: Duration) -> Result<bool, StoreError> {
        let span = Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX);
        self.state.store.lease(LEASE, &self.holder, span, now())
    }
}

/// Does some work, and calls `keep` beside it every few seconds: what is held by it can be held for a short time only.
pub fn keep_during<T>(keep: &(dyn Fn() + Sync), work: impl FnOnce() -> T) -> T {
    let runtime = Handle::try_current().ok();
    let (working, is_over) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let _entered = runtime.as_ref().map(Handle::enter);
            while let Err(RecvTimeoutError::Timeout) = is_over.recv_timeout(LOOKED) {
                keep();
            }
        });
        // It goes, whatever becomes of the work, and the other one ends.
        let _working = working;
        work()
    })
}

impl Drop for Sweeping {
    fn drop(&mut self) {
        // One that cannot be given back now ends by itself.
        let _given_back = self.lease(Duration::ZERO);
    }
}
