//! Which face draws a text, and how wide its characters are.

use std::collections::HashMap;

use ttf_parser::{Face, GlyphId};
use workbook::Font;

use crate::fonts::{CARLITO, FaceData, Fonts, substitute};

/// Pixels per point at 96 dpi.
pub(crate) const PX_PER_POINT: f32 = 96.0 / 72.0;
/// Excel's largest font, in points.
const MAX_POINTS: f64 = 409.0;
/// The size of a font that does not say, in points.
const DEFAULT_POINTS: f64 = 11.0;

/// A font as it is drawn: a face, and what the face lacks. Lengths are pixels at 96 dpi.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Type {
    /// Index into the faces.
    pub(crate) face: usize,
    /// The em, in pixels at 96 dpi.
    pub(crate) size: f32,
    /// By how much the face is stretched.
    pub(crate) width: f32,
    /// Whether the strokes have to be made bold.
    pub(crate) embolden: bool,
    /// Whether the letters have to be slanted.
    pub(crate) slant: bool,
}

impl Type {
    /// The same, smaller or larger.
    pub(crate) fn scaled(self, by: f32) -> Type {
        Type { size: self.size * by, ..self }
    }
}

/// A character's glyph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glyph {
    /// The face that has it: not always the one of the text.
    pub(crate) face: usize,
    pub(crate) id: GlyphId,
    /// Advance in ems of that face.
    advance: f32,
}

/// Vertical measures of a type, in pixels at 96 dpi.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LineMetrics {
    /// From the top of a line to its baseline.
    pub(crate) ascent: f32,
    /// From line to line: what a row of one line is high.
    pub(crate) pitch: f32,
}

/// The faces of a picture, parsed, with what was looked up in them.
pub(crate) struct Typesetter<'a> {
    fonts: &'a Fonts,
    faces: Vec<Option<Face<'a>>>,
    glyphs: HashMap<(usize, char), Glyph>,
}

impl<'a> Typesetter<'a> {
    pub(crate) fn new(fonts: &'a Fonts) -> Typesetter<'a> {
        let faces = fonts.faces().iter().map(FaceData::parse).collect();
        Typesetter { fonts, faces, glyphs: HashMap::new() }
    }

    /// The face of a glyph.
    pub(crate) fn face(&self, index: usize) -> Option<&Face<'a>> {
        self.faces.get(index)?.as_ref()
    }

    /// The type for a cell's font, perhaps made bold by what surrounds it.
    pub(crate) fn resolve(&self, font: Option<&Font>, is_bold_anyway: bool) -> Type {
        let name = font.and_then(|font| font.name.as_deref()).unwrap_or("Calibri");
        let points = font.and_then(|font| font.size).unwrap_or(DEFAULT_POINTS);
        let points = if points.is_finite() { points.clamp(1.0, MAX_POINTS) } else { DEFAULT_POINTS };
        let bold = is_bold_anyway || font.is_some_and(|font| font.bold);
        let italic = font.is_some_and(|font| font.italic);
        let (face, width) = match self.fonts.find(name, bold, italic) {
            Some(own) => (own, 1.0),
            None => {
                let substitute = substitute(name);
                let found = self.fonts.find(substitute.family, bold, italic);
                let face = found.or_else(|| self.fonts.find(CARLITO, bold, italic)).unwrap_or(0);
                (face, substitute.width)
            }
        };
        let data = self.fonts.faces().get(face);
        Type {
            face,
            size: points as f32 * PX_PER_POINT,
            width,
            embolden: bold && data.is_some_and(|face| !face.is_bold()),
            slant: italic && data.is_some_and(|face| !face.is_italic()),
        }
    }

    /// The glyph of a character: in the face itself, in any other one, or the face's box for what is missing.
    pub(crate) fn glyph(&mut self, face: usize, character: char) -> Glyph {
        if let Some(known) = self.glyphs.get(&(face, character)) {
            return *known;
        }
        let in_face = |index: usize| -> Option<Glyph> {
            let parsed = self.faces.get(index)?.as_ref()?;
            let id = parsed.glyph_index(character)?;
            let advance = f32::from(parsed.glyph_hor_advance(id)?) / f32::from(parsed.units_per_em());
            Some(Glyph { face: index, id, advance })
        };
        // Another face of the same weight, if there is one with the character.
        let faces = self.fonts.faces();
        let is_bold = faces.get(face).is_some_and(FaceData::is_bold);
        let mut same_weight = (0..faces.len()).filter(|index| faces[*index].is_bold() == is_bold);
        let glyph = in_face(face)
            .or_else(|| same_weight.find_map(in_face))
            .or_else(|| (0..faces.len()).find_map(in_face))
            .unwrap_or(Glyph { face, id: GlyphId(0), advance: 0.5 });
        self.glyphs.insert((face, character), glyph);
        glyph
    }

    /// How far a character moves the pen, in pixels at 96 dpi: whole ones, as Excel's own layout has them. A control
    /// character does not move it.
    pub(crate) fn advance(&mut self, of: Type, character: char) -> f32 {
        if is_invisible(character) {
            return 0.0;
        }
        (self.glyph(of.face, character).advance * of.size * of.width).round()
    }

    /// The width of a text in pixels at 96 dpi.
    pub(crate) fn width(&mut self, of: Type, text: &str) -> f32 {
        text.chars().map(|character| self.advance(of, character)).sum()
    }

    /// The widest digit in pixels at 96 dpi: the unit of column widths.
    pub(crate) fn digit_width(&mut self, of: Type) -> f32 {
        ('0'..='9').map(|digit| self.advance(of, digit)).fold(1.0, f32::max)
    }

    /// The vertical measures of a type.
    pub(crate) fn line(&self, of: Type) -> LineMetrics {
        let (ascent, descent) = match self.face(of.face) {
            Some(face) => {
                let em = f32::from(face.units_per_em());
                // What Windows takes, and with it Excel.
                let windows = face.tables().os2.map(|os2| (os2.windows_ascender(), os2.windows_descender()));
                let (ascender, descender) = windows.unwrap_or((face.ascender(), face.descender()));
                (f32::from(ascender) / em, f32::from(descender).abs() / em)
            }
            None => (0.95, 0.25),
        };
        // Faces that count their gap apart would get lines that touch.
        let lift = ((1.15 - ascent - descent) / 2.0).max(0.0);
        let height = (ascent + descent + 2.0 * lift) * of.size;
        LineMetrics { ascent: ((ascent + lift) * of.size).round() + 1.0, pitch: height.round() + 2.0 }
    }
}

/// Whether a character is drawn as nothing: controls, joiners and marks of direction.
pub(crate) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FE00}'..='\u{FE0F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn font(name: &str, size: f64) -> Font {
        Font { name: Some(name.to_owned()), size: Some(size), ..Font::default() }
    }

    /// Excel's digit width and default row height for its usual default fonts.
    #[test]
    fn the_measures_of_default_fonts_are_excels() {
        let fonts = Fonts::embedded();
        let mut setter = Typesetter::new(&fonts);
        for (name, size, digit, row) in
            [("Calibri", 11.0, 7.0, 20.0), ("Arial", 10.0, 7.0, 17.0), ("Courier New", 10.0, 8.0, 17.0)]
        {
            let of = setter.resolve(Some(&font(name, size)), false);
            assert_eq!((setter.digit_width(of), setter.line(of).pitch), (digit, row), "{name}");
        }
    }

    #[test]
    fn what_a_face_lacks_is_made_up() {
        let fonts = Fonts::embedded();
        let setter = Typesetter::new(&fonts);
        let mut wanted = font("Courier New", 10.0);
        (wanted.bold, wanted.italic) = (true, true);
        let of = setter.resolve(Some(&wanted), false);
        assert!(of.embolden && of.slant);
        let of = setter.resolve(Some(&font("Calibri", f64::INFINITY)), true);
        assert!(!of.embolden && of.size < 15.0);
    }

    #[test]
    fn control_characters_take_no_room() {
        let fonts = Fonts::embedded();
        let mut setter = Typesetter::new(&fonts);
        let of = setter.resolve(None, false);
        assert_eq!(setter.width(of, "a\0b\u{7}\n"), setter.width(of, "ab"));
    }
}
