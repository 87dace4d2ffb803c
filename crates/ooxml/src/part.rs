//! One part's content, inflated under a budget.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};

use crate::blocks::{BlockInflater, Blocks};
use crate::error::PackageError;
use crate::limits::Limits;
use crate::package::{Entry, Method, over};

/// Bytes inflated at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// A part's content as a stream. An [`io::Error`] that it returns carries a [`PackageError`], which
/// [`PartReader::into_error`] and [`PartReader::failure`] give back too.
pub struct PartReader {
    bytes: Arc<[u8]>,
    entry: Entry,
    limits: Limits,
    inflater: Inflater,
    consumed: usize,
    produced: u64,
    hasher: crc32fast::Hasher,
    is_done: bool,
    failure: Option<PackageError>,
    buffer: Vec<u8>,
    buffer_at: usize,
}

enum Inflater {
    /// Not compressed.
    Stored,
    Plain(Decompress),
    Noting(BlockInflater),
}

impl PartReader {
    pub(crate) fn new(bytes: Arc<[u8]>, entry: Entry, limits: &Limits) -> Result<PartReader, PackageError> {
        if entry.is_encrypted {
            return Err(PackageError::EncryptedPart(entry.name));
        }
        let inflater = match entry.method {
            Method::Stored => Inflater::Stored,
            Method::Deflated => Inflater::Plain(Decompress::new(false)),
            Method::Other => {
                return Err(PackageError::DamagedPart {
                    part: entry.name,
                    problem: "it is compressed in a way that no spreadsheet program uses".to_owned(),
                });
            }
        };
        Ok(PartReader {
            bytes,
            entry,
            limits: limits.clone(),
            inflater,
            consumed: 0,
            produced: 0,
            hasher: crc32fast::Hasher::new(),
            is_done: false,
            failure: None,
            buffer: Vec::new(),
            buffer_at: 0,
        })
    }

    /// Notes on the way where the blocks are that the part is compressed in, if it is. To be said before anything is read.
    pub fn note_blocks(&mut self) -> io::Result<Option<Blocks>> {
        if !matches!(self.inflater, Inflater::Plain(_)) {
            return Ok(None);
        }
        let blocks = Blocks::new(Arc::clone(&self.bytes), self.entry.data.clone());
        self.inflater = Inflater::Noting(BlockInflater::new(blocks.clone())?);
        Ok(Some(blocks))
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The part's name.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// What a failed read stands for.
    pub fn into_error(self, error: &io::Error) -> PackageError {
        self.failure.unwrap_or_else(|| PackageError::DamagedPart {
            part: self.entry.name,
            problem: error.to_string(),
        })
    }

    /// The typed cause of the last failed read.
    pub fn failure(&self) -> Option<&PackageError> {
        self.failure.as_ref()
    }

    /// Fills `out` as far as the content goes; 0 at its end.
    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<usize, PackageError> {
        if out.is_empty() || self.is_done {
            // What failed once fails again: an end must not look like success.
            return self.failure.clone().map_or(Ok(0), Err);
        }
        let compressed = &self.bytes[self.entry.data.clone()];
        let rest = &compressed[self.consumed..];
        let damaged = |problem: String| PackageError::DamagedPart { part: self.entry.name.clone(), problem };
        let (taken, filled) = match &mut self.inflater {
            Inflater::Stored => {
                let length = rest.len().min(out.len());
                out[..length].copy_from_slice(&rest[..length]);
                self.is_done = length == rest.len();
                (length, length)
            }
            Inflater::Plain(inflater) => {
                let before = (inflater.total_in(), inflater.total_out());
                let status = inflater
                    .decompress(rest, out, FlushDecompress::None)
                    .map_err(|error| damaged(error.to_string()))?;
                self.is_done = status == Status::StreamEnd;
                ((inflater.total_in() - before.0) as usize, (inflater.total_out() - before.1) as usize)
            }
            Inflater::Noting(inflater) => {
                let before = inflater.totals();
                // An empty block is taken without anything coming of it.
                while inflater.totals().1 == before.1 && !self.is_done {
                    let now = inflater.totals();
                    self.is_done =
                        inflater.inflate(&rest[(now.0 - before.0) as usize..], out).map_err(damaged)?;
                    if inflater.totals() == now {
                        break;
                    }
                }
                let (taken, made) = inflater.totals();
                ((taken - before.0) as usize, (made - before.1) as usize)
            }
        };
        self.consumed += taken;
        if filled == 0 && !self.is_done {
            return Err(self.damaged("its compressed bytes end too early"));
        }
        self.produced += filled as u64;
        self.hasher.update(&out[..filled]);
        self.check()?;
        Ok(filled)
    }

    fn check(&self) -> Result<(), PackageError> {
        let size = |what| format!("the part {} with {what}", self.entry.name);
        if self.produced > self.limits.max_part_bytes {
            let what = size("its inflated size");
            return Err(over(&what, self.limits.max_part_bytes, "SPREADSHEET_MCP_MAX_PART_BYTES"));
        }
        let compressed = self.entry.data.len().max(1) as u64;
        if self.produced > Limits::RATIO_FLOOR && self.produced / compressed > self.limits.max_ratio {
            let what = size("its compression ratio (a zip bomb?)");
            return Err(over(&what, self.limits.max_ratio, "SPREADSHEET_MCP_MAX_COMPRESSION_RATIO"));
        }
        // Nothing may inflate to more than it declares: then the sum of what is declared bounds the whole package.
        if self.produced > self.entry.declared_size {
            return Err(self.damaged("it inflates to more bytes than the zip's directory says"));
        }
        if self.is_done && self.produced != self.entry.declared_size {
            return Err(self.damaged("it inflates to fewer bytes than the zip's directory says"));
        }
        if self.is_done && self.hasher.clone().finalize() != self.entry.crc32 {
            return Err(self.damaged("its checksum (CRC-32) is wrong"));
        }
        Ok(())
    }

    fn damaged(&self, problem: &str) -> PackageError {
        PackageError::DamagedPart { part: self.entry.name.clone(), problem: problem.to_owned() }
    }

    fn fail(&mut self, error: PackageError) -> io::Error {
        let told = io::Error::new(io::ErrorKind::InvalidData, error.clone());
        self.is_done = true;
        self.failure = Some(error);
        told
    }
}

impl Read for PartReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.buffer_at < self.buffer.len() {
            let rest = &self.buffer[self.buffer_at..];
            let length = rest.len().min(out.len());
            out[..length].copy_from_slice(&rest[..length]);
            self.buffer_at += length;
            return Ok(length);
        }
        self.fill(out).map_err(|error| self.fail(error))
    }
}

impl BufRead for PartReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffer_at == self.buffer.len() {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(BUFFER_BYTES, 0);
            let filled = self.fill(&mut buffer).map_err(|error| self.fail(error))?;
            buffer.truncate(filled);
            self.buffer = buffer;
            self.buffer_at = 0;
        }
        Ok(&self.buffer[self.buffer_at..])
    }

    fn consume(&mut self, amount: usize) {
        self.buffer_at += amount;
    }
}
