//! A view of a part's bytes that moves forward piece by piece.

use std::io::{self, BufRead, Read};

use memchr::memmem;
use ooxml::Chunks;

use crate::error::OpenError;

/// Bytes that one token (a cell with its text, the head of a sheet) may take.
const MAX_TOKEN_BYTES: usize = 64 << 20;

/// Where the bytes come from.
pub(super) enum Source {
    /// Pieces that a second thread inflates.
    Chunks(Chunks),
    /// Bytes that are all there already.
    Nothing,
}

/// The bytes from the current position to as far as has been read.
pub(super) struct Window {
    source: Source,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes passed in earlier pieces: for progress and error messages.
    passed: u64,
}

impl Window {
    pub(super) fn new(source: Source, start: Vec<u8>) -> Window {
        Window { source, buffer: start, at: 0, passed: 0 }
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Position within the part.
    pub(super) fn position(&self) -> u64 {
        self.passed + self.at as u64
    }

    /// Reads another piece behind the current bytes. `false` at the end of the part.
    pub(super) fn grow(&mut self) -> Result<bool, OpenError> {
        let Source::Chunks(chunks) = &mut self.source else { return Ok(false) };
        let Some(chunk) = chunks.next() else {
            self.source = Source::Nothing;
            return Ok(false);
        };
        let chunk = chunk?;
        self.passed += self.at as u64;
        if self.at == self.buffer.len() {
            chunks.recycle(std::mem::replace(&mut self.buffer, chunk));
        } else {
            self.buffer.drain(..self.at);
            self.buffer.extend_from_slice(&chunk);
            chunks.recycle(chunk);
        }
        self.at = 0;
        if self.buffer.len() > MAX_TOKEN_BYTES {
            return Err(OpenError::Damaged {
                part: "a sheet".to_owned(),
                problem: format!("one element takes more than {MAX_TOKEN_BYTES} bytes"),
            });
        }
        Ok(true)
    }

    /// Offset of `needle` behind the current position, reading on as far as needed.
    pub(super) fn find(&mut self, needle: &[u8]) -> Result<Option<usize>, OpenError> {
        let finder = memmem::Finder::new(needle);
        let mut from = 0;
        loop {
            if let Some(found) = finder.find(&self.rest()[from..]) {
                return Ok(Some(from + found));
            }
            from = self.rest().len().saturating_sub(needle.len());
            if !self.grow()? {
                return Ok(None);
            }
        }
    }
}

/// The remaining bytes as a stream.
impl Read for Window {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(out)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Window {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.buffer.len() {
            match self.grow() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string())),
            }
        }
        Ok(self.rest())
    }

    fn consume(&mut self, amount: usize) {
        self.advance(amount);
    }
}
