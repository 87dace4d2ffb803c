//! Draws lines of text: flat ones from a cache of glyphs, turned ones as one outline.

use std::collections::HashMap;

use tiny_skia::{Path, PathBuilder, Transform};
use ttf_parser::{GlyphId, OutlineBuilder};

use crate::canvas::{Canvas, Coverage, Rect, rasterize};
use crate::typesetter::{Type, Typesetter, is_invisible};

/// What the cache may hold before it is emptied.
const MAX_CACHED_BYTES: usize = 8 << 20;
/// Shear of a slanted face: about 12 degrees.
const SLANT: f32 = 0.21;

/// A glyph at one size.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    face: usize,
    id: GlyphId,
    /// Bits of the em in pixels, and of the stretch.
    size: u32,
    width: u32,
    embolden: bool,
    slant: bool,
}

/// A glyph's coverage; `place` counts from the pen's position on the baseline.
struct Drawn {
    alpha: Vec<u8>,
    place: Rect,
}

/// How a line is drawn.
#[derive(Clone, Copy)]
pub(crate) struct Ink {
    pub(crate) rgb: u32,
    /// What may be drawn upon.
    pub(crate) clip: Rect,
    /// Pixels per pixel at 96 dpi.
    pub(crate) scale: f32,
}

/// Draws lines of text.
#[derive(Default)]
pub(crate) struct Scribe {
    cache: HashMap<Key, Option<Drawn>>,
    cached_bytes: usize,
}

impl Scribe {
    /// Draws a text with its pen starting at `(x, y)` on the baseline.
    pub(crate) fn line(
        &mut self,
        canvas: &mut Canvas,
        setter: &mut Typesetter<'_>,
        text: &str,
        of: Type,
        (x, y): (f32, f32),
        ink: Ink,
    ) {
        let mut pen = x;
        let (left, right) = (ink.clip.x as f32, ink.clip.right() as f32);
        let reach = 2.0 * of.size * ink.scale;
        for character in text.chars().filter(|character| !is_invisible(*character)) {
            let advance = setter.advance(of, character) * ink.scale;
            if pen - reach > right {
                return;
            }
            if pen + advance + reach > left && !character.is_whitespace() {
                let glyph = setter.glyph(of.face, character);
                let key = Key {
                    face: glyph.face,
                    id: glyph.id,
                    size: (of.size * ink.scale).to_bits(),
                    width: of.width.to_bits(),
                    embolden: of.embolden,
                    slant: of.slant,
                };
                self.glyph(canvas, setter, key, (pen.round() as i32, y.round() as i32), ink);
            }
            pen += advance;
        }
    }

    fn glyph(
        &mut self,
        canvas: &mut Canvas,
        setter: &Typesetter<'_>,
        key: Key,
        (x, y): (i32, i32),
        ink: Ink,
    ) {
        if self.cached_bytes > MAX_CACHED_BYTES {
            self.cache.clear();
            self.cached_bytes = 0;
        }
        let cached_bytes = &mut self.cached_bytes;
        let drawn = self.cache.entry(key).or_insert_with(|| {
            let drawn = draw(setter, key);
            *cached_bytes += 64 + drawn.as_ref().map_or(0, |drawn| drawn.alpha.len());
            drawn
        });
        if let Some(drawn) = drawn {
            let place = Rect { x: drawn.place.x + x, y: drawn.place.y + y, ..drawn.place };
            canvas.blend(&Coverage { alpha: &drawn.alpha, place }, ink.clip, ink.rgb);
        }
    }
}

/// The outline of a text from the origin of its baseline, y downwards; `None` if there is nothing to see.
pub(crate) fn outline(setter: &mut Typesetter<'_>, text: &str, of: Type, scale: f32) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let mut pen = 0.0;
    for character in text.chars().filter(|character| !is_invisible(*character)) {
        let glyph = setter.glyph(of.face, character);
        let size = of.size * scale;
        for shift in bold_shifts(of.embolden, size) {
            add_glyph(&mut builder, setter, glyph.face, glyph.id, (size, of), pen + shift);
        }
        pen += setter.advance(of, character) * scale;
    }
    builder.finish()
}

fn bold_shifts(embolden: bool, size: f32) -> impl Iterator<Item = f32> {
    [0.0, (size / 24.0).max(0.5)].into_iter().take(if embolden { 2 } else { 1 })
}

fn draw(setter: &Typesetter<'_>, key: Key) -> Option<Drawn> {
    let (size, width) = (f32::from_bits(key.size), f32::from_bits(key.width));
    let of = Type { face: key.face, size, width, embolden: key.embolden, slant: key.slant };
    let mut builder = PathBuilder::new();
    for shift in bold_shifts(key.embolden, size) {
        add_glyph(&mut builder, setter, key.face, key.id, (size, of), shift);
    }
    let path = builder.finish()?;
    let bounds = path.bounds();
    let (x, y) = (bounds.left().floor() as i32, bounds.top().floor() as i32);
    let place = Rect::new(x, y, bounds.right().ceil() as i32 - x, bounds.bottom().ceil() as i32 - y);
    // A font's outlines may reach far beyond its em; nobody sees more of them than this.
    let reach = (size * 4.0) as i32 + 8;
    let place = place.intersect(Rect::new(-reach, -reach, 2 * reach, 2 * reach));
    rasterize(&path, place).map(|alpha| Drawn { alpha, place })
}

fn add_glyph(
    builder: &mut PathBuilder,
    setter: &Typesetter<'_>,
    face: usize,
    id: GlyphId,
    (size, of): (f32, Type),
    x: f32,
) {
    let Some(face) = setter.face(face) else { return };
    let em = size / f32::from(face.units_per_em());
    let skew = if of.slant { SLANT * em } else { 0.0 };
    let to_page = Transform::from_row(em * of.width, 0.0, skew, -em, x, 0.0);
    face.outline_glyph(id, &mut Pen { builder, to_page });
}

/// Passes a font's outline on, put in its place.
struct Pen<'a> {
    builder: &'a mut PathBuilder,
    to_page: Transform,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let t = self.to_page;
        (t.sx * x + t.kx * y + t.tx, t.ky * x + t.sy * y + t.ty)
    }
}

impl OutlineBuilder for Pen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.builder.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.builder.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.builder.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}
