//! Saving a package with some parts changed: whatever is not changed is copied as it is, still compressed (LOSSLESS).

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufWriter, Cursor, Seek, Write};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::deflate::Deflated;
use crate::package::{Package, part_name};
use crate::part_writer::PartWriter;

/// Bytes that gather before they are compressed: writers of XML write little at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// Writes a part's content.
type Content<'a> = Box<dyn Fn(&mut PartWriter<'_>) -> io::Result<()> + 'a>;

/// What becomes of parts. Names are found without regard to case, as when they are read.
#[derive(Default)]
pub struct Changes<'a> {
    /// By name in lower case: the name as given, and its new content, or none where the part goes.
    parts: BTreeMap<String, (String, Option<Content<'a>>)>,
}

/// Why a package could not be saved. What was written so far is no package.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The content could not be made, or the target does not take it: full, closed, forbidden.
    #[error("the package could not be written: {0}")]
    Write(#[from] io::Error),
    /// An entry of the package as it was read cannot be copied.
    #[error("the part {part} could not be copied: {problem}")]
    Copy {
        /// Its name.
        part: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Where a part's new content comes from.
enum Source<'a> {
    Bytes(&'a [u8]),
    Stream(&'a (dyn Fn(&mut PartWriter<'_>) -> io::Result<()> + 'a)),
}

impl<'a> Changes<'a> {
    /// No changes.
    pub fn new() -> Changes<'a> {
        Changes::default()
    }

    /// Gives a part new content, where it stands; a part that is not there is added behind the others.
    pub fn put(&mut self, name: &str, content: Vec<u8>) {
        self.stream(name, move |out| out.write_all(&content));
    }

    /// As [`Changes::put`], with content that is written when the package is: a large part need not be in memory.
    pub fn stream(&mut self, name: &str, content: impl Fn(&mut PartWriter<'_>) -> io::Result<()> + 'a) {
        self.set(name, Some(Box::new(content)));
    }

    /// Leaves a part out.
    pub fn remove(&mut self, name: &str) {
        self.set(name, None);
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn set(&mut self, name: &str, content: Option<Content<'a>>) {
        let name = name.trim_start_matches('/');
        self.parts.insert(name.to_ascii_lowercase(), (name.to_owned(), content));
    }
}

impl fmt::Debug for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.parts.values().map(|(name, content)| (name, content.is_some()))).finish()
    }
}

impl Package {
    /// Writes the package as it was changed ([`Package::put`]) and with further changes, which go before those; its
    /// parts in the order that they have.
    ///
    /// # Errors
    /// When the target does not take the bytes, or an entry cannot be copied.
    pub fn save(&self, changes: &Changes<'_>, out: impl Write + Seek) -> Result<(), SaveError> {
        let unreadable = |error: ZipError| SaveError::Copy {
            part: "the zip's directory".to_owned(),
            problem: error.to_string(),
        };
        let mut archive = ZipArchive::new(Cursor::new(&self.bytes)).map_err(unreadable)?;
        let mut writer = ZipWriter::new(out);
        writer.set_raw_comment(archive.comment().into()).map_err(io::Error::from)?;
        let mut written = Vec::new();
        let parts = self.all_changes(changes);
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(unreadable)?;
            let name = part_name(entry.name_raw());
            let key = name.as_ref().map(|name| name.to_ascii_lowercase());
            let change = key.as_ref().and_then(|key| parts.get_key_value(key.as_str()));
            match change {
                None => writer.raw_copy_file(entry).map_err(|error| not_copied(name.as_deref(), error))?,
                Some((key, (_, content))) => {
                    let method = match entry.compression() {
                        CompressionMethod::Stored => CompressionMethod::Stored,
                        _ => CompressionMethod::Deflated,
                    };
                    // Of several entries of one name the first place is kept.
                    let is_first = !written.contains(&key);
                    if let (Some(content), true) = (content, is_first) {
                        write_part(&mut writer, name.as_deref().unwrap_or_default(), method, content)?;
                    }
                    written.push(key);
                }
            }
        }
        for (key, (name, content)) in &parts {
            if let (Some(content), false) = (content, written.contains(&key)) {
                write_part(&mut writer, name, CompressionMethod::Deflated, content)?;
            }
        }
        let mut out = writer.finish().map_err(io::Error::from)?;
        Ok(out.flush()?)
    }

    /// By name in lower case: the changes for this save, and those that the package keeps.
    fn all_changes<'a>(
        &'a self,
        changes: &'a Changes<'_>,
    ) -> BTreeMap<&'a str, (&'a str, Option<Source<'a>>)> {
        let kept = self.changed.iter().map(|(key, part)| {
            let name = part.as_ref().map_or(key.as_str(), |part| part.name());
            (key.as_str(), (name, part.as_ref().map(|part| Source::Bytes(&part.bytes))))
        });
        let added = changes.parts.iter().map(|(key, (name, content))| {
            (key.as_str(), (name.as_str(), content.as_deref().map(|content| Source::Stream(content))))
        });
        kept.chain(added).collect()
    }
}

/// What a failed copy means: that the target does not take it, or that the entry ends too soon or is otherwise wrong.
fn not_copied(name: Option<&str>, error: ZipError) -> SaveError {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => SaveError::Write(error),
        error => SaveError::Copy { part: name.unwrap_or_default().to_owned(), problem: error.to_string() },
    }
}

fn write_part<W: Write + Seek>(
    writer: &mut ZipWriter<W>,
    name: &str,
    method: CompressionMethod,
    content: &Source<'_>,
) -> Result<(), SaveError> {
    if let (Source::Stream(write), CompressionMethod::Deflated) = (content, method) {
        let mut content = PartWriter::deflate()?;
        write(&mut content)?;
        if let Some(deflated) = content.finish()?.filter(|deflated| deflated.size < u64::from(u32::MAX)) {
            return copy_deflated(writer, name, deflated);
        }
        // Beyond what a simple entry holds the library knows the way.
    }
    // Without a clock the time is the zip's own epoch, so that equal content makes equal files.
    let options = SimpleFileOptions::DEFAULT.compression_method(method).large_file(false);
    writer.start_file(name, options).map_err(io::Error::from)?;
    let mut buffered = BufWriter::with_capacity(BUFFER_BYTES, writer);
    match content {
        Source::Bytes(bytes) => buffered.write_all(bytes)?,
        Source::Stream(write) => write(&mut PartWriter::plain(&mut buffered))?,
    }
    Ok(buffered.flush()?)
}

/// Writes an entry whose bytes are compressed already: as the copy of one from an archive that holds nothing else.
fn copy_deflated<W: Write + Seek>(
    writer: &mut ZipWriter<W>,
    name: &str,
    deflated: Deflated,
) -> Result<(), SaveError> {
    let archive = single_entry(name, deflated);
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(io::Error::from)?;
    let entry = archive.by_index_raw(0).map_err(io::Error::from)?;
    Ok(writer.raw_copy_file(entry).map_err(io::Error::from)?)
}

/// An archive with one entry (APPNOTE.TXT 4.3.6): its header, its bytes, the directory, the end record.
pub(crate) fn single_entry(name: &str, deflated: Deflated) -> Vec<u8> {
    /// Version 2.0, names in UTF-8, deflated, at the zip's own epoch.
    const COMMON: [u8; 10] = [20, 0, 0, 8, 8, 0, 0, 0, 0x21, 0];
    let (crc32, size, compressed) = (deflated.crc32, deflated.size as u32, deflated.compressed_size() as u32);
    let mut bytes = Vec::with_capacity(compressed as usize + 2 * name.len() + 128);
    let sizes = |bytes: &mut Vec<u8>| {
        for field in [crc32, compressed, size] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
    };
    bytes.extend_from_slice(b"PK\x03\x04");
    bytes.extend_from_slice(&COMMON);
    sizes(&mut bytes);
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(name.as_bytes());
    for piece in deflated.pieces {
        bytes.extend_from_slice(&piece);
    }
    let directory = bytes.len() as u32;
    bytes.extend_from_slice(b"PK\x01\x02\x14\x00");
    bytes.extend_from_slice(&COMMON);
    sizes(&mut bytes);
    // No extra field, no comment, disk 0, attributes, the entry at the start.
    bytes.extend_from_slice(&[0; 16]);
    bytes.extend_from_slice(name.as_bytes());
    let length = bytes.len() as u32 - directory;
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&directory.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}
