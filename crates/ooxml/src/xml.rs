//! XML as parts use it: local names, few entities, bounded depth.

use std::borrow::Cow;
use std::io::BufRead;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesEnd, BytesStart, Event};

use crate::error::PackageError;
use crate::xml_source::XmlSource;

/// An element's start, owned by the reader's buffer.
pub struct Element<'a> {
    start: BytesStart<'a>,
    /// Whether it has no content: no [`XmlEvent::End`] follows.
    pub is_empty: bool,
}

impl Element<'_> {
    /// The name without its prefix: `c` for `<x:c>`.
    pub fn name(&self) -> &str {
        let name = self.start.name().into_inner();
        name.rsplit_once(':').map_or(name, |(_, local)| local)
    }

    /// An attribute by its local name, unescaped; the one without a prefix if several share it.
    pub fn attr(&self, name: &str) -> Option<String> {
        self.find(|key| key == name)
            .or_else(|| self.find(|key| key.rsplit_once(':').is_some_and(|(_, local)| local == name)))
    }

    fn find(&self, mut is_wanted: impl FnMut(&str) -> bool) -> Option<String> {
        let mut attributes = self.start.attributes();
        attributes.with_checks(false);
        let found = attributes.flatten().find(|attribute| is_wanted(attribute.key.into_inner()))?;
        let value = found.normalized_value(quick_xml::XmlVersion::Implicit1_0);
        Some(value.map_or_else(|_| found.value.to_string(), Cow::into_owned))
    }

    /// An attribute read as a value; `None` if it is absent or unreadable.
    pub fn parse<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.attr(name)?.trim().parse().ok()
    }

    /// A boolean attribute; `default` if it is absent.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.attr(name).map_or(default, |value| parse_bool(&value))
    }

    /// Every attribute: local name and unescaped value.
    pub fn attrs(&self) -> Vec<(String, String)> {
        let mut attributes = self.start.attributes();
        attributes.with_checks(false);
        attributes
            .flatten()
            .map(|attribute| {
                let key = attribute.key.into_inner();
                let local = key.rsplit_once(':').map_or(key, |(_, local)| local).to_owned();
                let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
                (local, value.map_or_else(|_| attribute.value.to_string(), Cow::into_owned))
            })
            .collect()
    }
}

/// A text as `ST_Xstring` writes it (ECMA-376 Part 1 §22.9.2.19): what XML cannot hold, and what would read as such an
/// escape, as `_xHHHH_`. The opposite of [`decode_xstring`].
pub fn encode_xstring(text: &str) -> Cow<'_, str> {
    let is_unfit = |c: char| (c < ' ' && c != '\t' && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
    if !text.contains(is_unfit) && !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() + 16);
    for (at, character) in text.char_indices() {
        if is_unfit(character) {
            encoded.push_str(&format!("_x{:04X}_", u32::from(character)));
        } else if character == '_' && escaped_unit(&text[at..]).is_some() {
            encoded.push_str("_x005F_");
        } else {
            encoded.push(character);
        }
    }
    Cow::Owned(encoded)
}

/// `ST_OnOff` and `xsd:boolean`: `1`, `true`, `on`.
pub fn parse_bool(text: &str) -> bool {
    matches!(text.trim(), "1" | "true" | "on" | "True" | "TRUE")
}

/// The local name of an element that ends.
pub struct EndName<'a>(BytesEnd<'a>);

impl EndName<'_> {
    /// The name without its prefix.
    pub fn as_str(&self) -> &str {
        let name = self.0.name().into_inner();
        name.rsplit_once(':').map_or(name, |(_, local)| local)
    }
}

impl std::ops::Deref for EndName<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<&str> for EndName<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<str> for EndName<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

/// What an [`XmlReader`] meets.
pub enum XmlEvent<'a> {
    /// An element starts.
    Start(Element<'a>),
    /// An element ends. Never comes for an empty one.
    End(EndName<'a>),
    /// Text, unescaped. Neighbouring pieces may come apart (around entities and comments), and be empty.
    Text(Cow<'a, str>),
}

/// Reads a part's XML event by event.
///
/// Fragments without a root are fine: ends without starts are passed on. Entities are the five of XML and characters;
/// a document type declaration is refused, so that no entity can expand.
pub struct XmlReader<R> {
    reader: quick_xml::Reader<XmlSource<R>>,
    buffer: Vec<u8>,
    part: String,
    depth: usize,
    max_depth: usize,
}

impl<R: BufRead> XmlReader<R> {
    /// A reader of `source`, which is the part named `part`.
    pub fn new(part: &str, source: R, max_depth: usize) -> XmlReader<R> {
        let mut reader = quick_xml::Reader::from_reader(XmlSource::new(source));
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        XmlReader { reader, buffer: Vec::new(), part: part.to_owned(), depth: 0, max_depth }
    }

    /// The next event; `None` at the end.
    #[allow(
        clippy::should_implement_trait,
        reason = "events borrow from the reader, which Iterator cannot say"
    )]
    pub fn next(&mut self) -> Result<Option<XmlEvent<'_>>, PackageError> {
        self.buffer.clear();
        self.reader.get_mut().start_token();
        let position = self.reader.buffer_position();
        let broken = |problem| broken(&self.part, position, problem);
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(error) => return Err(package_error(&error).unwrap_or_else(|| broken(error.to_string()))),
        };
        // Events borrow from the buffer: copying each would cost more than reading it.
        Ok(Some(match event {
            Event::Start(start) => {
                self.depth += 1;
                if self.depth > self.max_depth {
                    return Err(broken(format!("elements nest deeper than {}", self.max_depth)));
                }
                XmlEvent::Start(Element { start, is_empty: false })
            }
            Event::Empty(start) => XmlEvent::Start(Element { start, is_empty: true }),
            Event::End(end) => {
                self.depth = self.depth.saturating_sub(1);
                XmlEvent::End(EndName(end))
            }
            Event::Text(text) => XmlEvent::Text(text.xml10_content()),
            Event::CData(text) => XmlEvent::Text(text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => XmlEvent::Text(Cow::Owned(character.to_string())),
                _ => {
                    let name = reference.into_inner();
                    let text = resolve_xml_entity(&name)
                        .ok_or_else(|| broken(format!("the entity &{name}; is not known")))?;
                    XmlEvent::Text(Cow::Borrowed(text))
                }
            },
            Event::DocType(_) => return Err(broken("document type declarations are not allowed".to_owned())),
            // The head of a part may end within its root; nothing sound ends deeper.
            Event::Eof if self.depth > 1 => {
                return Err(broken("its elements do not end; it is cut off".to_owned()));
            }
            Event::Eof => return Ok(None),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => XmlEvent::Text(Cow::Borrowed("")),
        }))
    }

    /// The text of the element that just started, up to its end; nested elements' texts are included.
    pub fn text(&mut self) -> Result<String, PackageError> {
        let mut text = String::new();
        let mut depth = 0usize;
        while let Some(event) = self.next()? {
            match event {
                XmlEvent::Text(piece) => text.push_str(&piece),
                XmlEvent::Start(element) if !element.is_empty => depth += 1,
                XmlEvent::Start(_) => {}
                XmlEvent::End(_) if depth == 0 => break,
                XmlEvent::End(_) => depth -= 1,
            }
        }
        Ok(text)
    }

    /// Passes over the element that just started.
    pub fn skip(&mut self) -> Result<(), PackageError> {
        let mut depth = 0usize;
        while let Some(event) = self.next()? {
            match event {
                XmlEvent::Start(element) if !element.is_empty => depth += 1,
                XmlEvent::End(_) if depth == 0 => break,
                XmlEvent::End(_) => depth -= 1,
                XmlEvent::Start(_) | XmlEvent::Text(_) => {}
            }
        }
        Ok(())
    }
}

/// The package's own error, if the reader's bytes ran dry because of one.
fn package_error(error: &quick_xml::Error) -> Option<PackageError> {
    let quick_xml::Error::Io(error) = error else { return None };
    error.get_ref()?.downcast_ref::<PackageError>().cloned()
}

fn broken(part: &str, position: u64, problem: String) -> PackageError {
    PackageError::Xml { part: part.to_owned(), position, problem }
}

/// Decodes the `_xHHHH_` escapes of `ST_Xstring` (ECMA-376 Part 1 §22.9.2.19), each a UTF-16 code unit.
pub fn decode_xstring(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let first = escaped_unit(rest);
        // Characters beyond U+FFFF come as two escapes.
        let second = first.and_then(|_| escaped_unit(&rest[ESCAPE_BYTES..]));
        let one = first.and_then(|unit| char::from_u32(unit.into()));
        let pair = first.zip(second).and_then(|(high, low)| char::decode_utf16([high, low]).next()?.ok());
        let (character, length) = match (one, pair) {
            (Some(character), _) => (character, ESCAPE_BYTES),
            (None, Some(character)) => (character, 2 * ESCAPE_BYTES),
            (None, None) => ('_', 1),
        };
        decoded.push(character);
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// Bytes of `_xHHHH_`.
const ESCAPE_BYTES: usize = 7;

/// The code unit of the escape that `text` starts with.
fn escaped_unit(text: &str) -> Option<u16> {
    let digits = text.get(..ESCAPE_BYTES)?.strip_prefix("_x")?.strip_suffix('_')?;
    let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hexadecimal.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(xml: &str) -> Result<String, PackageError> {
        let mut reader = XmlReader::new("part", xml.as_bytes(), 4);
        let mut out = String::new();
        while let Some(event) = reader.next()? {
            match event {
                XmlEvent::Start(element) => out.push_str(&format!("<{}>", element.name())),
                XmlEvent::End(name) => out.push_str(&format!("</{}>", name.as_str())),
                XmlEvent::Text(text) => out.push_str(&text),
            }
        }
        Ok(out)
    }

    #[test]
    fn plain() {
        assert_eq!(events("<x:a><b/>1 &lt; &#50;<![CDATA[<]]></x:a>").unwrap(), "<a><b>1 < 2<</a>");
        assert_eq!(events("</sheetData><b>c</b>").unwrap(), "</sheetData><b>c</b>");
    }

    #[test]
    fn encodings() {
        let mut utf16 = b"\xFF\xFE".to_vec();
        utf16.extend(
            "<?xml version='1.0' encoding='UTF-16'?><a>é😀</a>".encode_utf16().flat_map(u16::to_le_bytes),
        );
        let big_endian: Vec<u8> = "<a>é</a>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let check = |bytes: &[u8], expected: &str| {
            let mut reader = XmlReader::new("part", bytes, 4);
            while !matches!(reader.next().unwrap().unwrap(), XmlEvent::Start(_)) {}
            assert_eq!(reader.text().unwrap(), expected);
        };
        check(&utf16, "é😀");
        check(&big_endian, "é");
        check(b"\xEF\xBB\xBF<a>\xC3\xA9</a>", "é");
        check(b"<?xml version='1.0' encoding=\"windows-1252\"?><a>\xE9\x80</a>", "é€");
        check("<?xml version='1.0' encoding='UTF-16'?><a>é</a>".as_bytes(), "é");
    }

    #[test]
    fn long_tokens_are_refused() {
        let endless = std::io::Read::chain(&b"<a b='"[..], std::io::repeat(b' '));
        let mut reader = XmlReader::new("part", std::io::BufReader::new(endless), 4);
        assert!(matches!(reader.next(), Err(PackageError::Xml { .. })));
    }

    #[test]
    fn refused() {
        assert!(events("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").is_err());
        assert!(events("<a>&b;</a>").is_err());
        assert!(events("<a><a><a><a><a>").is_err());
        assert!(events("<a b=").is_err());
        assert!(events("<a><b><c/>").is_err());
    }

    #[test]
    fn xstring_escapes() {
        assert_eq!(decode_xstring("a_x000D_b_x005F_x000D_"), "a\rb_x000D_");
        assert_eq!(decode_xstring("_xZZZZ_ _x12 _x+00D_ _x00é_"), "_xZZZZ_ _x12 _x+00D_ _x00é_");
        assert_eq!(decode_xstring("_xD83D__xDE00_ _xD83D_x"), "😀 _xD83D_x");
        assert_eq!(decode_xstring("__x0041_"), "_A");
        for text in ["a\rb_x000D_", "_x12", "\u{1}\u{1f}", "plain", "__x0041_"] {
            assert_eq!(decode_xstring(&encode_xstring(text)), text);
        }
    }
}
