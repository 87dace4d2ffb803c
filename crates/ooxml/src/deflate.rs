//! A part's content compressed: on several threads, in pieces that stand for themselves, so that each can be worked on
//! alone; and where it is a copy of what was compressed before, in the blocks that it had.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use flate2::{Compress, Compression, FlushCompress};

/// Bytes compressed at a time: so many that what is repeated is nearly always among them.
const PIECE_BYTES: usize = 512 << 10;
/// Threads at most.
const MAX_THREADS: usize = 4;
/// Up to as many bytes of a part are compressed well, what follows fast.
const WELL_COMPRESSED_BYTES: u64 = 4 << 20;
/// Levels of zlib: on a large sheet the fast one takes a third of the time, for a fifteenth more bytes.
const GOOD: u32 = 6;
const FAST: u32 = 3;

/// A part's content, compressed.
pub(crate) struct Deflated {
    /// A raw deflate stream (RFC 1951), in pieces.
    pub(crate) pieces: Vec<Vec<u8>>,
    pub(crate) crc32: u32,
    pub(crate) size: u64,
}

impl Deflated {
    pub(crate) fn compressed_size(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }
}

type Job = (usize, u32, Vec<u8>);
type Done = (usize, io::Result<Vec<u8>>);

/// Takes content and compresses it as it comes.
pub(crate) struct Deflater {
    piece: Vec<u8>,
    hasher: crc32fast::Hasher,
    size: u64,
    /// Bytes that were compressed, or will be.
    compressed: u64,
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Done>,
    sent: usize,
    finished: BTreeMap<usize, Vec<u8>>,
    threads: Vec<JoinHandle<()>>,
}

impl Deflater {
    pub(crate) fn start() -> io::Result<Deflater> {
        let count = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        let (jobs, queue) = sync_channel::<Job>(2 * count);
        let (results, done) = channel::<Done>();
        let queue = Arc::new(Mutex::new(queue));
        let spawn = |_| {
            let (queue, results) = (Arc::clone(&queue), results.clone());
            thread::Builder::new().name("deflate".to_owned()).spawn(move || work(&queue, &results))
        };
        let threads = (0..count).map(spawn).collect::<io::Result<Vec<_>>>()?;
        Ok(Deflater {
            piece: Vec::new(),
            hasher: crc32fast::Hasher::new(),
            size: 0,
            compressed: 0,
            jobs: Some(jobs),
            done,
            sent: 0,
            finished: BTreeMap::new(),
            threads,
        })
    }

    /// Content to compress.
    pub(crate) fn compress(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.pass(bytes);
        while !bytes.is_empty() {
            let (taken, rest) = bytes.split_at(bytes.len().min(PIECE_BYTES - self.piece.len()));
            self.piece.extend_from_slice(taken);
            bytes = rest;
            if self.piece.len() == PIECE_BYTES {
                self.send()?;
            }
        }
        Ok(())
    }

    /// Content of which [`Deflater::push`] is to get the compressed form.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// What is compressed already: blocks that end at a byte, none of them the last.
    pub(crate) fn push(&mut self, compressed: Vec<u8>) -> io::Result<()> {
        self.send()?;
        self.finished.insert(self.sent, compressed);
        self.sent += 1;
        Ok(())
    }

    /// Bytes of the content that were not compressed before.
    #[cfg(test)]
    pub(crate) fn compressed_bytes(&self) -> u64 {
        self.compressed + self.piece.len() as u64
    }

    fn send(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        self.compressed += piece.len() as u64;
        let level = if self.compressed > WELL_COMPRESSED_BYTES { FAST } else { GOOD };
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send((self.sent, level, piece)).map_err(|_| ended())?;
        self.sent += 1;
        while let Ok((index, piece)) = self.done.try_recv() {
            self.finished.insert(index, piece?);
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<Deflated> {
        self.send()?;
        drop(self.jobs.take());
        while self.finished.len() < self.sent {
            let (index, piece) = self.done.recv().map_err(|_| ended())?;
            self.finished.insert(index, piece?);
        }
        for thread in std::mem::take(&mut self.threads) {
            thread.join().map_err(|_| ended())?;
        }
        let mut pieces: Vec<Vec<u8>> = std::mem::take(&mut self.finished).into_values().collect();
        // A last block with nothing in it: fixed codes, end of block.
        pieces.push(vec![0x03, 0x00]);
        Ok(Deflated { pieces, crc32: self.hasher.clone().finalize(), size: self.size })
    }
}

fn ended() -> io::Error {
    io::Error::other("a thread that compresses ended unexpectedly")
}

fn work(queue: &Mutex<Receiver<Job>>, results: &Sender<Done>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((index, level, piece)) = job else { return };
        if results.send((index, deflate(&piece, level))).is_err() {
            return;
        }
    }
}

/// Blocks that end at a byte, so that others can follow.
fn deflate(content: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut compressor = Compress::new(Compression::new(level), false);
    let mut out = Vec::with_capacity(content.len() / 4 + 1024);
    loop {
        let taken = compressor.total_in() as usize;
        compressor
            .compress_vec(&content[taken..], &mut out, FlushCompress::Sync)
            .map_err(io::Error::other)?;
        // Room that is left means that everything, with the mark at its end, is out.
        if compressor.total_in() as usize == content.len() && out.len() < out.capacity() {
            return Ok(out);
        }
        out.reserve(content.len() / 4 + 1024);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[track_caller]
    fn check(content: &[u8]) {
        let mut deflater = Deflater::start().unwrap();
        deflater.compress(content).unwrap();
        let deflated = deflater.finish().unwrap();
        let bytes = deflated.pieces.concat();
        let mut inflated = Vec::new();
        flate2::read::DeflateDecoder::new(bytes.as_slice()).read_to_end(&mut inflated).unwrap();
        assert!(inflated == content, "{} bytes", content.len());
        assert_eq!((deflated.size, deflated.crc32), (content.len() as u64, crc32fast::hash(content)));
    }

    #[test]
    fn what_goes_in_comes_out() {
        check(b"");
        check(b"a");
        let noise: Vec<u8> = (0..3u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        check(&noise);
        check(&b"<c r=\"A1\"><v>1</v></c>".repeat(300_000));
    }
}
