//! Where the blocks of a deflate stream (RFC 1951 §3.2.3) start, noted while it is inflated: a block whose content stays
//! need not be compressed again when the part is saved.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libz_rs_sys::{Z_BLOCK, Z_BUF_ERROR, Z_OK, Z_STREAM_END, inflate, inflateEnd, inflateInit2_, z_stream};

/// How far back a block may refer to what is before it (RFC 1951 §2).
pub(crate) const WINDOW_BYTES: u64 = 32 << 10;

/// Where a block starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    /// Bits of the compressed bytes before it.
    pub(crate) bit: u64,
    /// Bytes of the content before it.
    pub(crate) offset: u64,
}

/// The blocks of a part's content, known as far as it has been read. Copies of it are of the same part.
#[derive(Clone)]
pub struct Blocks {
    bytes: Arc<[u8]>,
    data: Range<usize>,
    starts: Arc<Mutex<Vec<Start>>>,
}

impl Blocks {
    pub(crate) fn new(bytes: Arc<[u8]>, data: Range<usize>) -> Blocks {
        Blocks { bytes, data, starts: Arc::new(Mutex::new(vec![Start { bit: 0, offset: 0 }])) }
    }

    /// The compressed content.
    pub(crate) fn compressed(&self) -> &[u8] {
        &self.bytes[self.data.clone()]
    }

    /// Where blocks start, and at the end where the last one that is known ends.
    pub(crate) fn starts(&self) -> MutexGuard<'_, Vec<Start>> {
        self.starts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_same(&self, other: &Blocks) -> bool {
        Arc::ptr_eq(&self.starts, &other.starts)
    }
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocks").field("data", &self.data).finish_non_exhaustive()
    }
}

/// Inflates and notes where blocks start, which the safe interface of the library does not tell.
pub(crate) struct BlockInflater {
    stream: Box<z_stream>,
    total_in: u64,
    total_out: u64,
    blocks: Blocks,
}

// SAFETY: the stream points to its own state, which nothing else refers to; input and output are set for each call.
unsafe impl Send for BlockInflater {}
// SAFETY: a shared reference gives no access to the stream.
unsafe impl Sync for BlockInflater {}

impl BlockInflater {
    pub(crate) fn new(blocks: Blocks) -> io::Result<BlockInflater> {
        let mut stream = Box::new(z_stream::default());
        // SAFETY: the stream is initialised, and version and size are those of the library that is linked.
        let status = unsafe {
            inflateInit2_(&raw mut *stream, -15, libz_rs_sys::zlibVersion(), size_of::<z_stream>() as i32)
        };
        match status {
            Z_OK => Ok(BlockInflater { stream, total_in: 0, total_out: 0, blocks }),
            _ => Err(io::Error::from(io::ErrorKind::OutOfMemory)),
        }
    }

    /// Bytes taken and given so far.
    pub(crate) fn totals(&self) -> (u64, u64) {
        (self.total_in, self.total_out)
    }

    /// Inflates up to the end of a block at most; whether the stream is at its end.
    pub(crate) fn inflate(&mut self, input: &[u8], out: &mut [u8]) -> Result<bool, String> {
        let given_in = input.len().min(1 << 30);
        let given_out = out.len().min(1 << 30);
        self.stream.next_in = input.as_ptr().cast_mut();
        self.stream.avail_in = given_in as u32;
        self.stream.next_out = out.as_mut_ptr();
        self.stream.avail_out = given_out as u32;
        // SAFETY: the pointers and lengths are those of the slices, which outlive the call; input is only read.
        let status = unsafe { inflate(&raw mut *self.stream, Z_BLOCK) };
        self.total_in += (given_in - self.stream.avail_in as usize) as u64;
        self.total_out += (given_out - self.stream.avail_out as usize) as u64;
        // Bit 7: right behind the end of a block; then the low bits are how many of the last byte are not used.
        if self.stream.data_type & 128 != 0 && matches!(status, Z_OK | Z_STREAM_END) {
            let unused = u64::from(self.stream.data_type.unsigned_abs() & 7);
            let start = Start { bit: 8 * self.total_in - unused, offset: self.total_out };
            let mut starts = self.blocks.starts();
            if starts.last().is_some_and(|last| last.bit < start.bit) {
                starts.push(start);
            }
        }
        match status {
            Z_OK | Z_BUF_ERROR => Ok(false),
            Z_STREAM_END => Ok(true),
            status => Err(format!("its compressed bytes are wrong (zlib status {status})")),
        }
    }
}

impl Drop for BlockInflater {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised by `inflateInit2_`, and this is its only end.
        unsafe { inflateEnd(&raw mut *self.stream) };
    }
}

/// Whether the block that starts at a bit is stored: its bytes stand at whole bytes of the stream, and can only stay there.
pub(crate) fn is_stored(bytes: &[u8], bit: u64) -> bool {
    let kind = |bit: u64| bytes.get((bit / 8) as usize).is_some_and(|byte| byte >> (bit % 8) & 1 == 1);
    !kind(bit + 1) && !kind(bit + 2)
}

/// Some bits of `bytes` from the start of a byte on, padded with zeros.
pub(crate) fn copy_bits(bytes: &[u8], bits: Range<u64>, out: &mut Vec<u8>) {
    let length = (bits.end - bits.start).div_ceil(8) as usize;
    let first = (bits.start / 8) as usize;
    let shift = (bits.start % 8) as u32;
    let before = out.len();
    if shift == 0 {
        out.extend_from_slice(&bytes[first..first + length]);
    } else {
        let last = bits.end.div_ceil(8) as usize;
        let source = &bytes[first..last];
        out.reserve(length);
        let mut words = source.windows(9).step_by(8);
        for window in &mut words {
            let word = u64::from_le_bytes(window[..8].try_into().expect("invariant: eight of nine bytes"));
            let word = word >> shift | u64::from(window[8]) << (64 - shift);
            out.extend_from_slice(&word.to_le_bytes());
        }
        for at in out.len() - before..length {
            let next = source.get(at + 1).copied().unwrap_or_default();
            out.push(source[at] >> shift | next << (8 - shift));
        }
    }
    let spare = (8 * length as u64 - (bits.end - bits.start)) as u32;
    if let Some(last) = out.last_mut().filter(|_| spare > 0) {
        *last &= 0xff >> spare;
    }
}
