//! Texts that do not run from left to right: turned by an angle, or letter under letter.

use tiny_skia::Transform;

use crate::canvas::Rect;
use crate::glyphs::{Ink, outline};
use crate::look::{Horizontal, Look, Vertical};
use crate::paint::Painter;
use crate::text_block::{PADDING, wrap};
use crate::typesetter::Type;

/// The longest text that is turned.
const MAX_CHARACTERS: usize = 512;

impl Painter<'_, '_> {
    /// Draws a text turned against the clock within its cells; a slanted one may reach over its neighbours.
    pub(super) fn turned_text(
        &mut self,
        text: &str,
        degrees: f32,
        (look, of): (&Look, Type),
        horizontal: Horizontal,
        rect: Rect,
        rgb: u32,
    ) {
        let scale = self.geometry.scale;
        let body = self.scene.body();
        let head: String = text.chars().take(MAX_CHARACTERS).collect();
        let is_upright = degrees.abs() == 90.0;
        let setter = &mut self.geometry.setter;
        let room =
            if look.wrap && is_upright { rect.height as f32 / scale - 2.0 * PADDING } else { f32::INFINITY };
        let max_lines = (rect.width as f32 / (setter.line(of).pitch * scale)).ceil() as usize + 1;
        let flat;
        let head = if look.wrap {
            &head
        } else {
            flat = head.replace('\n', "");
            &flat
        };
        let lines = wrap(setter, of, head, room, max_lines);
        let metrics = setter.line(of);
        let length = lines.iter().map(|line| line.width).fold(0.0, f32::max) * scale;
        let thickness = lines.len() as f32 * metrics.pitch * scale;
        let (sin, cos) = degrees.to_radians().sin_cos();
        let width = length * cos.abs() + thickness * sin.abs();
        let height = length * sin.abs() + thickness * cos.abs();
        let pad = PADDING * scale;
        let (left, top) = (rect.x as f32, rect.y as f32);
        let (room_x, room_y) = (rect.width as f32 - 1.0, rect.height as f32 - 1.0);
        let x = match horizontal {
            Horizontal::Center | Horizontal::AcrossSelection => left + (room_x - width) / 2.0,
            Horizontal::Right => left + room_x - pad - width,
            _ => left + pad,
        };
        let y = match look.vertical {
            Vertical::Top => top + pad,
            Vertical::Center => top + (room_y - height) / 2.0,
            Vertical::Bottom => top + room_y - pad - height,
        };
        let clip = if is_upright { rect } else { Rect { x: body.x, width: body.width, ..rect } };
        let center = (x + width / 2.0, y + height / 2.0);
        for (index, line) in lines.iter().enumerate() {
            let Some(path) = outline(setter, line.text, of, scale) else { continue };
            let indent = match (is_upright, look.vertical) {
                (true, Vertical::Bottom) => 0.0,
                _ => (length - line.width * scale) / 2.0,
            };
            let baseline = (index as f32 * metrics.pitch + metrics.ascent) * scale;
            // From the block's own corner to its middle, turned, and to its place.
            let transform = Transform::from_translate(indent - length / 2.0, baseline - thickness / 2.0)
                .post_concat(Transform::from_rotate(-degrees))
                .post_translate(center.0, center.1);
            if let Some(path) = path.transform(transform) {
                self.canvas.fill_path(&path, clip, rgb);
            }
        }
    }

    /// Draws a text letter under letter.
    pub(super) fn stacked_text(&mut self, text: &str, (look, of): (&Look, Type), rect: Rect, rgb: u32) {
        let scale = self.geometry.scale;
        let metrics = self.geometry.setter.line(of);
        let pitch = metrics.pitch * scale;
        let most = (rect.height as f32 / pitch).ceil() as usize + 1;
        let letters: Vec<char> = text.chars().filter(|letter| !letter.is_control()).take(most).collect();
        let spare = (rect.height as f32 - letters.len() as f32 * pitch).max(0.0);
        let mut y = rect.y as f32
            + match look.vertical {
                Vertical::Top => 0.0,
                Vertical::Center => spare / 2.0,
                Vertical::Bottom => spare,
            };
        let ink = Ink { rgb, clip: rect, scale };
        for letter in letters {
            let mut buffer = [0; 4];
            let text = letter.encode_utf8(&mut buffer);
            let width = self.geometry.setter.width(of, text) * scale;
            let pen = (rect.x as f32 + (rect.width as f32 - width) / 2.0, y + metrics.ascent * scale);
            self.scribe.line(&mut self.canvas, &mut self.geometry.setter, text, of, pen, ink);
            y += pitch;
        }
    }
}
