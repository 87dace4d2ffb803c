//! `sheetData` by a byte scanner: the part of a workbook that is large (ECMA-376 Part 1 §18.3.1.80).
//!
//! The scanner knows the few elements that sheets have, reads what programs write without allocating, and takes
//! whatever else XML allows (comments, CDATA, entities, other elements) the slow way. Sheets whose elements carry a
//! namespace prefix are read by [`super::cells_general`].

use std::borrow::Cow;
use std::ops::ControlFlow;

use grid::{CellRef, MAX_ROWS};
use memchr::memchr;

use crate::error::OpenError;
use crate::model::{RowProps, StyleId, Watch};
use crate::xlsx::cell_sink::{CellSink, CellTag, CellType, FormulaTag, FormulaType};
use crate::xlsx::markup::{
    Attributes, element_text, integer, is_true, skip_markup, split_at_end, string_item,
};
use crate::xlsx::window::Window;

/// Bytes between two looks at the watch.
const WATCH_BYTES: u64 = 1 << 20;

/// The scanner's place in the grid.
#[derive(Default)]
pub(super) struct Cursor {
    /// Zero-based row of the current `row` element.
    row: u32,
    /// Zero-based row that a `row` element without number is.
    next_row: u32,
    /// Zero-based column that a cell without reference is in.
    next_col: u32,
}

impl Cursor {
    /// Enters a row; `None` for a number outside of the grid.
    pub(super) fn enter_row(&mut self, number: Option<u32>) -> Option<u32> {
        let row = number.map_or(Some(self.next_row), |number| number.checked_sub(1))?;
        if row >= MAX_ROWS {
            return None;
        }
        (self.row, self.next_row, self.next_col) = (row, row + 1, 0);
        Some(row)
    }

    /// Names the place for what is told of it.
    pub(super) fn place_name(&self) -> String {
        format!("row {}", self.row + 1)
    }

    /// Where a cell is; `None` beyond the last column.
    pub(super) fn place(&mut self, reference: Option<CellRef>) -> Option<CellRef> {
        let at = match reference {
            Some(at) => at,
            None => CellRef::new(self.row, self.next_col)?,
        };
        self.next_col = at.col() + 1;
        Some(at)
    }
}

/// Reads from behind the start tag of `sheetData` to behind its end tag.
pub(super) fn scan(
    window: &mut Window,
    sink: &mut CellSink<'_>,
    total: u64,
    watch: &dyn Watch,
) -> Result<(), OpenError> {
    let mut cursor = Cursor::default();
    let mut next_look = window.position();
    loop {
        let Some(open) = memchr(b'<', window.rest()) else {
            let rest = window.rest().len();
            window.advance(rest);
            if !window.grow()? {
                return Err(cut_off(window));
            }
            continue;
        };
        window.advance(open);
        // The shortest element that decides is `<c/>`; `<row` and `</row` need five bytes.
        if window.rest().len() < 16 && window.grow()? {
            continue;
        }
        match window.rest() {
            [b'<', b'c', b' ' | b'>' | b'/' | b'\t' | b'\r' | b'\n', ..] => {
                read_cell(window, sink, &mut cursor)?;
            }
            [b'<', b'r', b'o', b'w', b' ' | b'>' | b'/' | b'\t' | b'\r' | b'\n', ..] => {
                read_row(window, sink, &mut cursor)?;
                if window.position() >= next_look {
                    next_look = window.position() + WATCH_BYTES;
                    if let ControlFlow::Break(()) = watch.progress(window.position(), total) {
                        return Err(OpenError::Cancelled);
                    }
                }
            }
            [b'<', b'/', b'r', b'o', b'w', ..] | [b'<', b'/', b'c', ..] => skip_past(window, b">")?,
            [b'<', b'/', b's', b'h', b'e', b'e', b't', ..] => return skip_past(window, b">"),
            [b'<', b'!', b'-', b'-', ..] => skip_past(window, b"-->")?,
            [b'<', b'?', ..] => skip_past(window, b"?>")?,
            [b'<', ..] => skip_element(window)?,
            _ => return Err(cut_off(window)),
        }
    }
}

fn cut_off(window: &Window) -> OpenError {
    window.damaged("its cells end too early")
}

fn skip_past(window: &mut Window, end: &[u8]) -> Result<(), OpenError> {
    match window.find(end)? {
        Some(found) => {
            window.advance(found + end.len());
            Ok(())
        }
        None => Err(cut_off(window)),
    }
}

/// Passes over an element that no sheet has here, with all that is in it.
fn skip_element(window: &mut Window) -> Result<(), OpenError> {
    const MAX_DEPTH: usize = 256;
    let mut depth = 0usize;
    loop {
        let Some(open) = window.find(b"<")? else { return Err(cut_off(window)) };
        window.advance(open);
        let Some(close) = window.find(b">")? else { return Err(cut_off(window)) };
        let tag = &window.rest()[..=close];
        let is_end = tag.starts_with(b"</");
        let is_empty = tag.ends_with(b"/>") || tag.starts_with(b"<!") || tag.starts_with(b"<?");
        window.advance(close + 1);
        match (is_end, is_empty) {
            (true, _) => depth = depth.saturating_sub(1),
            (false, true) => {}
            (false, false) => depth += 1,
        }
        if depth == 0 {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err(window.damaged(&format!("elements nest deeper than {MAX_DEPTH}")));
        }
    }
}

/// Offset of the `>` that ends the tag at the window's start.
fn tag_end(window: &mut Window) -> Result<usize, OpenError> {
    if let Some(end) = memchr(b'>', window.rest()) {
        return Ok(end);
    }
    window.find(b">")?.ok_or_else(|| cut_off(window))
}

fn read_row(window: &mut Window, sink: &mut CellSink<'_>, cursor: &mut Cursor) -> Result<(), OpenError> {
    let end = tag_end(window)?;
    let tag = &window.rest()[4..end];
    let is_empty = tag.ends_with(b"/");
    let mut number = None;
    let mut props = RowProps { row: 0, height: None, hidden: false, outline_level: 0, style: None };
    let (mut height, mut has_height, mut style, mut has_style) = (None, false, None, false);
    for (name, value) in Attributes(tag) {
        match name {
            b"r" => number = Some(integer(value).unwrap_or(u32::MAX)),
            b"ht" => height = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok()),
            b"customHeight" => has_height = is_true(value),
            b"hidden" => props.hidden = is_true(value),
            b"outlineLevel" => props.outline_level = integer(value).unwrap_or(0).min(7) as u8,
            b"s" => style = integer(value).map(StyleId),
            b"customFormat" => has_style = is_true(value),
            _ => {}
        }
    }
    props.height = height.filter(|_| has_height);
    props.style = style.filter(|_| has_style);
    match cursor.enter_row(number) {
        Some(row) => {
            sink.row(RowProps { row, ..props });
            window.advance(end + 1);
        }
        None => {
            sink.odd(cursor.place_name(), "a row behind it lies outside of the grid; it is left out");
            window.advance(end + 1);
            if !is_empty {
                skip_past(window, b"</row>")?;
            }
        }
    }
    Ok(())
}

fn read_cell(window: &mut Window, sink: &mut CellSink<'_>, cursor: &mut Cursor) -> Result<(), OpenError> {
    let end = tag_end(window)?;
    let is_empty = window.rest()[end - 1] == b'/';
    if is_empty {
        let (tag, is_outside) = cell_tag(&window.rest()[2..end - 1]);
        place_cell(sink, cursor, &tag, is_outside, Body::default())?;
        window.advance(end + 1);
        return Ok(());
    }
    // Nearly every cell is a tag, `<v>`, a text without markup and `</v></c>`.
    let content = end + 1;
    if window.rest().len() < content + 64 && window.grow()? {
        return read_cell(window, sink, cursor);
    }
    let rest = window.rest();
    if rest[content..].starts_with(b"<v>") {
        let text_at = content + 3;
        if let Some(length) = memchr(b'<', &rest[text_at..])
            && rest[text_at + length..].starts_with(b"</v></c>")
        {
            let (tag, is_outside) = cell_tag(&rest[2..end]);
            let text = &rest[text_at..text_at + length];
            if let Some(value) = sink.plain_value(tag.kind, text).filter(|_| !is_outside) {
                match cursor.place(tag.at) {
                    Some(at) => sink.plain(at, tag.style, value)?,
                    None => sink.odd(cursor.place_name(), "a cell lies outside of the grid; it is left out"),
                }
                window.advance(text_at + length + 8);
                return Ok(());
            }
        }
    }
    let Some((close, after)) = window.find_end(b"c", content)? else { return Err(cut_off(window)) };
    let (tag, is_outside) = cell_tag(&window.rest()[2..end]);
    let body = read_body(&window.rest()[content..close]).ok_or_else(|| window.unknown_entity())?;
    place_cell(sink, cursor, &tag, is_outside, body)?;
    window.advance(after);
    Ok(())
}

fn place_cell(
    sink: &mut CellSink<'_>,
    cursor: &mut Cursor,
    tag: &CellTag,
    is_outside: bool,
    (text, formula): Body<'_>,
) -> Result<(), OpenError> {
    let place = if is_outside { None } else { cursor.place(tag.at) };
    match place {
        Some(at) => sink.cell(at, tag, text.as_deref(), formula),
        None => {
            sink.odd(cursor.place_name(), "a cell lies outside of the grid; it is left out");
            Ok(())
        }
    }
}

/// The attributes of a cell, and whether its reference points outside of the grid.
fn cell_tag(bytes: &[u8]) -> (CellTag, bool) {
    let mut tag = CellTag::default();
    let mut is_outside = false;
    for (name, value) in Attributes(bytes) {
        match name {
            b"r" => {
                tag.at = CellRef::parse_a1(value);
                is_outside = tag.at.is_none();
            }
            b"s" => tag.style = integer(value).unwrap_or(0),
            b"t" => tag.kind = CellType::from_attribute(value),
            b"cm" => tag.metadata = integer(value).unwrap_or(0),
            b"vm" => tag.value_metadata = integer(value).unwrap_or(0),
            _ => {}
        }
    }
    (tag, is_outside)
}

/// What stands between the tags of a cell: the text of `v` or `is`, and the formula.
type Body<'a> = (Option<Cow<'a, str>>, Option<FormulaTag<'a>>);

/// `None` for an unknown entity.
fn read_body(body: &[u8]) -> Option<Body<'_>> {
    let (mut text, mut formula) = (None, None);
    let mut rest = body;
    while let Some(open) = memchr(b'<', rest) {
        rest = &rest[open..];
        if let Some(after) = skip_markup(rest) {
            rest = after;
            continue;
        }
        let Some(end) = memchr(b'>', rest) else { break };
        let (tag, content) = (&rest[1..end], &rest[end + 1..]);
        let is_empty = tag.ends_with(b"/");
        let name_length =
            tag.iter().position(|b| matches!(b, b' ' | b'/' | b'\t' | b'\r' | b'\n')).unwrap_or(tag.len());
        let name = &tag[..name_length];
        let (inner, after) = if is_empty { (&content[..0], content) } else { split_at_end(content, name) };
        match name {
            b"v" => text = Some(element_text(inner)?),
            b"is" => text = Some(Cow::Owned(string_item(inner)?)),
            b"f" => {
                let attributes = tag[name_length..].strip_suffix(b"/").unwrap_or(&tag[name_length..]);
                formula = Some(formula_tag(attributes, element_text(inner)?));
            }
            _ => {}
        }
        rest = after;
    }
    Some((text, formula))
}

fn formula_tag<'a>(attributes: &[u8], text: Cow<'a, str>) -> FormulaTag<'a> {
    let mut tag = FormulaTag { text, ..FormulaTag::default() };
    let owned = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    for (name, value) in Attributes(attributes) {
        match name {
            b"t" => tag.kind = FormulaType::from_attribute(value),
            b"ref" => tag.range = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
            b"si" => tag.shared_index = integer(value),
            b"r1" => tag.inputs[0] = Some(owned(value)),
            b"r2" => tag.inputs[1] = Some(owned(value)),
            _ => {}
        }
    }
    tag
}
