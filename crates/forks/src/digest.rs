//! What bytes are called: their SHA-256.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// The SHA-256 (FIPS 180-4) of some bytes; 64 lowercase hexadecimal digits in text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The digest of all that `source` gives, and how many bytes that is.
    ///
    /// # Errors
    /// What `source` fails with.
    pub fn of_stream(source: &mut dyn Read) -> io::Result<(Digest, u64)> {
        Digest::of_reader(source, |_| Ok(()))
    }

    /// The digest of all that `source` gives, and how many bytes that is; `each` sees every piece on its way.
    ///
    /// # Errors
    /// What `source` or `each` fails with.
    pub(crate) fn of_reader(
        source: &mut dyn Read,
        mut each: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<(Digest, u64)> {
        let mut hasher = Sha256::new();
        let mut size = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = match source.read(&mut buffer) {
                Ok(0) => return Ok((Digest(hasher.finalize().into()), size)),
                Ok(read) => read,
                Err(problem) if problem.kind() == io::ErrorKind::Interrupted => continue,
                Err(problem) => return Err(problem),
            };
            hasher.update(&buffer[..read]);
            each(&buffer[..read])?;
            size += read as u64;
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 lowercase hexadecimal digits")]
pub struct InvalidDigest;

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Digest, InvalidDigest> {
        let nibble = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(InvalidDigest),
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return Err(InvalidDigest);
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Ok(Digest(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of FIPS 180-4.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn bytes_and_readers_have_the_same_digest() {
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
        let mut seen = Vec::new();
        let (digest, size) = Digest::of_reader(&mut &b"abc"[..], |piece| {
            seen.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
        assert_eq!((digest.to_string().as_str(), size, seen.as_slice()), (ABC, 3, &b"abc"[..]));
    }

    #[test]
    fn text_round_trips_and_nothing_else_parses() {
        assert_eq!(ABC.parse(), Ok(Digest::of(b"abc")));
        for wrong in ["", &ABC[1..], &ABC.to_uppercase(), &format!("{ABC}0"), &ABC.replace('b', "g")] {
            assert_eq!(wrong.parse::<Digest>(), Err(InvalidDigest), "{wrong}");
        }
    }
}
