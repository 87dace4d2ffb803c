//! Who may sweep blobs: one process at a time, and nobody while a backup copies them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use forks::{Millis, Store, StoreError};

use super::{ids::new_id, now, state::Opened};

/// The lease of who sweeps, or holds sweeping off.
const LEASE: &str = "sweep";
/// For how long it is had without being renewed.
const SPAN: Duration = Duration::from_secs(10 * 60);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(60);

/// The right to sweep, or to hold sweeping off, until it is dropped.
pub struct Sweeping {
    state: Arc<Opened>,
    holder: String,
    renewed: Mutex<Instant>,
}

impl Sweeping {
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
        Ok(sweeping.lease(SPAN)?.then_some(sweeping))
    }

    /// Says that it is still needed: to be called again and again. Gives whether it still is there.
    ///
    /// # Errors
    /// Those of the store.
    pub fn keep(&self) -> Result<bool, StoreError> {
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if renewed.elapsed() < RENEWED {
            return Ok(true);
        }
        *renewed = Instant::now();
        self.lease(SPAN)
    }

    fn lease(&self, span: Duration) -> Result<bool, StoreError> {
        let span = Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX);
        self.state.store.lease(LEASE, &self.holder, span, now())
    }
}

impl Drop for Sweeping {
    fn drop(&mut self) {
        // One that cannot be given back now ends by itself.
        let _given_back = self.lease(Duration::ZERO);
    }
}
