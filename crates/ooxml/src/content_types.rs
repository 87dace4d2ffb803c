//! What the parts of a package are: `[Content_Types].xml` (ECMA-376 Part 2 §7.2).

use std::collections::HashMap;

use crate::error::PackageError;
use crate::package::Package;
use crate::xml::{XmlEvent, XmlReader};

const PART: &str = "[Content_Types].xml";

/// Content types by part, and by extension for the parts not listed.
#[derive(Debug, Clone, Default)]
pub struct ContentTypes {
    by_part: HashMap<String, String>,
    by_extension: HashMap<String, String>,
}

impl ContentTypes {
    pub(crate) fn read(package: &Package) -> Result<ContentTypes, PackageError> {
        let content = package.part(PART)?;
        let mut reader = XmlReader::new(PART, content.as_slice(), package.limits.max_xml_depth);
        let mut types = ContentTypes::default();
        while let Some(event) = reader.next()? {
            let XmlEvent::Start(element) = event else { continue };
            let content_type = element.attr("ContentType").unwrap_or_default();
            match element.name() {
                "Override" => {
                    let part = element.attr("PartName").unwrap_or_default();
                    types.by_part.insert(key(&part), content_type);
                }
                "Default" => {
                    let extension = element.attr("Extension").unwrap_or_default();
                    types.by_extension.insert(extension.to_ascii_lowercase(), content_type);
                }
                _ => {}
            }
        }
        Ok(types)
    }

    /// The content type of a part: its own, or that of its extension.
    pub fn of(&self, part: &str) -> Option<&str> {
        let key = key(part);
        let by_extension = || self.by_extension.get(key.rsplit_once('.')?.1);
        self.by_part.get(&key).or_else(by_extension).map(String::as_str)
    }

    /// The parts listed with a content type, without a leading slash and in lower case, in no order.
    pub fn parts_of<'a>(&'a self, content_type: &'a str) -> impl Iterator<Item = &'a str> {
        self.by_part
            .iter()
            .filter(move |(_, found)| found.eq_ignore_ascii_case(content_type))
            .map(|(part, _)| part.as_str())
    }
}

fn key(part: &str) -> String {
    part.strip_prefix('/').unwrap_or(part).to_ascii_lowercase()
}
