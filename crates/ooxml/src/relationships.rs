//! How parts refer to each other (ECMA-376 Part 2 §6.5).

use crate::error::PackageError;
use crate::package::Package;
use crate::xml::{XmlEvent, XmlReader};

/// What a relationship is for: the last segment of its type URI, which Strict and Transitional documents share.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the segment's name")]
pub enum RelType {
    OfficeDocument,
    CoreProperties,
    ExtendedProperties,
    CustomProperties,
    Worksheet,
    Chartsheet,
    Dialogsheet,
    Macrosheet,
    Styles,
    SharedStrings,
    Theme,
    SheetMetadata,
    CalcChain,
    Table,
    Drawing,
    VmlDrawing,
    Comments,
    ThreadedComment,
    Person,
    Hyperlink,
    Image,
    Chart,
    ChartEx,
    PivotTable,
    PivotCacheDefinition,
    ExternalLink,
    ExternalLinkPath,
    Connections,
    QueryTable,
    Slicer,
    SlicerCache,
    Timeline,
    VbaProject,
    VbaProjectSignature,
    DigitalSignatureOrigin,
    OleObject,
    /// An embedded document that is a package of its own.
    Package,
    Control,
    ControlProperties,
    PrinterSettings,
    CustomXml,
    RichValue,
    RichValueStructure,
    RichValueTypes,
    RichValueRel,
    PivotCacheRecords,
    /// Any other: the last segment of the type.
    Other(String),
}

impl RelType {
    fn from_uri(uri: &str) -> RelType {
        let segment = uri.rsplit('/').next().unwrap_or(uri);
        match segment {
            "officeDocument" => RelType::OfficeDocument,
            "core-properties" => RelType::CoreProperties,
            "extended-properties" | "extendedProperties" => RelType::ExtendedProperties,
            "custom-properties" | "customProperties" => RelType::CustomProperties,
            "worksheet" => RelType::Worksheet,
            "chartsheet" => RelType::Chartsheet,
            "dialogsheet" => RelType::Dialogsheet,
            "xlMacrosheet" | "xlIntlMacrosheet" | "macrosheet" => RelType::Macrosheet,
            "styles" => RelType::Styles,
            "sharedStrings" => RelType::SharedStrings,
            "theme" => RelType::Theme,
            "sheetMetadata" => RelType::SheetMetadata,
            "calcChain" => RelType::CalcChain,
            "table" => RelType::Table,
            "drawing" => RelType::Drawing,
            "vmlDrawing" => RelType::VmlDrawing,
            "comments" => RelType::Comments,
            "threadedComment" => RelType::ThreadedComment,
            "person" => RelType::Person,
            "hyperlink" => RelType::Hyperlink,
            "image" => RelType::Image,
            "chart" => RelType::Chart,
            "chartEx" => RelType::ChartEx,
            "pivotTable" => RelType::PivotTable,
            "pivotCacheDefinition" => RelType::PivotCacheDefinition,
            "externalLink" => RelType::ExternalLink,
            "externalLinkPath"
            | "xlExternalLinkPath"
            | "externalLinkLongPath"
            | "xlPathMissing"
            | "xlStartup"
            | "xlAlternateStartup"
            | "xlLibrary" => RelType::ExternalLinkPath,
            "connections" => RelType::Connections,
            "queryTable" => RelType::QueryTable,
            "slicer" => RelType::Slicer,
            "slicerCache" => RelType::SlicerCache,
            "timeline" => RelType::Timeline,
            "vbaProject" => RelType::VbaProject,
            "vbaProjectSignature" | "vbaProjectSignatureAgile" | "vbaProjectSignatureV3" => {
                RelType::VbaProjectSignature
            }
            "origin" => RelType::DigitalSignatureOrigin,
            "oleObject" => RelType::OleObject,
            "package" => RelType::Package,
            "control" => RelType::Control,
            "ctrlProp" => RelType::ControlProperties,
            "printerSettings" => RelType::PrinterSettings,
            "customXml" => RelType::CustomXml,
            "rdRichValue" => RelType::RichValue,
            "rdRichValueStructure" => RelType::RichValueStructure,
            "rdRichValueTypes" => RelType::RichValueTypes,
            "richValueRel" => RelType::RichValueRel,
            "pivotCacheRecords" => RelType::PivotCacheRecords,
            other => RelType::Other(other.to_owned()),
        }
    }
}

/// One relationship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// Its id within the source (`rId1`).
    pub id: String,
    /// What it is for.
    pub kind: RelType,
    /// A part's name, resolved against the source; or, if `is_external`, the target as written.
    pub target: String,
    /// Whether the target lies outside of the package.
    pub is_external: bool,
}

/// The relationships of one source.
#[derive(Debug, Clone, Default)]
pub struct Relationships(Vec<Relationship>);

impl Relationships {
    pub(crate) fn read(package: &Package, source: &str) -> Result<Relationships, PackageError> {
        let source = source.strip_prefix('/').unwrap_or(source);
        let (folder, file) = source.rsplit_once('/').unwrap_or(("", source));
        let name = if folder.is_empty() {
            format!("_rels/{file}.rels")
        } else {
            format!("{folder}/_rels/{file}.rels")
        };
        if !package.contains(&name) {
            return Ok(Relationships::default());
        }
        let content = package.part(&name)?;
        let mut reader = XmlReader::new(&name, content.as_slice(), package.limits.max_xml_depth);
        let mut list = Vec::new();
        while let Some(event) = reader.next()? {
            let XmlEvent::Start(element) = event else { continue };
            if element.name() != "Relationship" {
                continue;
            }
            let is_external =
                element.attr("TargetMode").is_some_and(|mode| mode.eq_ignore_ascii_case("external"));
            let target = element.attr("Target").unwrap_or_default();
            list.push(Relationship {
                id: element.attr("Id").unwrap_or_default(),
                kind: RelType::from_uri(&element.attr("Type").unwrap_or_default()),
                target: if is_external { target } else { resolve(folder, &target) },
                is_external,
            });
        }
        Ok(Relationships(list))
    }

    /// Every relationship, in file order.
    pub fn iter(&self) -> impl Iterator<Item = &Relationship> {
        self.0.iter()
    }

    /// The relationship of an id.
    pub fn by_id(&self, id: &str) -> Option<&Relationship> {
        self.0.iter().find(|relationship| relationship.id == id)
    }

    /// The relationships of one kind.
    pub fn of(&self, kind: RelType) -> impl Iterator<Item = &Relationship> {
        self.0.iter().filter(move |relationship| relationship.kind == kind)
    }

    /// The target of the first internal relationship of a kind.
    pub fn target(&self, kind: RelType) -> Option<&str> {
        self.of(kind)
            .find(|relationship| !relationship.is_external)
            .map(|relationship| relationship.target.as_str())
    }
}

/// A target against the folder of its source; `..` never climbs above the package.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let target = target.split('#').next().unwrap_or_default();
    let mut segments: Vec<&str> =
        if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for segment in target.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    segments.retain(|segment| !segment.is_empty());
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        assert_eq!(resolve("xl", "worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml");
        assert_eq!(resolve("xl/worksheets", "../drawings/d.xml"), "xl/drawings/d.xml");
        assert_eq!(resolve("xl", "/xl/styles.xml"), "xl/styles.xml");
        assert_eq!(resolve("xl", "../../../etc/passwd"), "etc/passwd");
        assert_eq!(resolve("", "xl/workbook.xml"), "xl/workbook.xml");
    }

    #[test]
    fn strict_and_transitional_are_one() {
        for uri in [
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet",
            "http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet",
        ] {
            assert_eq!(RelType::from_uri(uri), RelType::Worksheet);
        }
    }
}
