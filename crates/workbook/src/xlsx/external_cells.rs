//! Copies of cells of other workbooks, which a file keeps for the formulas that read them (ECMA-376 Part 1 §18.14.15).

use std::io::BufRead;
use std::sync::Arc;

use grid::{CellRef, ErrorValue};
use ooxml::{Package, XmlEvent, XmlReader, decode_xstring};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{ExternalLink, LinkedSheet, RawCell, RawValue, SheetBuilder, StyleId};

/// Reads the copies that the links' parts hold. `counted` cells of the workbook are loaded already.
pub(super) fn read(
    package: &Package,
    links: &[ExternalLink],
    counted: u64,
    limits: &Limits,
) -> Result<Vec<LinkedSheet>, OpenError> {
    let mut copies = Copies { sheets: Vec::new(), counted, limits };
    for link in links.iter().filter(|link| !link.part.is_empty()) {
        let source = package.stream(&link.part)?;
        let mut reader = XmlReader::new(&link.part, source, limits.package.max_xml_depth);
        while let Some(event) = reader.next()? {
            let XmlEvent::Start(element) = event else { continue };
            if element.name() != "sheetData" {
                continue;
            }
            let index = element.parse::<usize>("sheetId");
            let name = index.and_then(|index| link.sheets.get(index));
            let (is_lost, is_empty) = (element.flag("refreshError", false), element.is_empty);
            match name {
                Some(name) => copies.sheet(&mut reader, link.index, name, is_lost, is_empty)?,
                None if is_empty => {}
                None => reader.skip()?,
            }
        }
    }
    Ok(copies.sheets)
}

struct Copies<'a> {
    sheets: Vec<LinkedSheet>,
    counted: u64,
    limits: &'a Limits,
}

impl Copies<'_> {
    fn sheet<R: BufRead>(
        &mut self,
        reader: &mut XmlReader<R>,
        link: u32,
        name: &str,
        is_lost: bool,
        is_empty: bool,
    ) -> Result<(), OpenError> {
        let mut builder = SheetBuilder::new(name, Arc::default(), self.limits).counting_from(self.counted);
        if !is_empty {
            cells(reader, &mut builder)?;
        }
        let cells = builder.finish();
        self.counted += cells.cell_count();
        self.sheets.push(LinkedSheet { link, name: name.to_owned(), is_lost, cells });
        Ok(())
    }
}

/// Reads up to the end of `sheetData`.
fn cells<R: BufRead>(reader: &mut XmlReader<R>, builder: &mut SheetBuilder) -> Result<(), OpenError> {
    let mut cell: Option<(CellRef, String)> = None;
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::End(name) if name == "sheetData" => break,
            XmlEvent::Start(element) if element.name() == "cell" => {
                let at = element.attr("r").and_then(|text| CellRef::parse_a1(text.as_bytes()));
                cell = at.map(|at| (at, element.attr("t").unwrap_or_default()));
            }
            XmlEvent::Start(element) if element.name() == "v" => {
                let text = if element.is_empty { String::new() } else { reader.text()? };
                let Some((at, kind)) = cell.take() else { continue };
                let value = value(builder, &kind, &text)?;
                builder.set(at, RawCell { value, style: StyleId(0), formula: None })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// By `ST_CellType` (ECMA-376 Part 1 §18.18.11).
fn value(builder: &mut SheetBuilder, kind: &str, text: &str) -> Result<RawValue, OpenError> {
    let word = text.trim();
    Ok(match kind {
        "b" => RawValue::Bool(matches!(word, "1" | "true")),
        "e" => RawValue::Error(word.parse().unwrap_or(ErrorValue::Unknown)),
        "" | "n" => match word.parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => RawValue::Number(number),
            None => builder.text(text)?,
        },
        _ => builder.text(&decode_xstring(text))?,
    })
}
