//! The state directory: the store, the blobs, and the drafts that are in memory.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use forks::{BlobCounts, Blobs, ConnectionCounts, ForkId, Limits, Millis, SqliteStore, Store, StoreError};
use objects::Bucket;
use tokio::runtime::Handle;

use crate::{
    config::{FixedConfig, Location, StateUrl},
    error::ToolError,
    forks::{database, live::LiveForks, new_id, observed::ObservedStore, store_error, sweeping::Sweeping},
    metrics::Metrics,
    vault::Follower,
};

/// The folder of blobs within the state directory.
const BLOBS: &str = "blobs";

/// The folder of copies of blobs that are in a bucket.
const COPIES: &str = "blob-copies";

/// Blobs that were put this recently may belong to a row that is about to be written.
const SWEEP_GRACE: Duration = Duration::from_secs(60 * 60);

/// Everything about forks that calls share. The directory is opened when it is first needed and again when that failed, so
/// that reading works without it and a mended disk needs no restart.
pub struct ForkState {
    folder: PathBuf,
    blobs: BlobPlace,
    config: FixedConfig,
    database_folder: PathBuf,
    /// Names this process among those that share the state.
    name: String,
    limits: Limits,
    ttl: Millis,
    pub(super) live: LiveForks,
    opened: Mutex<Option<Arc<Opened>>>,
    metrics: Arc<Metrics>,
}

/// A store, and what follows the password of its database.
type WithPassword = (Arc<dyn Store>, Option<Arc<Follower>>);

/// Where the bases are, and previous versions of files.
#[derive(Debug, Clone)]
pub enum BlobPlace {
    /// In the state directory.
    State,
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket, with so many bytes of copies in the state directory.
    Bucket(Box<Bucket>, u64),
}

/// The opened state directory.
pub struct Opened {
    /// The logs.
    pub store: ObservedStore,
    /// The bases, and previous versions of files.
    pub blobs: Blobs,
    /// What follows the password of the database.
    _password: Option<Arc<Follower>>,
}

impl Opened {
    /// The moment by the clock of all who share the state. What one of them believes it is decides nothing about blobs.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn time(&self) -> Result<Millis, ToolError> {
        self.store.time(now()).map_err(store_error)
    }
}

impl fmt::Debug for ForkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForkState").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl ForkState {
    /// The state of a configuration; nothing is opened yet.
    pub fn new(
        fixed: &FixedConfig,
        blobs: BlobPlace,
        workspace: &Location,
        metrics: Arc<Metrics>,
    ) -> ForkState {
        let config = &fixed.state;
        ForkState {
            folder: config.folder(workspace),
            blobs,
            config: fixed.clone(),
            database_folder: config.database_folder(workspace),
            name: new_id("replica-"),
            limits: Limits {
                forks: config.max_forks,
                forks_per_owner: config.max_forks_per_owner,
                base_bytes: config.max_fork_bytes,
            },
            ttl: i64::try_from(config.fork_ttl().as_millis()).unwrap_or(Millis::MAX),
            live: LiveForks::new(config.live_forks),
            opened: Mutex::default(),
            metrics,
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of blobs, if they are on this machine.
    pub(crate) fn blobs_folder(&self) -> Option<PathBuf> {
        match &self.blobs {
            BlobPlace::State => Some(self.folder.join(BLOBS)),
            BlobPlace::Folder(folder) => Some(folder.clone()),
            BlobPlace::Bucket(..) => None,
        }
    }

    fn open_blobs(&self) -> Result<Blobs, StoreError> {
        match &self.blobs {
            BlobPlace::State => Blobs::open(&self.folder.join(BLOBS)),
            BlobPlace::Folder(folder) => Blobs::open(folder),
            BlobPlace::Bucket(bucket, most) => {
                Blobs::in_bucket((**bucket).clone(), &self.folder.join(COPIES), *most)
            }
        }
    }

    /// Uses of copies of blobs, if those are in a bucket and somebody needed one.
    pub(crate) fn blob_counts(&self) -> Option<BlobCounts> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        opened.and_then(|opened| opened.blobs.counts())
    }

    /// How much may be kept.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How long after its last use a fork is dropped.
    pub fn ttl(&self) -> Millis {
        self.ttl
    }

    /// The store and the blobs.
    ///
    /// # Errors
    /// When the directory can't be made or read, or is damaged.
    pub fn open(&self) -> Result<Arc<Opened>, ToolError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = opened.as_ref() {
            return Ok(Arc::clone(state));
        }
        let (store, password) = self.open_store().map_err(store_error)?;
        let blobs = self.open_blobs().map_err(store_error)?;
        let store = ObservedStore::new(store, Arc::clone(&self.metrics));
        let state = Arc::new(Opened { store, blobs, _password: password });
        *opened = Some(Arc::clone(&state));
        Ok(state)
    }

    /// The store that is configured. A database is not asked yet.
    fn open_store(&self) -> Result<WithPassword, StoreError> {
        let Some(StateUrl::Postgres(url)) = &self.config.state.state_url else {
            let store = SqliteStore::open(&self.database_folder.join("forks.sqlite"))?;
            return Ok((Arc::new(store), None));
        };
        let runtime = Handle::try_current()
            .map_err(|error| StoreError::Away { place: url.to_string(), problem: error.to_string() })?;
        let (store, follower) = database::open(url, &self.config, &self.metrics, &runtime)?;
        Ok((Arc::new(store), follower))
    }

    /// What is said of the database that replicas share, if they do: for anybody, so without names of machines. An error says
    /// that it cannot be used.
    pub(crate) fn database(&self) -> Option<Result<&'static str, &'static str>> {
        let Some(StateUrl::Postgres(_)) = &self.config.state.state_url else { return None };
        let Ok(opened) = self.open() else { return Some(Err("it cannot be used; the log tells why")) };
        Some(match opened.store.count_forks() {
            Ok(_) => Ok("answers"),
            Err(StoreError::NotMigrated { .. }) => {
                Err("its tables are not those of this program; run spreadsheet-mcp migrate")
            }
            Err(StoreError::NewerVersion { .. }) => Err("its tables are those of a newer program"),
            Err(StoreError::Refused { .. }) => Err("refuses this program"),
            Err(StoreError::Busy { .. }) => Err("all connections to it are in use"),
            Err(_) => Err("does not answer"),
        })
    }

    /// Whether other processes share the state over a network.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.config.state.state_url, Some(StateUrl::Postgres(_)))
    }

    /// Whether it is the database that is in the way, which was told in the log.
    pub(crate) fn is_database_out(&self) -> bool {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        opened.is_some_and(|opened| opened.store.is_out())
    }

    /// How connections to the database are doing, once there is one.
    pub(crate) fn connections(&self) -> Option<ConnectionCounts> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        opened.store.connections()
    }

    /// Whether it is this process that cleans for the span that comes. Those that share the state take turns only when one of
    /// them is gone.
    ///
    /// # Errors
    /// As [`ForkState::open`], and those of the store.
    pub(crate) fn is_cleaner(&self) -> Result<bool, ToolError> {
        if !matches!(self.config.state.state_url, Some(StateUrl::Postgres(_))) {
            // What a killed process left on this machine does not wait until its lease is over.
            return Ok(true);
        }
        let span =
            Millis::try_from(self.config.state.fork_cleanup_interval().as_millis()).unwrap_or(Millis::MAX);
        self.open()?.store.lease("clean", &self.name, span, now()).map_err(store_error)
    }

    /// Looks for damage; for the start of a server.
    ///
    /// # Errors
    /// As [`ForkState::open`].
    pub fn check(&self) -> Result<(), ToolError> {
        self.open()?.store.check().map_err(store_error)
    }

    /// How many forks there are; `None` while nothing needed the directory, or when it cannot be read.
    pub fn count(&self) -> Option<u64> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        opened.store.count_forks().ok()
    }

    /// Bytes that the store has something in; 0 while nothing needed it.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        opened.and_then(|opened| opened.store.used_bytes().ok()).unwrap_or(0)
    }

    /// Drops forks whose time has passed, and what nothing needs any more, unless another process does. Gives how many forks
    /// and bytes went.
    ///
    /// # Errors
    /// As [`ForkState::open`], and those of the store.
    pub fn clean(&self, keep_versions: u32) -> Result<Cleaned, ToolError> {
        if !self.is_cleaner()? {
            return Ok(Cleaned::default());
        }
        let cleaned = self.clean_within(keep_versions, SWEEP_GRACE)?;
        if self.blobs_folder().is_some() {
            return Ok(cleaned);
        }
        Ok(Cleaned { bytes: self.sweep(0)?, ..cleaned })
    }

    /// As [`ForkState::clean`], also of blobs that were put longer ago than `grace` says, if they are on this machine.
    ///
    /// # Errors
    /// As [`ForkState::clean`].
    pub(crate) fn clean_within(&self, keep_versions: u32, grace: Duration) -> Result<Cleaned, ToolError> {
        let grace = Millis::try_from(grace.as_millis()).unwrap_or(Millis::MAX);
        let state = self.open()?;
        let expired = state.store.expire(now()).map_err(store_error)?;
        for id in &expired {
            self.forget(id);
        }
        state.store.prune_versions(keep_versions).map_err(store_error)?;
        let forks = expired.len() as u64;
        if self.blobs_folder().is_none() {
            return Ok(Cleaned { forks, bytes: 0 });
        }
        Ok(Cleaned { forks, bytes: self.sweep(grace)? })
    }

    /// Drops the blobs that nothing needs, unless somebody else does so or copies them, and says how many bytes those were.
    fn sweep(&self, grace: Millis) -> Result<u64, ToolError> {
        let state = self.open()?;
        let Some(sweeping) = Sweeping::take(&state).map_err(store_error)? else { return Ok(0) };
        // In a bucket, the time that counts is the one that those who share it have in common.
        let ahead = match self.blobs_folder() {
            Some(_) => 0,
            None => state.time()?.saturating_sub(now()),
        };
        let clock = || now().saturating_add(ahead);
        let swept = sweeping.keep_during(|| forks::sweep_blobs(&state.store, &state.blobs, &clock, grace));
        Ok(swept.map_err(store_error)?.bytes)
    }

    /// Lets go of drafts that are kept for later, and says how many those were.
    pub(crate) fn evict(&self) -> usize {
        self.live.evict()
    }

    /// Forgets what is in memory of a fork.
    pub fn forget(&self, id: &ForkId) {
        self.live.forget(id);
    }
}

/// What [`ForkState::clean`] took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleaned {
    /// Forks whose time had passed.
    pub forks: u64,
    /// Bytes that nothing needed.
    pub bytes: u64,
}

/// The moment, as the store counts it.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}
