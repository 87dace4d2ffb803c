//! A part's content in pieces, inflated by a second thread while the first one parses.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::error::PackageError;
use crate::part::PartReader;

/// Bytes of one piece.
const CHUNK_BYTES: usize = 256 << 10;
/// Pieces inflated ahead.
const AHEAD: usize = 4;

/// Pieces of a part's content, in order. Dropping it ends the inflating thread.
pub struct Chunks {
    full: Receiver<Result<Vec<u8>, PackageError>>,
    empty: Sender<Vec<u8>>,
}

impl Chunks {
    pub(crate) fn start(reader: PartReader) -> Chunks {
        let (full_sender, full) = sync_channel(AHEAD);
        let (empty, empty_receiver) = channel();
        thread::spawn(move || inflate(reader, &full_sender, &empty_receiver));
        Chunks { full, empty }
    }

    /// Gives a piece back so that its memory is used again.
    pub fn recycle(&self, chunk: Vec<u8>) {
        // The thread may have ended already; then the piece is simply freed.
        let _ = self.empty.send(chunk);
    }
}

impl Iterator for Chunks {
    type Item = Result<Vec<u8>, PackageError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.full.recv().ok()
    }
}

fn inflate(
    mut reader: PartReader,
    full: &SyncSender<Result<Vec<u8>, PackageError>>,
    empty: &Receiver<Vec<u8>>,
) {
    loop {
        let mut chunk = empty.try_recv().unwrap_or_default();
        chunk.resize(CHUNK_BYTES, 0);
        let mut filled = 0;
        while filled < CHUNK_BYTES {
            match reader.fill(&mut chunk[filled..]) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) => {
                    let _ = full.send(Err(error));
                    return;
                }
            }
        }
        chunk.truncate(filled);
        // A closed channel means that the reader lost interest.
        if filled == 0 || full.send(Ok(chunk)).is_err() {
            return;
        }
    }
}
