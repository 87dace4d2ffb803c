//! Cell formats derived from others: appended to the styles part, never renumbered (ECMA-376 Part 1 §18.8).

use std::collections::HashMap;
use std::sync::Arc;

use ooxml::{Node, RelType, Tree};

use crate::edit::Draft;
use crate::edit::error::Problem;
use crate::edit::format::{
    AlignmentPatch, BorderPatch, ColorInput, EdgeInput, FillPatch, FontPatch, FormatPatch,
};
use crate::model::StyleId;
use crate::xlsx;

const STYLES: &str = "xl/styles.xml";
const STYLES_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml";
/// Cell formats that a workbook may have (Excel's limit).
const MAX_FORMATS: usize = 65_490;
/// The first number that the author's own number formats have.
const FIRST_OWN_FORMAT: u32 = 164;

pub(crate) const ROOT_ORDER: [&str; 11] = [
    "numFmts",
    "fonts",
    "fills",
    "borders",
    "cellStyleXfs",
    "cellXfs",
    "cellStyles",
    "dxfs",
    "tableStyles",
    "colors",
    "extLst",
];
pub(crate) const FONT_ORDER: [&str; 15] = [
    "b",
    "i",
    "strike",
    "condense",
    "extend",
    "outline",
    "shadow",
    "u",
    "vertAlign",
    "sz",
    "color",
    "name",
    "family",
    "charset",
    "scheme",
];
pub(crate) const BORDER_ORDER: [&str; 9] =
    ["start", "end", "left", "right", "top", "bottom", "diagonal", "vertical", "horizontal"];
const XF_ORDER: [&str; 3] = ["alignment", "protection", "extLst"];

/// What a new workbook's formats are.
pub(crate) const DEFAULT_STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#;

/// Formats that were derived, by what they were derived from and how.
pub(crate) type Derived = HashMap<(StyleId, String), StyleId>;

impl Draft {
    /// The format of `base` with another number format.
    pub(crate) fn with_number_format(&mut self, base: StyleId, code: &str) -> Result<StyleId, Problem> {
        let patch = FormatPatch { number_format: Some(code.to_owned()), ..FormatPatch::default() };
        self.derive_format(base, &patch)
    }

    /// The format of `base` as `patch` has it; an equal one if the workbook has it already.
    pub(crate) fn derive_format(&mut self, base: StyleId, patch: &FormatPatch) -> Result<StyleId, Problem> {
        let key = (base, serde_json::to_string(patch).unwrap_or_default());
        if let Some(known) = self.derived.get(&key) {
            return Ok(*known);
        }
        let part = self.styles_part()?;
        let mut tree = self.tree(&part)?;
        let before = tree.root.child("cellXfs").map_or(0, |list| list.children().count());
        let id = derive(&mut tree.root, base, patch)?;
        let after = tree.root.child("cellXfs").map_or(0, |list| list.children().count());
        if after > MAX_FORMATS {
            return Err(Problem::new(
                format!("a workbook holds {MAX_FORMATS} cell formats and this one would have more"),
                "use fewer distinct formats",
            ));
        }
        if after != before {
            self.package.put(&part, tree.to_bytes());
            self.book.styles = Arc::new(xlsx::read_styles(&self.package, &self.limits)?);
        }
        Arc::make_mut(&mut self.derived).insert(key, id);
        Ok(id)
    }

    /// The styles part, made if there is none.
    pub(crate) fn styles_part(&mut self) -> Result<String, Problem> {
        let main = self.main_part()?;
        let rels = self.package.relationships(&main)?;
        if let Some(part) = rels.target(RelType::Styles).filter(|part| self.package.contains(part)) {
            return Ok(part.to_owned());
        }
        let root = Node::parse(DEFAULT_STYLES)?;
        self.package.put(STYLES, Tree::new(root).to_bytes());
        self.declare(STYLES, STYLES_TYPE)?;
        self.relate(&main, "styles", STYLES)?;
        Ok(STYLES.to_owned())
    }
}

/// Finds or adds the format in the part's tree.
fn derive(root: &mut Node, base: StyleId, patch: &FormatPatch) -> Result<StyleId, Problem> {
    let formats = root.child_in_order("cellXfs", &ROOT_ORDER);
    let plain =
        formats.sibling("xf").with("numFmtId", 0).with("fontId", 0).with("fillId", 0).with("borderId", 0);
    let mut xf = formats.children().nth(base.0 as usize).cloned().unwrap_or(plain);
    if let Some(code) = &patch.number_format {
        let id = number_format(root, code);
        xf.set("numFmtId", &id.to_string());
        xf.set("applyNumberFormat", "1");
    }
    if let Some(font) = &patch.font {
        let id = derived_item(root, "fonts", xf.parsed("fontId"), |node| patch_font(node, font))?;
        xf.set("fontId", &id.to_string());
        xf.set("applyFont", "1");
    }
    if let Some(fill) = &patch.fill {
        let id = derived_item(root, "fills", xf.parsed("fillId"), |node| patch_fill(node, fill))?;
        xf.set("fillId", &id.to_string());
        xf.set("applyFill", "1");
    }
    if let Some(border) = &patch.border {
        let id = derived_item(root, "borders", xf.parsed("borderId"), |node| patch_border(node, border))?;
        xf.set("borderId", &id.to_string());
        xf.set("applyBorder", "1");
    }
    if let Some(alignment) = &patch.alignment {
        patch_alignment(xf.child_in_order("alignment", &XF_ORDER), alignment);
        xf.set("applyAlignment", "1");
    }
    if let Some(protection) = &patch.protection {
        let node = xf.child_in_order("protection", &XF_ORDER);
        let flag = |value: Option<bool>| value.map(|value| u8::from(value).to_string());
        for (name, value) in [("locked", flag(protection.locked)), ("hidden", flag(protection.hidden))] {
            if let Some(value) = value {
                node.set(name, &value);
            }
        }
        xf.set("applyProtection", "1");
    }
    let formats = root.child_in_order("cellXfs", &ROOT_ORDER);
    Ok(StyleId(find_or_push(formats, xf)))
}

/// Position of an equal element in a list, which is added if there is none; the list's count stays true.
pub(crate) fn find_or_push(list: &mut Node, item: Node) -> u32 {
    let found = list.children().position(|known| *known == item);
    let index = found.unwrap_or_else(|| {
        list.push(item);
        list.children().count() - 1
    });
    let count = list.children().count().to_string();
    list.set("count", &count);
    index as u32
}

/// An item of a list changed; the original stays as others may use it.
fn derived_item(
    root: &mut Node,
    list: &str,
    base: Option<usize>,
    change: impl FnOnce(&mut Node) -> Result<(), Problem>,
) -> Result<u32, Problem> {
    let list = root.child_in_order(list, &ROOT_ORDER);
    let singular = list.local_name().trim_end_matches('s').to_owned();
    let mut item = list.children().nth(base.unwrap_or(0)).cloned().unwrap_or_else(|| list.sibling(&singular));
    change(&mut item)?;
    Ok(find_or_push(list, item))
}

/// The number of a format code: a built-in one's, the part's own, or a new one.
pub(crate) fn number_format(root: &mut Node, code: &str) -> u32 {
    if let Some(id) = xlsx::builtin_format(code) {
        return id;
    }
    let list = root.child_in_order("numFmts", &ROOT_ORDER);
    let known = list.children().find(|node| node.attr("formatCode").as_deref() == Some(code));
    if let Some(id) = known.and_then(|node| node.parsed("numFmtId")) {
        return id;
    }
    let ids = list.children().filter_map(|node| node.parsed::<u32>("numFmtId"));
    let id = ids.max().map_or(FIRST_OWN_FORMAT, |id| (id + 1).max(FIRST_OWN_FORMAT));
    let node = list.sibling("numFmt").with("numFmtId", id).with("formatCode", code);
    find_or_push(list, node);
    id
}

pub(crate) fn patch_font(node: &mut Node, patch: &FontPatch) -> Result<(), Problem> {
    let mut flag = |name: &str, value: Option<bool>| match value {
        Some(true) => node.child_in_order(name, &FONT_ORDER).unset("val"),
        Some(false) => node.retain(|child| child.local_name() != name),
        None => {}
    };
    flag("b", patch.bold);
    flag("i", patch.italic);
    flag("strike", patch.strike);
    if let Some(underline) = &patch.underline {
        match underline.as_str() {
            "none" => node.retain(|child| child.local_name() != "u"),
            "single" => node.child_in_order("u", &FONT_ORDER).unset("val"),
            other => node.child_in_order("u", &FONT_ORDER).set("val", other),
        }
    }
    if let Some(name) = &patch.name {
        node.child_in_order("name", &FONT_ORDER).set("val", name);
        // A theme's font would win over the name.
        node.retain(|child| child.local_name() != "scheme");
    }
    if let Some(size) = patch.size {
        if !(1.0..=409.0).contains(&size) {
            return Err(Problem::new(format!("a font of {size} points"), "sizes are 1 to 409 points"));
        }
        node.child_in_order("sz", &FONT_ORDER).set("val", &size.to_string());
    }
    if let Some(color) = &patch.color {
        set_color(node.child_in_order("color", &FONT_ORDER), color);
    }
    Ok(())
}

fn patch_fill(node: &mut Node, patch: &FillPatch) -> Result<(), Problem> {
    let mut pattern = node.sibling("patternFill");
    match (&patch.color, &patch.pattern) {
        (None, None) => pattern.set("patternType", "none"),
        (color, kind) => {
            pattern.set("patternType", kind.as_deref().unwrap_or("solid"));
            if let Some(color) = color {
                let mut foreground = node.sibling("fgColor");
                set_color(&mut foreground, color);
                pattern.push(foreground);
            }
            if let Some(color) = &patch.background {
                let mut background = node.sibling("bgColor");
                set_color(&mut background, color);
                pattern.push(background);
            }
        }
    }
    node.clear();
    node.push(pattern);
    Ok(())
}

fn patch_border(node: &mut Node, patch: &BorderPatch) -> Result<(), Problem> {
    let edges =
        [("left", &patch.left), ("right", &patch.right), ("top", &patch.top), ("bottom", &patch.bottom)];
    for (name, edge) in edges {
        let Some(edge) = edge else { continue };
        let child = node.child_in_order(name, &BORDER_ORDER);
        set_edge(child, edge);
    }
    Ok(())
}

pub(crate) fn set_edge(node: &mut Node, edge: &EdgeInput) {
    let mut color = node.sibling("color");
    node.clear();
    if edge.style == "none" {
        node.unset("style");
        return;
    }
    node.set("style", &edge.style);
    match &edge.color {
        Some(input) => set_color(&mut color, input),
        None => color.set("auto", "1"),
    }
    node.push(color);
}

fn patch_alignment(node: &mut Node, patch: &AlignmentPatch) {
    let flag = |value: bool| u8::from(value).to_string();
    let attributes = [
        ("horizontal", patch.horizontal.clone()),
        ("vertical", patch.vertical.clone()),
        ("wrapText", patch.wrap_text.map(flag)),
        ("shrinkToFit", patch.shrink_to_fit.map(flag)),
        ("indent", patch.indent.map(|indent| indent.to_string())),
        ("textRotation", patch.rotation.map(|degrees| rotation(degrees).to_string())),
    ];
    for (name, value) in attributes {
        if let Some(value) = value {
            node.set(name, &value);
        }
    }
}

/// Degrees as the file counts them: 91 to 180 turn clockwise.
fn rotation(degrees: i16) -> i16 {
    if degrees < 0 { 90 - degrees } else { degrees }
}

/// Makes a colour element say one colour.
pub(crate) fn set_color(node: &mut Node, color: &ColorInput) {
    for name in ["rgb", "theme", "tint", "indexed", "auto"] {
        node.unset(name);
    }
    match color {
        ColorInput::Rgb(rgb) => node.set("rgb", &format!("FF{rgb:06X}")),
        ColorInput::Theme { index, tint } => {
            node.set("theme", &index.to_string());
            if *tint != 0.0 {
                node.set("tint", &tint.to_string());
            }
        }
    }
}
