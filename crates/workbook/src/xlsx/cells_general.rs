//! `sheetData` by a general XML reader: for sheets whose elements carry a namespace prefix. Slower than
//! [`super::cells`], with the same answers.

use std::borrow::Cow;
use std::io::BufRead;

use ooxml::{Element, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::model::{RowProps, StyleId};
use crate::xlsx::cell_sink::{CellSink, CellTag, CellType, FormulaTag, FormulaType};
use crate::xlsx::cells::Cursor;
use crate::xlsx::markup::trim_xml_space;

/// Reads up to the end of `sheetData`.
pub(super) fn read<R: BufRead>(reader: &mut XmlReader<R>, sink: &mut CellSink<'_>) -> Result<(), OpenError> {
    let mut cursor = Cursor::default();
    let mut is_row_outside = false;
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) => match element.name() {
                "row" => {
                    let number = element.attr("r").map(|text| text.parse().unwrap_or(u32::MAX));
                    let props = row_props(&element);
                    is_row_outside = match cursor.enter_row(number) {
                        Some(row) => {
                            sink.row(RowProps { row, ..props });
                            false
                        }
                        None => {
                            sink.odd(
                                cursor.place_name(),
                                "a row behind it lies outside of the grid; it is left out",
                            );
                            true
                        }
                    };
                }
                "c" => {
                    let reference = element.attr("r");
                    let at = reference.as_deref().and_then(|text| grid::CellRef::parse_a1(text.as_bytes()));
                    let is_outside = is_row_outside || (reference.is_some() && at.is_none());
                    let tag = CellTag {
                        at,
                        style: element.parse("s").unwrap_or(0),
                        kind: CellType::from_attribute(element.attr("t").unwrap_or_default().as_bytes()),
                        metadata: element.parse("cm").unwrap_or(0),
                        value_metadata: element.parse("vm").unwrap_or(0),
                    };
                    let is_empty = element.is_empty;
                    let (text, formula) = if is_empty { (None, None) } else { body(reader)? };
                    let place = if is_outside { None } else { cursor.place(tag.at) };
                    match place {
                        Some(at) => sink.cell(at, &tag, text.as_deref(), formula)?,
                        None if is_row_outside => {}
                        None => {
                            sink.odd(cursor.place_name(), "a cell lies outside of the grid; it is left out");
                        }
                    }
                }
                _ if element.is_empty => {}
                _ => reader.skip()?,
            },
            XmlEvent::End(name) if name == "sheetData" => return Ok(()),
            XmlEvent::End(_) | XmlEvent::Text(_) => {}
        }
    }
    Ok(())
}

fn row_props(element: &Element<'_>) -> RowProps {
    RowProps {
        row: 0,
        height: element.parse("ht").filter(|_| element.flag("customHeight", false)),
        hidden: element.flag("hidden", false),
        outline_level: element.parse::<u32>("outlineLevel").unwrap_or(0).min(7) as u8,
        style: element.parse("s").map(StyleId).filter(|_| element.flag("customFormat", false)),
    }
}

fn body<R: BufRead>(
    reader: &mut XmlReader<R>,
) -> Result<(Option<String>, Option<FormulaTag<'static>>), OpenError> {
    let (mut text, mut formula) = (None, None);
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::End(name) if name == "c" => break,
            XmlEvent::Start(element) => {
                let is_empty = element.is_empty;
                match element.name() {
                    "v" => text = Some(if is_empty { String::new() } else { reader.text()? }),
                    "is" => text = Some(if is_empty { String::new() } else { inline_string(reader)? }),
                    "f" => {
                        let mut tag = formula_tag(&element);
                        if !is_empty {
                            tag.text = Cow::Owned(reader.text()?);
                        }
                        formula = Some(tag);
                    }
                    _ if is_empty => {}
                    _ => reader.skip()?,
                }
            }
            XmlEvent::End(_) | XmlEvent::Text(_) => {}
        }
    }
    Ok((text, formula))
}

fn inline_string<R: BufRead>(reader: &mut XmlReader<R>) -> Result<String, OpenError> {
    let mut text = String::new();
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::End(name) if name == "is" => break,
            XmlEvent::Start(element) if !element.is_empty => match element.name() {
                "t" => {
                    let preserves_space = element.attr("space").as_deref() == Some("preserve");
                    let run = reader.text()?;
                    text.push_str(if preserves_space { &run } else { trim_xml_space(&run) });
                }
                "rPh" => reader.skip()?,
                _ => {}
            },
            XmlEvent::Start(_) | XmlEvent::End(_) | XmlEvent::Text(_) => {}
        }
    }
    Ok(text)
}

fn formula_tag(element: &Element<'_>) -> FormulaTag<'static> {
    FormulaTag {
        kind: FormulaType::from_attribute(element.attr("t").unwrap_or_default().as_bytes()),
        range: element.parse("ref"),
        shared_index: element.parse("si"),
        inputs: [element.attr("r1"), element.attr("r2")],
        text: Cow::Borrowed(""),
    }
}
