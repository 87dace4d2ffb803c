//! Whether a backup could be brought back.

use std::{
    collections::HashSet,
    io::{self, BufRead as _, BufReader, Read},
};

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};

use crate::{
    BackupError, Identities, Manifest, Repository,
    manifest::Stored,
    seal::{self, hex},
};

/// How deep a backup is looked into.
#[derive(Debug, Clone)]
pub enum Depth {
    /// Everything is there and is what was written.
    Stored,
    /// It also can be decrypted, and is what it was made of.
    Content(Identities),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Things that belong to the backup.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows that were read; 0 if it was not looked into.
    pub rows: u64,
    /// What is missing or is not what it should be.
    pub damaged: Vec<Damage>,
}

/// Something of a backup that is missing or is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it is in the repository.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What several backups have in common.
const SHARED: [&str; 2] = ["blobs", "audit"];

impl Damage {
    /// Whether later backups would use it again, and not write their own.
    pub fn is_shared(&self) -> bool {
        self.key.split('/').next().is_some_and(|below| SHARED.contains(&below))
    }
}

/// Reads all of a backup, also after something that is damaged.
///
/// # Errors
/// `Sealed`; or when the place can't be read.
pub fn verify(repository: &Repository, manifest: &Manifest, depth: &Depth) -> Result<Verified, BackupError> {
    let mut verified = Verified::default();
    for object in manifest.objects() {
        let looked = check(repository, manifest, object).and_then(|()| match depth {
            Depth::Stored => Ok(0),
            Depth::Content(identities) => read_content(repository, manifest, object, identities),
        });
        match looked {
            Ok(rows) => verified.rows += rows,
            Err(BackupError::Damaged { key, problem, .. }) => verified.damaged.push(Damage { key, problem }),
            Err(error) => return Err(error),
        }
        verified.objects += 1;
        verified.bytes += object.size;
    }
    Ok(verified)
}

/// Takes away what is damaged of that which the next backup would use again, so that it writes it anew. Gives the keys. Nobody may
/// make a backup meanwhile.
///
/// # Errors
/// When the place can't be read or written.
pub fn delete_damaged(repository: &Repository, damaged: &[Damage]) -> Result<Vec<String>, BackupError> {
    let damaged: HashSet<&str> = damaged.iter().map(|damage| damage.key.as_str()).collect();
    let mut deleted = Vec::new();
    // What is listed is within the repository, whatever a manifest says.
    for below in SHARED {
        for (key, _) in repository.list(below)? {
            if damaged.contains(key.as_str()) {
                repository.delete(&key)?;
                deleted.push(key);
            }
        }
    }
    Ok(deleted)
}

/// That what was encrypted is what the backup was made of. Gives how many rows that is.
fn read_content(
    repository: &Repository,
    manifest: &Manifest,
    object: &Stored,
    identities: &Identities,
) -> Result<u64, BackupError> {
    let mut count = 0;
    match object.key.split('/').next() {
        Some("rows") => {
            let mut rows = Rows::open(repository, manifest, identities)?;
            while rows.next()?.is_some() {
                count += 1;
            }
        }
        Some("blobs") => check_blob(repository, manifest, object, identities)?,
        _ => {
            io::copy(&mut opened(repository, manifest, object, identities)?, &mut io::sink())
                .map_err(|error| damaged(manifest, object, format!("can't be decrypted: {error}")))?;
        }
    }
    Ok(count)
}

/// That what is stored is what was written.
pub(crate) fn check(
    repository: &Repository,
    manifest: &Manifest,
    object: &Stored,
) -> Result<(), BackupError> {
    let (_, sha256) = digest(&object.key, stored(repository, manifest, object)?)?;
    match sha256 == object.sha256 {
        true => Ok(()),
        false => Err(damaged(manifest, object, "does not hold what was written".to_owned())),
    }
}

/// How many bytes there are to be read, and their SHA-256.
pub(crate) fn digest(key: &str, mut source: impl Read) -> Result<(u64, String), BackupError> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        match source.read(&mut buffer).map_err(BackupError::at(key))? {
            0 => return Ok((size, hex(&hash.finalize()))),
            count => {
                hash.update(&buffer[..count]);
                size += count as u64;
            }
        }
    }
}

fn stored<'a>(
    repository: &'a Repository,
    manifest: &Manifest,
    object: &Stored,
) -> Result<Box<dyn Read + 'a>, BackupError> {
    match repository.open(&object.key)? {
        None => Err(damaged(manifest, object, "is missing".to_owned())),
        Some((_, size)) if size != object.size => {
            let problem = format!("has {size} bytes where {} were written", object.size);
            Err(damaged(manifest, object, problem))
        }
        Some((source, _)) => Ok(source),
    }
}

/// What was stored, as it was before it was encrypted.
pub(crate) fn opened<'a>(
    repository: &'a Repository,
    manifest: &Manifest,
    object: &Stored,
    identities: &Identities,
) -> Result<Box<dyn Read + 'a>, BackupError> {
    let source = Box::new(BufReader::new(stored(repository, manifest, object)?));
    let opened = seal::open(&object.key, source, identities);
    if matches!(opened, Err(BackupError::Sealed { .. })) {
        // Whoever has the right key looks for another one in vain.
        check(repository, manifest, object)?;
    }
    opened
}

/// That the bytes of a blob are those that its name says.
fn check_blob(
    repository: &Repository,
    manifest: &Manifest,
    blob: &Stored,
    identities: &Identities,
) -> Result<(), BackupError> {
    let digest = digest_of(manifest, blob)?;
    let mut source = opened(repository, manifest, blob, identities)?;
    let read = forks::Digest::of_stream(&mut source);
    match read.map_err(|error| damaged(manifest, blob, format!("can't be read: {error}")))? {
        (actual, _) if actual == digest => Ok(()),
        _ => Err(is_another(manifest, blob)),
    }
}

/// The name of a blob.
pub(crate) fn digest_of(manifest: &Manifest, blob: &Stored) -> Result<forks::Digest, BackupError> {
    blob.name.parse().map_err(|_| is_another(manifest, blob))
}

pub(crate) fn is_another(manifest: &Manifest, blob: &Stored) -> BackupError {
    damaged(manifest, blob, "does not hold what its name says".to_owned())
}

/// The rows of a backup.
pub(crate) struct Rows<'a> {
    manifest: &'a Manifest,
    lines: BufReader<GzDecoder<Box<dyn Read + 'a>>>,
}

impl<'a> Rows<'a> {
    pub(crate) fn open(
        repository: &'a Repository,
        manifest: &'a Manifest,
        identities: &Identities,
    ) -> Result<Rows<'a>, BackupError> {
        let source = opened(repository, manifest, &manifest.rows, identities)?;
        Ok(Rows { manifest, lines: BufReader::new(GzDecoder::new(source)) })
    }

    /// The next row: its table and its columns.
    pub(crate) fn next(&mut self) -> Result<Option<(String, String)>, BackupError> {
        let damaged = |problem: String| damaged(self.manifest, &self.manifest.rows, problem);
        let mut line = String::new();
        let read = self.lines.read_line(&mut line);
        if read.map_err(|error| damaged(format!("can't be read: {error}")))? == 0 {
            return Ok(None);
        }
        match line.trim_end_matches('\n').split_once('\t') {
            Some((table, columns)) => Ok(Some((table.to_owned(), columns.to_owned()))),
            None => Err(damaged("has a line that is no row".to_owned())),
        }
    }
}

pub(crate) fn damaged(manifest: &Manifest, object: &Stored, problem: String) -> BackupError {
    BackupError::Damaged { id: manifest.id.to_string(), key: object.key.clone(), problem }
}
