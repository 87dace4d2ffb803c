//! What is under the texts: gridlines and fills.

use crate::canvas::Rect;
use crate::error::PictureError;
use crate::look::{Paint, Pattern};
use crate::paint::Painter;

pub(super) const GRIDLINE: u32 = 0xD4_D4D4;
const WHITE: u32 = 0xFF_FFFF;

impl Painter<'_, '_> {
    /// Draws gridlines, then the fills over them.
    pub(super) fn cells(&mut self) -> Result<(), PictureError> {
        if self.has_gridlines() {
            let body = self.scene.body();
            for track in self.scene.columns.tracks() {
                self.canvas.fill(Rect::new(track.end() - 1, body.y, 1, body.height), GRIDLINE);
            }
            for track in self.scene.rows.tracks() {
                self.canvas.fill(Rect::new(body.x, track.end() - 1, body.width, 1), GRIDLINE);
            }
        }
        for row in 0..self.scene.rows.len() {
            self.check()?;
            for col in 0..self.scene.columns.len() {
                if self.scene.merge(row, col).is_some() {
                    continue;
                }
                if let Some(paint) = self.fill_of(row, col) {
                    let rect = self.scene.rect(row, col, row, col);
                    self.paint(rect, paint);
                }
            }
        }
        for index in 0..self.scene.merges().len() {
            let merge = &self.scene.merges()[index];
            let (rect, fill) = (merge.rect, merge.look.fill);
            match fill {
                Some(paint) => self.paint(rect, paint),
                None => self.canvas.fill(Rect::new(rect.x, rect.y, rect.width - 1, rect.height - 1), WHITE),
            }
        }
        Ok(())
    }

    /// The fill of a cell: its own, or its table's.
    pub(super) fn fill_of(&self, row: usize, col: usize) -> Option<Paint> {
        if let Some(merge) = self.scene.merge(row, col) {
            return merge.look.fill;
        }
        self.scene.look(row, col).fill.or_else(|| {
            let fill = self.scene.overlay(&self.geometry, row, col).fill?;
            Some(Paint { background: fill, pattern: None })
        })
    }

    /// Fills cells, and the gridlines around them.
    fn paint(&mut self, cells: Rect, paint: Paint) {
        let body = self.scene.body();
        let rect = Rect::new(cells.x - 1, cells.y - 1, cells.width + 1, cells.height + 1);
        let rect = if self.view.options.headings { rect.intersect(body) } else { rect };
        self.canvas.fill(rect, paint.background);
        if let Some((pattern, rgb)) = paint.pattern {
            self.canvas.fill_where(rect, rgb, |x, y| is_set(pattern, x, y));
        }
    }
}

/// Whether a pattern sets a pixel, by its position on the picture.
fn is_set(pattern: Pattern, x: i32, y: i32) -> bool {
    let down = (x - y).rem_euclid(4);
    let up = (x + y).rem_euclid(4);
    let (across, along) = (x.rem_euclid(4), y.rem_euclid(4));
    match pattern {
        Pattern::DarkGray => (x + 2 * y).rem_euclid(4) != 0,
        Pattern::MediumGray => up % 2 == 0,
        Pattern::LightGray => (x + 2 * y).rem_euclid(4) == 0,
        Pattern::Gray125 => along % 2 == 0 && (x + y).rem_euclid(4) == 0,
        Pattern::Gray0625 => along == 0 && (x + y / 2).rem_euclid(4) == 0,
        Pattern::DarkHorizontal => along < 2,
        Pattern::DarkVertical => across < 2,
        Pattern::DarkDown => down < 2,
        Pattern::DarkUp => up < 2,
        Pattern::DarkGrid => (across < 2) == (along < 2),
        Pattern::DarkTrellis => down < 2 || up < 2,
        Pattern::LightHorizontal => along == 0,
        Pattern::LightVertical => across == 0,
        Pattern::LightDown => down == 0,
        Pattern::LightUp => up == 0,
        Pattern::LightGrid => across == 0 || along == 0,
        Pattern::LightTrellis => down == 0 || up == 0,
    }
}
