//! What a part's new content is written to.

use std::io::{self, Write};

use crate::blocks::{Blocks, Start, WINDOW_BYTES, copy_bits, is_stored};
use crate::deflate::{Deflated, Deflater};

/// Bytes of a copy that gather before it is seen how they are compressed.
const SETTLED_BYTES: usize = 64 << 10;
/// Bytes of a copy that wait for the end of their block.
const MAX_PENDING_BYTES: usize = 4 << 20;

/// Takes a part's new content. What is a copy of the part's old content can be said to be one ([`PartWriter::copy`]); then
/// it is not compressed again where whole blocks of it stay.
pub struct PartWriter<'a>(Sink<'a>);

enum Sink<'a> {
    Deflate(Box<Compressing>),
    Plain(&'a mut dyn Write),
}

struct Compressing {
    deflater: Deflater,
    run: Option<Run>,
}

impl Compressing {
    fn end_run(&mut self) -> io::Result<()> {
        self.run.take().map_or(Ok(()), |run| run.end(&mut self.deflater))
    }
}

impl<'a> PartWriter<'a> {
    /// Passes content on as it is.
    pub fn plain(out: &'a mut dyn Write) -> PartWriter<'a> {
        PartWriter(Sink::Plain(out))
    }

    pub(crate) fn deflate() -> io::Result<PartWriter<'a>> {
        Ok(PartWriter(Sink::Deflate(Box::new(Compressing { deflater: Deflater::start()?, run: None }))))
    }

    /// Writes what stands in other content, read with its blocks, at `offset`.
    ///
    /// # Errors
    /// As when it is written.
    pub fn copy(&mut self, blocks: Option<&Blocks>, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (Sink::Deflate(to), Some(blocks)) = (&mut self.0, blocks) else {
            return self.write_all(bytes);
        };
        if to.run.as_ref().is_some_and(|run| run.next() != offset || !run.blocks.is_same(blocks)) {
            to.end_run()?;
        }
        to.run.get_or_insert_with(|| Run::start(blocks, offset)).add(bytes, &mut to.deflater)
    }

    /// The compressed content; of one that passed it on, nothing.
    pub(crate) fn finish(self) -> io::Result<Option<Deflated>> {
        let Sink::Deflate(mut to) = self.0 else { return Ok(None) };
        to.end_run()?;
        to.deflater.finish().map(Some)
    }
}

impl Write for PartWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Sink::Deflate(to) => {
                to.end_run()?;
                to.deflater.compress(bytes)?;
                Ok(bytes.len())
            }
            Sink::Plain(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Sink::Deflate(_) => Ok(()),
            Sink::Plain(out) => out.flush(),
        }
    }
}

/// Content copied without a gap.
struct Run {
    blocks: Blocks,
    /// Before here, blocks may refer to what is not copied.
    first_whole: u64,
    /// Up to here it is passed on.
    settled: u64,
    /// What follows.
    pending: Vec<u8>,
    /// Index of the first block that is not passed on.
    block: usize,
    /// Blocks that are to be copied: from the start of the first to the end of the last, and the start of the last.
    copied: Option<(Start, Start, Start)>,
}

impl Run {
    fn start(blocks: &Blocks, offset: u64) -> Run {
        let first_whole = if offset == 0 { 0 } else { offset + WINDOW_BYTES };
        let block = blocks.starts().partition_point(|start| start.offset < offset);
        Run { blocks: blocks.clone(), first_whole, settled: offset, pending: Vec::new(), block, copied: None }
    }

    /// Where the copy goes on.
    fn next(&self) -> u64 {
        self.settled + self.pending.len() as u64
    }

    fn add(&mut self, bytes: &[u8], deflater: &mut Deflater) -> io::Result<()> {
        let before = self.pending.len();
        self.pending.extend_from_slice(bytes);
        let is_due = before / SETTLED_BYTES != self.pending.len() / SETTLED_BYTES;
        if is_due { self.settle(deflater) } else { Ok(()) }
    }

    /// Passes on the blocks that the copy holds whole.
    fn settle(&mut self, deflater: &mut Deflater) -> io::Result<()> {
        let next = self.next();
        let starts: Vec<Start> = {
            let starts = self.blocks.starts();
            let known = starts.get(self.block..).unwrap_or_default();
            known.iter().take_while(|start| start.offset <= next).copied().collect()
        };
        let mut done = 0;
        for pair in starts.windows(2) {
            let (start, end) = (pair[0], pair[1]);
            self.block += 1;
            let length = (end.offset - self.settled) as usize;
            let stays = start.offset >= self.first_whole.max(self.settled)
                && end.offset > start.offset
                && !is_stored(self.blocks.compressed(), start.bit);
            let before = if stays { (start.offset - self.settled) as usize } else { length };
            if before > 0 {
                end_copy(&mut self.copied, &self.blocks, deflater)?;
                deflater.compress(&self.pending[done..done + before])?;
            }
            if stays {
                if self.copied.is_some_and(|(_, to, _)| to.bit != start.bit) {
                    end_copy(&mut self.copied, &self.blocks, deflater)?;
                }
                let from = self.copied.map_or(start, |(from, ..)| from);
                self.copied = Some((from, end, start));
                deflater.pass(&self.pending[done + before..done + length]);
            }
            done += length;
            self.settled = end.offset;
        }
        self.pending.drain(..done);
        // The rest of a block that begins before the copy does, or that is very long.
        let is_open = starts.last().is_some_and(|start| start.offset >= self.first_whole);
        if self.pending.len() >= if is_open { MAX_PENDING_BYTES } else { SETTLED_BYTES } {
            end_copy(&mut self.copied, &self.blocks, deflater)?;
            deflater.compress(&self.pending)?;
            self.settled = next;
            self.pending.clear();
        }
        Ok(())
    }

    fn end(mut self, deflater: &mut Deflater) -> io::Result<()> {
        self.settle(deflater)?;
        end_copy(&mut self.copied, &self.blocks, deflater)?;
        deflater.compress(&self.pending)
    }
}

/// Passes on the blocks that are to be copied.
fn end_copy(
    copied: &mut Option<(Start, Start, Start)>,
    blocks: &Blocks,
    deflater: &mut Deflater,
) -> io::Result<()> {
    let Some((from, to, last)) = copied.take() else { return Ok(()) };
    let mut bytes = Vec::with_capacity(((to.bit - from.bit) / 8) as usize + 8);
    copy_bits(blocks.compressed(), from.bit..to.bit, &mut bytes);
    // The stream goes on behind what was its last block.
    let flag = last.bit - from.bit;
    bytes[(flag / 8) as usize] &= !(1 << (flag % 8));
    // A stored block of no bytes: three bits, what is missing to a whole byte, two lengths (RFC 1951 §3.2.4).
    bytes.resize((to.bit - from.bit + 3).div_ceil(8) as usize, 0);
    bytes.extend_from_slice(&[0, 0, 0xff, 0xff]);
    deflater.push(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};
    use std::ops::Range;

    use flate2::{Compress, Compression, FlushCompress, Status};
    use proptest::prelude::*;

    use super::*;
    use crate::{Limits, Package};

    /// Compressed as one stream, flushed now and then so that there are blocks of every kind.
    fn deflated(content: &[u8], level: u32, flush_every: usize) -> Vec<u8> {
        let mut compressor = Compress::new(Compression::new(level), false);
        let mut out = Vec::new();
        let mut pieces = content.chunks(flush_every).peekable();
        loop {
            let piece = pieces.next().unwrap_or_default();
            let flush = if pieces.peek().is_some() { FlushCompress::Sync } else { FlushCompress::Finish };
            let mut taken = 0;
            loop {
                out.reserve(1 << 16);
                let before = compressor.total_in();
                let status = compressor.compress_vec(&piece[taken..], &mut out, flush).unwrap();
                taken += (compressor.total_in() - before) as usize;
                if status == Status::StreamEnd {
                    return out;
                }
                if taken == piece.len() && out.len() < out.capacity() && flush == FlushCompress::Sync {
                    break;
                }
            }
        }
    }

    fn package(content: &[u8], level: u32, flush_every: usize) -> Package {
        let pieces = vec![deflated(content, level, flush_every)];
        let (crc32, size) = (crc32fast::hash(content), content.len() as u64);
        let zip = crate::save::single_entry("a.xml", Deflated { pieces, crc32, size });
        Package::open(zip.into(), &Limits { max_ratio: u64::MAX, ..Limits::default() }).unwrap()
    }

    /// Writes the content with ranges of it replaced; how many bytes were compressed for that.
    #[track_caller]
    fn check(content: &[u8], level: u32, flush_every: usize, edits: &[(Range<usize>, Vec<u8>)]) -> u64 {
        let package = package(content, level, flush_every);
        let mut expected = Vec::new();
        let mut copied = 0;
        for (range, new) in edits {
            expected.extend_from_slice(&content[copied..range.start]);
            expected.extend_from_slice(new);
            copied = range.end;
        }
        expected.extend_from_slice(&content[copied..]);

        let (chunks, blocks) = package.chunks_with_blocks("a.xml").unwrap();
        let mut writer = PartWriter::deflate().unwrap();
        let (mut edits, mut skipped) = (edits.iter().peekable(), 0);
        let mut offset = 0;
        for chunk in chunks {
            let chunk = chunk.unwrap();
            let end = offset + chunk.len();
            let mut at = offset.max(skipped).min(end);
            while let Some((range, new)) = edits.next_if(|(range, _)| range.start < end) {
                writer.copy(blocks.as_ref(), at as u64, &chunk[at - offset..range.start - offset]).unwrap();
                writer.write_all(new).unwrap();
                skipped = range.end;
                at = skipped.min(end);
            }
            // In pieces as rows come.
            for piece in chunk[at - offset..].chunks(700) {
                writer.copy(blocks.as_ref(), at as u64, piece).unwrap();
                at += piece.len();
            }
            offset = end;
        }
        for (_, new) in edits {
            writer.write_all(new).unwrap();
        }
        let Sink::Deflate(mut to) = writer.0 else { panic!("it is compressed") };
        to.end_run().unwrap();
        let compressed = to.deflater.compressed_bytes();
        let deflated = to.deflater.finish().unwrap();
        let mut inflated = Vec::new();
        let bytes = deflated.pieces.concat();
        flate2::read::DeflateDecoder::new(Cursor::new(bytes)).read_to_end(&mut inflated).unwrap();
        assert!(inflated == expected, "{} bytes for {}", inflated.len(), expected.len());
        assert_eq!((deflated.size, deflated.crc32), (expected.len() as u64, crc32fast::hash(&expected)));
        compressed
    }

    /// Text as of a sheet, with noise that is stored rather than compressed.
    fn content(bytes: usize, noise: Range<usize>) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes);
        let mut state = 1u32;
        while out.len() < bytes {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match noise.contains(&out.len()) {
                true => out.extend_from_slice(&state.to_be_bytes()[..2]),
                false => {
                    out.extend_from_slice(format!("<c r=\"A{}\"><v>{state}</v></c>", out.len()).as_bytes());
                }
            }
        }
        out.truncate(bytes);
        out
    }

    #[test]
    fn one_edit_in_a_large_part_costs_little() {
        let content = content(16 << 20, 0..0);
        let edit = [(8_000_000..8_000_010, b"other".to_vec())];
        let compressed = check(&content, 6, usize::MAX, &edit);
        assert!((1..600_000).contains(&compressed), "{compressed} bytes compressed");
        assert_eq!(check(&content, 6, usize::MAX, &[]), 0, "a copy of everything");
    }

    #[test]
    fn blocks_that_are_long_or_stored_come_out_as_they_were() {
        check(&vec![b'a'; 40 << 20], 6, usize::MAX, &[(20_000_000..20_000_001, b"b".to_vec())]);
        check(&content(3 << 20, 1_000_000..1_500_000), 6, usize::MAX, &[(100..200, vec![])]);
        check(&content(1 << 20, 0..1 << 20), 0, 10_000, &[(500_000..500_001, vec![0])]);
        check(b"", 6, 1, &[]);
        check(b"abc", 6, 1, &[(3..3, b"d".to_vec())]);
    }

    #[test]
    fn bits_are_copied_from_any_bit_on() {
        let bytes: Vec<u8> = (0..64u32).map(|n| (n * 151 + 7) as u8).collect();
        let bit = |bytes: &[u8], at: usize| bytes[at / 8] >> (at % 8) & 1;
        for start in 0..24usize {
            for end in start..200 {
                let mut out = vec![9];
                copy_bits(&bytes, start as u64..end as u64, &mut out);
                assert_eq!((out[0], out.len()), (9, 1 + (end - start).div_ceil(8)));
                let copied: Vec<u8> = (start..end).map(|at| bit(&out[1..], at - start)).collect();
                let expected: Vec<u8> = (start..end).map(|at| bit(&bytes, at)).collect();
                assert_eq!(copied, expected, "{start}..{end}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
        #[test]
        fn whatever_is_replaced_the_rest_stays(
            size in 0usize..1_500_000,
            noise in (0usize..1_000_000, 0usize..200_000),
            level in 0u32..=9,
            flush_every in prop_oneof![Just(usize::MAX), 1_000usize..300_000],
            edits in prop::collection::vec((0.0..1.0f64, 0usize..2_000, 0usize..60_000), 0..6),
        ) {
            let content = content(size, noise.0..noise.0 + noise.1);
            let mut ranges: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
            let mut places: Vec<_> = edits.iter().map(|(at, gone, new)| ((at * size as f64) as usize, *gone, *new)).collect();
            places.sort_unstable();
            for (at, gone, new) in places {
                let start = ranges.last().map_or(0, |(range, _)| range.end).max(at);
                ranges.push((start..(start + gone).min(size), vec![b'x'; new]));
            }
            check(&content, level, flush_every, &ranges);
        }
    }
}
