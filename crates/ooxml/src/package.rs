//! The zip container and its directory.

use std::collections::{BTreeMap, HashMap, HashSet, hash_map};
use std::io::{Cursor, Read};
use std::ops::Range;
use std::sync::Arc;

use zip::CompressionMethod;

use crate::blocks::Blocks;
use crate::chunks::Chunks;
use crate::content_types::ContentTypes;
use crate::error::PackageError;
use crate::limits::Limits;
use crate::part::PartReader;
use crate::relationships::Relationships;

/// How an entry's bytes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Stored,
    Deflated,
    Other,
}

/// One entry of the directory.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) method: Method,
    pub(crate) crc32: u32,
    pub(crate) data: Range<usize>,
    pub(crate) declared_size: u64,
    pub(crate) is_encrypted: bool,
}

/// A package: the whole file in memory, and a directory of its parts.
///
/// Part names are kept without a leading slash and found without regard to case, as Part 2 §6.2.2.3 asks; backslashes of
/// some writers count as slashes. Names that would leave the package are not parts.
#[derive(Debug, Clone)]
pub struct Package {
    pub(crate) bytes: Arc<[u8]>,
    entries: Arc<Vec<Entry>>,
    by_name: Arc<HashMap<String, usize>>,
    duplicates: Vec<String>,
    /// By name in lower case: what became of parts since the package was opened; none where one is gone.
    pub(crate) changed: BTreeMap<String, Option<ChangedPart>>,
    pub(crate) limits: Limits,
}

/// A part's new content.
#[derive(Debug, Clone)]
pub(crate) struct ChangedPart {
    pub(crate) bytes: Arc<[u8]>,
    entry: Entry,
}

impl ChangedPart {
    pub(crate) fn name(&self) -> &str {
        &self.entry.name
    }
}

impl Package {
    /// Reads the directory of a zip.
    pub fn open(bytes: Arc<[u8]>, limits: &Limits) -> Result<Package, PackageError> {
        let mut archive = zip::ZipArchive::new(Cursor::new(Arc::clone(&bytes))).map_err(damaged)?;
        if archive.len() > limits.max_parts {
            return Err(over("the number of parts", limits.max_parts as u64, "SPREADSHEET_MCP_MAX_PARTS"));
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(archive.len());
        let mut by_name = HashMap::with_capacity(archive.len());
        // The zip crate keeps the last of several entries of exactly one name and forgets the others.
        let mut duplicates = match archive.has_duplicate_names() {
            true => repeated_names(&bytes, archive.central_directory_start()),
            false => Vec::new(),
        };
        let mut total: u64 = 0;
        for index in 0..archive.len() {
            let file = archive.by_index_raw(index).map_err(damaged)?;
            let Some(name) = part_name(file.name_raw()) else { continue };
            let start = usize::try_from(file.data_start().unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
            let end = start.saturating_add(usize::try_from(file.compressed_size()).unwrap_or(usize::MAX));
            if end > bytes.len() {
                return Err(PackageError::Zip(format!(
                    "the entry {name} reaches beyond the end of the file"
                )));
            }
            let method = match file.compression() {
                CompressionMethod::Stored => Method::Stored,
                CompressionMethod::Deflated => Method::Deflated,
                _ => Method::Other,
            };
            total = total.saturating_add(file.size());
            let entry = Entry {
                method,
                crc32: file.crc32(),
                data: start..end,
                declared_size: file.size(),
                is_encrypted: file.encrypted(),
                name,
            };
            // Of several entries of one name the last counts, as for unzip and other spreadsheet libraries.
            match by_name.entry(entry.name.to_ascii_lowercase()) {
                hash_map::Entry::Occupied(earlier) => {
                    duplicates.push(entry.name.clone());
                    entries[*earlier.get()] = entry;
                }
                hash_map::Entry::Vacant(slot) => {
                    slot.insert(entries.len());
                    entries.push(entry);
                }
            }
        }
        if total > limits.max_total_bytes {
            return Err(over(
                "the size of all parts",
                limits.max_total_bytes,
                "SPREADSHEET_MCP_MAX_TOTAL_BYTES",
            ));
        }
        check_overlaps(&entries)?;
        Ok(Package {
            bytes,
            entries: Arc::new(entries),
            by_name: Arc::new(by_name),
            duplicates,
            changed: BTreeMap::new(),
            limits: limits.clone(),
        })
    }

    /// A package without parts, for a new document.
    pub fn empty(limits: &Limits) -> Package {
        // The end record of a directory without entries (APPNOTE.TXT 4.3.16).
        let mut bytes = [0u8; 22];
        bytes[..4].copy_from_slice(b"PK\x05\x06");
        Package {
            bytes: Arc::from(bytes.as_slice()),
            entries: Arc::default(),
            by_name: Arc::default(),
            duplicates: Vec::new(),
            changed: BTreeMap::new(),
            limits: limits.clone(),
        }
    }

    /// Every part's name: those of the directory in its order, then those that were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let stored = self.entries.iter().map(|entry| entry.name.as_str());
        let is_kept = |name: &&str| !matches!(self.changed.get(&key_of(name)), Some(None));
        let added = self.changed.iter().filter(|(key, _)| !self.by_name.contains_key(*key));
        let added = added.filter_map(|(_, part)| part.as_ref().map(|part| part.entry.name.as_str()));
        stored.filter(is_kept).chain(added)
    }

    /// Gives a part new content, or adds one. The bytes that the package was opened from stay as they are.
    pub fn put(&mut self, name: &str, content: impl Into<Arc<[u8]>>) {
        let bytes: Arc<[u8]> = content.into();
        let key = self.key(name);
        let stored = self.by_name.get(&key).map(|index| self.entries[*index].name.clone());
        let entry = Entry {
            name: stored.unwrap_or_else(|| name.trim_start_matches('/').to_owned()),
            method: Method::Stored,
            crc32: crc32fast::hash(&bytes),
            data: 0..bytes.len(),
            declared_size: bytes.len() as u64,
            is_encrypted: false,
        };
        self.changed.insert(key, Some(ChangedPart { bytes, entry }));
    }

    /// Takes a part away.
    pub fn remove(&mut self, name: &str) {
        let key = self.key(name);
        self.changed.insert(key, None);
    }

    /// Names of the parts that were changed, added or taken away since the package was opened.
    pub fn changed_names(&self) -> impl Iterator<Item = &str> {
        self.changed.iter().map(|(key, part)| match (part, self.by_name.get(key)) {
            (Some(part), _) => part.entry.name.as_str(),
            (None, Some(index)) => self.entries[*index].name.as_str(),
            (None, None) => key.as_str(),
        })
    }

    /// The bytes that the package was opened from.
    pub fn bytes(&self) -> Arc<[u8]> {
        Arc::clone(&self.bytes)
    }

    /// Elements that may nest in one part's XML.
    pub fn max_xml_depth(&self) -> usize {
        self.limits.max_xml_depth
    }

    /// Names that the directory lists more than once; the last entry of each is the part.
    pub fn duplicates(&self) -> &[String] {
        &self.duplicates
    }

    /// Whether a part is there.
    pub fn contains(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// A part's inflated size as the directory declares it: a hint, not a promise.
    pub fn declared_size(&self, name: &str) -> Option<u64> {
        self.entry(name).map(|entry| entry.declared_size)
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        let key = self.key(name);
        match self.changed.get(&key) {
            Some(change) => change.as_ref().map(|part| &part.entry),
            None => self.by_name.get(&key).map(|index| &self.entries[*index]),
        }
    }

    /// The key of a part that is there, whether its name is encoded or not; that of the name as it stands otherwise.
    fn key(&self, name: &str) -> String {
        let key = key_of(name);
        let is_known = |key: &str| self.by_name.contains_key(key) || self.changed.contains_key(key);
        match percent_decoded(&key) {
            Some(decoded) if !is_known(&key) && is_known(&decoded) => decoded,
            _ => key,
        }
    }

    /// A part's content as a stream that checks its budget, length and CRC on the way.
    pub fn stream(&self, name: &str) -> Result<PartReader, PackageError> {
        let entry = self.entry(name).ok_or_else(|| PackageError::MissingPart(name.to_owned()))?.clone();
        let changed = self.changed.get(&self.key(name)).and_then(Option::as_ref);
        let bytes = changed.map_or(&self.bytes, |part| &part.bytes);
        PartReader::new(Arc::clone(bytes), entry, &self.limits)
    }

    /// A part's whole content: for the small ones. A part above [`Limits::max_whole_part_bytes`] is to be streamed.
    pub fn part(&self, name: &str) -> Result<Vec<u8>, PackageError> {
        let mut reader = self.stream(name)?;
        // The reader refuses to inflate more than is declared, so that this one check suffices.
        let declared = reader.entry().declared_size;
        if declared > self.limits.max_whole_part_bytes {
            return Err(over(
                &format!("the part {name} with its inflated size"),
                self.limits.max_whole_part_bytes,
                "SPREADSHEET_MCP_MAX_WHOLE_PART_BYTES",
            ));
        }
        let mut content = Vec::with_capacity(usize::try_from(declared).unwrap_or(usize::MAX).min(1 << 20));
        match reader.read_to_end(&mut content) {
            Ok(_) => Ok(content),
            Err(error) => Err(reader.into_error(&error)),
        }
    }

    /// A part's content in large pieces that a second thread inflates.
    pub fn chunks(&self, name: &str) -> Result<Chunks, PackageError> {
        Chunks::start(self.stream(name)?)
    }

    /// As [`Package::chunks`], with the blocks of what is read, which [`PartWriter::copy`](crate::PartWriter::copy) takes.
    pub fn chunks_with_blocks(&self, name: &str) -> Result<(Chunks, Option<Blocks>), PackageError> {
        let mut reader = self.stream(name)?;
        let blocks = reader.note_blocks().map_err(|error| PackageError::Thread(error.to_string()))?;
        Ok((Chunks::start(reader)?, blocks))
    }

    /// What the parts are.
    pub fn content_types(&self) -> Result<ContentTypes, PackageError> {
        ContentTypes::read(self)
    }

    /// The relationships of a part, or of the package for the empty name; none if there is no such part.
    pub fn relationships(&self, source: &str) -> Result<Relationships, PackageError> {
        Relationships::read(self, source)
    }
}

fn damaged(error: zip::result::ZipError) -> PackageError {
    let problem = error.to_string();
    // "EOCD" tells a person nothing.
    match problem.contains("EOCD") {
        true => {
            PackageError::Zip("its directory, which stands at the end of the file, is missing".to_owned())
        }
        false => PackageError::Zip(problem),
    }
}

pub(crate) fn over(what: &str, limit: u64, option: &'static str) -> PackageError {
    PackageError::OverBudget { what: what.to_owned(), limit, option }
}

fn key_of(name: &str) -> String {
    name.strip_prefix('/').unwrap_or(name).to_ascii_lowercase()
}

/// A normalised part name; `None` for folders and for names that would leave the package.
pub(crate) fn part_name(raw: &[u8]) -> Option<String> {
    let name = String::from_utf8_lossy(raw).replace('\\', "/");
    let name = name.trim_start_matches('/');
    let is_inside = !name.is_empty()
        && !name.ends_with('/')
        && !name.contains('\0')
        && name.split('/').all(|segment| segment != "..");
    is_inside.then(|| name.to_owned())
}

/// `%20` and its like decoded; `None` if there is nothing to decode. Some writers encode a target but not the entry.
fn percent_decoded(name: &str) -> Option<String> {
    let (head, mut rest) = name.split_at(name.find('%')?);
    let mut decoded = head.as_bytes().to_vec();
    while let Some(character) = rest.chars().next() {
        let code = rest.get(1..3).filter(|_| character == '%');
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = &rest[3..];
            }
            None => {
                decoded.extend_from_slice(&rest.as_bytes()[..character.len_utf8()]);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    String::from_utf8(decoded).ok()
}

/// Names that the directory at `start` lists again, read straight from its headers (APPNOTE.TXT 4.3.12).
fn repeated_names(bytes: &[u8], start: u64) -> Vec<String> {
    const HEADER_BYTES: usize = 46;
    let mut seen = HashSet::new();
    let mut repeated = Vec::new();
    let mut rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
    while let Some(header) = rest.get(..HEADER_BYTES).filter(|header| header.starts_with(b"PK\x01\x02")) {
        let length = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let Some(name) = rest.get(HEADER_BYTES..HEADER_BYTES + length(28)) else { break };
        if !seen.insert(name) {
            repeated.extend(part_name(name));
        }
        let next = HEADER_BYTES + length(28) + length(30) + length(32);
        rest = rest.get(next..).unwrap_or_default();
    }
    repeated
}

/// Entries that share compressed bytes multiply a bomb (David Fifield, "A better zip bomb", 2019).
fn check_overlaps(entries: &[Entry]) -> Result<(), PackageError> {
    let mut ranges: Vec<(&Range<usize>, &str)> = entries
        .iter()
        .filter(|entry| !entry.data.is_empty())
        .map(|entry| (&entry.data, entry.name.as_str()))
        .collect();
    ranges.sort_unstable_by_key(|(range, _)| range.start);
    match ranges.windows(2).find(|pair| pair[1].0.start < pair[0].0.end) {
        Some(pair) => Err(PackageError::Zip(format!("the entries {} and {} overlap", pair[0].1, pair[1].1))),
        None => Ok(()),
    }
}
