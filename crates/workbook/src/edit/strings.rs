//! New texts at the end of the shared string table (ECMA-376 Part 1 §18.4): those that are there keep their numbers.

use std::io::{self, Write};

use memchr::memmem;
use ooxml::Package;

use crate::edit::cell_xml::text_element;
use crate::xlsx::markup::{Attributes, integer};
use crate::xlsx::window::Window;

/// Copies the table while it streams past, with texts added behind the last one.
pub(crate) fn append(
    package: &Package,
    part: &str,
    prefix: &str,
    texts: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut window = Window::open(package, part)?;
    let name = format!("{prefix}sst");
    let Some(root) = window.find(format!("<{name}").as_bytes())? else {
        return Err(window.damaged("its root element is missing").into());
    };
    out.write_all(&window.rest()[..root])?;
    window.advance(root);
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
        copy_up_to(&mut window, close.as_bytes(), out)?;
    }
    for text in texts {
        write!(out, "<{prefix}si>{}</{prefix}si>", text_element(prefix, text))?;
    }
    if is_empty {
        write!(out, "{close}>")?;
    }
    copy_rest(&mut window, out)
}

/// Copies everything before the last `mark` that the part has.
fn copy_up_to(window: &mut Window, mark: &[u8], out: &mut dyn Write) -> io::Result<()> {
    loop {
        let rest = window.rest();
        if let Some(found) = memmem::find(rest, mark) {
            out.write_all(&rest[..found])?;
            window.advance(found);
            return Ok(());
        }
        let safe = rest.len().saturating_sub(mark.len());
        out.write_all(&rest[..safe])?;
        window.advance(safe);
        if !window.grow()? {
            return Err(window.damaged("its elements do not end").into());
        }
    }
}

/// Copies what is left.
pub(crate) fn copy_rest(window: &mut Window, out: &mut dyn Write) -> io::Result<()> {
    loop {
        out.write_all(window.rest())?;
        let length = window.rest().len();
        window.advance(length);
        if !window.grow()? {
            return Ok(());
        }
    }
}
