//! How much of the server one caller may take: calls a minute, and calls at the same time.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use crate::{
    config::LimitsConfig,
    error::{ErrorCode, ToolError},
    metrics::labels::Rejection,
    principal::Principal,
};

/// Callers that are remembered at most before those that are idle are forgotten.
const MAX_REMEMBERED: usize = 10_000;

/// What callers took, by their names.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    rates: Mutex<Option<Rates>>,
    running: Arc<Mutex<HashMap<String, usize>>>,
}

/// Token buckets of one size: another size begins with full ones.
#[derive(Debug, Clone)]
struct Rates {
    per_minute: NonZeroU32,
    buckets: Arc<DefaultKeyedRateLimiter<String>>,
}

/// A call that runs.
#[derive(Debug)]
pub(crate) struct Share {
    caller: String,
    running: Arc<Mutex<HashMap<String, usize>>>,
}

/// A call that has to wait.
#[derive(Debug)]
pub(crate) struct Exceeded {
    pub(crate) error: Box<ToolError>,
    pub(crate) reason: Rejection,
}

impl Shares {
    /// Lets a caller have one more call, until the share is dropped.
    pub(crate) fn take(&self, principal: &Principal, limits: &LimitsConfig) -> Result<Share, Exceeded> {
        let caller = principal.owner();
        if let Some(per_minute) = NonZeroU32::new(limits.max_calls_per_minute) {
            self.rates(per_minute).take(&caller)?;
        }
        let most = match limits.max_concurrent_calls_per_caller {
            0 => usize::MAX,
            most => most,
        };
        let mut running = lock(&self.running);
        let own = running.entry(caller.clone()).or_default();
        if *own >= most {
            let error =
                ToolError::new(ErrorCode::RateLimited, format!("{most} of your calls are running already"))
                    .hint("wait for one of them, then repeat this one")
                    .retry_after(1);
            return Err(Exceeded { error: Box::new(error), reason: Rejection::TooManyOfCaller });
        }
        *own += 1;
        drop(running);
        Ok(Share { caller, running: Arc::clone(&self.running) })
    }

    fn rates(&self, per_minute: NonZeroU32) -> Rates {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        match rates.as_ref().filter(|rates| rates.per_minute == per_minute) {
            Some(rates) => rates.clone(),
            None => {
                let buckets = Arc::new(RateLimiter::keyed(Quota::per_minute(per_minute)));
                rates.insert(Rates { per_minute, buckets }).clone()
            }
        }
    }
}

impl Rates {
    fn take(&self, caller: &String) -> Result<(), Exceeded> {
        if self.buckets.len() > MAX_REMEMBERED {
            self.buckets.retain_recent();
        }
        let Err(not_until) = self.buckets.check_key(caller) else { return Ok(()) };
        let wait = not_until.wait_time_from(self.buckets.clock().now()).max(Duration::from_millis(1));
        let seconds = wait.as_secs_f64().ceil();
        let error = ToolError::new(
            ErrorCode::RateLimited,
            format!("you made {} calls within a minute, which is as many as you may", self.per_minute),
        )
        .hint(format!("repeat it in {seconds} s; or ask whoever runs the server to raise SPREADSHEET_MCP_MAX_CALLS_PER_MINUTE"))
        .retry_after(seconds as u64);
        Err(Exceeded { error: Box::new(error), reason: Rejection::RateLimited })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        if let Some(own) = running.get_mut(&self.caller) {
            *own -= 1;
            if *own == 0 {
                running.remove(&self.caller);
            }
        }
    }
}

fn lock(running: &Mutex<HashMap<String, usize>>) -> std::sync::MutexGuard<'_, HashMap<String, usize>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{config, named};

    #[test]
    fn callers_have_buckets_of_their_own() {
        let limits = config(&["--max-calls-per-minute", "3"]).live.limits;
        let shares = Shares::default();
        let (ada, bob) = (named("ada"), named("bob"));
        assert!((0..3).all(|_| shares.take(&ada, &limits).is_ok()));
        let refused = shares.take(&ada, &limits).expect_err("too many");
        assert_eq!(refused.error.retry_after_seconds, Some(20));
        assert_eq!((refused.error.code, refused.reason), (ErrorCode::RateLimited, Rejection::RateLimited));
        assert!(refused.error.hint.expect("a hint").contains("repeat it in 20 s"));
        assert!(shares.take(&bob, &limits).is_ok());
        let more = config(&["--max-calls-per-minute", "5"]).live.limits;
        assert!(shares.take(&ada, &more).is_ok());
        let unlimited = config(&[]).live.limits;
        assert!((0..1_000).all(|_| shares.take(&ada, &unlimited).is_ok()));
    }

    #[test]
    fn calls_at_the_same_time_are_counted_by_caller() {
        let limits = config(&["--max-concurrent-calls-per-caller", "2"]).live.limits;
        let shares = Shares::default();
        let (ada, bob) = (named("ada"), named("bob"));
        let first = shares.take(&ada, &limits).expect("one");
        let _second = shares.take(&ada, &limits).expect("two");
        assert_eq!(shares.take(&ada, &limits).expect_err("three").reason, Rejection::TooManyOfCaller);
        assert!(shares.take(&bob, &limits).is_ok());
        drop(first);
        assert!(shares.take(&ada, &limits).is_ok());
        assert_eq!(lock(&shares.running).len(), 1, "who has no call is forgotten");
    }
}
