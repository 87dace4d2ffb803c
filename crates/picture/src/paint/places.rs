//! Where floating objects stand: the file's anchors and EMU as pixels of the picture.

use workbook::{Anchor, Placement};

use crate::axis::Axis;
use crate::canvas::Rect;
use crate::paint::Painter;

/// EMU of a pixel at 96 dpi.
const EMU_PER_PX: f32 = 9525.0;
/// The longest side of an object, in pixels at 96 dpi: a picture shows no more of it.
const MAX_SIDE_PX: f32 = 32_768.0;

/// The pixels of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// All of it, as far as the range knows of it.
    pub(super) whole: Rect,
    /// What of it is on the picture; not empty.
    pub(super) visible: Rect,
    /// Whether `whole` is as large as the object: both its ends are within the range.
    pub(super) is_exact: bool,
}

impl Painter<'_, '_> {
    /// The pixels of an object of a default size at 96 dpi; `None` where none of it is on the picture. Without an anchor
    /// it fills the picture, as the chart of a chart sheet does.
    pub(super) fn place(
        &self,
        anchor: Option<Anchor>,
        placement: &Placement,
        default_size: (u32, u32),
    ) -> Option<Place> {
        let body = self.scene.body();
        let (columns, rows) = (&self.scene.columns, &self.scene.rows);
        let range = self.view.range;
        let ((from_x, from_y), (to_x, to_y)) = (placement.from, placement.to);
        let (width, height) = match placement.size {
            Some((width, height)) => (self.emu(width), self.emu(height)),
            None => {
                (self.geometry.scaled(default_size.0) as i32, self.geometry.scaled(default_size.1) as i32)
            }
        };
        let (whole, is_exact) = match anchor {
            None => (body, true),
            Some(Anchor::Absolute) => {
                let (x, y) = self.origin_of_sheet();
                let (x, y) = (x.saturating_add(self.emu(from_x)), y.saturating_add(self.emu(from_y)));
                (Rect::new(x, y, width, height), true)
            }
            Some(Anchor::Cell(at)) => {
                if !range.contains(at) {
                    return None;
                }
                let (x, y) = (self.within(columns, at.col(), from_x), self.within(rows, at.row(), from_y));
                (Rect::new(x, y, width, height), true)
            }
            Some(Anchor::Cells(cells)) => {
                let (start, end) = (cells.start(), cells.end());
                let (x, y) =
                    (self.within(columns, start.col(), from_x), self.within(rows, start.row(), from_y));
                let (right, bottom) =
                    (self.within(columns, end.col(), to_x), self.within(rows, end.row(), to_y));
                (Rect::new(x, y, right - x, bottom - y), range.contains_range(cells))
            }
        };
        let visible = whole.intersect(body);
        (!visible.is_empty()).then_some(Place { whole, visible, is_exact })
    }

    /// A length in EMU as pixels of the picture, no longer than any picture.
    fn emu(&self, emu: i64) -> i32 {
        let px = (emu as f32 / EMU_PER_PX).clamp(-MAX_SIDE_PX, MAX_SIDE_PX);
        (px * self.geometry.scale).round() as i32
    }

    /// A position within a column or row, which may be hidden.
    fn within(&self, axis: &Axis, index: u32, emu: i64) -> i32 {
        let size = axis.position(index).map_or(0, |position| axis.tracks()[position].size);
        axis.edge(index) + self.emu(emu).clamp(0, size)
    }

    /// Where the sheet's first cell would start.
    fn origin_of_sheet(&self) -> (i32, i32) {
        let (body, start) = (self.scene.body(), self.view.range.start());
        let left: u64 =
            (0..start.col()).map(|col| u64::from(self.geometry.scaled(self.geometry.column(col)))).sum();
        let above = start.row().checked_sub(1).map_or(0, |last| self.geometry.estimate(0, last));
        let before = |px: u64| i32::try_from(px).unwrap_or(i32::MAX / 2);
        (body.x - before(left), body.y - before(above))
    }
}
