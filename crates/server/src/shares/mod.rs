//! How much of the server one caller may take: calls a minute, and calls at the same time.
//!
//! Calls a minute are those of all replicas where these share their state: [`leases`] takes them from the database. While that
//! does not answer, each replica counts for itself. Calls at the same time are those of this process.

mod leases;

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ::forks::Store as _;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use self::leases::{Leases, Taken};
use crate::{
    call::Context,
    config::LimitsConfig,
    error::{ErrorCode, ToolError},
    forks::now,
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
    leases: Leases,
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
    pub(crate) async fn take(
        &self,
        principal: &Principal,
        limits: &LimitsConfig,
        context: &Arc<Context>,
    ) -> Result<Share, Exceeded> {
        let caller = principal.owner();
        if let Some(per_minute) = NonZeroU32::new(limits.max_calls_per_minute) {
            match self.leased(&caller, per_minute, context).await {
                Taken::Granted => {}
                Taken::Wait(wait) => return Err(too_many(per_minute, wait)),
                Taken::Unknown => self.rates(per_minute).take(&caller)?,
            }
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

    /// Takes one of the calls that a caller may make at all replicas together.
    async fn leased(&self, caller: &str, per_minute: NonZeroU32, context: &Arc<Context>) -> Taken {
        if !context.forks.is_shared() {
            return Taken::Unknown;
        }
        let lend = async |wanted| {
            let (context, caller) = (Arc::clone(context), caller.to_owned());
            let taken = tokio::task::spawn_blocking(move || {
                let store = &context.forks.open().ok()?.store;
                store.take_permits(&caller, wanted, per_minute.get(), now()).ok()
            });
            taken.await.ok().flatten()
        };
        self.leases.take(caller, per_minute.get(), lend).await
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
        Err(too_many(self.per_minute, not_until.wait_time_from(self.buckets.clock().now())))
    }
}

fn too_many(per_minute: NonZeroU32, wait: Duration) -> Exceeded {
    let seconds = wait.max(Duration::from_millis(1)).as_secs_f64().ceil();
    let error = ToolError::new(
        ErrorCode::RateLimited,
        format!("you made {per_minute} calls within a minute, which is as many as you may"),
    )
    .hint(format!("repeat it in {seconds} s; or ask whoever runs the server to raise SPREADSHEET_MCP_MAX_CALLS_PER_MINUTE"))
    .retry_after(seconds as u64);
    Exceeded { error: Box::new(error), reason: Rejection::RateLimited }
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
    use crate::testing::{config, context, named};

    async fn take(shares: &Shares, principal: &Principal, arguments: &[&str]) -> Result<Share, Exceeded> {
        let (context, _folder) = context(&[]);
        shares.take(principal, &config(arguments).live.limits, &context).await
    }

    #[tokio::test]
    async fn callers_have_buckets_of_their_own() {
        let three = ["--max-calls-per-minute", "3"];
        let shares = Shares::default();
        let (ada, bob) = (named("ada"), named("bob"));
        for _ in 0..3 {
            assert!(take(&shares, &ada, &three).await.is_ok());
        }
        let refused = take(&shares, &ada, &three).await.expect_err("too many");
        assert_eq!(refused.error.retry_after_seconds, Some(20));
        assert_eq!((refused.error.code, refused.reason), (ErrorCode::RateLimited, Rejection::RateLimited));
        assert!(refused.error.hint.expect("a hint").contains("repeat it in 20 s"));
        assert!(take(&shares, &bob, &three).await.is_ok());
        assert!(take(&shares, &ada, &["--max-calls-per-minute", "5"]).await.is_ok());
        for _ in 0..100 {
            assert!(take(&shares, &ada, &[]).await.is_ok());
        }
    }

    #[tokio::test]
    async fn calls_at_the_same_time_are_counted_by_caller() {
        let two = ["--max-concurrent-calls-per-caller", "2"];
        let shares = Shares::default();
        let (ada, bob) = (named("ada"), named("bob"));
        let first = take(&shares, &ada, &two).await.expect("one");
        let _second = take(&shares, &ada, &two).await.expect("two");
        let refused = take(&shares, &ada, &two).await.expect_err("three");
        assert_eq!(refused.reason, Rejection::TooManyOfCaller);
        assert!(take(&shares, &bob, &two).await.is_ok());
        drop(first);
        assert!(take(&shares, &ada, &two).await.is_ok());
        assert_eq!(lock(&shares.running).len(), 1, "who has no call is forgotten");
    }
}
