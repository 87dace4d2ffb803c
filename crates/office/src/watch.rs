//! What may end a job while it runs.

use std::time::{Duration, Instant};

use crate::OfficeError;
use crate::process_group::ProcessGroup;

/// How often memory is looked at.
const MEMORY_EVERY: Duration = Duration::from_millis(100);

/// The longest that anything waits before it looks again whether to stop.
pub(crate) const STOP_EVERY: Duration = Duration::from_millis(25);

/// The limits of one job, and the wish to stop it.
pub(crate) struct Watch<'a> {
    stop: &'a (dyn Fn() -> bool + Sync),
    started: Instant,
    time_limit: Duration,
    memory_limit: u64,
    memory_looked_at: Instant,
}

impl<'a> Watch<'a> {
    pub(crate) fn start(
        stop: &'a (dyn Fn() -> bool + Sync),
        time_limit: Duration,
        memory_limit: u64,
    ) -> Watch<'a> {
        let now = Instant::now();
        Watch { stop, started: now, time_limit, memory_limit, memory_looked_at: now }
    }

    /// Says why the job must end, if it must.
    pub(crate) fn check(&mut self, processes: &ProcessGroup) -> Result<(), OfficeError> {
        if (self.stop)() {
            return Err(OfficeError::Cancelled);
        }
        let now = Instant::now();
        if now.duration_since(self.started) > self.time_limit {
            return Err(OfficeError::Timeout { limit: self.time_limit });
        }
        if now.duration_since(self.memory_looked_at) > MEMORY_EVERY {
            self.memory_looked_at = now;
            if processes.resident_bytes() > self.memory_limit {
                return Err(OfficeError::OutOfMemory { limit: self.memory_limit });
            }
        }
        Ok(())
    }
}
