//! The pixels of a picture: opaque RGB, and the few ways to set them.

use std::collections::HashMap;
use std::sync::OnceLock;

use tiny_skia::{FillRule, Mask, Path, PathBuilder, Transform};

use crate::error::PictureError;
use crate::options::Size;

/// A rectangle of pixels; empty when a side is not positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

impl Rect {
    pub(crate) const fn new(x: i32, y: i32, width: i32, height: i32) -> Rect {
        Rect { x, y, width, height }
    }

    /// First column to the right of it.
    pub(crate) const fn right(self) -> i32 {
        self.x.saturating_add(self.width)
    }

    /// First row below it.
    pub(crate) const fn bottom(self) -> i32 {
        self.y.saturating_add(self.height)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.width <= 0 || self.height <= 0
    }

    /// Number of pixels.
    pub(crate) const fn area(self) -> u64 {
        if self.is_empty() { 0 } else { self.width as u64 * self.height as u64 }
    }

    /// What both share; empty if nothing.
    pub(crate) fn intersect(self, other: Rect) -> Rect {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        Rect {
            x,
            y,
            width: self.right().min(other.right()).saturating_sub(x),
            height: self.bottom().min(other.bottom()).saturating_sub(y),
        }
    }

    /// Without a margin on each side.
    pub(crate) const fn inset(self, margin: i32) -> Rect {
        Rect {
            x: self.x + margin,
            y: self.y + margin,
            width: self.width - 2 * margin,
            height: self.height - 2 * margin,
        }
    }
}

/// How much of each pixel a shape covers.
pub(crate) struct Coverage<'a> {
    /// One byte a pixel, row by row.
    pub(crate) alpha: &'a [u8],
    /// Where the shape stands.
    pub(crate) place: Rect,
}

/// The pixels.
pub(crate) struct Canvas {
    width: i32,
    height: i32,
    pixels: Vec<u8>,
}

const BYTES: usize = 3;

impl Canvas {
    /// A white canvas.
    pub(crate) fn new(size: Size) -> Canvas {
        let (width, height) = (size.width as i32, size.height as i32);
        Canvas { width, height, pixels: vec![0xFF; size.width as usize * size.height as usize * BYTES] }
    }

    /// All of it.
    pub(crate) const fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    fn row_mut(&mut self, y: i32, x: i32, width: i32) -> &mut [u8] {
        let start = (y as usize * self.width as usize + x as usize) * BYTES;
        &mut self.pixels[start..start + width as usize * BYTES]
    }

    /// Fills a rectangle.
    pub(crate) fn fill(&mut self, rect: Rect, rgb: u32) {
        self.fill_where(rect, rgb, |_, _| true);
    }

    /// Sets the pixels of a rectangle that a predicate picks by their position on the canvas.
    pub(crate) fn fill_where(&mut self, rect: Rect, rgb: u32, is_set: impl Fn(i32, i32) -> bool) {
        let rect = rect.intersect(self.bounds());
        if rect.is_empty() {
            return;
        }
        let color = channels(rgb);
        for y in rect.y..rect.bottom() {
            for (pixel, x) in self.row_mut(y, rect.x, rect.width).chunks_exact_mut(BYTES).zip(rect.x..) {
                if is_set(x, y) {
                    pixel.copy_from_slice(&color);
                }
            }
        }
    }

    /// Lays a colour over the pixels that a shape covers, within `clip`.
    pub(crate) fn blend(&mut self, shape: &Coverage<'_>, clip: Rect, rgb: u32) {
        let visible = shape.place.intersect(clip).intersect(self.bounds());
        if visible.is_empty() {
            return;
        }
        let color = channels(rgb);
        for y in visible.y..visible.bottom() {
            let start = (y - shape.place.y) as usize * shape.place.width as usize
                + (visible.x - shape.place.x) as usize;
            let alphas = &shape.alpha[start..start + visible.width as usize];
            let row = self.row_mut(y, visible.x, visible.width);
            for (pixel, alpha) in row.chunks_exact_mut(BYTES).zip(alphas) {
                if *alpha == 0 {
                    continue;
                }
                mix(pixel, color, *alpha);
            }
        }
    }

    /// Lays pixels over a place, within `clip`: their colour and opacity by where they are in it.
    pub(crate) fn blend_pixels(
        &mut self,
        place: Rect,
        clip: Rect,
        pixel_at: impl Fn(u32, u32) -> ([u8; BYTES], u8),
    ) {
        let visible = place.intersect(clip).intersect(self.bounds());
        if visible.is_empty() {
            return;
        }
        for y in visible.y..visible.bottom() {
            let row = self.row_mut(y, visible.x, visible.width);
            for (pixel, x) in row.chunks_exact_mut(BYTES).zip(visible.x..) {
                let (color, alpha) = pixel_at((x - place.x) as u32, (y - place.y) as u32);
                mix(pixel, color, alpha);
            }
        }
    }

    /// Fills a path, smoothed, within `clip`.
    pub(crate) fn fill_path(&mut self, path: &Path, clip: Rect, rgb: u32) {
        let bounds = path.bounds();
        let outer = Rect::new(
            bounds.left().floor() as i32,
            bounds.top().floor() as i32,
            bounds.width().ceil() as i32 + 2,
            bounds.height().ceil() as i32 + 2,
        );
        let place = outer.intersect(clip).intersect(self.bounds());
        if let Some(alpha) = rasterize(path, place) {
            self.blend(&Coverage { alpha: &alpha, place }, clip, rgb);
        }
    }

    /// Fills a polygon, smoothed, within `clip`.
    pub(crate) fn fill_polygon(&mut self, corners: &[(f32, f32)], clip: Rect, rgb: u32) {
        let mut builder = PathBuilder::new();
        for (index, (x, y)) in corners.iter().enumerate() {
            if index == 0 { builder.move_to(*x, *y) } else { builder.line_to(*x, *y) }
        }
        builder.close();
        if let Some(path) = builder.finish() {
            self.fill_path(&path, clip, rgb);
        }
    }

    /// The picture as a PNG: with a palette where its colours fit into one, which is a quarter of the bytes.
    pub(crate) fn encode(self) -> Result<Vec<u8>, PictureError> {
        let fault = |error: png::EncodingError| PictureError::Encode(error.to_string());
        let indexed = Indexed::new(&self.pixels);
        let mut bytes = Vec::with_capacity(self.pixels.len() / 32);
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Balanced);
        let data = match indexed {
            Some(indexed) => {
                encoder.set_color(png::ColorType::Indexed);
                encoder.set_palette(indexed.palette);
                encoder.set_filter(png::Filter::NoFilter);
                indexed.pixels
            }
            None => {
                encoder.set_color(png::ColorType::Rgb);
                encoder.set_filter(png::Filter::Up);
                self.pixels
            }
        };
        let mut writer = encoder.write_header().map_err(fault)?;
        writer.write_image_data(&data).map_err(fault)?;
        writer.finish().map_err(fault)?;
        Ok(bytes)
    }
}

/// Pixels as indices into a palette.
struct Indexed {
    palette: Vec<u8>,
    pixels: Vec<u8>,
}

impl Indexed {
    /// `None` if there are more than 256 colours.
    fn new(rgb: &[u8]) -> Option<Indexed> {
        let mut ids: HashMap<[u8; BYTES], u8> = HashMap::new();
        let mut palette = Vec::new();
        let mut pixels = Vec::with_capacity(rgb.len() / BYTES);
        let mut last = ([0; BYTES], None);
        for pixel in rgb.chunks_exact(BYTES) {
            let color = [pixel[0], pixel[1], pixel[2]];
            // Most pixels are like their neighbour.
            let id = match last {
                (known, Some(id)) if known == color => id,
                _ => match ids.get(&color) {
                    Some(id) => *id,
                    None => {
                        let id = u8::try_from(ids.len()).ok()?;
                        ids.insert(color, id);
                        palette.extend(color);
                        id
                    }
                },
            };
            last = (color, Some(id));
            pixels.push(id);
        }
        Some(Indexed { palette, pixels })
    }
}

/// Lays a colour over a pixel.
fn mix(pixel: &mut [u8], color: [u8; BYTES], alpha: u8) {
    let alpha = u32::from(alpha);
    for (channel, wanted) in pixel.iter_mut().zip(color) {
        let mixed = u32::from(*channel) * (255 - alpha) + u32::from(wanted) * alpha;
        *channel = ((mixed + 127) / 255) as u8;
    }
}

const fn channels(rgb: u32) -> [u8; 3] {
    [(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8]
}

/// How much a path covers of each pixel of a rectangle.
pub(crate) fn rasterize(path: &Path, place: Rect) -> Option<Vec<u8>> {
    if place.is_empty() {
        return None;
    }
    let mut mask = Mask::new(place.width as u32, place.height as u32)?;
    let shift = Transform::from_translate(-place.x as f32, -place.y as f32);
    mask.fill_path(path, FillRule::Winding, true, shift);
    let mut alpha = mask.take();
    let contrast = contrast();
    alpha.iter_mut().for_each(|value| *value = contrast[*value as usize]);
    Some(alpha)
}

/// Degrees of coverage that are told apart: few enough that most pictures have less than 256 colours.
const LEVELS: f32 = 15.0;

/// Thin strokes of small letters look washed out when they are blended as they are covered; screens make them darker.
fn contrast() -> &'static [u8; 256] {
    static TABLE: OnceLock<[u8; 256]> = OnceLock::new();
    TABLE.get_or_init(|| {
        std::array::from_fn(|value| {
            let degree = ((value as f32 / 255.0).powf(0.8) * LEVELS).round();
            (degree * 255.0 / LEVELS) as u8
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(canvas: &Canvas, x: usize, y: usize) -> &[u8] {
        let start = (y * canvas.width as usize + x) * BYTES;
        &canvas.pixels[start..start + BYTES]
    }

    #[test]
    fn what_lies_outside_is_not_drawn() {
        let mut canvas = Canvas::new(Size { width: 4, height: 3 });
        canvas.fill(Rect::new(-5, -5, 6, 6), 0x0000FF);
        canvas.fill(Rect::new(3, 2, i32::MAX, i32::MAX), 0xFF0000);
        canvas.fill(Rect::new(2, 2, 0, 5), 0x00FF00);
        assert_eq!(pixel(&canvas, 0, 0), [0, 0, 255]);
        assert_eq!(pixel(&canvas, 3, 2), [255, 0, 0]);
        assert_eq!(pixel(&canvas, 2, 2), [255, 255, 255]);
    }

    #[test]
    fn coverage_blends_within_the_clip() {
        let mut canvas = Canvas::new(Size { width: 4, height: 1 });
        let shape = Coverage { alpha: &[255, 128, 255, 255], place: Rect::new(0, 0, 4, 1) };
        canvas.blend(&shape, Rect::new(0, 0, 3, 1), 0);
        assert_eq!(canvas.pixels, [0, 0, 0, 127, 127, 127, 0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn a_polygon_fills_its_pixels() {
        let mut canvas = Canvas::new(Size { width: 4, height: 4 });
        let bounds = canvas.bounds();
        canvas.fill_polygon(&[(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)], bounds, 0);
        assert_eq!((pixel(&canvas, 1, 1), pixel(&canvas, 0, 0)), (&[0u8; 3][..], &[255u8; 3][..]));
    }
}
