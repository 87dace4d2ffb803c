//! The keys of signed URLs, which all replicas share through the store.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use access::{
    Denied,
    grant::{Grant, GrantKey, KEY_BYTES, KeyNumber},
};
use chrono::Utc;
use forks::Store as _;

use crate::{
    error::{ErrorCode, ToolError},
    forks::{ForkState, store_error},
};

/// Signs URLs, and knows those that were signed.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    keys: RwLock<HashMap<KeyNumber, Arc<GrantKey>>>,
}

/// Why a signed URL is not taken.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// It is not right.
    Denied(Denied),
    /// It can't be told whether it is.
    Unknown(ToolError),
}

impl Grants {
    /// The text of a grant. Blocks for as long as the store takes, once a week.
    ///
    /// # Errors
    /// When the key can't be read.
    pub(crate) fn sign(&self, grant: &Grant, state: &ForkState) -> Result<String, ToolError> {
        let number = KeyNumber::at(Utc::now());
        Ok(grant.sign(number, &*self.key(number, state)?))
    }

    /// What a text grants for a request. Blocks as [`Grants::sign`] does.
    pub(super) fn verify(&self, text: &str, request: &str, state: &ForkState) -> Result<Grant, NotTaken> {
        let now = Utc::now();
        let number = Grant::key_of(text, now).map_err(NotTaken::Denied)?;
        let key = self.key(number, state).map_err(NotTaken::Unknown)?;
        Grant::verify(text, &key, request, now).map_err(NotTaken::Denied)
    }

    fn key(&self, number: KeyNumber, state: &ForkState) -> Result<Arc<GrantKey>, ToolError> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        if let Some(key) = known {
            return Ok(key);
        }
        let mut candidate = [0; KEY_BYTES];
        getrandom::fill(&mut candidate).expect("invariant: the operating system has random numbers");
        let name = format!("signed-urls/{}", number.get());
        let secret = state.open()?.store.shared_secret(&name, &candidate).map_err(store_error)?;
        let secret = <[u8; KEY_BYTES]>::try_from(secret.as_slice()).map_err(|_| {
            ToolError::new(ErrorCode::StateUnavailable, "the key of signed URLs is not one")
                .hint("ask whoever runs the server to look at its state")
        })?;
        let key = Arc::new(GrantKey::new(&secret));
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&key));
        Ok(key)
    }
}
