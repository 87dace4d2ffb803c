//! The bytes behind an XML reader: always UTF-8, never too many for one token.

use std::io::{self, BufRead, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes that one token (a tag with its attributes, a text) may take.
const MAX_TOKEN_BYTES: usize = 64 << 20;
/// Bytes decoded at a time.
const BUFFER_BYTES: usize = 16 << 10;
/// Bytes within which a declaration names its encoding.
const DECLARATION_BYTES: usize = 128;

/// Passes UTF-8 on as it is, and decodes what is not (ECMA-376 Part 2 §7.1.4 allows UTF-16; some writers use more).
pub(crate) struct XmlSource<R> {
    inner: R,
    decoding: Option<Decoding>,
    is_sniffed: bool,
    token_bytes: usize,
}

struct Decoding {
    decoder: Decoder,
    buffer: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<R: BufRead> XmlSource<R> {
    pub(crate) fn new(inner: R) -> XmlSource<R> {
        XmlSource { inner, decoding: None, is_sniffed: false, token_bytes: 0 }
    }

    /// A new token starts: the count of its bytes too.
    pub(crate) fn start_token(&mut self) {
        self.token_bytes = 0;
    }
}

impl<R: BufRead> BufRead for XmlSource<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token_bytes > MAX_TOKEN_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("one tag or text takes more than {MAX_TOKEN_BYTES} bytes"),
            ));
        }
        if !self.is_sniffed {
            self.is_sniffed = true;
            let encoding = encoding_of(self.inner.fill_buf()?);
            self.decoding = (encoding != UTF_8).then(|| Decoding {
                decoder: encoding.new_decoder_with_bom_removal(),
                buffer: Vec::new(),
                at: 0,
                is_over: false,
            });
        }
        match &mut self.decoding {
            None => self.inner.fill_buf(),
            Some(decoding) => decoding.fill(&mut self.inner),
        }
    }

    fn consume(&mut self, amount: usize) {
        self.token_bytes += amount;
        match &mut self.decoding {
            None => self.inner.consume(amount),
            Some(decoding) => decoding.at += amount,
        }
    }
}

impl<R: BufRead> Read for XmlSource<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(out)?;
        self.consume(length);
        Ok(length)
    }
}

impl Decoding {
    fn fill(&mut self, inner: &mut impl BufRead) -> io::Result<&[u8]> {
        while self.at == self.buffer.len() && !self.is_over {
            let bytes = inner.fill_buf()?;
            let is_last = bytes.is_empty();
            self.at = 0;
            self.buffer.resize(BUFFER_BYTES, 0);
            // What cannot be decoded becomes U+FFFD, as everywhere where text is read.
            let (result, read, written, _) = self.decoder.decode_to_utf8(bytes, &mut self.buffer, is_last);
            self.buffer.truncate(written);
            self.is_over = is_last && result == CoderResult::InputEmpty;
            inner.consume(read);
        }
        Ok(&self.buffer[self.at..])
    }
}

/// The encoding by byte order mark, by the shape of `<?`, or by declaration (XML 1.0 appendix F).
fn encoding_of(head: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return encoding;
    }
    if head.starts_with(b"<\0") {
        return UTF_16LE;
    }
    if head.starts_with(b"\0<") {
        return UTF_16BE;
    }
    let declaration = &head[..head.len().min(DECLARATION_BYTES)];
    declared(declaration).and_then(|label| Encoding::for_label(label.as_bytes())).map_or(UTF_8, |encoding| {
        // A document that was read byte by byte so far is not UTF-16, whatever it says.
        encoding.output_encoding()
    })
}

fn declared(head: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(head.split(|byte| !byte.is_ascii()).next()?).ok()?;
    let declaration = text.strip_prefix("<?xml")?.split_once("?>")?.0;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split_once(quote).map(|(label, _)| label)
}
