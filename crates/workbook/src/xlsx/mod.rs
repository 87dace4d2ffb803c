//! `.xlsx` and its kin: our own reader, because saving without loss needs one.
//!
//! [`open`] reads what is small (the workbook part, styles, shared strings); each sheet is read in one streaming pass
//! when it is asked for.

mod cell_sink;
mod cells;
mod cells_general;
mod charts;
mod comments;
mod drawings;
mod external;
mod external_cells;
mod left_out;
pub(crate) mod markup;
mod metadata;
mod pivot_layout;
mod pivots;
mod properties;
mod rich_errors;
#[cfg(test)]
mod scanner_tests;
mod shared_strings;
mod sheet;
mod sheet_rules;
mod styles;
mod tables;
pub(crate) mod window;
mod workbook_xml;

use std::collections::HashMap;
use std::sync::Arc;

use ooxml::{Package, RelType};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{
    FileFormat, Oddity, SheetId, SheetKind, StringTable, Styles, Tab, VbaProject, Watch, Workbook,
};
use crate::xlsx::cell_sink::Context;
use crate::xlsx::left_out::LeftOut;
use crate::xlsx::pivots::PivotCaches;
use crate::xlsx::sheet::{Loader, SheetPart};

/// Whether a package is a workbook that this reader reads: its main part, and its format.
pub(crate) fn main_part(package: &Package) -> Result<Option<(String, FileFormat)>, OpenError> {
    let root = package.relationships("")?;
    let named = root.target(RelType::OfficeDocument).filter(|part| package.contains(part));
    let part = match named {
        Some(part) => part.to_owned(),
        None if package.contains("xl/workbook.xml") => "xl/workbook.xml".to_owned(),
        None => return Ok(None),
    };
    if !part.to_ascii_lowercase().ends_with(".xml") || package.contains("word/document.xml") {
        return Ok(None);
    }
    let types = package.part("[Content_Types].xml").unwrap_or_default();
    let has = |needle: &[u8]| memchr::memmem::find(&types, needle).is_some();
    let format = if has(b"application/vnd.ms-excel.sheet.macroEnabled.main+xml") {
        FileFormat::Xlsm
    } else if has(b"application/vnd.ms-excel.template.macroEnabled.main+xml") {
        FileFormat::Xltm
    } else if has(b"spreadsheetml.template.main+xml") {
        FileFormat::Xltx
    } else if has(b"wordprocessingml") || has(b"presentationml.") {
        return Ok(None);
    } else {
        FileFormat::Xlsx
    };
    Ok(Some((part, format)))
}

/// The parts of the tabs, in their order; empty for one that is missing.
pub(crate) fn sheet_parts(package: &Package) -> Result<Vec<String>, OpenError> {
    let Some((main, _)) = main_part(package)? else { return Ok(Vec::new()) };
    let found = workbook_xml::read(package, &main, &Limits::default())?;
    let rels = package.relationships(&main)?;
    let part = |relationship: &str| {
        rels.by_id(relationship).filter(|found| !found.is_external).map(|found| found.target.clone())
    };
    Ok(found.sheets.iter().map(|sheet| part(&sheet.relationship).unwrap_or_default()).collect())
}

/// The cell formats of a package as they are now.
pub(crate) fn read_styles(package: &Package, limits: &Limits) -> Result<Styles, OpenError> {
    let Some((main, _)) = main_part(package)? else { return Ok(Styles::default()) };
    let rels = package.relationships(&main)?;
    let target = |kind| rels.target(kind).filter(|target| package.contains(target));
    match target(RelType::Styles) {
        Some(part) => styles::read(package, part, target(RelType::Theme), limits),
        None => Ok(Styles::default()),
    }
}

/// The number of a built-in number format.
pub(crate) fn builtin_format(code: &str) -> Option<u32> {
    (0..50u16).find(|id| number_format::builtin(*id) == Some(code)).map(u32::from)
}

/// One-based index of the cell metadata that marks dynamic arrays, if the workbook has it.
pub(crate) fn dynamic_array_metadata(
    package: &Package,
    main: &str,
    limits: &Limits,
) -> Result<Option<u32>, OpenError> {
    let rels = package.relationships(main)?;
    let part = rels.target(RelType::SheetMetadata).filter(|part| package.contains(part));
    let Some(part) = part else { return Ok(None) };
    let marks = metadata::dynamic_arrays(package, part, limits)?;
    Ok(marks.iter().position(|mark| *mark).map(|index| index as u32 + 1))
}

/// Reads a workbook whose main part is `part`.
pub(crate) fn open(
    package: Package,
    part: &str,
    format: FileFormat,
    limits: &Limits,
    watch: &dyn Watch,
) -> Result<Workbook, OpenError> {
    open_sharing(package, part, format, None, limits, watch)
}

/// As [`open`], with shared strings that are known already.
pub(crate) fn open_sharing(
    package: Package,
    part: &str,
    format: FileFormat,
    shared_strings: Option<Arc<StringTable>>,
    limits: &Limits,
    watch: &dyn Watch,
) -> Result<Workbook, OpenError> {
    let mut oddities: Vec<Oddity> = package
        .duplicates()
        .iter()
        .map(|name| Oddity {
            place: name.clone(),
            what: "the zip holds this part twice; the last one is read".into(),
        })
        .collect();
    let found = workbook_xml::read(&package, part, limits)?;
    let rels = package.relationships(part)?;
    let target = |kind| rels.target(kind).filter(|target| package.contains(target));

    let shared_strings = match (shared_strings, target(RelType::SharedStrings)) {
        (Some(known), _) => known,
        (None, Some(strings)) => Arc::new(shared_strings::read(&package, strings, limits, watch)?),
        (None, None) => Arc::default(),
    };
    let styles = match target(RelType::Styles) {
        Some(part) => styles::read(&package, part, target(RelType::Theme), limits)?,
        None => Styles::default(),
    };
    let dynamic_arrays = match target(RelType::SheetMetadata) {
        Some(metadata) => metadata::dynamic_arrays(&package, metadata, limits)?,
        None => Vec::new(),
    };
    let dynamic_arrays = Arc::new(dynamic_arrays);
    let mut left_out = LeftOut::default();
    let rich_errors = match target(RelType::SheetMetadata) {
        Some(metadata) => {
            left_out.take(rich_errors::read(&package, metadata, &rels, limits))?.unwrap_or_default()
        }
        None => Vec::new(),
    };
    let rich_errors = Arc::new(rich_errors);
    oddities.extend(left_out.note("rich values").map(|what| Oddity { place: part.to_owned(), what }));
    let mut tabs = Vec::with_capacity(found.sheets.len());
    let mut parts = Vec::with_capacity(found.sheets.len());
    for listed in found.sheets {
        let relationship = rels.by_id(&listed.relationship);
        let kind = match relationship.map(|relationship| &relationship.kind) {
            Some(RelType::Chartsheet) => SheetKind::Chartsheet,
            Some(RelType::Dialogsheet) => SheetKind::Dialogsheet,
            Some(RelType::Macrosheet) => SheetKind::Macrosheet,
            _ => SheetKind::Worksheet,
        };
        let part = relationship.filter(|found| !found.is_external).map(|found| found.target.clone());
        if part.as_deref().is_none_or(|part| !package.contains(part)) {
            oddities.push(Oddity {
                place: listed.name.clone(),
                what: "its part is missing; it reads as empty".into(),
            });
        }
        parts.push(SheetPart {
            name: listed.name.clone(),
            kind,
            visibility: listed.visibility,
            context: Context {
                part: part.unwrap_or_default(),
                dates: found.dates,
                shared_strings: shared_strings.len() as u32,
                dynamic_arrays: Arc::clone(&dynamic_arrays),
                rich_errors: Arc::clone(&rich_errors),
            },
        });
        tabs.push(Tab::new(listed.name, kind, listed.visibility, SheetId(tabs.len() as u32)));
    }
    if tabs.is_empty() {
        return Err(OpenError::Damaged { part: part.to_owned(), problem: "it lists no sheet".to_owned() });
    }
    let vba = match target(RelType::VbaProject) {
        Some(part) => Some(VbaProject {
            part: part.to_owned(),
            signed: package.relationships(part)?.of(RelType::VbaProjectSignature).next().is_some(),
        }),
        None => None,
    };
    let signed = package.names().any(|name| name.to_ascii_lowercase().starts_with("_xmlsignatures/"));
    let persons = match target(RelType::Person) {
        Some(part) => comments::persons(&package, part, limits)?,
        None => HashMap::new(),
    };
    let mut left_out = LeftOut::default();
    let external_links = external::links(&package, &found.external_references, &rels, &mut left_out, limits)?;
    let connections = match target(RelType::Connections) {
        Some(part) => left_out.take(external::connections(&package, part, limits))?.unwrap_or_default(),
        None => Vec::new(),
    };
    let properties = properties::read(&package, &mut left_out, limits)?;
    oddities.extend(
        left_out.note("links, connections or properties").map(|what| Oddity { place: part.to_owned(), what }),
    );
    let connection_names = connections.iter().map(|it| (it.id, it.name.clone())).collect();
    let pivot_caches = PivotCaches::new(connection_names);
    let loader =
        Loader::new(package, parts, Arc::clone(&shared_strings), persons, pivot_caches, limits.clone());
    Ok(Workbook {
        format,
        date_system: found.dates,
        styles: Arc::new(styles),
        shared_strings,
        names: found.names,
        properties,
        calc: found.calc,
        external_links,
        connections: connections.iter().map(external::Connection::describe).collect(),
        vba,
        protection: found.protection,
        signed,
        oddities,
        tabs,
        loader: Arc::new(loader),
    })
}
