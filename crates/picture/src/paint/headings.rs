//! Column letters and row numbers, the lines of frozen panes, and the marks of comments.

use grid::column_letters;

use crate::canvas::Rect;
use crate::glyphs::Ink;
use crate::paint::Painter;

const HEADING_FILL: u32 = 0xF0_F0F0;
const HEADING_LINE: u32 = 0xC0_C0C0;
const HEADING_TEXT: u32 = 0x44_4444;
/// Where columns or rows are hidden.
const GAP_LINE: u32 = 0x70_7070;
const PANE_LINE: u32 = 0x80_8080;
const COMMENT: u32 = 0xE0_1010;
/// Size of a comment's mark, in pixels at 96 dpi.
const COMMENT_MARK: u32 = 6;

impl Painter<'_, '_> {
    /// Draws the headings, if there are to be any.
    pub(super) fn headings(&mut self) {
        if !self.view.options.headings {
            return;
        }
        let body = self.scene.body();
        let (width, height) = (body.x, body.y);
        self.canvas.fill(Rect::new(0, 0, body.right(), height), HEADING_FILL);
        self.canvas.fill(Rect::new(0, 0, width, body.bottom()), HEADING_FILL);
        self.canvas.fill(Rect::new(0, height - 1, body.right(), 1), HEADING_LINE);
        self.canvas.fill(Rect::new(width - 1, 0, 1, body.bottom()), HEADING_LINE);
        let range = self.view.range;
        let mut before = range.start().col().checked_sub(1);
        for index in 0..self.scene.columns.len() {
            let track = self.scene.columns.tracks()[index];
            let rect = Rect::new(track.start, 0, track.size, height);
            if is_gap(before, track.index) {
                self.canvas.fill(Rect::new(rect.x - 2, 0, 3, height), GAP_LINE);
            }
            self.canvas.fill(Rect::new(rect.right() - 1, 0, 1, height), HEADING_LINE);
            self.heading(&column_letters(track.index), rect);
            before = Some(track.index);
        }
        let mut before = range.start().row().checked_sub(1);
        for index in 0..self.scene.rows.len() {
            let track = self.scene.rows.tracks()[index];
            let rect = Rect::new(0, track.start, width, track.size);
            if is_gap(before, track.index) {
                self.canvas.fill(Rect::new(0, rect.y - 2, width, 3), GAP_LINE);
            }
            self.canvas.fill(Rect::new(0, rect.bottom() - 1, width, 1), HEADING_LINE);
            self.heading(&(track.index + 1).to_string(), rect);
            before = Some(track.index);
        }
    }

    fn heading(&mut self, text: &str, rect: Rect) {
        let geometry = &mut self.geometry;
        let of = geometry.setter.resolve(None, false);
        let scale = geometry.scale;
        let width = geometry.setter.width(of, text) * scale;
        let line = geometry.setter.line(of);
        let x = rect.x as f32 + ((rect.width - 1) as f32 - width) / 2.0;
        let y = rect.y as f32 + (rect.height as f32 - line.pitch * scale) / 2.0 + line.ascent * scale;
        let clip = Rect::new(rect.x, rect.y, rect.width - 1, rect.height - 1);
        let ink = Ink { rgb: HEADING_TEXT, clip, scale };
        self.scribe.line(&mut self.canvas, &mut geometry.setter, text, of, (x, y), ink);
    }

    /// Draws the lines along which the sheet's panes are frozen.
    pub(super) fn panes(&mut self) {
        let Some(freeze) = self.view.sheet.freeze else { return };
        let (body, range) = (self.scene.body(), self.view.range);
        let unit = self.hairline();
        if range.start().row() < freeze.rows && freeze.rows <= range.end().row() {
            let y = self.scene.rows.edge(freeze.rows) - 1;
            self.canvas.fill(Rect::new(body.x, y, body.width, unit), PANE_LINE);
        }
        if range.start().col() < freeze.columns && freeze.columns <= range.end().col() {
            let x = self.scene.columns.edge(freeze.columns) - 1;
            self.canvas.fill(Rect::new(x, body.y, unit, body.height), PANE_LINE);
        }
    }

    /// Draws a small triangle in each cell that has a comment.
    pub(super) fn comments(&mut self) {
        let mark = self.geometry.scaled(COMMENT_MARK) as f32;
        let sheet = self.view.sheet;
        for comment in &sheet.comments {
            let (Some(row), Some(col)) = (
                self.scene.rows.position(comment.cell.row()),
                self.scene.columns.position(comment.cell.col()),
            ) else {
                continue;
            };
            let rect =
                self.scene.merge(row, col).map_or(self.scene.rect(row, col, row, col), |merge| merge.rect);
            let (right, top) = ((rect.right() - 1) as f32, rect.y as f32);
            let corners = [(right - mark, top), (right, top), (right, top + mark)];
            self.canvas.fill_polygon(&corners, rect, COMMENT);
        }
    }
}

/// Whether something is hidden between two columns or rows.
fn is_gap(before: Option<u32>, index: u32) -> bool {
    before.map_or(index > 0, |before| before + 1 < index)
}
