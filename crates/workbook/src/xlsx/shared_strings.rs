//! The shared string table (ECMA-376 Part 1 §18.4).

use std::ops::ControlFlow;

use ooxml::{Package, XmlEvent, XmlReader, decode_xstring};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{StringTable, Watch};

/// Entries between two looks at the watch.
const WATCH_ENTRIES: usize = 65_536;

pub(super) fn read(
    package: &Package,
    part: &str,
    limits: &Limits,
    watch: &dyn Watch,
) -> Result<StringTable, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut table = StringTable::default();
    let mut text = String::new();
    let (mut in_text, mut phonetic_depth) = (false, 0usize);
    let mut run = Run::default();
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) => match element.name() {
                "si" if element.is_empty => push(&mut table, "", limits)?,
                "si" => text.clear(),
                "t" => {
                    in_text = !element.is_empty && phonetic_depth == 0;
                    run = Run {
                        start: text.len(),
                        preserves_space: element.attr("space").as_deref() == Some("preserve"),
                    };
                }
                "rPh" if !element.is_empty => phonetic_depth += 1,
                _ => {}
            },
            XmlEvent::Text(piece) if in_text => text.push_str(&piece),
            XmlEvent::Text(_) => {}
            XmlEvent::End(name) => match name.as_str() {
                "t" => {
                    if in_text {
                        run.close(&mut text);
                    }
                    in_text = false;
                }
                "rPh" => phonetic_depth = phonetic_depth.saturating_sub(1),
                "si" => {
                    push(&mut table, &decode_xstring(&text), limits)?;
                    if table.len().is_multiple_of(WATCH_ENTRIES)
                        && let ControlFlow::Break(()) = watch.progress(table.text_bytes() as u64, 0)
                    {
                        return Err(OpenError::Cancelled);
                    }
                }
                _ => {}
            },
        }
    }
    table.shrink();
    Ok(table)
}

/// A `t` element within a text that is being put together.
#[derive(Default)]
struct Run {
    start: usize,
    preserves_space: bool,
}

impl Run {
    /// Without `xml:space="preserve"`, Excel drops the white space around a run.
    fn close(&self, text: &mut String) {
        if !self.preserves_space {
            let kept = trim_xml_space(&text[self.start..]);
            if kept.len() < text.len() - self.start {
                let kept = kept.to_owned();
                text.truncate(self.start);
                text.push_str(&kept);
            }
        }
    }
}

/// Without the white space of XML at both ends; other spaces (U+00A0) stay.
pub(super) fn trim_xml_space(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

fn push(table: &mut StringTable, text: &str, limits: &Limits) -> Result<(), OpenError> {
    let over = |what: &str, limit, option| OpenError::OverBudget { what: what.to_owned(), limit, option };
    if table.len() >= limits.max_shared_strings as usize {
        let limit = u64::from(limits.max_shared_strings);
        return Err(over("shared strings", limit, "SPREADSHEET_MCP_MAX_SHARED_STRINGS"));
    }
    let bytes = (table.text_bytes() + text.len()) as u64;
    if bytes > limits.max_string_bytes || table.push(text).is_none() {
        return Err(over(
            "bytes of shared strings",
            limits.max_string_bytes,
            "SPREADSHEET_MCP_MAX_STRING_BYTES",
        ));
    }
    Ok(())
}
