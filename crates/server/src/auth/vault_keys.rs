//! The file of keys, where it is in Vault.

use std::sync::Arc;

use access::store::KeyRing;

use crate::{
    config::{VaultConfig, VaultPath},
    metrics::Metrics,
    vault::Follower,
};

/// Hands the keys in Vault to a ring, now and whenever they change.
///
/// # Errors
/// When they can't be read, or are no file of keys.
pub(super) async fn follow_keys(
    config: &VaultConfig,
    place: VaultPath,
    ring: &Arc<KeyRing>,
    metrics: Arc<Metrics>,
) -> Result<Arc<Follower>, String> {
    let ring = Arc::clone(ring);
    let take = move |text: Option<&str>| ring.hand_in(text).map_err(|error| error.to_string());
    Follower::start(config, place, metrics, Box::new(take)).await
}
