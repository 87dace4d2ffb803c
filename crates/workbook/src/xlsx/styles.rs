//! The styles part, and the colours of the theme (ECMA-376 Part 1 §18.8, §20.1.6.2).

use std::collections::HashMap;

use ooxml::{Element, Package, XmlEvent, XmlReader};

use crate::error::OpenError;
use crate::limits::Limits;
use crate::model::{
    Alignment, Border, BorderEdge, CellFormat, Color, Fill, Font, NamedStyle, NumberFormatCode, Styles,
};

/// Lists of the part; a record within one of them is told by the list that it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Fonts,
    Fills,
    Borders,
    CellStyleFormats,
    CellFormats,
    CellStyles,
    Differential,
    Other,
}

/// Reads the part; `theme` is the part with the colour scheme.
pub(super) fn read(
    package: &Package,
    part: &str,
    theme: Option<&str>,
    limits: &Limits,
) -> Result<Styles, OpenError> {
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut collected = Collected::default();
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) => collected.start(&element, limits)?,
            XmlEvent::End(name) => collected.end(name.as_str()),
            XmlEvent::Text(_) => {}
        }
    }
    let mut styles = collected.finish();
    if let Some(theme) = theme {
        styles.theme_colors = theme_colors(package, theme, limits)?;
    }
    Ok(styles)
}

struct Collected {
    list: List,
    styles: Styles,
    /// Codes of the part's own number formats by id.
    codes: HashMap<u32, String>,
    /// Where a number format of an id is in the styles.
    known_formats: HashMap<u32, usize>,
    /// For each base format of `cellStyleXfs`, the index of the named style that uses it.
    style_names: HashMap<u32, usize>,
    /// `xfId` of each cell format.
    bases: Vec<Option<u32>>,
    /// The edge that a `color` within a border belongs to.
    edge: Option<String>,
}

impl Default for Collected {
    fn default() -> Collected {
        let styles = Styles { number_formats: vec!["General".into()], ..Styles::default() };
        Collected {
            list: List::Other,
            styles,
            codes: HashMap::new(),
            known_formats: HashMap::from([(0, 0)]),
            style_names: HashMap::new(),
            bases: Vec::new(),
            edge: None,
        }
    }
}

impl Collected {
    fn start(&mut self, element: &Element<'_>, limits: &Limits) -> Result<(), OpenError> {
        let list = match element.name() {
            "fonts" => Some(List::Fonts),
            "fills" => Some(List::Fills),
            "borders" => Some(List::Borders),
            "cellStyleXfs" => Some(List::CellStyleFormats),
            "cellXfs" => Some(List::CellFormats),
            "cellStyles" => Some(List::CellStyles),
            "dxfs" => Some(List::Differential),
            "numFmts" | "tableStyles" | "colors" | "extLst" => Some(List::Other),
            _ => None,
        };
        if let Some(list) = list {
            self.list = if element.is_empty { List::Other } else { list };
            return Ok(());
        }
        let records = self.styles.formats.len().max(self.styles.fonts.len()).max(self.codes.len());
        if records > limits.max_list_items as usize {
            return Err(OpenError::too_many_items(limits));
        }
        match self.list {
            List::Fonts => self.font(element),
            List::Fills => self.fill(element),
            List::Borders => self.border(element),
            List::CellFormats => self.cell_format(element),
            List::CellStyles => self.cell_style(element),
            List::Differential if element.name() == "dxf" => self.styles.dxf_count += 1,
            List::Other if element.name() == "numFmt" => {
                if let (Some(id), Some(code)) = (element.parse("numFmtId"), element.attr("formatCode")) {
                    self.codes.insert(id, code);
                }
            }
            List::CellStyleFormats | List::Differential | List::Other => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) {
        match name {
            "fonts" | "fills" | "borders" | "cellStyleXfs" | "cellXfs" | "cellStyles" | "dxfs" => {
                self.list = List::Other;
            }
            _ => {}
        }
    }

    fn font(&mut self, element: &Element<'_>) {
        if element.name() == "font" {
            self.styles.fonts.push(Font::default());
            return;
        }
        let Some(font) = self.styles.fonts.last_mut() else { return };
        match element.name() {
            "name" => font.name = element.attr("val"),
            "sz" => font.size = element.parse("val"),
            "b" => font.bold = element.flag("val", true),
            "i" => font.italic = element.flag("val", true),
            "strike" => font.strike = element.flag("val", true),
            "u" => font.underline = Some(element.attr("val").unwrap_or_else(|| "single".to_owned())),
            "vertAlign" => font.vertical = element.attr("val"),
            "color" => font.color = color(element),
            _ => {}
        }
    }

    fn fill(&mut self, element: &Element<'_>) {
        if element.name() == "fill" {
            self.styles.fills.push(Fill::default());
            return;
        }
        let Some(fill) = self.styles.fills.last_mut() else { return };
        match element.name() {
            "patternFill" => fill.pattern = element.attr("patternType").unwrap_or_else(|| "none".to_owned()),
            "gradientFill" => fill.pattern = "gradient".to_owned(),
            "fgColor" => fill.foreground = color(element),
            "bgColor" => fill.background = color(element),
            // The stops of a gradient: the first and the last one.
            "color" if fill.foreground.is_none() => fill.foreground = color(element),
            "color" => fill.background = color(element),
            _ => {}
        }
    }

    fn border(&mut self, element: &Element<'_>) {
        if element.name() == "border" {
            self.styles.borders.push(Border::default());
            self.edge = None;
            return;
        }
        let Some(border) = self.styles.borders.last_mut() else { return };
        if element.name() == "color" {
            let edge = self.edge.as_deref().and_then(|name| edge_of(border, name));
            if let Some(Some(edge)) = edge {
                edge.color = color(element);
            }
            return;
        }
        let style = element.attr("style").filter(|style| style != "none");
        if let Some(edge) = edge_of(border, element.name()) {
            *edge = style.map(|style| BorderEdge { style, color: None });
            self.edge = Some(element.name().to_owned());
        }
    }

    fn cell_format(&mut self, element: &Element<'_>) {
        match element.name() {
            "xf" => {
                let number_format = self.number_format(element.parse("numFmtId").unwrap_or(0));
                self.bases.push(element.parse("xfId"));
                self.styles.formats.push(CellFormat {
                    number_format,
                    font: element.parse("fontId").unwrap_or(0),
                    fill: element.parse("fillId").unwrap_or(0),
                    border: element.parse("borderId").unwrap_or(0),
                    alignment: None,
                    locked: true,
                    hidden: false,
                    named_style: None,
                });
            }
            "alignment" => {
                if let Some(format) = self.styles.formats.last_mut() {
                    format.alignment = Some(alignment(element));
                }
            }
            "protection" => {
                if let Some(format) = self.styles.formats.last_mut() {
                    format.locked = element.flag("locked", true);
                    format.hidden = element.flag("hidden", false);
                }
            }
            _ => {}
        }
    }

    fn cell_style(&mut self, element: &Element<'_>) {
        if element.name() != "cellStyle" {
            return;
        }
        if let Some(base) = element.parse("xfId") {
            self.style_names.insert(base, self.styles.named_styles.len());
        }
        self.styles.named_styles.push(NamedStyle {
            name: element.attr("name").unwrap_or_default(),
            builtin: element.parse("builtinId"),
        });
    }

    /// Index of a number format, added when it is first used.
    fn number_format(&mut self, id: u32) -> usize {
        if let Some(known) = self.known_formats.get(&id) {
            return *known;
        }
        let own = self.codes.get(&id).map(String::as_str);
        let builtin = u16::try_from(id).ok().and_then(number_format::builtin);
        let code = own.or(builtin).unwrap_or("General");
        let index = self.styles.number_formats.len();
        self.styles.number_formats.push(NumberFormatCode::from(code));
        self.known_formats.insert(id, index);
        index
    }

    fn finish(mut self) -> Styles {
        for (format, base) in self.styles.formats.iter_mut().zip(&self.bases) {
            format.named_style = base.and_then(|base| self.style_names.get(&base).copied());
        }
        self.styles
    }
}

fn edge_of<'a>(border: &'a mut Border, name: &str) -> Option<&'a mut Option<BorderEdge>> {
    match name {
        "left" | "start" => Some(&mut border.left),
        "right" | "end" => Some(&mut border.right),
        "top" => Some(&mut border.top),
        "bottom" => Some(&mut border.bottom),
        "diagonal" => Some(&mut border.diagonal),
        _ => None,
    }
}

fn alignment(element: &Element<'_>) -> Alignment {
    Alignment {
        horizontal: element.attr("horizontal"),
        vertical: element.attr("vertical"),
        wrap_text: element.flag("wrapText", false),
        indent: element.parse("indent").unwrap_or(0),
        rotation: element.parse("textRotation").unwrap_or(0),
        shrink_to_fit: element.flag("shrinkToFit", false),
    }
}

/// `CT_Color` (§18.8.3).
pub(super) fn color(element: &Element<'_>) -> Option<Color> {
    if let Some(rgb) = element.attr("rgb") {
        // Eight digits with the alpha value first; programs ignore it.
        let digits = rgb.get(rgb.len().checked_sub(6)?..)?;
        return u32::from_str_radix(digits, 16).ok().map(Color::Rgb);
    }
    if let Some(index) = element.parse("theme") {
        return Some(Color::Theme { index, tint: element.parse("tint").unwrap_or(0.0) });
    }
    if let Some(index) = element.parse("indexed") {
        return Some(Color::Indexed(index));
    }
    element.flag("auto", false).then_some(Color::Auto)
}

/// The colour scheme in the order that cells index it: light before dark.
fn theme_colors(package: &Package, part: &str, limits: &Limits) -> Result<Vec<u32>, OpenError> {
    const ORDER: [&str; 12] = [
        "lt1", "dk1", "lt2", "dk2", "accent1", "accent2", "accent3", "accent4", "accent5", "accent6",
        "hlink", "folHlink",
    ];
    let mut reader = XmlReader::new(part, package.stream(part)?, limits.package.max_xml_depth);
    let mut colors = vec![0u32; ORDER.len()];
    let mut current = None;
    let mut is_found = false;
    while let Some(event) = reader.next()? {
        match event {
            XmlEvent::Start(element) => {
                if let Some(index) = ORDER.iter().position(|name| *name == element.name()) {
                    current = Some(index);
                }
                let value = match element.name() {
                    "srgbClr" => element.attr("val"),
                    "sysClr" => element.attr("lastClr"),
                    _ => None,
                };
                let rgb = value.and_then(|text| u32::from_str_radix(&text, 16).ok());
                if let (Some(index), Some(rgb)) = (current, rgb) {
                    (colors[index], is_found) = (rgb, true);
                }
            }
            XmlEvent::End(name) if name.as_str() == "clrScheme" => break,
            XmlEvent::End(_) | XmlEvent::Text(_) => {}
        }
    }
    Ok(if is_found { colors } else { Vec::new() })
}
