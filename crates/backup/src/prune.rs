//! Taking away old backups, and what only they needed.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{BackupError, BackupId, GoOn, Repository};

/// What was taken away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Backups.
    pub backups: Vec<BackupId>,
    /// What nothing needs any more.
    pub objects: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// Takes away the backups that are older than `keep`, but never the newest `at_least`, and then what no backup needs. `go_on` sees
/// to it that no backup is made meanwhile.
///
/// # Errors
/// When the place can't be read or written, or a manifest is damaged: nothing is taken away that it may need.
pub fn prune(
    repository: &Repository,
    keep: TimeDelta,
    at_least: usize,
    now: DateTime<Utc>,
    go_on: &GoOn<'_>,
) -> Result<Pruned, BackupError> {
    let mut pruned = Pruned::default();
    let mut needed: HashSet<String> = HashSet::new();
    let mut stored = Vec::new();
    for below in ["rows", "blobs", "audit", "keys"] {
        stored.extend(repository.list(below)?);
    }
    let backups = repository.backups()?;
    if backups.is_empty() {
        // What is here may be anything.
        return Ok(pruned);
    }
    for (index, backup) in backups.iter().enumerate() {
        if index >= at_least && now - backup.created > keep {
            repository.delete_manifest(&backup.id)?;
            pruned.backups.push(backup.id.clone());
        } else {
            needed.extend(backup.objects().map(|object| object.key.clone()));
        }
    }
    for (key, size) in stored {
        if !needed.contains(&key) {
            go_on()?;
            repository.delete(&key)?;
            pruned.objects += 1;
            pruned.bytes += size;
        }
    }
    Ok(pruned)
}
