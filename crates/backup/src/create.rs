//! Making a backup while the state is in use.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    io::{self, Write as _},
    path::Path,
};

use chrono::{DateTime, Utc};
use flate2::{Compression, write::GzEncoder};
use forks::{Digest, Row, StoreError};
use serde::Deserialize;

use crate::{
    BackupError, BackupId, GoOn, Manifest, Repository, Seal, State,
    manifest::{FORMAT, Stored},
    restore::is_plain,
    verify::digest,
};

/// What making a backup did.
#[derive(Debug, Clone)]
pub struct Created {
    /// The backup.
    pub manifest: Manifest,
    /// Bytes that were written; blobs that an earlier backup wrote are not among them.
    pub written: u64,
}

/// Makes a backup of the state as it is at one moment. `random` tells it from another one of the same second.
///
/// Nothing must sweep blobs or prune the repository meanwhile, which `go_on` sees to: a fork that is discarded after that moment
/// belongs to the backup.
///
/// # Errors
/// When the state can't be read or the repository not be written. Then there is no backup; what was written is used by the next
/// one, or pruned.
pub fn create(
    state: State<'_>,
    repository: &Repository,
    seal: &Seal,
    now: DateTime<Utc>,
    random: u32,
    go_on: &GoOn<'_>,
) -> Result<Created, BackupError> {
    let id = BackupId::new(now, random);
    let mut writer = Writer { repository, seal, sizes: repository.sizes()?, written: 0 };
    let mut counted = Counted::default();
    let rows = writer.write(format!("rows/{id}.gz{}", seal.ending()), "rows", |to| {
        let mut lines = GzEncoder::new(to, Compression::fast());
        state.store.export(&mut |row| {
            counted.count(row)?;
            let line = writeln!(lines, "{}\t{}", row.table, row.columns);
            line.map_err(|error| StoreError::Source(format!("a row can't be written: {error}")))
        })?;
        lines.finish().map(drop).map_err(BackupError::at("a temporary file"))
    })?;
    let known = writer.known(&seal.blobs())?;
    let mut blobs = Vec::with_capacity(counted.blobs.len());
    for digest in &counted.blobs {
        go_on()?;
        blobs.push(writer.blob(state, digest, &known, now)?);
    }
    let audit = match state.audit {
        Some(folder) => writer.audit(folder, go_on)?,
        None => Vec::new(),
    };
    let keys = match state.keys {
        Some(file) => writer.keys(file, &id)?,
        None => None,
    };
    let manifest = Manifest {
        format: FORMAT,
        id,
        created: now,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        encrypted: matches!(seal, Seal::To(_)),
        forks: counted.forks,
        edits: counted.edits,
        versions: counted.versions,
        rows,
        blobs,
        audit,
        keys,
    };
    go_on()?;
    repository.put_manifest(&manifest)?;
    Ok(Created { manifest, written: writer.written })
}

/// What rows tell of.
#[derive(Default)]
struct Counted {
    forks: u64,
    edits: u64,
    versions: u64,
    blobs: BTreeSet<String>,
}

/// The columns that name blobs.
#[derive(Deserialize)]
struct Named {
    base_digest: Option<String>,
    digest: Option<String>,
}

impl Counted {
    fn count(&mut self, row: Row<'_>) -> Result<(), StoreError> {
        match row.table {
            "forks" => self.forks += 1,
            "versions" => self.versions += 1,
            "entries" => self.edits += 1,
            _ => {}
        }
        if matches!(row.table, "forks" | "versions") {
            let named: Named = serde_json::from_str(row.columns)
                .map_err(|error| StoreError::Source(format!("a row of {} is no JSON: {error}", row.table)))?;
            self.blobs.extend(named.base_digest.or(named.digest));
        }
        Ok(())
    }
}

struct Writer<'a> {
    repository: &'a Repository,
    seal: &'a Seal,
    /// How many bytes earlier backups wrote under each key.
    sizes: HashMap<String, u64>,
    written: u64,
}

impl Writer<'_> {
    fn write(
        &mut self,
        key: String,
        name: &str,
        write: impl FnOnce(&mut dyn io::Write) -> Result<(), BackupError>,
    ) -> Result<Stored, BackupError> {
        let mut file = self.repository.temporary()?;
        let (size, sha256) = self.seal.write(&mut file, write)?;
        self.repository.put(&key, file)?;
        self.written += size;
        Ok(Stored { key, name: name.to_owned(), size, sha256 })
    }

    /// What earlier backups wrote below a place and is there as they wrote it, by the digests of its content. A key holds the SHA-256
    /// of what is stored, since what is encrypted twice is not the same twice.
    fn known(&self, place: &str) -> Result<HashMap<String, Stored>, BackupError> {
        let mut known = HashMap::new();
        for (key, size) in self.repository.list(place)? {
            let name = key.rsplit('/').next().unwrap_or_default().trim_end_matches(self.seal.ending());
            if let Some((digest, sha256)) = name.split_once('-')
                && self.is_whole(&key, size, sha256)?
            {
                let stored =
                    Stored { name: digest.to_owned(), size, sha256: sha256.to_owned(), key: key.clone() };
                known.insert(digest.to_owned(), stored);
            }
        }
        Ok(known)
    }

    /// Whether something still is what was written, as far as its size tells. What no manifest names is of a backup that did not
    /// end, and is read.
    fn is_whole(&self, key: &str, size: u64, sha256: &str) -> Result<bool, BackupError> {
        match self.sizes.get(key) {
            Some(written) => Ok(size == *written),
            None => match self.repository.open(key)? {
                Some((source, _)) => Ok(digest(key, source)?.1 == sha256),
                None => Ok(false),
            },
        }
    }

    fn blob(
        &mut self,
        state: State<'_>,
        digest: &str,
        known: &HashMap<String, Stored>,
        now: DateTime<Utc>,
    ) -> Result<Stored, BackupError> {
        if let Some(stored) = known.get(digest) {
            return Ok(stored.clone());
        }
        let parsed: Digest = digest.parse().map_err(|_| {
            StoreError::Source(format!("a row names the blob {digest:?}, which is no digest"))
        })?;
        let now = state.store.time(now.timestamp_millis())?;
        self.named_by_content(&self.seal.blobs(), digest, |to| {
            let write = |piece: &[u8]| to.write_all(piece).map_err(BackupError::at("a temporary file"));
            state.blobs.copy(&parsed, now, write).map(drop)
        })
    }

    /// The trails of a folder as they are at one moment, also while servers write them. What was ended, and written by an earlier
    /// backup, is not written again.
    fn audit(&mut self, folder: &Path, go_on: &GoOn<'_>) -> Result<Vec<Stored>, BackupError> {
        let place = self.seal.audit();
        let known = self.known(&place)?;
        let mut stored = Vec::new();
        for trail in audit::trails(folder)? {
            if trail.name.as_deref().is_some_and(|name| !is_plain(name)) {
                return Err(BackupError::Name { folder: trail.folder.display().to_string() });
            }
            let prefix = trail.name.map(|name| format!("{name}/")).unwrap_or_default();
            let mut of_trail = Vec::new();
            audit::copy(&trail.folder, |name, bytes| {
                go_on()?;
                let digest = Digest::of(bytes).to_string();
                let part = match known.get(&digest) {
                    Some(stored) => stored.clone(),
                    None => self.named_by_content(&place, &digest, |to| {
                        to.write_all(bytes).map_err(BackupError::at("a temporary file"))
                    })?,
                };
                of_trail.push(Stored { name: format!("{prefix}{name}"), ..part });
                Ok::<(), BackupError>(())
            })?;
            // What is brought back last is first.
            of_trail.reverse();
            stored.append(&mut of_trail);
        }
        Ok(stored)
    }

    /// The file of API keys. It is written each time: no name within the place is to tell what is in it.
    fn keys(&mut self, file: &Path, id: &BackupId) -> Result<Option<Stored>, BackupError> {
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BackupError::at(file.display())(error)),
        };
        let key = format!("keys/{id}{}", self.seal.ending());
        let write =
            |to: &mut dyn io::Write| to.write_all(&bytes).map_err(BackupError::at("a temporary file"));
        self.write(key, "keys", write).map(Some)
    }

    /// Writes what `write` writes, whose digest is known, below a place.
    fn named_by_content(
        &mut self,
        place: &str,
        digest: &str,
        write: impl FnOnce(&mut dyn io::Write) -> Result<(), BackupError>,
    ) -> Result<Stored, BackupError> {
        let mut file = self.repository.temporary()?;
        let (size, sha256) = self.seal.write(&mut file, write)?;
        let key = format!("{place}/{}/{digest}-{sha256}{}", &digest[..2], self.seal.ending());
        self.repository.put(&key, file)?;
        self.written += size;
        Ok(Stored { key, name: digest.to_owned(), size, sha256 })
    }
}
