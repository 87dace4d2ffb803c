//! A secret of Vault as it is now, handed to whoever needs it.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{Vault, VaultError};
use crate::{
    config::{VaultConfig, VaultPath},
    health::Watched,
    metrics::Metrics,
};

/// How often a start asks a Vault that does not answer, with longer and longer pauses.
const ATTEMPTS: u32 = 5;
/// The first pause.
const PAUSE: Duration = Duration::from_millis(500);
/// How soon a read that failed is repeated.
const RETRYING: Duration = Duration::from_secs(10);

/// What health says of a secret that was deleted.
const GONE: &str = "the secret is gone";
/// However soon a token ends, it is not asked more often.
const LEAST_PAUSE: Duration = Duration::from_millis(200);

/// Takes a secret that is there now, or that it is gone; says what is wrong with it, and otherwise whether it is another one.
pub(crate) type Taker = Box<dyn Fn(Option<&str>) -> Result<bool, String> + Send + Sync>;

/// Follows one secret for as long as somebody has it.
pub struct Follower {
    vault: Vault,
    place: VaultPath,
    interval: Duration,
    take: Taker,
    state: Mutex<State>,
}

/// How it stands.
#[derive(Debug)]
struct State {
    /// When it was last read.
    read: Instant,
    /// What went wrong since: for anybody, so without names of machines.
    problem: Option<&'static str>,
}

impl Follower {
    /// Reads a secret, and goes on reading it. A Vault that does not answer is asked again for a few seconds.
    ///
    /// # Errors
    /// When it can't be read, or is not taken.
    pub(crate) async fn start(
        config: &VaultConfig,
        place: VaultPath,
        metrics: Arc<Metrics>,
        take: Taker,
    ) -> Result<Arc<Follower>, String> {
        let vault = Vault::new(config, metrics).map_err(|error| error.to_string())?;
        let secret = first(&vault, &place).await.map_err(|error| error.to_string())?;
        take(Some(secret.expose_secret())).map_err(|what| format!("{place}: {what}"))?;
        let state = Mutex::new(State { read: Instant::now(), problem: None });
        let interval = config.refresh_interval();
        let follower = Arc::new(Follower { vault, place, interval, take, state });
        tokio::spawn(follow(Arc::downgrade(&follower)));
        Ok(follower)
    }

    /// Where the secret is.
    pub(crate) fn place(&self) -> &VaultPath {
        &self.place
    }

    /// Reads it once more.
    async fn read(&self) {
        let place = self.place.to_string();
        let problem = match self.vault.read(&self.place).await {
            Ok(secret) => match (self.take)(Some(secret.expose_secret())) {
                Ok(is_other) => {
                    if is_other {
                        tracing::info!(place, "a secret in Vault has changed, and is taken");
                    }
                    None
                }
                Err(error) => {
                    tracing::error!(
                        place,
                        error,
                        "a secret in Vault can't be taken; the one before stays in force"
                    );
                    Some("the secret there can't be taken")
                }
            },
            // Whoever deletes it means it.
            Err(error @ VaultError::Missing { .. }) => {
                tracing::error!(%error, "a secret in Vault is gone");
                let _nothing = (self.take)(None);
                Some(GONE)
            }
            Err(error) => {
                tracing::warn!(%error, "a secret in Vault can't be read again; what was read stays in force");
                Some(match error {
                    VaultError::Unavailable { .. } => "it does not answer",
                    VaultError::Refused { .. } | VaultError::Missing { .. } => "it refuses us",
                    VaultError::File { .. } => "what says who we are can't be read",
                })
            }
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if problem.is_none() {
            state.read = Instant::now();
        }
        state.problem = problem;
    }

    /// How long until it is read again: not longer than the token is good.
    async fn pause(&self) -> Duration {
        let has_failed = self.state.lock().unwrap_or_else(PoisonError::into_inner).problem.is_some();
        let usual = if has_failed { RETRYING.min(self.interval) } else { self.interval };
        match self.vault.due().await {
            Some(due) if !has_failed => {
                usual.min(due.saturating_duration_since(Instant::now())).max(LEAST_PAUSE)
            }
            _ => usual,
        }
    }
}

/// Reads a secret for the first time, of a Vault that may be starting, too.
async fn first(vault: &Vault, place: &VaultPath) -> Result<SecretString, VaultError> {
    let mut pause = PAUSE;
    for _ in 1..ATTEMPTS {
        match vault.read(place).await {
            Err(error @ VaultError::Unavailable { .. }) => {
                tracing::warn!(%error, "asking Vault again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            other => return other,
        }
    }
    vault.read(place).await
}

async fn follow(follower: Weak<Follower>) {
    loop {
        let Some(known) = follower.upgrade() else { return };
        let pause = known.pause().await;
        drop(known);
        tokio::time::sleep(pause).await;
        let Some(known) = follower.upgrade() else { return };
        known.read().await;
    }
}

impl Watched for Follower {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn said(&self) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &state.problem {
            None => "secrets are read".to_owned(),
            Some(GONE) => GONE.to_owned(),
            Some(problem) => {
                format!("{problem}; what was read {} s ago stays in force", state.read.elapsed().as_secs())
            }
        }
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower")
            .field("place", &self.place)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
