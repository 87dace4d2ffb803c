//! The database that the configuration names.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use forks::Migration;
use forks::{Clock, Password, PostgresOptions, PostgresStore, PostgresUrl, StoreError};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;

use crate::{
    config::{FixedConfig, SecretSource},
    metrics::Metrics,
    vault::Follower,
};

/// How long a host may take until a connection to it stands.
const CONNECTING: Duration = Duration::from_secs(2);

/// A store in PostgreSQL, and what follows its password where that is in Vault.
pub(super) fn open(
    url: &PostgresUrl,
    config: &FixedConfig,
    metrics: &Arc<Metrics>,
    runtime: &Handle,
) -> Result<(PostgresStore, Option<Arc<Follower>>), StoreError> {
    let (options, follower) = options(url, config, metrics, runtime)?;
    Ok((PostgresStore::new(url, options, runtime.clone())?, follower))
}

/// Brings the tables of the database to the format of this program; with `only_look`, says what is to be done.
///
/// # Errors
/// When the database cannot be asked, or does not let us.
pub fn migrate(
    url: &PostgresUrl,
    config: &FixedConfig,
    runtime: &Handle,
    only_look: bool,
) -> Result<Migration, StoreError> {
    let (options, _follower) = options(url, config, &Arc::default(), runtime)?;
    PostgresStore::migrate(url, &options, runtime, only_look)
}

/// How the database is used. Blocks while Vault is asked.
fn options(
    url: &PostgresUrl,
    config: &FixedConfig,
    metrics: &Arc<Metrics>,
    runtime: &Handle,
) -> Result<(PostgresOptions, Option<Arc<Follower>>), StoreError> {
    let state = &config.state;
    let (password, follower) = match &state.state_password_file {
        None => (Box::new(|| Ok(None)) as Password, None),
        Some(SecretSource::File(path)) => {
            let path = path.clone();
            let read = move || match fs::read_to_string(&path) {
                Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
                Err(error) => Err(format!("the file of its password can't be read: {error}")),
            };
            (Box::new(read) as Password, None)
        }
        Some(SecretSource::Vault(place)) => {
            let known = Arc::new(Mutex::new(None::<SecretString>));
            let kept = Arc::clone(&known);
            let take = move |secret: Option<&str>| {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let is_other = kept.as_ref().map(ExposeSecret::expose_secret) != secret;
                *kept = secret.map(SecretString::from);
                Ok(is_other)
            };
            let follow = Follower::start(&config.vault, place.clone(), Arc::clone(metrics), Box::new(take));
            let follower = runtime
                .block_on(follow)
                .map_err(|problem| StoreError::Away { place: url.to_string(), problem })?;
            let read = move || {
                let known = known.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(known.as_ref().map(|secret| secret.expose_secret().to_owned()))
            };
            (Box::new(read) as Password, Some(follower))
        }
    };
    let options = PostgresOptions {
        connections: state.state_connections,
        patience: Duration::from_secs(state.state_timeout),
        connect_timeout: CONNECTING.min(Duration::from_secs(state.state_timeout)),
        password,
        random: Box::new(|| {
            let mut nonce = [0; 16];
            getrandom::fill(&mut nonce).expect("invariant: the operating system has random numbers");
            nonce
        }),
        clock: Clock::Database,
    };
    Ok((options, follower))
}
