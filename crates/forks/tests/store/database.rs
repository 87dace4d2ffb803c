//! How tests come to a store in PostgreSQL.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use forks::{Clock, Migration, PostgresOptions, PostgresStore, PostgresUrl, StoreError};
use tokio::runtime::{Handle, Runtime};

/// The runtime that all stores of a test's process use.
pub(crate) fn runtime() -> Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let make = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    RUNTIME.get_or_init(make).handle().clone()
}

/// Few connections, little patience, the times that tests give.
pub(crate) fn options() -> PostgresOptions {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    PostgresOptions {
        connections: 4,
        patience: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(2),
        password: Box::new(|| Ok(None)),
        random: Box::new(|| {
            let call = u128::from(CALLS.fetch_add(1, Ordering::Relaxed));
            ((u128::from(std::process::id()) << 64) | call).to_le_bytes()
        }),
        clock: Clock::Callers,
    }
}

pub(crate) fn migrate(url: &str) -> Result<Migration, StoreError> {
    PostgresStore::migrate(&url.parse().unwrap(), &options(), &runtime(), false)
}

pub(crate) fn open(url: &str) -> PostgresStore {
    open_with(url, options())
}

pub(crate) fn open_with(url: &str, options: PostgresOptions) -> PostgresStore {
    let url: PostgresUrl = url.parse().unwrap();
    PostgresStore::new(&url, options, runtime()).unwrap()
}
