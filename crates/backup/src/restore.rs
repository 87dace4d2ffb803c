//! Bringing a backup back.

use std::{fs, io, path::Path};

use chrono::{DateTime, Utc};
use forks::StoreError;

use crate::{
    BackupError, GoOn, Identities, Manifest, Repository, State,
    manifest::Stored,
    verify::{Rows, check, damaged, digest_of, is_another, opened},
};

/// What was brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// Rows of the state.
    pub rows: u64,
    /// Blobs.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Files of the audit trail.
    pub audit_files: u64,
    /// API keys.
    pub keys: KeysBack,
}

/// What became of API keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeysBack {
    /// The backup has none, or there is no file for them.
    #[default]
    None,
    /// They came back.
    Restored,
    /// There are some already, which stay.
    Kept,
}

/// Brings a backup back into an empty state. Blobs come first, so that no row ever names one that is not there; rows come in one
/// transaction, so that a restore that was interrupted is just repeated. `go_on` sees to it that no blob is swept meanwhile.
///
/// # Errors
/// `NotEmpty`; `Damaged`, `Sealed`; or when something can't be read or written. Then the store still is empty.
pub fn restore(
    repository: &Repository,
    manifest: &Manifest,
    identities: &Identities,
    state: State<'_>,
    now: DateTime<Utc>,
    go_on: &GoOn<'_>,
) -> Result<Restored, BackupError> {
    if state.store.count_forks()? > 0 {
        return Err(BackupError::NotEmpty { what: "the state".to_owned() });
    }
    let mut restored = Restored::default();
    for blob in &manifest.blobs {
        go_on()?;
        restored.blob_bytes += restore_blob(repository, manifest, blob, identities, state, now)?;
        restored.blobs += 1;
    }
    if let Some(folder) = state.audit.filter(|_| !manifest.audit.is_empty()) {
        restored.audit_files = restore_audit(repository, manifest, identities, folder)?;
    }
    if let (Some(file), Some(keys)) = (state.keys, &manifest.keys) {
        restored.keys = restore_keys(repository, manifest, keys, identities, file)?;
    }
    let mut rows = Rows::open(repository, manifest, identities)?;
    let mut broken = None;
    let imported = state.store.import(&mut || {
        rows.next().map_err(|error| {
            let told = error.to_string();
            broken = Some(error);
            StoreError::Source(told)
        })
    });
    if let Some(error) = broken {
        return Err(error);
    }
    restored.rows = imported.map_err(|error| match error {
        StoreError::Exists { name, .. } => BackupError::NotEmpty { what: format!("the state ({name})") },
        other => other.into(),
    })?;
    Ok(restored)
}

/// Brings the bytes of a blob back, which are those that its name says. Gives how many they are.
fn restore_blob(
    repository: &Repository,
    manifest: &Manifest,
    blob: &Stored,
    identities: &Identities,
    state: State<'_>,
    now: DateTime<Utc>,
) -> Result<u64, BackupError> {
    let digest = digest_of(manifest, blob)?;
    let mut source = opened(repository, manifest, blob, identities)?;
    let now = state.store.time(now.timestamp_millis())?;
    match state.blobs.put_known_from(&digest, &mut source, now) {
        Ok(Some(size)) => Ok(size),
        Ok(None) => Err(is_another(manifest, blob)),
        Err(StoreError::Source(problem)) => Err(damaged(manifest, blob, format!("can't be read: {problem}"))),
        Err(error) => Err(error.into()),
    }
}

/// Writes the file of API keys for its owner alone, whole or not at all, where there is none.
fn restore_keys(
    repository: &Repository,
    manifest: &Manifest,
    keys: &Stored,
    identities: &Identities,
    file: &Path,
) -> Result<KeysBack, BackupError> {
    if file.exists() {
        return Ok(KeysBack::Kept);
    }
    check(repository, manifest, keys)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(folder)?;
    // Temporary files are their owner's alone.
    let mut written = tempfile::NamedTempFile::new_in(folder).map_err(BackupError::at(folder.display()))?;
    let mut source = opened(repository, manifest, keys, identities)?;
    io::copy(&mut source, &mut written).map_err(BackupError::at(file.display()))?;
    written.as_file().sync_all().map_err(BackupError::at(file.display()))?;
    match written.persist_noclobber(file) {
        Ok(_) => Ok(KeysBack::Restored),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(KeysBack::Kept),
        Err(error) => Err(BackupError::at(file.display())(error.error)),
    }
}

/// The head comes last: a trail without it is no trail that ended too early.
fn restore_audit(
    repository: &Repository,
    manifest: &Manifest,
    identities: &Identities,
    folder: &Path,
) -> Result<u64, BackupError> {
    make_folder(folder)?;
    for part in manifest.audit.iter().rev() {
        // A name of a manifest that somebody made up leads nowhere else.
        let of_replica = part.name.split_once('/');
        if !of_replica.map_or_else(|| is_plain(&part.name), |(of, name)| is_plain(of) && is_plain(name)) {
            return Err(damaged(manifest, part, "has a name that no trail has".to_owned()));
        }
        let path = folder.join(&part.name);
        if let Some((replica, _)) = of_replica {
            make_folder(&folder.join(replica))?;
        }
        let mut options = fs::File::options();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.write(true).create_new(true).open(&path);
        let mut file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::NotEmpty {
                what: format!("the folder of the audit trail ({})", folder.display()),
            },
            _ => BackupError::at(path.display())(error),
        })?;
        let mut source = opened(repository, manifest, part, identities)?;
        io::copy(&mut source, &mut file).map_err(BackupError::at(path.display()))?;
        file.sync_all().map_err(BackupError::at(path.display()))?;
    }
    Ok(manifest.audit.len() as u64)
}

/// Whether a name has one part, and nothing in it that means something else somewhere.
pub(crate) fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_plain)
}

/// A folder for its owner alone, as that of a trail is.
fn make_folder(folder: &Path) -> Result<(), BackupError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(BackupError::at(folder.display()))
}
