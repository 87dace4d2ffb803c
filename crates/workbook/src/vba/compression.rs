//! The compression of source and of the directory (MS-OVBA §2.4.1).

/// Bytes of a chunk once decompressed.
const CHUNK: usize = 4096;

/// Why bytes could not be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// They break the format.
    Format,
    /// They come to more than what was allowed.
    TooLarge,
}

/// Decompresses a container to at most `most` bytes.
pub(super) fn decompress(container: &[u8], most: usize) -> Result<Vec<u8>, Broken> {
    let Some((1, mut rest)) = container.split_first().map(|(first, rest)| (*first, rest)) else {
        return Err(Broken::Format);
    };
    let mut out = Vec::new();
    while let Some((header, body)) = rest.split_at_checked(2) {
        let header = u16::from_le_bytes([header[0], header[1]]);
        // The size counts the header; the last chunk of some writers is cut short.
        let size = (usize::from(header & 0x0FFF) + 1).min(body.len());
        let (chunk, behind) = body.split_at(size);
        if out.len() + CHUNK > most {
            return Err(Broken::TooLarge);
        }
        if header & 0x8000 == 0 {
            out.extend_from_slice(chunk);
        } else {
            decompress_chunk(chunk, &mut out)?;
        }
        rest = behind;
    }
    Ok(out)
}

fn decompress_chunk(chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    let start = out.len();
    let mut tokens = chunk.iter().copied();
    while let Some(flags) = tokens.next() {
        for bit in 0..8 {
            let Some(first) = tokens.next() else { break };
            if flags >> bit & 1 == 0 {
                out.push(first);
                continue;
            }
            let second = tokens.next().ok_or(Broken::Format)?;
            let token = u16::from_le_bytes([first, second]);
            let done = out.len() - start;
            // The further into the chunk, the more bits the offset takes, and the fewer the length (§2.4.1.3.19.1).
            let offset_bits = done.next_power_of_two().trailing_zeros().clamp(4, 12);
            let length = usize::from(token & (0xFFFF >> offset_bits)) + 3;
            let offset = usize::from(token >> (16 - offset_bits)) + 1;
            if offset > done || done + length > CHUNK {
                return Err(Broken::Format);
            }
            let from = out.len() - offset;
            // The copy may run into what it writes.
            for index in from..from + length {
                out.push(out[index]);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(container: &[u8], expected: &str) {
        let decompressed = decompress(container, 1 << 20).unwrap();
        assert_eq!(String::from_utf8(decompressed).unwrap(), expected);
    }

    /// The examples of MS-OVBA §3.2.
    #[test]
    fn the_examples_of_the_specification() {
        check(b"\x01\x19\xB0\x00abcdefgh\x00ijklmnop\x00qrstuv.", "abcdefghijklmnopqrstuv.");
        check(
            b"\x01\x2F\xB0\x00#aaabcde\x82f\x00paghij\x018\x08akl\x000mnop\x06q\x02p\x04\x10rstuv\x10wxyz\x00<",
            "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa",
        );
        check(b"\x01\x03\xB0\x02aE\x00", &"a".repeat(73));
    }

    #[test]
    fn broken_and_endless_containers_are_refused() {
        for broken in
            [&b""[..], b"\x02\x03\xB0\x02aE\x00", b"\x01\x03\xB0\x01aE\x00", b"\x01\x02\xB0\x02a\xFF"]
        {
            assert_eq!(decompress(broken, 1 << 20), Err(Broken::Format), "{broken:?}");
        }
        let bomb: Vec<u8> =
            [1].into_iter().chain(b"\x03\xB0\x02a\xFC\x0F".iter().copied().cycle().take(6 * 100)).collect();
        assert_eq!(decompress(&bomb, 100_000), Err(Broken::TooLarge));
    }
}
