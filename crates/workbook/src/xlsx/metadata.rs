//! Cell metadata, as far as it marks dynamic arrays (ECMA-376 Part 1 §18.9, MS-XLSX §2.3.7 `XLDAPR`).

use ooxml::{Package, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;

/// For each block of `cellMetadata`, whether it marks a dynamic array.
pub(super) fn dynamic_arrays(package: &Package, part: &str, limits: &Limits) -> Result<Vec<bool>, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut types: Vec<bool> = Vec::new();
    let mut blocks: Vec<bool> = Vec::new();
    let mut in_cells = false;
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) => match element.name() {
                "metadataType" => types.push(element.attr("name").as_deref() == Some("XLDAPR")),
                "cellMetadata" => in_cells = !element.is_empty,
                "bk" if in_cells => {
                    if blocks.len() >= limits.max_list_items as usize {
                        return Err(OpenError::too_many_items(limits));
                    }
                    blocks.push(false);
                }
                "rc" if in_cells => {
                    let kind: usize = element.parse("t").unwrap_or(0);
                    let is_dynamic = kind.checked_sub(1).and_then(|index| types.get(index)) == Some(&true);
                    if let Some(block) = blocks.last_mut() {
                        *block |= is_dynamic;
                    }
                }
                _ => {}
            },
            XmlEvent::End(name) if name == "cellMetadata" => in_cells = false,
            XmlEvent::End(_) | XmlEvent::Text(_) => {}
        }
    }
    Ok(blocks)
}
