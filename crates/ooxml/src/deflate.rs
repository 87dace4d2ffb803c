//! Large parts compressed on several threads: in blocks that stand for themselves, so that each can be worked on alone.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use flate2::{Compress, Compression, FlushCompress};

/// Bytes of one block: large enough that what is repeated is nearly always in it.
const BLOCK_BYTES: usize = 512 << 10;
/// Threads at most.
const MAX_THREADS: usize = 4;
/// Parts of up to as many bytes are compressed well, larger ones fast.
const SMALL_PART_BYTES: u64 = 4 << 20;

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
    block: Vec<u8>,
    hasher: crc32fast::Hasher,
    size: u64,
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
            block: Vec::with_capacity(BLOCK_BYTES),
            hasher: crc32fast::Hasher::new(),
            size: 0,
            jobs: Some(jobs),
            done,
            sent: 0,
            finished: BTreeMap::new(),
            threads,
        })
    }

    fn send(&mut self) -> io::Result<()> {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK_BYTES));
        self.hasher.update(&block);
        self.size += block.len() as u64;
        let level = if self.size > SMALL_PART_BYTES { 1 } else { 6 };
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send((self.sent, level, block)).map_err(|_| ended())?;
        self.sent += 1;
        while let Ok((index, block)) = self.done.try_recv() {
            self.finished.insert(index, block?);
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<Deflated> {
        if !self.block.is_empty() {
            self.send()?;
        }
        drop(self.jobs.take());
        while self.finished.len() < self.sent {
            let (index, block) = self.done.recv().map_err(|_| ended())?;
            self.finished.insert(index, block?);
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

impl Write for Deflater {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK_BYTES {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ended() -> io::Error {
    io::Error::other("a thread that compresses ended unexpectedly")
}

fn work(queue: &Mutex<Receiver<Job>>, results: &Sender<Done>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((index, level, block)) = job else { return };
        if results.send((index, deflate(&block, level))).is_err() {
            return;
        }
    }
}

/// One block, ended at a byte so that the next one can follow.
fn deflate(block: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut compressor = Compress::new(Compression::new(level), false);
    let mut out = Vec::with_capacity(block.len() / 4 + 1024);
    loop {
        let taken = compressor.total_in() as usize;
        compressor.compress_vec(&block[taken..], &mut out, FlushCompress::Sync).map_err(io::Error::other)?;
        // Room that is left means that everything, with the mark at its end, is out.
        if compressor.total_in() as usize == block.len() && out.len() < out.capacity() {
            return Ok(out);
        }
        out.reserve(block.len() / 4 + 1024);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[track_caller]
    fn check(content: &[u8]) {
        let mut deflater = Deflater::start().unwrap();
        deflater.write_all(content).unwrap();
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
