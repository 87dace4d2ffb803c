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
    let mut writer = Writer { repository, seal, written: 0 };
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
    let known = writer.known_blobs()?;
    let mut blobs = Vec::with_capacity(counted.blobs.len());
    for digest in &counted.blobs {
        go_on()?;
        blobs.push(writer.blob(state, digest, &known, now)?);
    }
    let audit = match state.audit {
        Some(folder) => writer.audit(folder, &id)?,
        None => Vec::new(),
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

    /// The blobs that earlier backups wrote, by their digests. A key holds the SHA-256 of what is stored, since what is encrypted
    /// twice is not the same twice.
    fn known_blobs(&self) -> Result<HashMap<String, Stored>, BackupError> {
        let mut known = HashMap::new();
        for (key, size) in self.repository.list(&self.seal.blobs())? {
            let name = key.rsplit('/').next().unwrap_or_default().trim_end_matches(self.seal.ending());
            if let Some((digest, sha256)) = name.split_once('-') {
                let stored =
                    Stored { name: digest.to_owned(), size, sha256: sha256.to_owned(), key: key.clone() };
                known.insert(digest.to_owned(), stored);
            }
        }
        Ok(known)
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
        let bytes = state.blobs.read(&parsed, state.store.time(now.timestamp_millis())?)?;
        let mut file = self.repository.temporary()?;
        let (size, sha256) = self
            .seal
            .write(&mut file, |to| to.write_all(&bytes).map_err(BackupError::at("a temporary file")))?;
        let (folder, ending) = (self.seal.blobs(), self.seal.ending());
        let key = format!("{folder}/{}/{digest}-{sha256}{ending}", &digest[..2]);
        self.repository.put(&key, file)?;
        self.written += size;
        Ok(Stored { key, name: digest.to_owned(), size, sha256 })
    }

    /// The audit trail. Its head is read before the segments, which may have grown when they are read: never the reverse.
    fn audit(&mut self, folder: &Path, id: &BackupId) -> Result<Vec<Stored>, BackupError> {
        let entries = fs::read_dir(folder).map_err(BackupError::at(folder.display()))?;
        let name_of = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
        let mut names: Vec<String> = entries.filter_map(name_of).filter(|name| belongs(name)).collect();
        names.sort_by_key(|name| (name != HEAD, name.clone()));
        let mut stored = Vec::new();
        for name in names {
            let path = folder.join(&name);
            let key = format!("audit/{id}/{name}{}", self.seal.ending());
            stored.push(self.write(key, &name, |to| {
                let mut file = fs::File::open(&path).map_err(BackupError::at(path.display()))?;
                io::copy(&mut file, to).map(drop).map_err(BackupError::at(path.display()))
            })?);
        }
        Ok(stored)
    }
}

/// The file of a trail that says how far it went.
const HEAD: &str = "head.json";

/// Whether a file of the folder of a trail belongs to the trail: its head, and its segments.
fn belongs(name: &str) -> bool {
    name == HEAD || name.ends_with(".jsonl")
}
