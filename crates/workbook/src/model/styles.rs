//! Cell formats (ECMA-376 Part 1 §18.8).

use grid::{DateSystem, Value};
use number_format::{FormatKind, NumberFormat};

use crate::model::chunk::StyleId;

/// A colour as the file says it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Color {
    /// Opaque RGB, `0xRRGGBB`.
    Rgb(u32),
    /// A colour of the theme, lightened or darkened by `tint` (−1 to 1).
    Theme {
        /// Index into the theme's colour scheme.
        index: u32,
        /// Darker below 0, lighter above.
        tint: f64,
    },
    /// A colour of the indexed palette.
    Indexed(u32),
    /// The system's.
    Auto,
}

/// A font.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct Font {
    pub name: Option<String>,
    /// Points.
    pub size: Option<f64>,
    pub bold: bool,
    pub italic: bool,
    pub underline: Option<String>,
    pub strike: bool,
    pub color: Option<Color>,
    /// `superscript` or `subscript`.
    pub vertical: Option<String>,
}

/// A fill.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fill {
    /// `none`, `solid`, `gray125`, …, or `gradient`.
    pub pattern: String,
    /// Foreground: the fill itself when solid.
    pub foreground: Option<Color>,
    /// Background.
    pub background: Option<Color>,
}

/// One edge of a border.
#[derive(Debug, Clone, PartialEq)]
pub struct BorderEdge {
    /// `thin`, `medium`, `double`, …
    pub style: String,
    /// Its colour.
    pub color: Option<Color>,
}

/// A border.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct Border {
    pub left: Option<BorderEdge>,
    pub right: Option<BorderEdge>,
    pub top: Option<BorderEdge>,
    pub bottom: Option<BorderEdge>,
    pub diagonal: Option<BorderEdge>,
}

/// Alignment and text control.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct Alignment {
    pub horizontal: Option<String>,
    pub vertical: Option<String>,
    pub wrap_text: bool,
    pub indent: u32,
    /// Degrees, or 255 for stacked.
    pub rotation: u32,
    pub shrink_to_fit: bool,
}

/// A cell format: an `xf` of `cellXfs`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CellFormat {
    /// Index into [`Styles::number_formats`].
    pub number_format: usize,
    /// Index into [`Styles::fonts`].
    pub font: usize,
    /// Index into [`Styles::fills`].
    pub fill: usize,
    /// Index into [`Styles::borders`].
    pub border: usize,
    /// Alignment, where it differs from the default.
    pub alignment: Option<Alignment>,
    /// Whether the cell is locked once the sheet is protected.
    pub locked: bool,
    /// Whether the formula is hidden once the sheet is protected.
    pub hidden: bool,
    /// Name of the cell style it is based on.
    pub named_style: Option<usize>,
}

/// A named cell style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedStyle {
    /// `Normal`, `Good`, `Heading 1`, or the author's own.
    pub name: String,
    /// Identifier of a built-in one.
    pub builtin: Option<u32>,
}

/// A number format: its code, and what renders it.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberFormatCode {
    /// The code as the file says it.
    pub code: String,
    /// The same, ready to render.
    pub format: NumberFormat,
}

impl From<&str> for NumberFormatCode {
    fn from(code: &str) -> NumberFormatCode {
        NumberFormatCode { code: code.to_owned(), format: NumberFormat::parse(code) }
    }
}

/// Every format of a workbook. Indices out of range in a file fall back to the default, and are an oddity.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct Styles {
    pub formats: Vec<CellFormat>,
    /// Number formats; index 0 is `General`.
    pub number_formats: Vec<NumberFormatCode>,
    pub fonts: Vec<Font>,
    pub fills: Vec<Fill>,
    pub borders: Vec<Border>,
    pub named_styles: Vec<NamedStyle>,
    /// Number of differential formats.
    pub dxf_count: u32,
    /// The theme's colour scheme as `0xRRGGBB`, in the order that [`Color::Theme`] indexes: lt1, dk1, lt2, dk2,
    /// accent1 … accent6, hlink, folHlink.
    pub theme_colors: Vec<u32>,
}

impl Styles {
    /// The format, or the default one for an id out of range.
    pub fn format(&self, id: StyleId) -> Option<&CellFormat> {
        self.formats.get(id.0 as usize).or_else(|| self.formats.first())
    }

    /// The number format of a cell format; `None` is `General`.
    pub fn number_format(&self, id: StyleId) -> Option<&NumberFormatCode> {
        self.format(id).and_then(|format| self.number_formats.get(format.number_format))
    }

    /// The number format code of a cell format.
    pub fn number_format_code(&self, id: StyleId) -> &str {
        self.number_format(id).map_or("General", |format| &format.code)
    }

    /// What kind of values a cell format shows.
    pub fn kind(&self, id: StyleId) -> FormatKind {
        self.number_format(id).map_or(FormatKind::General, |format| format.format.kind())
    }

    /// A value as the sheet shows it.
    pub fn text(&self, value: Value<'_>, id: StyleId, dates: DateSystem) -> String {
        match self.number_format(id) {
            Some(format) => format.format.format(value, dates),
            None => NumberFormat::parse("General").format(value, dates),
        }
    }
}
