//! A view of a part's bytes that moves forward piece by piece.

use std::io::{self, BufRead, Read};

use memchr::{memchr2, memmem};
use ooxml::{Blocks, Chunks, Package, PackageError, PartReader, PartWriter};

use crate::error::OpenError;
use crate::xlsx::markup;

/// Bytes that one token (a cell with its text, the head of a sheet) may take.
const MAX_TOKEN_BYTES: usize = 64 << 20;

/// Parts of up to as many bytes are inflated as they are read: a thread would cost more than it saves.
const SMALL_PART_BYTES: u64 = 512 << 10;
/// Bytes of a small part read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Where bytes come from.
enum Source {
    /// Pieces that a second thread inflates.
    Chunks(Chunks),
    Small(Box<PartReader>),
    Pieces(std::vec::IntoIter<Vec<u8>>),
    /// All bytes are here.
    Over,
}

impl Source {
    /// The next piece, in the memory of an earlier one where possible; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<u8>>, PackageError> {
        match self {
            Source::Chunks(chunks) => chunks.next().transpose(),
            Source::Small(reader) => {
                let mut piece = vec![0; PIECE_BYTES];
                match reader.read(&mut piece) {
                    Ok(length) => {
                        piece.truncate(length);
                        Ok((length > 0).then_some(piece))
                    }
                    Err(error) => {
                        Err(reader.failure().cloned().unwrap_or_else(|| PackageError::DamagedPart {
                            part: reader.name().to_owned(),
                            problem: error.to_string(),
                        }))
                    }
                }
            }
            Source::Pieces(pieces) => Ok(pieces.next()),
            Source::Over => Ok(None),
        }
    }

    fn recycle(&self, piece: Vec<u8>) {
        if let Source::Chunks(chunks) = self {
            chunks.recycle(piece);
        }
    }
}

/// The bytes of a part from the current position to as far as has been read.
pub(crate) struct Window {
    part: String,
    source: Source,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes passed in earlier pieces: for progress and error messages.
    passed: u64,
    /// How the part is compressed, where that is to be kept in a copy.
    blocks: Option<Blocks>,
    /// What [`Window::find_end`] looked for last.
    end_tag: Option<(Vec<u8>, memmem::Finder<'static>)>,
}

impl Window {
    /// A part from its start.
    pub(crate) fn open(package: &Package, part: &str) -> Result<Window, PackageError> {
        let is_small = package.declared_size(part).is_some_and(|size| size <= SMALL_PART_BYTES);
        let source = match is_small {
            true => Source::Small(Box::new(package.stream(part)?)),
            false => Source::Chunks(package.chunks(part)?),
        };
        let mut window = Window::new(part, source, None);
        window.grow()?;
        Ok(window)
    }

    /// A part from its start, most of which will be copied ([`Window::copy`]).
    pub(crate) fn open_to_copy(package: &Package, part: &str) -> Result<Window, PackageError> {
        if package.declared_size(part).is_some_and(|size| size <= SMALL_PART_BYTES) {
            return Window::open(package, part);
        }
        let (chunks, blocks) = package.chunks_with_blocks(part)?;
        let mut window = Window::new(part, Source::Chunks(chunks), blocks);
        window.grow()?;
        Ok(window)
    }

    fn new(part: &str, source: Source, blocks: Option<Blocks>) -> Window {
        Window { part: part.to_owned(), source, buffer: Vec::new(), at: 0, passed: 0, blocks, end_tag: None }
    }

    /// Bytes that are there already.
    pub(crate) fn of_bytes(part: &str, bytes: Vec<u8>) -> Window {
        Window::new(part, Source::Pieces(vec![bytes].into_iter()), None)
    }

    /// Bytes in pieces of a given size, as an inflating thread might deliver them.
    #[cfg(test)]
    pub(crate) fn of_pieces(bytes: &[u8], size: usize) -> Window {
        let pieces: Vec<Vec<u8>> = bytes.chunks(size).map(<[u8]>::to_vec).collect();
        Window::new("part", Source::Pieces(pieces.into_iter()), None)
    }

    /// Whether the part is written as nearly all are: in UTF-8, its root element `root` without a namespace prefix.
    /// Then it can be scanned as bytes; anything else is for an XML reader.
    pub(crate) fn is_scannable(&self, root: &str) -> bool {
        let start = self.rest();
        let root_at =
            memmem::find_iter(start, root).find(|at| matches!(start[..*at].last(), Some(b'<' | b':')));
        let Some(root_at) = root_at.filter(|at| start[at - 1] == b'<') else { return false };
        let declaration = &start[..root_at];
        let names_encoding = memmem::find(declaration, b"encoding").is_some();
        let is_utf8 =
            |name: &[u8]| name.eq_ignore_ascii_case(b"utf-8") || name.eq_ignore_ascii_case(b"us-ascii");
        !names_encoding || declaration.split(|byte| matches!(byte, b'"' | b'\'')).any(is_utf8)
    }

    /// The part is damaged at the current position.
    pub(crate) fn damaged(&self, problem: &str) -> OpenError {
        OpenError::Damaged {
            part: self.part.clone(),
            problem: format!("{problem}, at byte {}", self.position()),
        }
    }

    pub(crate) fn unknown_entity(&self) -> OpenError {
        self.damaged("an entity is not one of XML's own")
    }

    pub(crate) fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    pub(crate) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Passes as many bytes, which are written as they stand.
    pub(crate) fn copy(&mut self, bytes: usize, out: &mut PartWriter<'_>) -> io::Result<()> {
        out.copy(self.blocks.as_ref(), self.position(), &self.rest()[..bytes])?;
        self.advance(bytes);
        Ok(())
    }

    /// Position within the part.
    pub(crate) fn position(&self) -> u64 {
        self.passed + self.at as u64
    }

    /// Reads another piece behind the current bytes. `false` at the end of the part.
    pub(crate) fn grow(&mut self) -> Result<bool, PackageError> {
        let Some(piece) = self.source.next()? else {
            self.source = Source::Over;
            return Ok(false);
        };
        self.passed += self.at as u64;
        if self.at == self.buffer.len() {
            self.source.recycle(std::mem::replace(&mut self.buffer, piece));
        } else {
            self.buffer.drain(..self.at);
            self.buffer.extend_from_slice(&piece);
            self.source.recycle(piece);
        }
        self.at = 0;
        if self.buffer.len() > MAX_TOKEN_BYTES {
            return Err(PackageError::DamagedPart {
                part: self.part.clone(),
                problem: format!("one element takes more than {MAX_TOKEN_BYTES} bytes"),
            });
        }
        Ok(true)
    }

    /// Where the end tag `</name>` starts and ends, looked for behind `from`, reading on as far as needed.
    pub(crate) fn find_end(
        &mut self,
        name: &[u8],
        mut from: usize,
    ) -> Result<Option<(usize, usize)>, PackageError> {
        if let Some(end) = self.plain_end(name, from) {
            return Ok(Some(end));
        }
        loop {
            match markup::find_end(self.rest(), name, from) {
                Ok(end) => return Ok(Some(end)),
                Err(reached) => from = reached,
            }
            if !self.grow()? {
                return Ok(None);
            }
        }
    }

    /// As [`Window::find_end`] among the bytes that are there, if what is passed over has no comments and no CDATA.
    fn plain_end(&mut self, name: &[u8], from: usize) -> Option<(usize, usize)> {
        if self.end_tag.as_ref().is_none_or(|(known, _)| known != name) {
            let finder = memmem::Finder::new(&[b"</", name].concat()).into_owned();
            self.end_tag = Some((name.to_vec(), finder));
        }
        let (_, finder) = self.end_tag.as_ref()?;
        let content = &self.rest()[from..];
        let open = finder.find(content)?;
        let after = open + 2 + name.len();
        let is_plain = content.get(after) == Some(&b'>') && memchr2(b'!', b'?', &content[..open]).is_none();
        is_plain.then_some((from + open, from + after + 1))
    }

    /// Offset of `needle` behind the current position, reading on as far as needed.
    pub(crate) fn find(&mut self, needle: &[u8]) -> Result<Option<usize>, PackageError> {
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
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
        Ok(self.rest())
    }

    fn consume(&mut self, amount: usize) {
        self.advance(amount);
    }
}
