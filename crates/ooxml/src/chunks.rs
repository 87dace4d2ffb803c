//! A part's content in pieces, inflated by a second thread while the first one parses.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::error::PackageError;
use crate::part::PartReader;

/// Bytes of one piece.
const CHUNK_BYTES: usize = 256 << 10;
/// Pieces inflated ahead.
const AHEAD: usize = 4;

/// What the inflating thread sends.
type Piece = Result<Option<Vec<u8>>, PackageError>;

/// Pieces of a part's content, in order, and at most one error, after which nothing follows. Dropping it ends the
/// inflating thread.
pub struct Chunks {
    full: Receiver<Piece>,
    empty: Sender<Vec<u8>>,
    part: String,
    is_over: bool,
}

impl Chunks {
    pub(crate) fn start(reader: PartReader) -> Result<Chunks, PackageError> {
        let part = reader.name().to_owned();
        let (full_sender, full) = sync_channel(AHEAD);
        let (empty, empty_receiver) = channel();
        thread::Builder::new()
            .name("inflate".to_owned())
            .spawn(move || inflate(reader, &full_sender, &empty_receiver))
            .map_err(|error| PackageError::Thread(error.to_string()))?;
        Ok(Chunks { full, empty, part, is_over: false })
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
        if self.is_over {
            return None;
        }
        // A thread that ends without saying so has not delivered everything.
        let piece = self.full.recv().unwrap_or_else(|_| {
            Err(PackageError::DamagedPart {
                part: self.part.clone(),
                problem: "inflating it ended unexpectedly".to_owned(),
            })
        });
        self.is_over = !matches!(piece, Ok(Some(_)));
        piece.transpose()
    }
}

fn inflate(mut reader: PartReader, full: &SyncSender<Piece>, empty: &Receiver<Vec<u8>>) {
    loop {
        let piece = next_piece(&mut reader, empty.try_recv().unwrap_or_default());
        let is_over = !matches!(piece, Ok(Some(_)));
        // A closed channel means that the other side lost interest.
        if full.send(piece).is_err() || is_over {
            return;
        }
    }
}

fn next_piece(reader: &mut PartReader, mut chunk: Vec<u8>) -> Piece {
    chunk.resize(CHUNK_BYTES, 0);
    let mut filled = 0;
    while filled < CHUNK_BYTES {
        match reader.fill(&mut chunk[filled..])? {
            0 => break,
            length => filled += length,
        }
    }
    chunk.truncate(filled);
    Ok((filled > 0).then_some(chunk))
}
