//! Permits of callers out of what all replicas share, a few at a time: most calls cost no question to the database, and all
//! replicas together admit no more than one would.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use forks::Permits;
use tokio::time::timeout;

use super::MAX_REMEMBERED;

/// For how long permits can be used: a replica whose caller went elsewhere must not keep what it has of theirs.
const LIFE: Duration = Duration::from_secs(2);
/// For how long nobody is asked who did not answer, and for how long an answer is waited for.
const AWAY: Duration = Duration::from_secs(1);
/// How many are taken at once, at most, of so many calls a minute: those of two seconds.
const SHARE: u32 = 30;

/// The permits that this replica has, by caller.
#[derive(Debug, Default)]
pub(super) struct Leases {
    callers: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Lease>>>>,
    /// Until when whoever lends them is not asked again.
    away: Mutex<Option<Instant>>,
}

/// The permits of a caller.
#[derive(Debug, Default)]
struct Lease {
    left: u32,
    taken: u32,
    ends: Option<Instant>,
}

/// What became of asking for a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// There was one.
    Granted,
    /// There will be one.
    Wait(Duration),
    /// Whoever lends them does not answer.
    Unknown,
}

impl Leases {
    /// Takes a permit, of so many a minute. `lend` asks for more of them.
    pub(super) async fn take(
        &self,
        caller: &str,
        per_minute: u32,
        lend: impl AsyncFnOnce(u32) -> Option<Permits>,
    ) -> Taken {
        let lease = self.of(caller);
        // Others of this caller wait for the same answer.
        let mut lease = lease.lock().await;
        let is_valid = lease.ends.is_some_and(|ends| Instant::now() < ends);
        if is_valid && lease.left > 0 {
            lease.left -= 1;
            return Taken::Granted;
        }
        // As many as before, twice, where they were used up in time; what is not used is lost.
        let most = (per_minute / SHARE).max(1);
        let wanted = if is_valid { lease.taken.saturating_mul(2).clamp(1, most) } else { 1 };
        if self.away().is_some_and(|until| Instant::now() < until) {
            return Taken::Unknown;
        }
        let Ok(Some(permits)) = timeout(AWAY, lend(wanted)).await else {
            *self.away() = Some(Instant::now() + AWAY);
            return Taken::Unknown;
        };
        *lease = Lease {
            left: permits.granted.saturating_sub(1),
            taken: permits.granted,
            ends: Some(Instant::now() + LIFE),
        };
        match permits.granted {
            0 => Taken::Wait(Duration::from_millis(u64::try_from(permits.wait).unwrap_or(0))),
            _ => Taken::Granted,
        }
    }

    fn away(&self) -> MutexGuard<'_, Option<Instant>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, caller: &str) -> Arc<tokio::sync::Mutex<Lease>> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() > MAX_REMEMBERED {
            let is_valid = |lease: &Lease| lease.ends.is_some_and(|ends| Instant::now() < ends);
            // One that is locked is in use.
            callers.retain(|_, lease| lease.try_lock().map_or(true, |lease| is_valid(&lease)));
        }
        Arc::clone(callers.entry(caller.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked for, call by call, where each asks `pause` after the one before.
    async fn asked(calls: u32, pause: Duration) -> Vec<u32> {
        let leases = Leases::default();
        let asked = Mutex::new(Vec::new());
        for _ in 0..calls {
            let lend = async |wanted| {
                asked.lock().expect("the list").push(wanted);
                Some(Permits { granted: wanted, wait: 0 })
            };
            assert_eq!(leases.take("ada", 240, lend).await, Taken::Granted);
            std::thread::sleep(pause);
        }
        asked.into_inner().expect("the list")
    }

    #[tokio::test]
    async fn who_calls_often_asks_rarely() {
        assert_eq!(asked(31, Duration::ZERO).await, [1, 2, 4, 8, 8, 8]);
    }

    #[tokio::test]
    async fn who_calls_rarely_keeps_nothing() {
        assert_eq!(asked(3, LIFE + Duration::from_millis(10)).await, [1, 1, 1]);
    }

    #[tokio::test]
    async fn who_does_not_answer_is_not_asked_all_the_time() {
        let leases = Leases::default();
        assert_eq!(leases.take("ada", 240, async |_| None).await, Taken::Unknown);
        assert_eq!(leases.take("bob", 240, async |_| panic!("asked")).await, Taken::Unknown);
        std::thread::sleep(AWAY);
        let none = async |_| Some(Permits { granted: 0, wait: 1_500 });
        assert_eq!(leases.take("ada", 240, none).await, Taken::Wait(Duration::from_millis(1_500)));
    }
}
