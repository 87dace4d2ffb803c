//! Pictures placed on sheets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grid::CellRange;
use ooxml::Tree;
use serde::{Deserialize, Serialize};

use crate::edit::Draft;
use crate::edit::charts::attribute;
use crate::edit::drawings::{DRAWING, RELATIONSHIP, SHEET_DRAWING, corners};
use crate::edit::error::Problem;

/// Bytes that a placed picture may have.
const MAX_BYTES: usize = 20 << 20;
/// English Metric Units of a pixel at 96 dpi (ECMA-376 Part 1 §20.1.2.1).
const EMU_PER_PIXEL: u64 = 9525;
const CONTENT_TYPES: &str = "[Content_Types].xml";

/// A picture to be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewImage {
    /// The sheet that it stands on.
    pub sheet: String,
    /// The cell under its upper left corner, or the cells that it covers: `E2`, `E2:H9`.
    pub anchor: String,
    /// A PNG, JPEG or GIF file in Base64.
    pub data: String,
    /// What it shows, for those who cannot see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
    /// The object's name; `Picture 1`, … if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a picture's bytes say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Picture {
    extension: &'static str,
    media_type: &'static str,
    width: u32,
    height: u32,
}

impl Draft {
    pub(crate) fn place_image(&mut self, image: &NewImage) -> Result<(), Problem> {
        let (id, range) = self.anchor(&image.sheet, &image.anchor)?;
        let bytes = STANDARD.decode(image.data.trim()).map_err(|error| {
            Problem::new(format!("data is not Base64: {error}"), "give the file's bytes in Base64")
        })?;
        if bytes.len() > MAX_BYTES {
            return Err(Problem::new(
                format!("the picture has {} bytes", bytes.len()),
                "give one of at most 20 MiB",
            ));
        }
        let picture = recognised(&bytes).ok_or_else(|| {
            Problem::new("data is no sound PNG, JPEG or GIF file", "give the bytes of such a file in Base64")
        })?;
        let part = self.media_part(bytes, picture)?;
        let description = image.alt_text.as_deref().unwrap_or_default();
        self.draw(id, ("Picture", image.name.as_deref()), ("image", &part), |object| {
            let size = (u64::from(picture.width) * EMU_PER_PIXEL, u64::from(picture.height) * EMU_PER_PIXEL);
            let (element, place) = placed(range, size);
            format!(
                "<xdr:{element} xmlns:xdr=\"{SHEET_DRAWING}\" xmlns:a=\"{DRAWING}\">{place}<xdr:pic><xdr:nvPicPr><xdr:cNvPr id=\"{}\" \
                 name=\"{}\" descr=\"{}\"/><xdr:cNvPicPr><a:picLocks noChangeAspect=\"1\"/></xdr:cNvPicPr></xdr:nvPicPr><xdr:blipFill>\
                 <a:blip xmlns:r=\"{RELATIONSHIP}\" r:embed=\"{}\"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill><xdr:spPr><a:xfrm>\
                 <a:off x=\"0\" y=\"0\"/><a:ext cx=\"{}\" cy=\"{}\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></xdr:spPr>\
                 </xdr:pic><xdr:clientData/></xdr:{element}>",
                object.id,
                attribute(&object.name),
                attribute(description),
                object.reference,
                size.0,
                size.1,
            )
        })
    }

    /// The part of a picture: one that has the same bytes already, or a new one.
    fn media_part(&mut self, bytes: Vec<u8>, picture: Picture) -> Result<String, Problem> {
        let is_media = |name: &&str| name.to_ascii_lowercase().starts_with("xl/media/");
        let known = self.package.names().filter(is_media).find(|name| {
            self.package.declared_size(name) == Some(bytes.len() as u64)
                && self.package.part(name).is_ok_and(|known| known == bytes)
        });
        if let Some(part) = known {
            return Ok(part.to_owned());
        }
        let part = self.new_part("xl/media/image", &format!(".{}", picture.extension));
        self.package.put(&part, bytes);
        let mut types: Tree = self.tree(CONTENT_TYPES)?;
        let is_known = |it: &ooxml::Node| {
            it.attr("Extension").is_some_and(|known| known.eq_ignore_ascii_case(picture.extension))
        };
        if !types.root.children().any(is_known) {
            let node = types.root.sibling("Default").with("Extension", picture.extension);
            types.root.insert(0, node.with("ContentType", picture.media_type));
            self.package.put(CONTENT_TYPES, types.to_bytes());
        }
        Ok(part)
    }
}

/// The anchor's element and what stands first in it: over cells, or from one in the picture's own size.
fn placed(range: CellRange, size: (u64, u64)) -> (&'static str, String) {
    if !range.is_single() {
        return ("twoCellAnchor", corners(range));
    }
    let corners = corners(range);
    let from = corners.split("<xdr:to>").next().unwrap_or_default();
    ("oneCellAnchor", format!("{from}<xdr:ext cx=\"{}\" cy=\"{}\"/>", size.0, size.1))
}

/// The kind and the size of a picture, from its signature and header.
fn recognised(bytes: &[u8]) -> Option<Picture> {
    let big = |at: usize, length: usize| {
        Some(bytes.get(at..at + length)?.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte)))
    };
    let (extension, media_type, width, height) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        (bytes.get(12..16)? == b"IHDR").then_some(())?;
        ("png", "image/png", big(16, 4)?, big(20, 4)?)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        ("gif", "image/gif", big(6, 2)?.swap_bytes() >> 16, big(8, 2)?.swap_bytes() >> 16)
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        let (width, height) = jpeg_size(bytes)?;
        ("jpeg", "image/jpeg", width, height)
    } else {
        return None;
    };
    let is_sound = (1..=100_000).contains(&width) && (1..=100_000).contains(&height);
    is_sound.then_some(Picture { extension, media_type, width, height })
}

/// Width and height from the frame header of a JPEG file (ITU-T T.81 §B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let pair = |at: usize| Some(u32::from(*bytes.get(at)?) << 8 | u32::from(*bytes.get(at + 1)?));
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match *bytes.get(at + 1)? {
            0xff => at += 1,
            0x01 | 0xd0..=0xd7 => at += 2,
            0xc4 | 0xc8 | 0xcc => at += 2 + pair(at + 2)? as usize,
            0xc0..=0xcf => return Some((pair(at + 7)?, pair(at + 5)?)),
            0xd9 | 0xda => return None,
            _ => at += 2 + pair(at + 2)? as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_headers() {
        let check = |bytes: &[u8], expected: Option<(&str, u32, u32)>| {
            let found = recognised(bytes).map(|it| (it.extension, it.width, it.height));
            assert_eq!(found, expected, "{bytes:?}");
        };
        check(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x02\0\0\0\x03", Some(("png", 258, 3)));
        check(b"GIF89a\x02\x01\x03\0", Some(("gif", 258, 3)));
        check(b"\xff\xd8\xff\xe0\0\x04ab\xff\xc2\0\x0b\x08\0\x03\x01\x02", Some(("jpeg", 258, 3)));
        check(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\x03", None);
        for broken in [&b"\xff\xd8\xff\xe0\0\x04ab"[..], b"GIF89a", b"BM", b"", b"\xff\xd8\xff\xd9"] {
            check(broken, None);
        }
    }
}
