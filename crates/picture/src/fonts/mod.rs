//! The fonts that texts are drawn with: an embedded set that is metric-compatible with Calibri, Arial and Courier New, and
//! whatever a caller adds.

mod substitutes;

use std::sync::Arc;

use ttf_parser::{Face, name_id};

pub(crate) use substitutes::substitute;

/// The family that stands in where nothing better is known.
pub(crate) const CARLITO: &str = "Carlito";
pub(crate) const LIBERATION_SANS: &str = "Liberation Sans";
pub(crate) const LIBERATION_MONO: &str = "Liberation Mono";

/// The most faces that are kept: a system with thousands of them would make every picture slow.
const MAX_FACES: usize = 512;

/// Why a font was not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FontError {
    /// The bytes hold no font with outlines and a name.
    #[error("no TrueType or OpenType font with a name: {0}")]
    NotAFont(String),
    /// There are enough fonts.
    #[error("more than {MAX_FACES} faces; add only the families that workbooks use")]
    TooMany,
}

/// A font file: part of the program, or shared by the faces of a collection.
enum FontBytes {
    Embedded(&'static [u8]),
    Added(Arc<[u8]>),
}

impl FontBytes {
    fn get(&self) -> &[u8] {
        match self {
            FontBytes::Embedded(bytes) => bytes,
            FontBytes::Added(bytes) => bytes,
        }
    }
}

/// One face: a family in one weight and slant.
pub(crate) struct FaceData {
    bytes: FontBytes,
    /// Its place within a collection.
    index: u32,
    family: String,
    bold: bool,
    italic: bool,
}

impl FaceData {
    pub(crate) fn parse(&self) -> Option<Face<'_>> {
        Face::parse(self.bytes.get(), self.index).ok()
    }

    pub(crate) fn is_bold(&self) -> bool {
        self.bold
    }

    pub(crate) fn is_italic(&self) -> bool {
        self.italic
    }
}

/// A set of fonts.
pub struct Fonts {
    faces: Vec<FaceData>,
}

impl Fonts {
    /// Carlito (for Calibri), Liberation Sans (for Arial) and Liberation Mono (for Courier New), under the SIL Open Font
    /// License: enough for Latin, Greek and Cyrillic texts in a bare container.
    pub fn embedded() -> Fonts {
        let face = |bytes: &'static [u8], family: &str, bold| FaceData {
            bytes: FontBytes::Embedded(bytes),
            index: 0,
            family: family.to_owned(),
            bold,
            italic: false,
        };
        Fonts {
            faces: vec![
                face(include_bytes!("../../assets/Carlito-Regular.ttf"), CARLITO, false),
                face(include_bytes!("../../assets/Carlito-Bold.ttf"), CARLITO, true),
                face(include_bytes!("../../assets/LiberationSans-Regular.ttf"), LIBERATION_SANS, false),
                face(include_bytes!("../../assets/LiberationSans-Bold.ttf"), LIBERATION_SANS, true),
                face(include_bytes!("../../assets/LiberationMono-Regular.ttf"), LIBERATION_MONO, false),
            ],
        }
    }

    /// Adds the faces of a font file or collection, and says how many. They are taken for texts in their own family, and
    /// for characters that the embedded ones do not have.
    ///
    /// # Errors
    /// When the bytes are no font, or there are too many fonts already.
    pub fn add(&mut self, bytes: Vec<u8>) -> Result<usize, FontError> {
        let count = ttf_parser::fonts_in_collection(&bytes).unwrap_or(1).min(64);
        let mut added = Vec::new();
        let mut fault = String::from("it has no family name");
        for index in 0..count {
            match Face::parse(&bytes, index) {
                Ok(face) => {
                    let Some(family) = family_name(&face) else { continue };
                    added.push((index, family, face.is_bold(), face.is_italic()));
                }
                Err(error) => fault = error.to_string(),
            }
        }
        if added.is_empty() {
            return Err(FontError::NotAFont(fault));
        }
        if self.faces.len() + added.len() > MAX_FACES {
            return Err(FontError::TooMany);
        }
        let count = added.len();
        let bytes: Arc<[u8]> = bytes.into();
        for (index, family, bold, italic) in added {
            let bytes = FontBytes::Added(Arc::clone(&bytes));
            self.faces.push(FaceData { bytes, index, family, bold, italic });
        }
        Ok(count)
    }

    /// The families, each once, in the order they were added.
    pub fn families(&self) -> Vec<&str> {
        let mut families: Vec<&str> = Vec::new();
        for face in &self.faces {
            if !families.contains(&face.family.as_str()) {
                families.push(&face.family);
            }
        }
        families
    }

    pub(crate) fn faces(&self) -> &[FaceData] {
        &self.faces
    }

    /// The face of a family that comes closest to a weight and a slant.
    pub(crate) fn find(&self, family: &str, bold: bool, italic: bool) -> Option<usize> {
        let distance =
            |face: &FaceData| usize::from(face.bold != bold) * 2 + usize::from(face.italic != italic);
        self.faces
            .iter()
            .enumerate()
            .filter(|(_, face)| face.family.eq_ignore_ascii_case(family))
            .min_by_key(|(_, face)| distance(face))
            .map(|(index, _)| index)
    }
}

/// The family as programs list it, without the weight.
fn family_name(face: &Face<'_>) -> Option<String> {
    let name =
        |id| face.names().into_iter().find(|name| name.name_id == id && name.is_unicode())?.to_string();
    name(name_id::FAMILY).or_else(|| name(name_id::TYPOGRAPHIC_FAMILY)).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_set_finds_the_closest_face() {
        let fonts = Fonts::embedded();
        assert_eq!(fonts.families(), [CARLITO, LIBERATION_SANS, LIBERATION_MONO]);
        assert_eq!(fonts.find("carlito", false, false), Some(0));
        assert_eq!(fonts.find("Carlito", true, true), Some(1));
        assert_eq!(fonts.find("Liberation Mono", true, false), Some(4));
        assert_eq!(fonts.find("Comic Sans MS", false, false), None);
        assert!(fonts.faces().iter().all(|face| face.parse().is_some()));
    }

    #[test]
    fn a_font_can_be_added_and_anything_else_not() {
        let mut fonts = Fonts { faces: Vec::new() };
        let bytes = include_bytes!("../../assets/LiberationSans-Bold.ttf");
        assert_eq!(fonts.add(bytes.to_vec()), Ok(1));
        assert_eq!(fonts.families(), [LIBERATION_SANS]);
        assert_eq!(fonts.find(LIBERATION_SANS, false, false), Some(0));
        assert!(fonts.faces()[0].is_bold() && !fonts.faces()[0].is_italic());
        assert!(matches!(fonts.add(b"no font".to_vec()), Err(FontError::NotAFont(_))));
    }
}
