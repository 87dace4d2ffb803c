//! Frames of JSON: a big-endian length of four bytes, and so many bytes.

use std::io::{self, Read, Write};

/// More than the bridge ever puts into one.
const LONGEST_FRAME: usize = 256 << 20;
const READ_AT_ONCE: usize = 256 << 10;

/// Writes a frame.
pub(crate) fn write_frame(output: &mut impl Write, body: &serde_json::Value) -> io::Result<()> {
    let text = body.to_string();
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(text.as_bytes());
    output.write_all(&frame)?;
    output.flush()
}

/// What has come of frames so far.
#[derive(Default)]
pub(crate) struct FrameBuffer {
    bytes: Vec<u8>,
    /// How much of it has been taken.
    taken: usize,
}

impl FrameBuffer {
    /// Takes in what one read gives; `false` at the end of the input.
    pub(crate) fn fill(&mut self, input: &mut impl Read) -> io::Result<bool> {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        let length = self.bytes.len();
        self.bytes.resize(length + READ_AT_ONCE, 0);
        let read = loop {
            match input.read(&mut self.bytes[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.bytes.truncate(length + *read.as_ref().unwrap_or(&0));
        read.map(|count| count > 0)
    }

    /// The next whole frame, if it has come.
    pub(crate) fn take(&mut self) -> io::Result<Option<&[u8]>> {
        let Some((header, rest)) = self.bytes[self.taken..].split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*header) as usize;
        if length > LONGEST_FRAME {
            return Err(io::Error::other("a frame is longer than any may be"));
        }
        if rest.len() < length {
            return Ok(None);
        }
        let start = self.taken + 4;
        self.taken = start + length;
        Ok(Some(&self.bytes[start..start + length]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn frames_come_whole_however_they_arrive() {
        let mut sent = Vec::new();
        write_frame(&mut sent, &serde_json::json!({"a": 1})).unwrap();
        write_frame(&mut sent, &serde_json::json!([])).unwrap();
        let (mut input, mut buffer, mut received) = (Slow(&sent), FrameBuffer::default(), Vec::new());
        while buffer.fill(&mut input).unwrap() {
            while let Some(frame) = buffer.take().unwrap() {
                received.push(String::from_utf8(frame.to_vec()).unwrap());
            }
        }
        assert_eq!(received, [r#"{"a":1}"#, "[]"]);
    }

    #[test]
    fn a_frame_without_end_is_refused() {
        let mut buffer = FrameBuffer::default();
        assert!(buffer.fill(&mut &[0xff, 0xff, 0xff, 0xff][..]).unwrap());
        assert!(buffer.take().is_err());
    }
}
