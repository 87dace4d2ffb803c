//! What a cell format looks like: the model's words and indices as what is drawn.

use std::collections::HashMap;
use std::rc::Rc;

use number_format::{FormatKind, NumberFormat};
use workbook::{Alignment, Border, BorderEdge, Fill, Font, StyleId, Styles};

use crate::typesetter::{Type, Typesetter};

/// Where a format's text starts or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Horizontal {
    /// By the kind of the value.
    General,
    Left,
    Center,
    Right,
    /// The text, repeated.
    Fill,
    /// Centred over the empty cells to the right.
    AcrossSelection,
}

/// Where a text stands in the height of its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vertical {
    Top,
    Center,
    Bottom,
}

/// How a text is turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rotation {
    Flat,
    /// Degrees against the clock, −90 to 90.
    Turned(f32),
    /// Letter under letter.
    Stacked,
}

/// What is under the letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Underline {
    None,
    Single,
    Double,
}

/// Smaller letters above or below the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Normal,
    Super,
    Sub,
}

/// A fill as it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    /// Under the pattern.
    pub(crate) background: u32,
    /// The pattern, if there is one.
    pub(crate) pattern: Option<(Pattern, u32)>,
}

/// A pattern of pixels (ECMA-376 Part 1 §18.18.55).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the file's word")]
pub(crate) enum Pattern {
    DarkGray,
    MediumGray,
    LightGray,
    Gray125,
    Gray0625,
    DarkHorizontal,
    DarkVertical,
    DarkDown,
    DarkUp,
    DarkGrid,
    DarkTrellis,
    LightHorizontal,
    LightVertical,
    LightDown,
    LightUp,
    LightGrid,
    LightTrellis,
}

/// A border's line (ECMA-376 Part 1 §18.18.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) stroke: Stroke,
    pub(crate) rgb: u32,
}

/// The style of a border's line, from the faintest to the strongest: of two that meet, the stronger one is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stroke {
    Hair,
    Dotted,
    DashDotDot,
    DashDot,
    Dashed,
    Thin,
    MediumDashDotDot,
    SlantDashDot,
    MediumDashDot,
    MediumDashed,
    Medium,
    Thick,
    Double,
}

/// The four borders of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Edges {
    pub(crate) left: Option<Line>,
    pub(crate) right: Option<Line>,
    pub(crate) top: Option<Line>,
    pub(crate) bottom: Option<Line>,
}

/// A cell format as it is drawn.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) of: Type,
    /// The same in bold, for the headers of tables.
    pub(crate) bold: Type,
    /// The text's colour; `None` for the window's.
    pub(crate) color: Option<u32>,
    pub(crate) underline: Underline,
    pub(crate) strike: bool,
    pub(crate) script: Script,
    pub(crate) fill: Option<Paint>,
    pub(crate) edges: Edges,
    pub(crate) horizontal: Horizontal,
    pub(crate) vertical: Vertical,
    pub(crate) wrap: bool,
    pub(crate) indent: u32,
    pub(crate) rotation: Rotation,
    pub(crate) shrink: bool,
    /// How numbers are shown; `None` is `General`.
    pub(crate) number_format: Option<Rc<NumberFormat>>,
}

/// What stands for `*x` in a formatted text: where the column's spare room goes.
pub(crate) const SPARE_ROOM: char = '\u{F8FF}';

/// The looks of a workbook's formats, each made when it is first asked for.
pub(crate) struct Looks<'a> {
    styles: &'a Styles,
    known: HashMap<StyleId, Rc<Look>>,
}

impl<'a> Looks<'a> {
    pub(crate) fn new(styles: &'a Styles) -> Looks<'a> {
        Looks { styles, known: HashMap::new() }
    }

    pub(crate) fn styles(&self) -> &'a Styles {
        self.styles
    }

    /// The look of a format.
    pub(crate) fn get(&mut self, id: StyleId, setter: &mut Typesetter<'_>) -> Rc<Look> {
        if let Some(known) = self.known.get(&id) {
            return Rc::clone(known);
        }
        let look = Rc::new(look(self.styles, id, setter));
        self.known.insert(id, Rc::clone(&look));
        look
    }
}

fn look(styles: &Styles, id: StyleId, setter: &Typesetter<'_>) -> Look {
    let format = styles.format(id);
    let font = font_of(styles, id);
    let alignment = format.and_then(|format| format.alignment.clone()).unwrap_or_default();
    let fill = format.and_then(|format| styles.fills.get(format.fill));
    let border = format.and_then(|format| styles.borders.get(format.border));
    let code = styles.number_format(id).filter(|code| code.format.kind() != FormatKind::General);
    Look {
        of: setter.resolve(font, false),
        bold: setter.resolve(font, true),
        color: font.and_then(|font| font.color).and_then(|color| styles.rgb(color)),
        underline: match font.and_then(|font| font.underline.as_deref()) {
            None | Some("none") => Underline::None,
            Some("double" | "doubleAccounting") => Underline::Double,
            Some(_) => Underline::Single,
        },
        strike: font.is_some_and(|font| font.strike),
        script: match font.and_then(|font| font.vertical.as_deref()) {
            Some("superscript") => Script::Super,
            Some("subscript") => Script::Sub,
            _ => Script::Normal,
        },
        fill: fill.and_then(|fill| paint(styles, fill)),
        edges: border.map(|border| edges(styles, border)).unwrap_or_default(),
        horizontal: horizontal(&alignment),
        vertical: match alignment.vertical.as_deref() {
            Some("top" | "justify" | "distributed") => Vertical::Top,
            Some("center") => Vertical::Center,
            _ => Vertical::Bottom,
        },
        wrap: alignment.wrap_text
            || matches!(alignment.horizontal.as_deref(), Some("justify" | "distributed"))
            || matches!(alignment.vertical.as_deref(), Some("justify" | "distributed")),
        indent: alignment.indent.min(250),
        rotation: match alignment.rotation {
            0 => Rotation::Flat,
            degrees @ 1..=90 => Rotation::Turned(degrees as f32),
            degrees @ 91..=180 => Rotation::Turned(90.0 - degrees as f32),
            255 => Rotation::Stacked,
            _ => Rotation::Flat,
        },
        shrink: alignment.shrink_to_fit && !alignment.wrap_text,
        number_format: code.map(|code| Rc::new(NumberFormat::parse(&with_spare_room(&code.code)))),
    }
}

/// The font of a format.
pub(crate) fn font_of(styles: &Styles, id: StyleId) -> Option<&Font> {
    styles.format(id).and_then(|format| styles.fonts.get(format.font))
}

fn horizontal(alignment: &Alignment) -> Horizontal {
    match alignment.horizontal.as_deref() {
        Some("left" | "justify" | "distributed") => Horizontal::Left,
        Some("center") => Horizontal::Center,
        Some("right") => Horizontal::Right,
        Some("fill") => Horizontal::Fill,
        Some("centerContinuous") => Horizontal::AcrossSelection,
        _ => Horizontal::General,
    }
}

fn paint(styles: &Styles, fill: &Fill) -> Option<Paint> {
    let color =
        |color: Option<workbook::Color>, auto| color.and_then(|color| styles.rgb(color)).unwrap_or(auto);
    let pattern = match fill.pattern.as_str() {
        "" | "none" => return None,
        // Of a gradient, the first stop.
        "solid" | "gradient" => {
            return Some(Paint { background: color(fill.foreground, 0xFF_FFFF), pattern: None });
        }
        "darkGray" => Pattern::DarkGray,
        "mediumGray" => Pattern::MediumGray,
        "lightGray" => Pattern::LightGray,
        "gray125" => Pattern::Gray125,
        "gray0625" => Pattern::Gray0625,
        "darkHorizontal" => Pattern::DarkHorizontal,
        "darkVertical" => Pattern::DarkVertical,
        "darkDown" => Pattern::DarkDown,
        "darkUp" => Pattern::DarkUp,
        "darkGrid" => Pattern::DarkGrid,
        "darkTrellis" => Pattern::DarkTrellis,
        "lightHorizontal" => Pattern::LightHorizontal,
        "lightVertical" => Pattern::LightVertical,
        "lightDown" => Pattern::LightDown,
        "lightUp" => Pattern::LightUp,
        "lightGrid" => Pattern::LightGrid,
        "lightTrellis" => Pattern::LightTrellis,
        _ => return None,
    };
    Some(Paint {
        background: color(fill.background, 0xFF_FFFF),
        pattern: Some((pattern, color(fill.foreground, 0))),
    })
}

fn edges(styles: &Styles, border: &Border) -> Edges {
    let line = |edge: &Option<BorderEdge>| {
        let edge = edge.as_ref()?;
        let rgb = edge.color.and_then(|color| styles.rgb(color)).unwrap_or(0);
        Some(Line { stroke: stroke(&edge.style)?, rgb })
    };
    Edges {
        left: line(&border.left),
        right: line(&border.right),
        top: line(&border.top),
        bottom: line(&border.bottom),
    }
}

fn stroke(style: &str) -> Option<Stroke> {
    Some(match style {
        "hair" => Stroke::Hair,
        "dotted" => Stroke::Dotted,
        "dashDotDot" => Stroke::DashDotDot,
        "dashDot" => Stroke::DashDot,
        "dashed" => Stroke::Dashed,
        "thin" => Stroke::Thin,
        "mediumDashDotDot" => Stroke::MediumDashDotDot,
        "slantDashDot" => Stroke::SlantDashDot,
        "mediumDashDot" => Stroke::MediumDashDot,
        "mediumDashed" => Stroke::MediumDashed,
        "medium" => Stroke::Medium,
        "thick" => Stroke::Thick,
        "double" => Stroke::Double,
        _ => return None,
    })
}

/// The code with [`SPARE_ROOM`] as a literal where it says `*x`, so that the drawn text tells where that was.
fn with_spare_room(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut characters = code.chars();
    let mut in_quotes = false;
    while let Some(character) = characters.next() {
        match character {
            '"' => in_quotes = !in_quotes,
            '\\' | '_' if !in_quotes => {
                out.push(character);
                out.extend(characters.next());
                continue;
            }
            '*' if !in_quotes => {
                if characters.next().is_some() {
                    out.push('\\');
                    out.push(SPARE_ROOM);
                }
                continue;
            }
            _ => {}
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spare_room_is_marked_where_it_is() {
        assert_eq!(with_spare_room("_(* #,##0_)"), "_(\\\u{F8FF}#,##0_)");
        assert_eq!(with_spare_room("\"a*b\"\\*0"), "\"a*b\"\\*0");
        assert_eq!(with_spare_room("0*"), "0");
    }

    #[test]
    fn stronger_lines_win() {
        assert!(Stroke::Thick > Stroke::Medium && Stroke::Thin > Stroke::Dashed);
        assert_eq!(stroke("none"), None);
    }
}
