//! Drawing parts (ECMA-376 Part 1 §20.5): what floats above a sheet's cells, and where.

use std::collections::HashSet;

use grid::{CellRange, CellRef};
use ooxml::{ContentTypes, Element, Package, Relationships, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{Anchor, Image, Placement, Shape, Sheet};
use crate::xlsx::charts;
use crate::xlsx::left_out::LeftOut;

/// Reads a sheet's drawing into the sheet. An object that cannot be read is left out with a note.
pub(super) fn read(
    package: &Package,
    part: &str,
    types: &ContentTypes,
    sheet: &mut Sheet,
    limits: &Limits,
) -> Result<(), OpenError> {
    let mut left_out = LeftOut::default();
    if let Some(rels) = left_out.take(package.relationships(part).map_err(OpenError::from))? {
        let mut drawing = Drawing { package, rels, types, limits, charts_read: HashSet::new(), left_out };
        let read = drawing.read(part, sheet);
        drawing.left_out.take(read)?;
        left_out = drawing.left_out;
    }
    sheet.notes.extend(left_out.note("objects of the drawing"));
    Ok(())
}

/// An object before its anchor is whole.
#[derive(Default)]
struct Object {
    kind: &'static str,
    name: String,
    description: Option<String>,
    text: String,
    /// Relationship to the picture's bytes, or to the chart.
    target: Option<String>,
}

/// The corner of an anchor that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Corner {
    From,
    To,
}

#[derive(Default)]
struct Reading {
    is_absolute: bool,
    corner: Option<Corner>,
    /// Zero-based row and column of the corners.
    from: (Option<u32>, Option<u32>),
    to: (Option<u32>, Option<u32>),
    placement: Placement,
    /// Objects that have started: groups hold others.
    open: Vec<Object>,
    /// Objects that have ended within the current anchor.
    done: Vec<Object>,
    text: Option<String>,
}

impl Reading {
    fn start(&mut self, element: &Element<'_>) {
        match element.name() {
            anchor @ ("twoCellAnchor" | "oneCellAnchor" | "absoluteAnchor") => {
                *self = Reading { is_absolute: anchor == "absoluteAnchor", ..Reading::default() };
            }
            "from" if self.open.is_empty() => self.corner = Some(Corner::From),
            "to" if self.open.is_empty() => self.corner = Some(Corner::To),
            "col" | "row" | "colOff" | "rowOff" if self.corner.is_some() => self.text = Some(String::new()),
            "pos" if self.open.is_empty() => {
                self.placement.from = pair(element, "x", "y").unwrap_or_default();
            }
            "ext" if self.open.is_empty() => self.placement.size = pair(element, "cx", "cy"),
            "t" if !self.open.is_empty() && !element.is_empty => self.text = Some(String::new()),
            name => {
                if let Some(kind) = object_kind(name) {
                    self.open.push(Object { kind, ..Object::default() });
                } else if let Some(object) = self.open.last_mut() {
                    describe(object, element);
                }
            }
        }
        if element.is_empty {
            self.end(element.name());
        }
    }

    /// Returns whether the element was an anchor: then what it holds is whole.
    fn end(&mut self, name: &str) -> bool {
        match name {
            "twoCellAnchor" | "oneCellAnchor" | "absoluteAnchor" => return true,
            "from" | "to" if self.open.is_empty() => self.corner = None,
            "col" | "row" => {
                let number = self.text.take().and_then(|text| text.trim().parse().ok());
                let corner = match self.corner {
                    Some(Corner::From) => &mut self.from,
                    Some(Corner::To) => &mut self.to,
                    None => return false,
                };
                *(if name == "row" { &mut corner.0 } else { &mut corner.1 }) = number;
            }
            "colOff" | "rowOff" => {
                let offset = self.text.take().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
                let corner = match self.corner {
                    Some(Corner::From) => &mut self.placement.from,
                    Some(Corner::To) => &mut self.placement.to,
                    None => return false,
                };
                *(if name == "colOff" { &mut corner.0 } else { &mut corner.1 }) = offset;
            }
            "t" => {
                if let (Some(object), Some(text)) = (self.open.last_mut(), self.text.take()) {
                    object.text.push_str(&text);
                }
            }
            "p" => {
                if let Some(object) = self.open.last_mut() {
                    object.text.push('\n');
                }
            }
            name if object_kind(name).is_some() => self.done.extend(self.open.pop()),
            _ => {}
        }
        false
    }

    fn anchor(&self) -> Option<Anchor> {
        if self.is_absolute {
            return Some(Anchor::Absolute);
        }
        let cell = |(row, col): (Option<u32>, Option<u32>)| CellRef::new(row?, col?);
        let from = cell(self.from)?;
        Some(match cell(self.to) {
            Some(to) => Anchor::Cells(CellRange::new(from, to)),
            None => Anchor::Cell(from),
        })
    }
}

/// Two lengths of an element, in EMU.
fn pair(element: &Element<'_>, first: &str, second: &str) -> Option<(i64, i64)> {
    Some((element.parse(first)?, element.parse(second)?))
}

/// What an element shows, if it is an object; a group is only its members.
fn object_kind(element: &str) -> Option<&'static str> {
    Some(match element {
        "pic" => "picture",
        "sp" => "shape",
        "cxnSp" => "connector",
        "graphicFrame" => "graphic",
        "contentPart" => "ink",
        "grpSp" => "group",
        _ => return None,
    })
}

/// Takes what an element within an object says of it.
fn describe(object: &mut Object, element: &Element<'_>) {
    match element.name() {
        "cNvPr" if object.name.is_empty() => {
            let text = |name| element.attr(name).filter(|text| !text.trim().is_empty());
            object.name = element.attr("name").unwrap_or_default();
            object.description = text("descr").or_else(|| text("title"));
        }
        "cNvSpPr" if element.flag("txBox", false) => object.kind = "textbox",
        "blip" if object.kind == "picture" && object.target.is_none() => {
            let id = |name| element.attr(name).filter(|id| !id.is_empty());
            object.target = id("embed").or_else(|| id("link"));
        }
        "chart" if object.kind == "graphic" => {
            object.kind = "chart";
            object.target = element.attr("id");
        }
        "slicer" if object.kind == "graphic" => object.kind = "slicer",
        "timeslicer" if object.kind == "graphic" => object.kind = "timeline",
        "relIds" if object.kind == "graphic" => object.kind = "diagram",
        _ => {}
    }
}

struct Drawing<'a> {
    package: &'a Package,
    rels: Relationships,
    types: &'a ContentTypes,
    limits: &'a Limits,
    /// A chart's part belongs to one object: reading it for each of a million would cost a million readings.
    charts_read: HashSet<String>,
    left_out: LeftOut,
}

impl Drawing<'_> {
    fn read(&mut self, part: &str, sheet: &mut Sheet) -> Result<(), OpenError> {
        let source = self.package.stream(part)?;
        let mut reader = XmlReader::new(part, source, self.limits.package.max_xml_depth);
        let mut reading = Reading::default();
        while let Some(event) = reader.next()? {
            match event {
                // What older programs show instead of the choice before it.
                XmlEvent::Start(element) if element.name() == "Fallback" => {
                    if !element.is_empty {
                        reader.skip()?;
                    }
                }
                XmlEvent::Start(element) => reading.start(&element),
                XmlEvent::Text(piece) => {
                    if let Some(text) = &mut reading.text {
                        text.push_str(&piece);
                    }
                }
                XmlEvent::End(name) => {
                    if reading.end(name.as_str()) {
                        let place = (reading.anchor(), reading.placement);
                        for object in std::mem::take(&mut reading.done) {
                            self.add(object, place, sheet)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        object: Object,
        (anchor, placement): (Option<Anchor>, Placement),
        sheet: &mut Sheet,
    ) -> Result<(), OpenError> {
        let listed = sheet.charts.len() + sheet.images.len() + sheet.shapes.len();
        if listed >= self.limits.max_list_items as usize {
            return Err(OpenError::too_many_items(self.limits));
        }
        match object.kind {
            "group" => {}
            "picture" => sheet.images.extend(self.image(object, (anchor, placement))),
            "chart" => {
                let Some(part) = self.chart_part(&object) else { return Ok(()) };
                let read = charts::read(self.package, &part, self.limits);
                let Some(mut chart) = self.left_out.take(read)? else { return Ok(()) };
                (chart.name, chart.anchor, chart.placement) = (object.name, anchor, placement);
                sheet.charts.push(chart);
            }
            kind => {
                let text = object.text.trim();
                sheet.shapes.push(Shape {
                    name: object.name,
                    kind: kind.to_owned(),
                    text: (!text.is_empty()).then(|| text.to_owned()),
                    anchor,
                    placement,
                });
            }
        }
        Ok(())
    }

    fn image(&mut self, object: Object, (anchor, placement): (Option<Anchor>, Placement)) -> Option<Image> {
        let Some(found) = object.target.as_deref().and_then(|id| self.rels.by_id(id)) else {
            self.left_out.add(format!("the picture {} refers to no image", object.name));
            return None;
        };
        let bytes = self.package.declared_size(&found.target).filter(|_| !found.is_external);
        if bytes.is_none() && !found.is_external {
            self.left_out.add(format!("{}: the part is missing", found.target));
            return None;
        }
        Some(Image {
            name: object.name,
            description: object.description,
            anchor,
            placement,
            part: found.target.clone(),
            media_type: bytes.and_then(|_| self.types.of(&found.target)).map(str::to_owned),
            bytes,
        })
    }

    fn chart_part(&mut self, object: &Object) -> Option<String> {
        let found = object.target.as_deref().and_then(|id| self.rels.by_id(id));
        let Some(found) = found.filter(|found| !found.is_external) else {
            self.left_out.add(format!("the chart {} refers to no part", object.name));
            return None;
        };
        if !self.charts_read.insert(found.target.clone()) {
            self.left_out.add(format!("{} is shown more than once", found.target));
            return None;
        }
        Some(found.target.clone())
    }
}
