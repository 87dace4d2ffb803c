//! Errors that Excel stores as `#VALUE!` for programs that do not know them, with what they are beside it: `#SPILL!`, `#CALC!` and
//! other late ones (MS-XLSX §2.3.6.1, rich values of the structure `_error`).

use grid::ErrorValue;
use ooxml::{Package, RelType, Relationships, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;

/// The structure of errors, and the key of its kind.
const STRUCTURE: &str = "_error";
const KIND: &str = "errorType";

/// For each block of `valueMetadata`, the error that it stands for.
pub(super) fn read(
    package: &Package,
    metadata: &str,
    rels: &Relationships,
    limits: &Limits,
) -> Result<Vec<Option<ErrorValue>>, OpenError> {
    let part = |kind| rels.target(kind).filter(|target| package.contains(target));
    let (Some(values), Some(structures)) = (part(RelType::RichValue), part(RelType::RichValueStructure))
    else {
        return Ok(Vec::new());
    };
    let kinds = kinds(package, structures, limits)?;
    let errors = errors(package, values, &kinds, limits)?;
    blocks(package, metadata, &errors, limits)
}

/// For each structure, the position of the kind of error within its values; `None` for structures of anything else.
fn kinds(package: &Package, part: &str, limits: &Limits) -> Result<Vec<Option<usize>>, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut kinds: Vec<Option<usize>> = Vec::new();
    let (mut is_error, mut key) = (false, 0);
    while let Some(event) = reader.next()? {
        let XmlEvent::Start(element) = event else { continue };
        match element.name() {
            "s" => {
                check(kinds.len(), limits)?;
                is_error = element.attr("t").as_deref() == Some(STRUCTURE);
                key = 0;
                kinds.push(None);
            }
            "k" => {
                if is_error && element.attr("n").as_deref() == Some(KIND) {
                    kinds.last_mut().into_iter().for_each(|kind| *kind = Some(key));
                }
                key += 1;
            }
            _ => {}
        }
    }
    Ok(kinds)
}

/// For each rich value, the error that it is.
fn errors(
    package: &Package,
    part: &str,
    kinds: &[Option<usize>],
    limits: &Limits,
) -> Result<Vec<Option<ErrorValue>>, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut errors: Vec<Option<ErrorValue>> = Vec::new();
    let (mut kind, mut value) = (None, 0);
    while let Some(event) = reader.next()? {
        let XmlEvent::Start(element) = event else { continue };
        match element.name() {
            "rv" => {
                check(errors.len(), limits)?;
                kind =
                    element.parse::<usize>("s").and_then(|structure| kinds.get(structure).copied().flatten());
                value = 0;
                errors.push(None);
            }
            "v" => {
                let is_kind = kind == Some(value);
                value += 1;
                if is_kind && !element.is_empty {
                    let code = reader.text()?.trim().parse::<usize>().ok();
                    let error = code.and_then(|code| ErrorValue::ALL.get(code).copied());
                    errors.last_mut().into_iter().for_each(|last| *last = error);
                }
            }
            _ => {}
        }
    }
    Ok(errors)
}

/// Follows `valueMetadata` through its future metadata to the rich values.
fn blocks(
    package: &Package,
    part: &str,
    errors: &[Option<ErrorValue>],
    limits: &Limits,
) -> Result<Vec<Option<ErrorValue>>, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut types: Vec<bool> = Vec::new();
    // Blocks of the future metadata of rich values: each one's value.
    let mut values: Vec<Option<usize>> = Vec::new();
    let mut blocks: Vec<Option<ErrorValue>> = Vec::new();
    let (mut in_future, mut in_values) = (false, false);
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) => match element.name() {
                "metadataType" => types.push(element.attr("name").as_deref() == Some("XLRICHVALUE")),
                "futureMetadata" => in_future = element.attr("name").as_deref() == Some("XLRICHVALUE"),
                "valueMetadata" => in_values = !element.is_empty,
                "bk" if in_future => {
                    check(values.len(), limits)?;
                    values.push(None);
                }
                "rvb" if in_future => {
                    let index = element.parse("i");
                    values.last_mut().into_iter().for_each(|value| *value = index);
                }
                "bk" if in_values => {
                    check(blocks.len(), limits)?;
                    blocks.push(None);
                }
                "rc" if in_values => {
                    let kind = element.parse::<usize>("t").and_then(|kind| kind.checked_sub(1));
                    let is_rich = kind.and_then(|kind| types.get(kind)) == Some(&true);
                    let value =
                        element.parse::<usize>("v").and_then(|value| values.get(value).copied().flatten());
                    let error =
                        value.filter(|_| is_rich).and_then(|value| errors.get(value).copied().flatten());
                    blocks.last_mut().into_iter().for_each(|block| *block = error);
                }
                _ => {}
            },
            XmlEvent::End(name) if name == "futureMetadata" => in_future = false,
            XmlEvent::End(name) if name == "valueMetadata" => in_values = false,
            XmlEvent::End(_) | XmlEvent::Text(_) => {}
        }
    }
    Ok(blocks)
}

fn check(count: usize, limits: &Limits) -> Result<(), OpenError> {
    if count >= limits.max_list_items as usize {
        return Err(OpenError::too_many_items(limits));
    }
    Ok(())
}
