//! One program at a time writes a repository: what a backup that is being made relies on must not be pruned meanwhile.

use std::{
    fs::{self, File},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use objects::{Bucket, ObjectError, Precondition, Version};

use crate::{BackupError, Repository};

/// The key of the lock.
const KEY: &str = "lock";
/// For how long a lock in a bucket holds unless it is renewed: whoever was killed holds it no longer.
const HOLDS: Duration = Duration::from_secs(60);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(20);

/// The right to write a repository, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    held: Held,
}

#[derive(Debug)]
enum Held {
    File(#[expect(dead_code, reason = "the lock goes with the file")] File),
    Object(Box<Renewed>),
}

/// A lock in a bucket.
#[derive(Debug)]
struct Renewed {
    bucket: Bucket,
    /// What the lock is, and since when.
    state: Mutex<(Version, Instant)>,
}

impl Repository {
    /// Takes the right to write.
    ///
    /// # Errors
    /// `InUse` when another program has it, or when the place can't be written.
    pub fn lock(&self) -> Result<Lock, BackupError> {
        match self {
            Repository::Folder(folder) => {
                fs::create_dir_all(folder).map_err(BackupError::at(folder.display()))?;
                let path = folder.join(".lock");
                let file = File::options().create(true).truncate(false).write(true).open(&path);
                let file = file.map_err(BackupError::at(path.display()))?;
                match file.try_lock() {
                    Ok(()) => Ok(Lock { held: Held::File(file) }),
                    Err(fs::TryLockError::WouldBlock) => Err(BackupError::InUse { killed: None }),
                    Err(fs::TryLockError::Error(error)) => Err(BackupError::at(path.display())(error)),
                }
            }
            Repository::Bucket(bucket) => {
                let when = match bucket.get(KEY) {
                    Err(ObjectError::NotFound { .. }) => Precondition::Absent,
                    Err(error) => return Err(error.into()),
                    Ok(found) => {
                        let until = holds_until(&found.bytes);
                        if until > Utc::now() {
                            return Err(BackupError::InUse { killed: Some(until) });
                        }
                        Precondition::Unchanged(found.object.version)
                    }
                };
                let version = write(bucket, &when)?;
                let state = Mutex::new((version, Instant::now()));
                Ok(Lock { held: Held::Object(Box::new(Renewed { bucket: (**bucket).clone(), state })) })
            }
        }
    }
}

impl Lock {
    /// Says that the right is still needed: to be called every few seconds.
    ///
    /// # Errors
    /// `InUse` when another program took it meanwhile.
    pub fn keep(&self) -> Result<(), BackupError> {
        let Held::Object(object) = &self.held else { return Ok(()) };
        let mut state = object.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.1.elapsed() >= HOLDS {
            return Err(BackupError::InUse { killed: None });
        }
        if state.1.elapsed() >= RENEWED {
            *state = (write(&object.bucket, &Precondition::Unchanged(state.0.clone()))?, Instant::now());
        }
        Ok(())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // One that cannot be given back now ends by itself.
        if let Held::Object(object) = &self.held
            && self.keep().is_ok()
        {
            let _given_back = object.bucket.delete(KEY);
        }
    }
}

fn write(bucket: &Bucket, when: &Precondition) -> Result<Version, BackupError> {
    let until = (Utc::now() + HOLDS).to_rfc3339();
    bucket.put(KEY, Bytes::from(until), when).map_err(|error| match error {
        ObjectError::Changed { .. } => BackupError::InUse { killed: Some(Utc::now() + HOLDS) },
        other => other.into(),
    })
}

/// When a lock ends; one that nobody can read has ended.
fn holds_until(text: &[u8]) -> DateTime<Utc> {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    parsed.map_or(DateTime::UNIX_EPOCH, |until| until.to_utc())
}
