//! The borders of cells. Two cells share each line: the stronger one is seen.

use crate::error::PictureError;
use crate::look::{Line, Stroke};
use crate::paint::Painter;
use crate::paint::lines::{self, Direction};

impl Painter<'_, '_> {
    /// Draws the borders, the faint ones first.
    pub(super) fn borders(&mut self) -> Result<(), PictureError> {
        let (rows, cols) = (self.scene.rows.len(), self.scene.columns.len());
        for row in 0..=rows {
            self.check()?;
            for col in 0..=cols {
                if row < rows
                    && let Some(line) = self.line_left_of(row, col)
                {
                    self.down(row, col, line);
                }
                if col < cols
                    && let Some(line) = self.line_above(row, col)
                {
                    self.across(row, col, line);
                }
            }
        }
        Ok(())
    }

    /// The line between a cell and its left neighbour.
    fn line_left_of(&self, row: usize, col: usize) -> Option<Line> {
        let is_inner = 0 < col && col < self.scene.columns.len();
        if is_inner && self.scene.are_merged((row, col - 1), (row, col)) {
            return None;
        }
        let of_left = col.checked_sub(1).and_then(|left| self.scene.look(row, left).edges.right);
        let of_right = (col < self.scene.columns.len()).then(|| self.scene.look(row, col).edges.left);
        stronger(of_left, of_right.flatten())
    }

    /// The line between a cell and the one above it.
    fn line_above(&self, row: usize, col: usize) -> Option<Line> {
        let is_inner = 0 < row && row < self.scene.rows.len();
        if is_inner && self.scene.are_merged((row - 1, col), (row, col)) {
            return None;
        }
        let thin = |rgb| Line { stroke: Stroke::Thin, rgb };
        let of_upper = row.checked_sub(1).and_then(|upper| {
            let table = || self.scene.overlay(&self.geometry, upper, col).line_below.map(thin);
            self.scene.look(upper, col).edges.bottom.or_else(table)
        });
        let of_lower = (row < self.scene.rows.len()).then(|| {
            let table = || self.scene.overlay(&self.geometry, row, col).line_above.map(thin);
            self.scene.look(row, col).edges.top.or_else(table)
        });
        stronger(of_upper, of_lower.flatten())
    }

    fn down(&mut self, row: usize, col: usize, line: Line) {
        let columns = &self.scene.columns;
        let at = columns.tracks().get(col).map_or(columns.end(), |track| track.start) - 1;
        let track = self.scene.rows.tracks()[row];
        // From the line above on, so that corners are whole.
        let span = (track.start - 1, track.end());
        let unit = self.hairline();
        lines::draw(&mut self.canvas, Direction::Down, at, span, line, unit);
    }

    fn across(&mut self, row: usize, col: usize, line: Line) {
        let rows = &self.scene.rows;
        let at = rows.tracks().get(row).map_or(rows.end(), |track| track.start) - 1;
        let track = self.scene.columns.tracks()[col];
        let span = (track.start - 1, track.end());
        let unit = self.hairline();
        lines::draw(&mut self.canvas, Direction::Across, at, span, line, unit);
    }
}

fn stronger(a: Option<Line>, b: Option<Line>) -> Option<Line> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.stroke > a.stroke { b } else { a }),
        (a, b) => a.or(b),
    }
}
