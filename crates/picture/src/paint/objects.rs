//! What floats above the cells: images, and frames with the kind and the title of charts and shapes.

use workbook::{Chart, Image, Shape};

use crate::bitmap::Bitmap;
use crate::canvas::Rect;
use crate::error::PictureError;
use crate::glyphs::Ink;
use crate::paint::Painter;
use crate::paint::places::Place;
use crate::text_block::wrap;

const FRAME_FILL: u32 = 0xF2_F2F2;
const FRAME_LINE: u32 = 0xA6_A6A6;
const FRAME_TEXT: u32 = 0x40_4040;
const SHAPE_FILL: u32 = 0xFF_FFFF;
/// How many times the picture's area the objects may cover in all.
const MAX_LAYERS: u64 = 8;
/// The pixels of all images of one picture that are decoded, and the bytes of one.
const MAX_IMAGE_PIXELS: u64 = 16_000_000;
const MAX_IMAGE_BYTES: u64 = 8 << 20;
/// The longest label that is read.
const MAX_LABEL: usize = 2000;
/// Sizes at 96 dpi of objects that only say where they start: Excel's own for a new chart, and small ones.
const CHART_SIZE: (u32, u32) = (480, 288);
const OBJECT_SIZE: (u32, u32) = (192, 96);

impl Painter<'_, '_> {
    /// Draws the objects within the range: images as they are, a frame for everything else.
    pub(super) fn objects(&mut self) -> Result<(), PictureError> {
        let sheet = self.view.sheet;
        let body = self.scene.body();
        // Objects lie over each other; a pile of them may not cost more than a few pictures.
        let mut area = MAX_LAYERS * body.width as u64 * body.height as u64;
        let mut pixels = MAX_IMAGE_PIXELS;
        for image in &sheet.images {
            let Some(place) = self.place(image.anchor, &image.placement, OBJECT_SIZE) else { continue };
            let Some(rest) = area.checked_sub(place.visible.area()) else { return Ok(()) };
            area = rest;
            self.check()?;
            match self.bitmap(image, pixels) {
                Some(bitmap) => {
                    pixels -= bitmap.pixels();
                    self.image(&bitmap, place);
                }
                None => self.frame(place.visible, &image_label(image), Some(FRAME_FILL)),
            }
        }
        let charts = sheet.charts.iter().map(|chart| {
            (self.place(chart.anchor, &chart.placement, CHART_SIZE), chart_label(chart), Some(FRAME_FILL))
        });
        let shapes = sheet.shapes.iter().filter(|shape| shape.kind != "connector").map(|shape| {
            let place = self.place(shape.anchor, &shape.placement, OBJECT_SIZE);
            (place, shape_label(shape), shape_fill(shape))
        });
        let mut frames = Vec::new();
        for (place, label, fill) in charts.chain(shapes) {
            let Some(place) = place else { continue };
            let Some(rest) = area.checked_sub(place.visible.area()) else { break };
            area = rest;
            frames.push((place.visible, label, fill));
        }
        for (rect, label, fill) in frames {
            self.check()?;
            self.frame(rect, &label, fill);
        }
        Ok(())
    }

    /// An image of the package, decoded; `None` if it cannot be.
    fn bitmap(&self, image: &Image, max_pixels: u64) -> Option<Bitmap> {
        image.bytes.filter(|bytes| *bytes <= MAX_IMAGE_BYTES)?;
        let bytes = self.view.book.loader.part(&image.part).ok().flatten()?;
        Bitmap::decode(&bytes, max_pixels)
    }

    /// Draws an image into its place; in its own proportions where only a part of the place is known.
    fn image(&mut self, bitmap: &Bitmap, place: Place) {
        let (whole, (width, height)) = (place.whole, (bitmap.width as f32, bitmap.height as f32));
        let target = if place.is_exact {
            whole
        } else {
            let ratio = (whole.width as f32 / width).min(whole.height as f32 / height);
            let side = |px: f32| ((px * ratio) as i32).max(1);
            Rect::new(whole.x, whole.y, side(width), side(height))
        };
        let (width, height) = (target.width as u32, target.height as u32);
        let clip = self.scene.body();
        self.canvas.blend_pixels(target, clip, |x, y| bitmap.scaled_pixel(x, y, width, height));
    }

    /// Draws a frame around a label; without a fill, what is behind stays to be seen.
    fn frame(&mut self, rect: Rect, label: &str, fill: Option<u32>) {
        let unit = self.hairline();
        let inside = rect.inset(unit);
        if let Some(fill) = fill {
            self.canvas.fill(inside, fill);
        }
        let is_edge =
            |x: i32, y: i32| x < inside.x || x >= inside.right() || y < inside.y || y >= inside.bottom();
        self.canvas.fill_where(rect, FRAME_LINE, is_edge);
        let geometry = &mut self.geometry;
        let scale = geometry.scale;
        let of = geometry.setter.resolve(None, false);
        let line = geometry.setter.line(of);
        let pitch = line.pitch * scale;
        let inner = rect.inset((4.0 * scale) as i32);
        if inner.is_empty() {
            return;
        }
        let most = ((inner.height as f32 / pitch) as usize).max(1);
        let head: String = label.chars().take(MAX_LABEL).collect();
        let lines = wrap(&mut geometry.setter, of, &head, inner.width as f32 / scale, most);
        let mut y = inner.y as f32 + ((inner.height as f32 - lines.len() as f32 * pitch) / 2.0).max(0.0);
        let ink = Ink { rgb: FRAME_TEXT, clip: inner, scale };
        for text in lines {
            let x = inner.x as f32 + ((inner.width as f32 - text.width * scale) / 2.0).max(0.0);
            let pen = (x, y + line.ascent * scale);
            self.scribe.line(&mut self.canvas, &mut geometry.setter, text.text, of, pen, ink);
            y += pitch;
        }
    }
}

fn chart_label(chart: &Chart) -> String {
    let kinds = if chart.kinds.is_empty() { String::new() } else { format!("{} ", chart.kinds.join(" + ")) };
    let title = chart.title.as_deref().unwrap_or(&chart.name);
    format!("{kinds}chart: {title}")
}

fn image_label(image: &Image) -> String {
    format!("image: {}", image.description.as_deref().unwrap_or(&image.name))
}

fn shape_label(shape: &Shape) -> String {
    match (&shape.text, shape.kind.as_str()) {
        (Some(text), _) => text.clone(),
        (None, "shape" | "textbox") => String::new(),
        (None, kind) => format!("{kind}: {}", shape.name),
    }
}

/// A shape without a text may well be transparent: it is drawn as one.
fn shape_fill(shape: &Shape) -> Option<u32> {
    match (&shape.text, shape.kind.as_str()) {
        (Some(_), _) => Some(SHAPE_FILL),
        (None, "shape" | "textbox" | "ink") => None,
        _ => Some(FRAME_FILL),
    }
}
