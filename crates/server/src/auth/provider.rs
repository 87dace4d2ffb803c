//! The keys of an identity provider as they are now: fetched ahead of time, and again when a token names one that is not known.
//!
//! While the provider does not answer, the keys before go on for a bounded time. Whatever tokens say, it is asked no more than
//! once within [`COOLDOWN`].

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use access::{Denied, token::PublicKeys};
use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use super::discovery::Discovery;
use crate::{
    config::OidcConfig,
    health::Watched,
    metrics::{Metrics, labels::KeyRefresh},
};

/// How long after a fetch a token that names an unknown key does not cause another.
const COOLDOWN: Duration = Duration::from_secs(5);
/// How long a fetch may take in all; callers wait for it.
const FETCHING: Duration = Duration::from_secs(8);
/// How soon a fetch that failed is repeated.
const RETRYING: Duration = Duration::from_secs(10);

/// The keys of one provider.
#[derive(Debug)]
pub(super) struct Provider {
    discovery: Discovery,
    interval: Duration,
    max_stale: Duration,
    metrics: Arc<Metrics>,
    known: ArcSwapOption<Known>,
    /// When it was last asked; held while it is.
    asked: Mutex<Option<Instant>>,
}

/// Keys, and when they were fetched.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) keys: PublicKeys,
    at: Instant,
}

impl Provider {
    /// Begins to fetch keys, and goes on for as long as somebody has the provider.
    pub(super) fn start(discovery: Discovery, config: &OidcConfig, metrics: Arc<Metrics>) -> Arc<Provider> {
        let provider = Arc::new(Provider {
            discovery,
            interval: config.refresh_interval(),
            max_stale: config.max_stale(),
            metrics,
            known: ArcSwapOption::empty(),
            asked: Mutex::default(),
        });
        tokio::spawn(follow(Arc::downgrade(&provider)));
        provider
    }

    /// The issuer.
    pub(super) fn issuer(&self) -> &str {
        self.discovery.issuer().as_str()
    }

    /// The keys that count now.
    ///
    /// # Errors
    /// When they are not known, or have not been seen for too long.
    pub(super) async fn keys(&self) -> Result<Arc<Known>, Denied> {
        if let Some(known) = self.fresh_enough() {
            return Ok(known);
        }
        let stale = self.known.load_full();
        self.fetch_unless_just_done(stale.as_ref()).await;
        self.fresh_enough().ok_or(Denied::ProviderUnavailable)
    }

    /// The keys after those that have no such one as a token names; the same ones where it is too soon to ask, or in vain.
    pub(super) async fn keys_after(&self, seen: &Arc<Known>) -> Arc<Known> {
        if !self.fetch_unless_just_done(Some(seen)).await {
            self.metrics.access.keys_refreshed(KeyRefresh::Limited);
        }
        self.known.load_full().unwrap_or_else(|| Arc::clone(seen))
    }

    fn fresh_enough(&self) -> Option<Arc<Known>> {
        self.known.load_full().filter(|known| known.at.elapsed() < self.max_stale)
    }

    /// Fetches, unless others did since `seen` was; false where it is too soon. Who comes meanwhile waits for the same fetch.
    async fn fetch_unless_just_done(&self, seen: Option<&Arc<Known>>) -> bool {
        let mut asked = self.asked.lock().await;
        let known = self.known.load_full();
        let has_changed = match (&known, seen) {
            (Some(known), Some(seen)) => !Arc::ptr_eq(known, seen),
            (known, seen) => known.is_some() != seen.is_some(),
        };
        if has_changed {
            return true;
        }
        if asked.is_some_and(|at| at.elapsed() < COOLDOWN) {
            return false;
        }
        self.fetch(&mut asked).await;
        true
    }

    async fn fetch(&self, asked: &mut Option<Instant>) -> bool {
        let fetched = tokio::time::timeout(FETCHING, self.discovery.keys()).await;
        *asked = Some(Instant::now());
        let issuer = self.issuer();
        let failed = match fetched {
            Ok(Ok(keys)) => {
                let is_first = self.known.load().is_none();
                if keys.is_empty() {
                    tracing::warn!(
                        issuer,
                        "the identity provider publishes no keys that tokens can be checked with"
                    );
                } else if is_first {
                    tracing::info!(issuer, keys = keys.len(), "tokens of the identity provider are taken");
                }
                self.known.store(Some(Arc::new(Known { keys, at: Instant::now() })));
                self.metrics.access.keys_refreshed(KeyRefresh::Completed);
                return true;
            }
            Ok(Err(what)) => what,
            Err(_) => "it does not answer in time".to_owned(),
        };
        self.metrics.access.keys_refreshed(KeyRefresh::Failed);
        let remedy = match self.fresh_enough() {
            Some(_) => "the keys before stay in force for now",
            None => "tokens can't be checked",
        };
        tracing::warn!(
            issuer,
            error = failed,
            "the keys of the identity provider can't be fetched; {remedy}"
        );
        false
    }
}

/// Fetches keys again and again.
async fn follow(provider: Weak<Provider>) {
    loop {
        let Some(provider) = provider.upgrade() else { return };
        let is_done = {
            let mut asked = provider.asked.lock().await;
            provider.fetch(&mut asked).await
        };
        let pause = if is_done { provider.interval } else { RETRYING.min(provider.interval) };
        drop(provider);
        tokio::time::sleep(pause).await;
    }
}

impl Watched for Provider {
    fn name(&self) -> &'static str {
        "identity_provider"
    }

    fn said(&self) -> String {
        match self.known.load_full() {
            None => "its keys are not known yet: tokens can't be checked".to_owned(),
            Some(known) => {
                let seconds = known.at.elapsed().as_secs();
                match known.at.elapsed() {
                    age if age >= self.max_stale => {
                        format!("its keys were last fetched {seconds} s ago: tokens can't be checked")
                    }
                    age if age > self.interval + RETRYING => {
                        format!("its keys were last fetched {seconds} s ago; it does not answer")
                    }
                    _ => "its keys are known".to_owned(),
                }
            }
        }
    }
}
