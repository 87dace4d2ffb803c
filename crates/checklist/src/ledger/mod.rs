//! The ledger: what was run, stated, taken on and signed, in an order that cannot be changed unseen.
//!
//! A folder with `ledger.jsonl`, one entry a line, each of which holds the digest of the one before; `head.json`, how many there are and
//! the digest of the last one; `runs/`, the records; and `evidence/`, files by their digests. Nothing is ever changed in it, only added.
//! Who cuts off its end and writes a new head is found by the head of any later signature, verdict or note of the head elsewhere.

mod entry;
mod verify;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use entry::{Act, Attestation, Entry, SignOff, Signed, Waiver};
pub use verify::{Tampering, verify};

use crate::{
    digest::{Digest, canonical},
    record::RunRecord,
    spec::ItemId,
};

/// What goes wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file of it cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what was written.
    #[error("the ledger in {} is not what was written: {}", folder.display(), tampering)]
    Tampered {
        /// Where it is.
        folder: PathBuf,
        /// Where it differs.
        tampering: Tampering,
    },
    /// It has no run to go by.
    #[error("{} has no run{wanted}: `checklist run` makes one", folder.display())]
    NoRun {
        /// Where it is.
        folder: PathBuf,
        /// Of what, where there are others.
        wanted: String,
    },
}

/// How many entries there are, and the digest of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// How many.
    pub entries: u64,
    /// The digest of the last one.
    pub digest: Digest,
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.entries, self.digest)
    }
}

impl std::str::FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Head, String> {
        let wrong = || format!("{text:?} is no head: NUMBER:sha256:DIGEST, as commands print it");
        let (entries, digest) = text.split_once(':').ok_or_else(wrong)?;
        Ok(Head {
            entries: entries.parse().map_err(|_| wrong())?,
            digest: digest.parse().map_err(|_| wrong())?,
        })
    }
}

/// A ledger that was read whole, and is what was written.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    entries: Vec<Entry>,
    head: Head,
    /// Held while it is open for writing.
    _lock: Option<File>,
}

impl Ledger {
    /// Reads a ledger; an empty one where there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is not what was written.
    pub fn read(folder: &Path) -> Result<Ledger, LedgerError> {
        Ledger::with_lock(folder, None)
    }

    /// Opens a ledger to add to it, and makes it where there is none. Others wait that long.
    ///
    /// # Errors
    /// When it cannot be read or written, or is not what was written.
    pub fn open(folder: &Path) -> Result<Ledger, LedgerError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            |source| LedgerError::Io { path, source }
        };
        fs::create_dir_all(folder).map_err(io(folder))?;
        let path = folder.join("lock");
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io(&path))?;
        lock.lock().map_err(io(&path))?;
        Ledger::with_lock(folder, Some(lock))
    }

    fn with_lock(folder: &Path, lock: Option<File>) -> Result<Ledger, LedgerError> {
        let (entries, head) = verify::read(folder)?;
        Ok(Ledger { folder: folder.to_owned(), entries, head, _lock: lock })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its entries, the first one first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What names its state.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The last run of a profile and environment, or of any.
    ///
    /// # Errors
    /// When there is none, or its record cannot be read.
    pub fn last_run(
        &self,
        profile: Option<&str>,
        environment: Option<&str>,
    ) -> Result<(&Entry, RunRecord), LedgerError> {
        let is_meant = |wanted: Option<&str>, is: &str| wanted.is_none_or(|wanted| wanted == is);
        for entry in self.entries.iter().rev() {
            if let Act::Run { record, profile: of, environment: at, .. } = &entry.act
                && is_meant(profile, of)
                && is_meant(environment, at)
            {
                return Ok((entry, self.record(*record)?));
            }
        }
        let of = |what: &str, wanted: Option<&str>| wanted.map(|wanted| format!(" of the {what} {wanted}"));
        let wanted = [of("profile", profile), of("environment", environment)].into_iter().flatten();
        Err(LedgerError::NoRun {
            folder: self.folder.clone(),
            wanted: wanted.collect::<Vec<_>>().join(" and"),
        })
    }

    /// Whether a box is waived in an environment, for however long.
    pub fn is_waived(&self, id: &ItemId, environment: &str) -> bool {
        let last = self.entries.iter().rev().find_map(|entry| match &entry.act {
            Act::Waive(waiver) if waiver.id == *id && waiver.environment == environment => Some(true),
            Act::Withdraw { id: of, environment: at, .. } if of == id && at == environment => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }

    /// The record of a run by its digest.
    ///
    /// # Errors
    /// When it is not there, or is not what was written.
    pub fn record(&self, digest: Digest) -> Result<RunRecord, LedgerError> {
        verify::record(&self.folder, digest)
    }

    /// Adds a run.
    ///
    /// # Errors
    /// When it cannot be written; the ledger is then as it was.
    pub fn add_run(&mut self, record: &RunRecord) -> Result<Digest, LedgerError> {
        let digest = record.digest();
        let text = canonical(record);
        self.keep("runs", &format!("{}.json", digest.hex()), text.as_bytes())?;
        let subject = &record.subject;
        let act = Act::Run {
            record: digest,
            profile: subject.profile.clone(),
            environment: subject.environment.clone(),
            author: record.author.clone(),
        };
        self.add(act, record.ended)?;
        Ok(digest)
    }

    /// Keeps a file that shows something, and gives its digest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_evidence(&mut self, bytes: &[u8]) -> Result<Digest, LedgerError> {
        let digest = Digest::of(bytes);
        self.keep("evidence", &digest.hex(), bytes)?;
        Ok(digest)
    }

    /// Adds what somebody stated, took on or signed.
    ///
    /// # Errors
    /// When it cannot be written; the ledger is then as it was.
    pub fn add(&mut self, act: Act, at: DateTime<Utc>) -> Result<&Entry, LedgerError> {
        let entry = Entry { number: self.head.entries + 1, at, previous: self.head.digest, act };
        let line = canonical(&entry);
        let head = Head { entries: entry.number, digest: Digest::after(self.head.digest, line.as_bytes()) };
        let path = self.folder.join(FILE);
        let io = |source| LedgerError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(io)?;
        // The rest of a line whose writer was ended has no head, and gives way.
        let whole = self.entries.iter().map(|entry| canonical(entry).len() as u64 + 1).sum();
        file.set_len(whole).map_err(io)?;
        file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        let head_path = self.folder.join(HEAD);
        write_whole(&head_path, canonical(&head).as_bytes())
            .map_err(|source| LedgerError::Io { path: head_path, source })?;
        self.head = head;
        self.entries.push(entry);
        Ok(&self.entries[self.entries.len() - 1])
    }

    fn keep(&self, folder: &str, name: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        let path = self.folder.join(folder).join(name);
        let folder = self.folder.join(folder);
        fs::create_dir_all(&folder)
            .and_then(|()| write_whole(&path, bytes))
            .map_err(|source| LedgerError::Io { path, source })
    }
}

const FILE: &str = "ledger.jsonl";
const HEAD: &str = "head.json";

/// Writes a file so that it is there whole or as it was.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}
