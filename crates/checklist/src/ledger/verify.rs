//! Whether a ledger is what was written.

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use super::{Act, Entry, FILE, HEAD, Head, LedgerError};
use crate::{digest::Digest, record::RunRecord};

/// Where a ledger is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tampering {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} line {line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// Everything in a ledger that is not what was written: entries, records, evidence, signatures. `anchor` is a head that was noted
/// elsewhere: what it names must still be there.
///
/// # Errors
/// When files cannot be read.
pub fn verify(folder: &Path, anchor: Option<Head>) -> Result<Vec<Tampering>, LedgerError> {
    let (entries, head) = match read(folder) {
        Ok(read) => read,
        Err(LedgerError::Tampered { tampering, .. }) => return Ok(vec![tampering]),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    if let Some(anchor) = anchor
        && digest_at(&entries, anchor.entries) != Some(anchor.digest)
    {
        found.push(tampering(
            FILE,
            None,
            format!("it does not go on from {anchor}: it was cut off or written anew"),
        ));
    }
    let mut runs = BTreeSet::new();
    let mut evidence = BTreeSet::new();
    for (at, entry) in entries.iter().enumerate() {
        let line = Some(at + 1);
        match &entry.act {
            Act::Run { record: digest, .. } => {
                runs.insert(format!("{}.json", digest.hex()));
                match record(folder, *digest) {
                    Err(LedgerError::Tampered { tampering, .. }) => found.push(tampering),
                    Err(error) => return Err(error),
                    Ok(_) => {}
                }
            }
            Act::Attest(attestation) => {
                if let Some(digest) = attestation.evidence {
                    evidence.insert(digest.hex());
                    check_evidence(folder, digest, &mut found)?;
                }
            }
            Act::SignOff(sign_off) => {
                if !sign_off.key.has_signed(sign_off.signed.message().as_bytes(), &sign_off.signature) {
                    found.push(tampering(FILE, line, "the signature is not of its key".to_owned()));
                }
                if digest_at(&entries[..at], sign_off.signed.head.entries)
                    != Some(sign_off.signed.head.digest)
                {
                    found.push(tampering(
                        FILE,
                        line,
                        "what was signed is not what comes before it".to_owned(),
                    ));
                }
            }
            Act::Waive(_) | Act::Withdraw { .. } | Act::Report { .. } | Act::Gate { .. } => {}
        }
    }
    check_strangers(folder, "runs", &runs, &mut found)?;
    check_strangers(folder, "evidence", &evidence, &mut found)?;
    debug_assert_eq!(head.entries as usize, entries.len(), "it was read whole");
    Ok(found)
}

/// What a ledger's entries and head are, when each follows the one before.
pub(super) fn read(folder: &Path) -> Result<(Vec<Entry>, Head), LedgerError> {
    let tampered = |tampering| LedgerError::Tampered { folder: folder.to_owned(), tampering };
    let head: Option<Head> = match optional(&folder.join(HEAD))? {
        Some(bytes) => Some(
            serde_json::from_slice(&bytes)
                .map_err(|error| tampered(tampering(HEAD, None, format!("it is no head: {error}"))))?,
        ),
        None => None,
    };
    let bytes = optional(&folder.join(FILE))?;
    let Some(head) = head else {
        return match bytes {
            // A first line whose writer was ended before the head was written.
            Some(bytes) if bytes.iter().filter(|byte| **byte == b'\n').count() > 1 => {
                Err(tampered(tampering(HEAD, None, "it is gone".to_owned())))
            }
            _ => Ok((Vec::new(), Head { entries: 0, digest: Digest::START })),
        };
    };
    let bytes = bytes.unwrap_or_default();
    let text = String::from_utf8(bytes).map_err(|error| {
        tampered(tampering(FILE, None, format!("it is no text at byte {}", error.utf8_error().valid_up_to())))
    })?;
    let mut entries = Vec::new();
    let mut previous = Digest::START;
    let mut lines = text.split_inclusive('\n').enumerate();
    for (at, line) in lines.by_ref().take(usize::try_from(head.entries).unwrap_or(usize::MAX)) {
        let wrong = |what: String| tampered(tampering(FILE, Some(at + 1), what));
        let line = line.strip_suffix('\n').ok_or_else(|| wrong("it has no end".to_owned()))?;
        let entry: Entry =
            serde_json::from_str(line).map_err(|error| wrong(format!("it is no entry: {error}")))?;
        if entry.number != at as u64 + 1 {
            return Err(wrong(format!("it says that it is entry {}", entry.number)));
        }
        if entry.previous != previous {
            return Err(wrong("it does not follow the line before".to_owned()));
        }
        previous = Digest::after(previous, line.as_bytes());
        entries.push(entry);
    }
    if entries.len() as u64 != head.entries {
        let what = format!("it has {} entries, and had {}: it was cut off", entries.len(), head.entries);
        return Err(tampered(tampering(FILE, None, what)));
    }
    if previous != head.digest {
        return Err(tampered(tampering(
            FILE,
            Some(entries.len()),
            "it is not the last entry that the head names".to_owned(),
        )));
    }
    // One line may have been written before its head; more were not written by us.
    if lines.count() > 1 {
        return Err(tampered(tampering(
            FILE,
            Some(entries.len() + 1),
            "it has entries that the head does not know".to_owned(),
        )));
    }
    Ok((entries, head))
}

/// The record of a run.
pub(super) fn record(folder: &Path, digest: Digest) -> Result<RunRecord, LedgerError> {
    let name = format!("runs/{}.json", digest.hex());
    let tampered = |what: String| LedgerError::Tampered {
        folder: folder.to_owned(),
        tampering: tampering(&name, None, what),
    };
    let bytes = optional(&folder.join(&name))?.ok_or_else(|| tampered("it is gone".to_owned()))?;
    if Digest::of(&bytes) != digest {
        return Err(tampered("it is not what was written".to_owned()));
    }
    serde_json::from_slice(&bytes).map_err(|error| tampered(format!("it is no record: {error}")))
}

fn check_evidence(folder: &Path, digest: Digest, found: &mut Vec<Tampering>) -> Result<(), LedgerError> {
    let name = format!("evidence/{}", digest.hex());
    match optional(&folder.join(&name))? {
        None => found.push(tampering(&name, None, "it is gone".to_owned())),
        Some(bytes) if Digest::of(&bytes) != digest => {
            found.push(tampering(&name, None, "it is not what was written".to_owned()));
        }
        Some(_) => {}
    }
    Ok(())
}

/// Files that no entry names.
fn check_strangers(
    folder: &Path,
    below: &str,
    known: &BTreeSet<String>,
    found: &mut Vec<Tampering>,
) -> Result<(), LedgerError> {
    let path = folder.join(below);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(LedgerError::Io { path, source }),
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Half a file of a writer that was ended is nobody's.
        if !known.contains(&name) && !name.starts_with(".tmp") && below != "runs" {
            found.push(tampering(&format!("{below}/{name}"), None, "no entry names it".to_owned()));
        }
    }
    Ok(())
}

/// The digest of the ledger after so many entries.
fn digest_at(entries: &[Entry], count: u64) -> Option<Digest> {
    let count = usize::try_from(count).ok()?;
    match entries.get(count) {
        Some(next) => Some(next.previous),
        None if count == entries.len() => Some(entries.iter().fold(Digest::START, |previous, entry| {
            Digest::after(previous, crate::digest::canonical(entry).as_bytes())
        })),
        None => None,
    }
}

fn tampering(file: &str, line: Option<usize>, what: String) -> Tampering {
    Tampering { file: file.to_owned(), line, what }
}

fn optional(path: &PathBuf) -> Result<Option<Vec<u8>>, LedgerError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LedgerError::Io { path: path.clone(), source }),
    }
}
