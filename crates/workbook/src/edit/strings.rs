//! New texts at the end of the shared string table (ECMA-376 Part 1 §18.4): those that are there keep their numbers.

use std::io::{self, Write};

use memchr::memmem;
use ooxml::PartWriter;

use crate::edit::rich_text::item;
use crate::xlsx::markup::{Attributes, integer};
use crate::xlsx::window::Window;

/// A text that the table is to get.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct NewText {
    pub(crate) text: String,
    /// The elements of its runs, where they look different.
    pub(crate) runs: Option<String>,
}

/// Copies the table while it streams past, with texts added behind the last one.
pub(crate) fn append(
    window: &mut Window,
    prefix: &str,
    texts: &[NewText],
    out: &mut PartWriter<'_>,
) -> io::Result<()> {
    let name = format!("{prefix}sst");
    let Some(root) = window.find(format!("<{name}").as_bytes())? else {
        return Err(window.damaged("its root element is missing").into());
    };
    window.copy(root, out)?;
    let Some(tag_end) = window.find(b">")? else {
        return Err(window.damaged("its root element is cut off").into());
    };
    let is_empty = window.rest()[tag_end - 1] == b'/';
    let tag = &window.rest()[1 + name.len()..tag_end - usize::from(is_empty)];
    write!(out, "<{name}")?;
    for (key, value) in Attributes(tag) {
        // Both counts are optional; the table's own are kept true.
        let grown = integer(value).filter(|_| matches!(key, b"count" | b"uniqueCount"));
        let (key, value) = (String::from_utf8_lossy(key), String::from_utf8_lossy(value));
        match grown {
            Some(count) => write!(out, " {key}=\"{}\"", count as usize + texts.len())?,
            None => write!(out, " {key}=\"{value}\"")?,
        }
    }
    out.write_all(b">")?;
    window.advance(tag_end + 1);
    let close = format!("</{name}");
    if !is_empty {
        copy_up_to(window, close.as_bytes(), out)?;
    }
    for text in texts {
        write!(out, "<{prefix}si>{}</{prefix}si>", item(prefix, &text.text, text.runs.as_deref()))?;
    }
    if is_empty {
        write!(out, "{close}>")?;
    }
    copy_rest(window, out)
}

/// Copies everything before the last `mark` that the part has.
fn copy_up_to(window: &mut Window, mark: &[u8], out: &mut PartWriter<'_>) -> io::Result<()> {
    loop {
        let rest = window.rest();
        if let Some(found) = memmem::find(rest, mark) {
            return window.copy(found, out);
        }
        let safe = rest.len().saturating_sub(mark.len());
        window.copy(safe, out)?;
        if !window.grow()? {
            return Err(window.damaged("its elements do not end").into());
        }
    }
}

/// Copies what is left.
pub(crate) fn copy_rest(window: &mut Window, out: &mut PartWriter<'_>) -> io::Result<()> {
    loop {
        window.copy(window.rest().len(), out)?;
        if !window.grow()? {
            return Ok(());
        }
    }
}
