//! Texts whose parts look different (ECMA-376 Part 1 §18.4.4).

use ooxml::Node;
use serde::{Deserialize, Serialize};

use crate::edit::cell_xml::text_element;
use crate::edit::error::Problem;
use crate::edit::format::FontPatch;
use crate::edit::styles::patch_font;

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

/// A part of a text, and how it looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRun {
    /// The part.
    pub text: String,
    /// Its font; the cell's if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub font: Option<FontPatch>,
}

/// The text that runs are, and their elements.
pub(crate) fn rich_text(runs: &[TextRun]) -> Result<(String, String), Problem> {
    let mut xml = String::new();
    for run in runs {
        xml.push_str("<r>");
        if let Some(font) = &run.font {
            let mut properties = Node::new("rPr");
            patch_font(&mut properties, font)?;
            if let Some(size) = properties.child("name").and_then(|name| name.attr("val")) {
                properties.retain(|child| child.local_name() != "name");
                properties.insert(0, Node::new("rFont").with("val", size));
            }
            xml.push_str(&properties.to_xml());
        }
        xml.push_str(&text_element("", &run.text));
        xml.push_str("</r>");
    }
    Ok((runs.iter().map(|run| run.text.as_str()).collect(), xml))
}

/// What stands in a string item: the elements of runs, or one with the text.
pub(crate) fn item(prefix: &str, text: &str, runs: Option<&str>) -> String {
    match runs {
        None => text_element(prefix, text),
        Some(runs) if prefix.is_empty() => runs.to_owned(),
        // Texts are escaped, so that this is the start of a run wherever it stands.
        Some(runs) => runs.replace("<r>", &format!("<r xmlns=\"{MAIN}\">")),
    }
}
