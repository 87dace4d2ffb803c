//! What floats above the cells: frames with the kind and the title of charts, images and shapes.

use workbook::{Anchor, Chart, Image, Shape};

use crate::canvas::Rect;
use crate::error::PictureError;
use crate::glyphs::Ink;
use crate::paint::Painter;
use crate::text_block::wrap;

const FRAME_FILL: u32 = 0xF2_F2F2;
const FRAME_LINE: u32 = 0xA6_A6A6;
const FRAME_TEXT: u32 = 0x40_4040;
const SHAPE_FILL: u32 = 0xFF_FFFF;
/// The objects of one picture that are drawn.
const MAX_OBJECTS: usize = 256;
/// The longest label that is read.
const MAX_LABEL: usize = 2000;
/// Sizes at 96 dpi of objects that only say where they start: Excel's own for a new chart, and small ones.
const CHART_SIZE: (u32, u32) = (480, 288);
const OBJECT_SIZE: (u32, u32) = (192, 96);

impl Painter<'_, '_> {
    /// Draws a frame for each object within the range.
    pub(super) fn objects(&mut self) -> Result<(), PictureError> {
        let sheet = self.view.sheet;
        let charts = sheet
            .charts
            .iter()
            .map(|chart| (chart.anchor.as_ref(), chart_label(chart), CHART_SIZE, FRAME_FILL));
        let images = sheet
            .images
            .iter()
            .map(|image| (image.anchor.as_ref(), image_label(image), OBJECT_SIZE, FRAME_FILL));
        let shapes = sheet
            .shapes
            .iter()
            .filter(|shape| shape.kind != "connector")
            .map(|shape| (shape.anchor.as_ref(), shape_label(shape), OBJECT_SIZE, SHAPE_FILL));
        let mut drawn = 0;
        for (anchor, label, size, fill) in charts.chain(images).chain(shapes) {
            let Some(rect) = self.object_rect(anchor, size) else { continue };
            self.check()?;
            self.frame(rect, &label, fill);
            drawn += 1;
            if drawn >= MAX_OBJECTS {
                break;
            }
        }
        Ok(())
    }

    /// The pixels of an object: a chart sheet's chart fills the picture; `None` if it is outside, or nobody knows where.
    fn object_rect(&self, anchor: Option<&Anchor>, size: (u32, u32)) -> Option<Rect> {
        let body = self.scene.body();
        let (columns, rows) = (&self.scene.columns, &self.scene.rows);
        let rect = match anchor {
            None => body,
            Some(Anchor::Absolute) => return None,
            Some(Anchor::Cells(range)) => {
                let (start, end) = (range.start(), range.end());
                let (x, y) = (columns.edge(start.col()), rows.edge(start.row()));
                // It ends somewhere within its last cell.
                let middle = |axis: &crate::axis::Axis, index: u32| {
                    let half = axis.position(index).map_or(0, |position| axis.tracks()[position].size / 2);
                    axis.edge(index) + half
                };
                Rect::new(x, y, middle(columns, end.col()) - x, middle(rows, end.row()) - y)
            }
            Some(Anchor::Cell(at)) => {
                if !self.view.range.contains(*at) {
                    return None;
                }
                let (width, height) = (self.geometry.scaled(size.0), self.geometry.scaled(size.1));
                Rect::new(columns.edge(at.col()), rows.edge(at.row()), width as i32, height as i32)
            }
        };
        let visible = rect.intersect(body);
        (!visible.is_empty()).then_some(visible)
    }

    fn frame(&mut self, rect: Rect, label: &str, fill: u32) {
        self.canvas.fill(rect, FRAME_LINE);
        self.canvas.fill(rect.inset(self.hairline()), fill);
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
        (None, kind) => format!("{kind}: {}", shape.name),
    }
}
