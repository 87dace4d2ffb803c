//! What is asked of those who know callers or keep secrets: identity providers, Vault.

use std::{
    sync::atomic::AtomicU64,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};

use super::{
    catalogue::Catalogue,
    labels::{KeyRefresh, KeyRefreshLabels, Success, VaultLabels, VaultOperation},
};

/// Metrics of where what is known of callers comes from.
#[derive(Debug)]
pub struct AccessMetrics {
    key_refreshes: Family<KeyRefreshLabels, Counter>,
    keys_fetched: Gauge<f64, AtomicU64>,
    vault_requests: Family<VaultLabels, Counter>,
    vault_read: Gauge<f64, AtomicU64>,
}

impl AccessMetrics {
    pub(super) fn register(catalogue: &mut Catalogue) -> AccessMetrics {
        AccessMetrics {
            key_refreshes: catalogue.counters(
                "identity_provider_key_refreshes",
                "Fetches of the keys that tokens are checked with, by how they ended",
            ),
            keys_fetched: catalogue.moment_gauge(
                "identity_provider_keys_timestamp",
                "When the keys that tokens are checked with were fetched, in seconds since 1970; 0 before",
            ),
            vault_requests: catalogue.counters("vault_requests", "What was asked of Vault, by how it ended"),
            vault_read: catalogue.moment_gauge(
                "vault_read_timestamp",
                "When secrets were last read from Vault, in seconds since 1970; 0 before, and without Vault",
            ),
        }
    }

    /// Counts a fetch of an identity provider's keys, or that there was none.
    pub fn keys_refreshed(&self, outcome: KeyRefresh) {
        self.key_refreshes.get_or_create(&KeyRefreshLabels { outcome }).inc();
        if outcome == KeyRefresh::Completed {
            self.keys_fetched.set(now());
        }
    }

    /// Counts what was asked of Vault.
    pub fn asked_vault(&self, operation: VaultOperation, outcome: Success) {
        self.vault_requests.get_or_create(&VaultLabels { operation, outcome }).inc();
        if (operation, outcome) == (VaultOperation::Read, Success::Completed) {
            self.vault_read.set(now());
        }
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
