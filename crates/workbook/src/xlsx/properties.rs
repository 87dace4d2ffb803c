//! Document properties (ECMA-376 Part 2 §8, Part 1 §22.2): who wrote the workbook, when and with what.

use ooxml::{Package, RelType, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::Properties;
use crate::xlsx::left_out::LeftOut;

/// Characters of a property that are kept.
const MAX_TEXT: usize = 4096;

/// Reads the properties of a package.
pub(super) fn read(
    package: &Package,
    left_out: &mut LeftOut,
    limits: &Limits,
) -> Result<Properties, OpenError> {
    let mut properties = Properties::default();
    let Some(rels) = left_out.take(package.relationships("").map_err(OpenError::from))? else {
        return Ok(properties);
    };
    for kind in [RelType::CoreProperties, RelType::ExtendedProperties] {
        if let Some(part) = rels.target(kind).filter(|part| package.contains(part)) {
            let read = read_part(package, part, &mut properties, limits);
            left_out.take(read)?;
        }
    }
    Ok(properties)
}

fn read_part(
    package: &Package,
    part: &str,
    properties: &mut Properties,
    limits: &Limits,
) -> Result<(), OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    while let Some(event) = reader.next()? {
        let XmlEvent::Start(element) = event else { continue };
        let field = match element.name() {
            _ if element.is_empty => continue,
            "title" => &mut properties.title,
            "creator" => &mut properties.creator,
            "lastModifiedBy" => &mut properties.last_modified_by,
            "created" => &mut properties.created,
            "modified" => &mut properties.modified,
            "Application" => &mut properties.application,
            _ => continue,
        };
        let text: String = reader.text()?.trim().chars().take(MAX_TEXT).collect();
        *field = (!text.is_empty()).then_some(text);
    }
    Ok(())
}
