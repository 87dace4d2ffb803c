//! Starting, ready, draining: what the health answers and whether new calls are taken.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use crate::error::{ErrorCode, ToolError};

/// Where the server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not all is set up yet.
    Starting,
    /// Calls are taken.
    Ready,
    /// Calls in flight finish, new ones are refused.
    Draining,
}

impl Phase {
    /// The phase as the health tells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Ready => "ready",
            Phase::Draining => "draining",
        }
    }
}

/// The phase, and the calls in flight.
#[derive(Debug, Default)]
pub struct Lifecycle {
    phase: AtomicU8,
    drain_began: OnceLock<Instant>,
    in_flight: TaskTracker,
}

impl Lifecycle {
    /// The phase now.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::SeqCst) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    /// Everything is set up.
    pub fn ready(&self) {
        let _already_draining = self.phase.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Takes no more calls.
    pub fn drain(&self) {
        self.drain_began.get_or_init(Instant::now);
        self.phase.store(2, Ordering::SeqCst);
        self.in_flight.close();
    }

    /// What is left of `limit` since the drain began; all of it before.
    pub fn left_of(&self, limit: Duration) -> Duration {
        limit.saturating_sub(self.drain_began.get().map_or(Duration::ZERO, Instant::elapsed))
    }

    /// Counts a call as in flight until the token is dropped.
    ///
    /// # Errors
    /// When the server is draining.
    pub fn enter(&self) -> Result<TaskTrackerToken, ToolError> {
        // Counted before the phase is looked at, so that a drain which starts in between waits for this call.
        let token = self.in_flight.token();
        if self.phase() == Phase::Draining {
            return Err(ToolError::new(ErrorCode::ShuttingDown, "the server is shutting down")
                .hint("connect again; another instance or the restarted one will answer"));
        }
        Ok(token)
    }

    /// Calls in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Waits until the server drains and no call is in flight.
    pub async fn drained(&self) {
        self.in_flight.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn draining_refuses_new_calls_and_waits_for_old_ones() {
        let lifecycle = Lifecycle::default();
        assert_eq!(lifecycle.phase(), Phase::Starting);
        lifecycle.ready();
        let call = lifecycle.enter().expect("ready");
        lifecycle.drain();
        assert_eq!(lifecycle.enter().map(|_| ()).expect_err("refused").code, ErrorCode::ShuttingDown);
        lifecycle.ready();
        assert_eq!(lifecycle.phase(), Phase::Draining);
        assert_eq!(lifecycle.in_flight(), 1);
        drop(call);
        lifecycle.drained().await;
    }
}
