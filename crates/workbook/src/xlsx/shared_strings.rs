//! The shared string table (ECMA-376 Part 1 §18.4).

use std::ops::ControlFlow;

use memchr::memchr;
use ooxml::{Package, XmlEvent, XmlReader, decode_xstring};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{StringTable, Watch};
use crate::xlsx::markup::{element_text, string_item, trim_xml_space};
use crate::xlsx::window::Window;

/// Entries between two looks at the watch.
const WATCH_ENTRIES: usize = 16_384;

pub(super) fn read(
    package: &Package,
    part: &str,
    limits: &Limits,
    watch: &dyn Watch,
) -> Result<StringTable, OpenError> {
    let window = Window::open(package, part)?;
    let mut list = List { table: StringTable::default(), limits, watch };
    if window.is_scannable("sst") {
        scan(window, &mut list)?;
    } else {
        read_general(part, window, &mut list)?;
    }
    list.table.shrink();
    Ok(list.table)
}

/// The strings so far, under their budget.
struct List<'a> {
    table: StringTable,
    limits: &'a Limits,
    watch: &'a dyn Watch,
}

impl List<'_> {
    /// Adds a text whose markup is resolved.
    fn push(&mut self, text: &str, position: u64) -> Result<(), OpenError> {
        let over = |what: &str, limit, option| OpenError::OverBudget { what: what.to_owned(), limit, option };
        if self.table.len() >= self.limits.max_shared_strings as usize {
            let limit = u64::from(self.limits.max_shared_strings);
            return Err(over("shared strings", limit, "SPREADSHEET_MCP_MAX_SHARED_STRINGS"));
        }
        let text = decode_xstring(text);
        let bytes = (self.table.text_bytes() + text.len()) as u64;
        if bytes > self.limits.max_string_bytes || self.table.push(&text).is_none() {
            return Err(over(
                "bytes of shared strings",
                self.limits.max_string_bytes,
                "SPREADSHEET_MCP_MAX_STRING_BYTES",
            ));
        }
        if self.table.len().is_multiple_of(WATCH_ENTRIES)
            && let ControlFlow::Break(()) = self.watch.progress(position, 0)
        {
            return Err(OpenError::Cancelled);
        }
        Ok(())
    }
}

/// By bytes: what nearly every file needs.
fn scan(mut window: Window, list: &mut List<'_>) -> Result<(), OpenError> {
    /// Bytes to have at hand before an entry is looked at, so that most are there as a whole.
    const AHEAD: usize = 1024;
    loop {
        let Some(open) = memchr(b'<', window.rest()) else {
            let rest = window.rest().len();
            window.advance(rest);
            if window.grow()? {
                continue;
            }
            return Err(window.damaged("the shared strings end too early"));
        };
        window.advance(open);
        if window.rest().len() < AHEAD {
            window.grow()?;
        }
        let rest = window.rest();
        if let Some(text) = rest.strip_prefix(b"<si><t>")
            && let Some(length) = memchr(b'<', text)
            && text[length..].starts_with(b"</t></si>")
        {
            let content = element_text(&text[..length]).ok_or_else(|| window.unknown_entity())?;
            list.push(trim_xml_space(&content), window.position())?;
            window.advance(length + b"<si><t></t></si>".len());
            continue;
        }
        match rest {
            [b'<', b's', b'i', b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n', ..] => {
                if is_empty_element(&mut window)? {
                    list.push("", window.position())?;
                    skip_past(&mut window, b">")?;
                    continue;
                }
                let Some((close, after)) = window.find_end(b"si", 0)? else {
                    return Err(window.damaged("a shared string is cut off"));
                };
                let item = string_item(&window.rest()[..close]).ok_or_else(|| window.unknown_entity())?;
                list.push(&item, window.position())?;
                window.advance(after);
            }
            [b'<', b's', b's', b't', ..] => {
                if is_empty_element(&mut window)? {
                    return Ok(());
                }
                skip_past(&mut window, b">")?;
            }
            [b'<', b'/', b's', b's', b't', ..] => return Ok(()),
            [b'<', b'!', b'D', ..] => {
                return Err(window.damaged("document type declarations are not allowed"));
            }
            [b'<', b'!', b'-', b'-', ..] => skip_past(&mut window, b"-->")?,
            _ => skip_past(&mut window, b">")?,
        }
    }
}

fn is_empty_element(window: &mut Window) -> Result<bool, OpenError> {
    let end = window.find(b">")?.unwrap_or(0);
    Ok(end > 0 && window.rest()[end - 1] == b'/')
}

fn skip_past(window: &mut Window, end: &[u8]) -> Result<(), OpenError> {
    let Some(found) = window.find(end)? else {
        return Err(window.damaged("the shared strings end too early"));
    };
    window.advance(found + end.len());
    Ok(())
}

/// By an XML reader: for other encodings and for elements that carry a namespace prefix.
fn read_general(part: &str, window: Window, list: &mut List<'_>) -> Result<(), OpenError> {
    let mut reader = XmlReader::new(part, window, list.limits.package.max_xml_depth);
    let mut text = String::new();
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) => match element.name() {
                "si" if element.is_empty => list.push("", 0)?,
                "si" => text.clear(),
                "t" if !element.is_empty => {
                    let preserves_space = element.attr("space").as_deref() == Some("preserve");
                    let run = reader.text()?;
                    text.push_str(if preserves_space { &run } else { trim_xml_space(&run) });
                }
                "rPh" if !element.is_empty => reader.skip()?,
                _ => {}
            },
            XmlEvent::End(name) if name == "si" => list.push(&text, 0)?,
            XmlEvent::End(_) | XmlEvent::Text(_) => {}
        }
    }
    Ok(())
}
