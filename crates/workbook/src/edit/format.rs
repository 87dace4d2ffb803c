//! Formats as edits say them: what is given is set, what is not given stays.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use grid::{CellRange, CellRef};
use serde::{Deserialize, Serialize};

use crate::edit::error::Problem;
use crate::edit::{Draft, Place};
use crate::model::StyleId;

/// A change of cell formats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct FormatPatch {
    /// A number format code: `0.00%`, `yyyy-mm-dd`, `#,##0.00 "€"`, `General`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_format: Option<String>,
    /// The font.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub font: Option<FontPatch>,
    /// The fill; without a colour, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<FillPatch>,
    /// The borders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub border: Option<BorderPatch>,
    /// Alignment and text control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alignment: Option<AlignmentPatch>,
    /// What the protection of the sheet covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<ProtectionPatch>,
}

/// A change of fonts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct FontPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bold: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub italic: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strike: Option<bool>,
    /// `none`, `single`, `double`, `singleAccounting`, `doubleAccounting`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub underline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorInput>,
}

/// A change of fills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct FillPatch {
    /// The colour; none takes the fill away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorInput>,
    /// `solid` if nothing is said; `gray125`, `lightUp`, … (`ST_PatternType`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The colour behind a pattern.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<ColorInput>,
}

/// A change of borders. `outline` and `inside` are edges of the range, the others of each cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct BorderPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<EdgeInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outline: Option<EdgeInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<EdgeInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<EdgeInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<EdgeInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<EdgeInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bottom: Option<EdgeInput>,
}

/// One edge of a border.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeInput {
    /// `thin`, `medium`, `thick`, `double`, `dashed`, `dotted`, `hair`, …, or `none`.
    pub style: String,
    /// Its colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorInput>,
}

/// A change of alignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct AlignmentPatch {
    /// `general`, `left`, `center`, `right`, `fill`, `justify`, `centerContinuous`, `distributed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizontal: Option<String>,
    /// `top`, `center`, `bottom`, `justify`, `distributed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertical: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_text: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shrink_to_fit: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indent: Option<u8>,
    /// Degrees, -90 to 90.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation: Option<i16>,
}

/// A change of what a protected sheet allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct ProtectionPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
}

/// A colour: `#RRGGBB`, or one of the theme as `theme:4` or `theme:4:-0.25` (darker below 0, lighter above).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[allow(missing_docs, reason = "the variants are their names")]
pub enum ColorInput {
    Rgb(u32),
    Theme { index: u8, tint: f64 },
}

impl FromStr for ColorInput {
    type Err = String;

    fn from_str(text: &str) -> Result<ColorInput, String> {
        let wrong = || format!("{text:?} is not a colour; write #RRGGBB, theme:4 or theme:4:-0.25");
        if let Some(theme) = text.strip_prefix("theme:") {
            let (index, tint) = theme.split_once(':').unwrap_or((theme, "0"));
            let index = index.parse().ok().filter(|index| *index < 12).ok_or_else(wrong)?;
            let tint = tint.parse().ok().filter(|tint| (-1.0..=1.0).contains(tint)).ok_or_else(wrong)?;
            return Ok(ColorInput::Theme { index, tint });
        }
        let digits = text.strip_prefix('#').unwrap_or(text);
        if digits.len() != 6 {
            return Err(wrong());
        }
        u32::from_str_radix(digits, 16).map(ColorInput::Rgb).map_err(|_| wrong())
    }
}

impl TryFrom<String> for ColorInput {
    type Error = String;

    fn try_from(text: String) -> Result<ColorInput, String> {
        text.parse()
    }
}

impl fmt::Display for ColorInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColorInput::Rgb(rgb) => write!(f, "#{rgb:06X}"),
            ColorInput::Theme { index, tint } if *tint == 0.0 => write!(f, "theme:{index}"),
            ColorInput::Theme { index, tint } => write!(f, "theme:{index}:{tint}"),
        }
    }
}

impl From<ColorInput> for String {
    fn from(color: ColorInput) -> String {
        color.to_string()
    }
}

const EDGE_STYLES: [&str; 14] = [
    "none",
    "thin",
    "medium",
    "dashed",
    "dotted",
    "thick",
    "double",
    "hair",
    "mediumDashed",
    "dashDot",
    "mediumDashDot",
    "dashDotDot",
    "mediumDashDotDot",
    "slantDashDot",
];
const HORIZONTAL: [&str; 8] =
    ["general", "left", "center", "right", "fill", "justify", "centerContinuous", "distributed"];
const VERTICAL: [&str; 5] = ["top", "center", "bottom", "justify", "distributed"];
const UNDERLINES: [&str; 5] = ["none", "single", "double", "singleAccounting", "doubleAccounting"];
const PATTERNS: [&str; 19] = [
    "none",
    "solid",
    "mediumGray",
    "darkGray",
    "lightGray",
    "darkHorizontal",
    "darkVertical",
    "darkDown",
    "darkUp",
    "darkGrid",
    "darkTrellis",
    "lightHorizontal",
    "lightVertical",
    "lightDown",
    "lightUp",
    "lightGrid",
    "lightTrellis",
    "gray125",
    "gray0625",
];

fn check_word(what: &str, word: Option<&String>, known: &[&str]) -> Result<(), Problem> {
    match word.filter(|word| !known.contains(&word.as_str())) {
        Some(word) => {
            Err(Problem::new(format!("{word:?} is no {what}"), format!("write one of {}", known.join(", "))))
        }
        None => Ok(()),
    }
}

impl FormatPatch {
    /// Whether every word is one that the format knows.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if *self == FormatPatch::default() {
            return Err(Problem::new(
                "no format is given",
                "give at least one of number_format, font, fill, border, alignment, protection",
            ));
        }
        if let Some(code) = &self.number_format
            && !number_format::NumberFormat::parse(code).is_valid()
        {
            return Err(Problem::new(
                format!("{code:?} is no number format code"),
                "write for example 0.00% or yyyy-mm-dd",
            ));
        }
        if let Some(font) = &self.font {
            check_word("underline", font.underline.as_ref(), &UNDERLINES)?;
        }
        if let Some(fill) = &self.fill {
            check_word("pattern", fill.pattern.as_ref(), &PATTERNS)?;
        }
        if let Some(alignment) = &self.alignment {
            check_word("horizontal alignment", alignment.horizontal.as_ref(), &HORIZONTAL)?;
            check_word("vertical alignment", alignment.vertical.as_ref(), &VERTICAL)?;
            if alignment.rotation.is_some_and(|degrees| !(-90..=90).contains(&degrees)) {
                return Err(Problem::new("a rotation is -90 to 90 degrees", ""));
            }
        }
        if let Some(border) = &self.border {
            let edges = [
                &border.all,
                &border.outline,
                &border.inside,
                &border.left,
                &border.right,
                &border.top,
                &border.bottom,
            ];
            for edge in edges.into_iter().flatten() {
                check_word("style of a border", Some(&edge.style), &EDGE_STYLES)?;
            }
        }
        Ok(())
    }

    /// What the patch means for one cell of a range: its own edges.
    fn of_cell(&self, range: CellRange, at: CellRef) -> FormatPatch {
        let Some(border) = &self.border else { return self.clone() };
        let edge = |own: &Option<EdgeInput>, is_outer: bool| {
            let by_place = if is_outer { &border.outline } else { &border.inside };
            own.clone().or_else(|| by_place.clone()).or_else(|| border.all.clone())
        };
        let border = BorderPatch {
            left: edge(&border.left, at.col() == range.start().col()),
            right: edge(&border.right, at.col() == range.end().col()),
            top: edge(&border.top, at.row() == range.start().row()),
            bottom: edge(&border.bottom, at.row() == range.end().row()),
            ..BorderPatch::default()
        };
        FormatPatch { border: Some(border), ..self.clone() }
    }
}

impl Draft {
    /// Changes the formats of cells.
    pub(crate) fn style(&mut self, place: Place, patch: &FormatPatch) -> Result<(), Problem> {
        /// Cells that one edit may format.
        const MAX_CELLS: u64 = 1_000_000;
        patch.check()?;
        if place.range.area() > MAX_CELLS {
            return Err(Problem::new(
                format!("one edit formats at most {MAX_CELLS} cells"),
                "give the range that holds data, or several edits",
            )
            .at(place.range));
        }
        let range = place.range;
        let sheet = self.book.sheet(place.sheet, &())?;
        // Equal formats at equal edges become equal formats.
        let mut known: HashMap<(StyleId, [bool; 4]), StyleId> = HashMap::new();
        for at in range.cells() {
            let old = sheet.raw_cell(at).style;
            let edges = [
                at.row() == range.start().row(),
                at.row() == range.end().row(),
                at.col() == range.start().col(),
                at.col() == range.end().col(),
            ];
            let style = match known.get(&(old, edges)) {
                Some(style) => *style,
                None => self.derive_format(old, &patch.of_cell(range, at))?,
            };
            known.insert((old, edges), style);
            self.hand(place)?.put_style(at, style);
        }
        Ok(())
    }
}
