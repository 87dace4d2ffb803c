//! XML as parts use it: local names, few entities, bounded depth.

use std::borrow::Cow;
use std::io::BufRead;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};

use crate::error::PackageError;

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

/// `ST_OnOff` and `xsd:boolean`: `1`, `true`, `on`.
pub fn parse_bool(text: &str) -> bool {
    matches!(text.trim(), "1" | "true" | "on" | "True" | "TRUE")
}

/// What an [`XmlReader`] meets.
pub enum XmlEvent<'a> {
    /// An element starts.
    Start(Element<'a>),
    /// An element ends: its local name. Never comes for an empty one.
    End(String),
    /// Text, unescaped. Neighbouring pieces may come apart (around entities and comments).
    Text(Cow<'a, str>),
}

/// Reads a part's XML event by event.
///
/// Fragments without a root are fine: ends without starts are passed on. Entities are the five of XML and characters;
/// a document type declaration is refused, so that no entity can expand.
pub struct XmlReader<R> {
    reader: quick_xml::Reader<R>,
    buffer: Vec<u8>,
    part: String,
    depth: usize,
    max_depth: usize,
}

impl<R: BufRead> XmlReader<R> {
    /// A reader of `source`, which is the part named `part`.
    pub fn new(part: &str, source: R, max_depth: usize) -> XmlReader<R> {
        let mut reader = quick_xml::Reader::from_reader(source);
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
        loop {
            self.buffer.clear();
            let position = self.reader.buffer_position();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event.into_owned(),
                Err(error) => return Err(self.broken(position, error.to_string())),
            };
            match event {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > self.max_depth {
                        return Err(
                            self.broken(position, format!("elements nest deeper than {}", self.max_depth))
                        );
                    }
                    return Ok(Some(XmlEvent::Start(Element { start, is_empty: false })));
                }
                Event::Empty(start) => return Ok(Some(XmlEvent::Start(Element { start, is_empty: true }))),
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    let name = end.name().into_inner();
                    let local = name.rsplit_once(':').map_or(name, |(_, local)| local).to_owned();
                    return Ok(Some(XmlEvent::End(local)));
                }
                Event::Text(text) => {
                    return Ok(Some(XmlEvent::Text(Cow::Owned(text.xml10_content().into_owned()))));
                }
                Event::CData(text) => {
                    return Ok(Some(XmlEvent::Text(Cow::Owned(text.xml10_content().into_owned()))));
                }
                Event::GeneralRef(reference) => {
                    if let Ok(Some(character)) = reference.resolve_char_ref() {
                        return Ok(Some(XmlEvent::Text(Cow::Owned(character.to_string()))));
                    }
                    let name = reference.into_inner();
                    match resolve_xml_entity(&name) {
                        Some(text) => return Ok(Some(XmlEvent::Text(Cow::Borrowed(text)))),
                        None => {
                            return Err(self.broken(position, format!("the entity &{name}; is not known")));
                        }
                    }
                }
                Event::DocType(_) => {
                    return Err(
                        self.broken(position, "document type declarations are not allowed".to_owned())
                    );
                }
                Event::Eof => return Ok(None),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
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

    fn broken(&self, position: u64, problem: String) -> PackageError {
        PackageError::Xml { part: self.part.clone(), position, problem }
    }
}

/// Decodes the `_xHHHH_` escapes of `ST_Xstring` (ECMA-376 Part 1 §22.9.2.19).
pub fn decode_xstring(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        let unit = code.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        decoded.push_str(&rest[..at]);
        match unit.and_then(char::from_u32) {
            Some(character) => {
                decoded.push(character);
                rest = &rest[at + 7..];
            }
            None => {
                decoded.push_str("_x");
                rest = &rest[at + 2..];
            }
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
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
                XmlEvent::End(name) => out.push_str(&format!("</{name}>")),
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
    fn refused() {
        assert!(events("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").is_err());
        assert!(events("<a>&b;</a>").is_err());
        assert!(events("<a><a><a><a><a>").is_err());
        assert!(events("<a b=").is_err());
    }

    #[test]
    fn xstring_escapes() {
        assert_eq!(decode_xstring("a_x000D_b_x005F_x000D_"), "a\rb_x000D_");
        assert_eq!(decode_xstring("_xZZZZ_ _x12"), "_xZZZZ_ _x12");
    }
}
