//! Starting, ready, leaving, draining: what the health answers and whether new calls are taken.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::error::{ErrorCode, ToolError};

/// When somebody who is refused may come again: the next instance is up by then, or another one is known to be.
pub(crate) const RETRY_AFTER_SECONDS: u64 = 1;

/// Where the server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not all is set up yet.
    Starting,
    /// Calls are taken.
    Ready,
    /// Calls are taken still, and the health says that no more should be sent here.
    Leaving,
    /// Calls in flight finish, new ones are refused.
    Draining,
}

impl Phase {
    /// The phase as the health tells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Ready => "ready",
            Phase::Leaving => "leaving",
            Phase::Draining => "draining",
        }
    }
}

/// The phase, and the calls in flight.
#[derive(Debug, Default)]
pub struct Lifecycle {
    phase: AtomicU8,
    end_began: OnceLock<Instant>,
    /// When the drain began, and how many calls were in flight then.
    drain_began: OnceLock<(Instant, usize)>,
    in_flight: TaskTracker,
    given_up: CancellationToken,
}

/// A call that is in flight until every copy of this is dropped: that of who waits for the answer, and that of who works on it.
#[derive(Debug, Clone)]
pub struct Admission {
    _token: Arc<TaskTrackerToken>,
}

impl Lifecycle {
    /// The phase now.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::SeqCst) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            2 => Phase::Leaving,
            _ => Phase::Draining,
        }
    }

    /// Everything is set up.
    pub fn ready(&self) {
        let _already_leaving = self.phase.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Says that it goes, and takes calls still.
    pub fn leave(&self) {
        self.end_began.get_or_init(Instant::now);
        self.phase.fetch_max(2, Ordering::SeqCst);
    }

    /// Takes no more calls.
    pub fn drain(&self) {
        self.leave();
        self.phase.store(3, Ordering::SeqCst);
        self.drain_began.get_or_init(|| (Instant::now(), self.in_flight()));
        self.in_flight.close();
    }

    /// What is left of `limit` since the server began to leave; all of it before.
    pub fn left_of(&self, limit: Duration) -> Duration {
        limit.saturating_sub(self.end_began.get().map_or(Duration::ZERO, Instant::elapsed))
    }

    /// How long ago the drain began, and how many calls were in flight then; nothing before.
    pub fn told_of_drain(&self) -> Option<(Duration, usize)> {
        self.drain_began.get().map(|(began, calls)| (began.elapsed(), *calls))
    }

    /// Counts a call as in flight until the admission and its copies are dropped.
    ///
    /// # Errors
    /// When the server is draining.
    pub fn enter(&self) -> Result<Admission, ToolError> {
        // Counted before the phase is looked at, so that a drain which starts in between waits for this call.
        let token = self.in_flight.token();
        if self.phase() == Phase::Draining {
            return Err(ToolError::new(ErrorCode::ShuttingDown, "the server is shutting down")
                .hint("connect again; another instance or the restarted one will answer")
                .retry_after(RETRY_AFTER_SECONDS));
        }
        Ok(Admission { _token: Arc::new(token) })
    }

    /// Time is up: calls in flight are stopped, and their callers told so.
    pub fn give_up(&self) {
        self.given_up.cancel();
    }

    /// Waits until time is up.
    pub async fn given_up(&self) {
        self.given_up.cancelled().await;
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
        let body = call.clone();
        lifecycle.leave();
        assert_eq!(lifecycle.phase(), Phase::Leaving);
        drop(lifecycle.enter().expect("taken still"));
        lifecycle.drain();
        lifecycle.leave();
        assert_eq!(lifecycle.enter().map(|_| ()).expect_err("refused").code, ErrorCode::ShuttingDown);
        lifecycle.ready();
        assert_eq!(lifecycle.phase(), Phase::Draining);
        assert_eq!(lifecycle.in_flight(), 1);
        drop(call);
        assert_eq!(lifecycle.in_flight(), 1, "the body works on");
        drop(body);
        lifecycle.drained().await;
    }
}
