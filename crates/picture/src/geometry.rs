//! How wide columns and how high rows are: the file's characters and points as pixels.

use std::collections::HashMap;

use grid::{CellRange, CellRef};
use workbook::{FileFormat, Sheet, StyleId};

use crate::View;
use crate::look::{Looks, font_of};
use crate::options::Size;
use crate::typesetter::{PX_PER_POINT, Typesetter};

/// Excel's widest column, in characters.
const MAX_CHARACTERS: f32 = 255.0;
/// Excel's highest row, in points.
const MAX_ROW_POINTS: f32 = 409.5;
/// The same in pixels at 96 dpi.
pub(crate) const MAX_ROW_PX: u32 = 546;
/// Characters of a column that nothing is said of.
const BASE_CHARACTERS: f32 = 8.0;
/// Rows whose heights are found out at once.
const ROW_BLOCK: u32 = 256;
/// A range higher than this many times the limit is estimated from there on.
const EXACT_SIDES: u64 = 4;
/// Size of the headings' letters, in pixels at 96 dpi.
pub(crate) const HEADING_HEIGHT: f32 = 20.0;

/// The measures of a sheet, and the means to measure it.
pub(crate) struct Geometry<'a> {
    pub(crate) sheet: &'a Sheet,
    pub(crate) setter: Typesetter<'a>,
    pub(crate) looks: Looks<'a>,
    pub(crate) scale: f32,
    /// The widest digit of the default font, in pixels at 96 dpi.
    pub(crate) digit: f32,
    /// Height of a row that nothing is said of, in pixels at 96 dpi.
    pub(crate) default_row: u32,
    default_column: u32,
    /// Widths of columns that follow their content, in pixels at 96 dpi: those of formats whose widths are not read.
    pub(crate) fitted: HashMap<u32, u32>,
    /// Merged cells by their first one.
    pub(crate) merged: HashMap<CellRef, CellRange>,
}

impl<'a> Geometry<'a> {
    pub(crate) fn new(view: &View<'a>) -> Geometry<'a> {
        let (sheet, styles) = (view.sheet, view.book.styles.as_ref());
        let mut setter = Typesetter::new(view.fonts);
        let default = setter.resolve(font_of(styles, StyleId(0)), false);
        let digit = setter.digit_width(default);
        let default_row = match sheet.default_row_height {
            Some(points) => row_px(points),
            None => setter.line(default).pitch as u32,
        };
        let default_column = match sheet.default_column_width {
            Some(characters) => column_px(characters, digit),
            // Two pixels of padding a side and one for the line, rounded up to eight as Excel does.
            None => ((BASE_CHARACTERS * digit + 5.0) / 8.0).ceil() as u32 * 8,
        };
        let mut geometry = Geometry {
            sheet,
            setter,
            looks: Looks::new(styles),
            scale: view.options.clamped_scale(),
            digit,
            default_row,
            default_column,
            fitted: HashMap::new(),
            merged: sheet.merges.iter().map(|range| (range.start(), *range)).collect(),
        };
        if !has_widths(view.book.format) {
            geometry.fitted = geometry.fit_columns(view.book.date_system);
        }
        geometry
    }

    /// A length at 96 dpi as pixels of the picture; what is there at all keeps one.
    pub(crate) fn scaled(&self, px: u32) -> u32 {
        if px == 0 { 0 } else { ((px as f32 * self.scale).round() as u32).max(1) }
    }

    /// The width of a column in pixels at 96 dpi; 0 when hidden.
    pub(crate) fn column(&self, col: u32) -> u32 {
        match self.sheet.column_span(col) {
            Some(span) if span.hidden => 0,
            Some(span) => span.width.map_or(self.default_column, |width| column_px(width, self.digit)),
            None => self.fitted.get(&col).copied().unwrap_or(self.default_column),
        }
    }

    /// The columns of a range with their widths in the picture.
    pub(crate) fn columns(&self, range: CellRange) -> impl Iterator<Item = (u32, u32)> {
        (range.start().col()..=range.end().col()).map(|col| (col, self.scaled(self.column(col))))
    }

    /// Heights of rows in pixels at 96 dpi, before any grows; `None` where the file leaves it to the content.
    fn own_heights(&self, first: u32, last: u32) -> Vec<Option<u32>> {
        let mut heights = vec![None; (last - first + 1) as usize];
        let from = self.sheet.rows.partition_point(|props| props.row < first);
        for props in self.sheet.rows[from..].iter().take_while(|props| props.row <= last) {
            if props.hidden {
                heights[(props.row - first) as usize] = Some(0);
            } else if let Some(points) = props.height {
                heights[(props.row - first) as usize] = Some(row_px(points));
            }
        }
        heights
    }

    /// The rows of a range with their heights in the picture, block by block, until `visit` says `false`.
    pub(crate) fn visit_rows(&mut self, range: CellRange, visit: &mut dyn FnMut(u32, u32) -> bool) {
        let last_row = range.end().row();
        let mut first = range.start().row();
        loop {
            let last = (first / ROW_BLOCK * ROW_BLOCK + ROW_BLOCK - 1).min(last_row);
            let own = self.own_heights(first, last);
            let heights = self.grow(first, &own);
            for (row, height) in (first..=last).zip(heights) {
                if !visit(row, self.scaled(height)) {
                    return;
                }
            }
            if last == last_row {
                return;
            }
            first = last + 1;
        }
    }

    /// Width and height of the headings in the picture; a margin for the first borders where there are none.
    pub(crate) fn heading(&mut self, view: &View<'_>) -> (u32, u32) {
        if !view.options.headings {
            let margin = self.scaled(1);
            return (margin, margin);
        }
        let digits = (view.range.end().row() + 1).ilog10() + 1;
        let width = (digits.max(2) as f32 * self.digit + 12.0) as u32;
        (self.scaled(width), self.scaled(HEADING_HEIGHT as u32))
    }

    /// The size of the picture.
    pub(crate) fn size(&mut self, view: &View<'_>) -> Size {
        let (heading_width, heading_height) = self.heading(view);
        let width: u64 = self.columns(view.range).map(|(_, px)| u64::from(px)).sum();
        let exact_until = u64::from(view.options.max_dimension_px) * EXACT_SIDES;
        let (mut height, mut next_row) = (0u64, view.range.start().row());
        self.visit_rows(view.range, &mut |row, px| {
            height += u64::from(px);
            next_row = row + 1;
            height <= exact_until
        });
        height += self.estimate(next_row, view.range.end().row());
        let side = |px: u64, heading: u32| u32::try_from(px + u64::from(heading)).unwrap_or(u32::MAX);
        Size { width: side(width, heading_width), height: side(height, heading_height) }
    }

    /// The height of rows by what the file says of them, without looking at their cells.
    pub(crate) fn estimate(&self, first: u32, last: u32) -> u64 {
        if first > last {
            return 0;
        }
        let default = u64::from(self.scaled(self.default_row));
        let mut height = u64::from(last - first + 1) * default;
        let from = self.sheet.rows.partition_point(|props| props.row < first);
        for props in self.sheet.rows[from..].iter().take_while(|props| props.row <= last) {
            let own = if props.hidden { Some(0) } else { props.height.map(row_px) };
            if let Some(px) = own {
                height = height + u64::from(self.scaled(px)) - default;
            }
        }
        height
    }
}

/// Whether the model knows the widths of columns that a file of a format says.
fn has_widths(format: FileFormat) -> bool {
    matches!(format, FileFormat::Xlsx | FileFormat::Xlsm | FileFormat::Xltx | FileFormat::Xltm)
}

/// A width in characters of a digit's width as pixels (ECMA-376 Part 1 §18.3.1.13): it includes the padding.
fn column_px(characters: f32, digit: f32) -> u32 {
    let characters =
        if characters.is_finite() { characters.clamp(0.0, MAX_CHARACTERS) } else { BASE_CHARACTERS };
    ((256.0 * characters + (128.0 / digit).trunc()) / 256.0 * digit).trunc() as u32
}

/// A height in points as pixels.
fn row_px(points: f32) -> u32 {
    let points = if points.is_finite() { points.clamp(0.0, MAX_ROW_POINTS) } else { 15.0 };
    (points * PX_PER_POINT).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_and_heights_are_excels() {
        assert_eq!(column_px(9.140625, 7.0), 64);
        assert_eq!(column_px(20.710938, 7.0), 145);
        assert_eq!(column_px(0.0, 7.0), 0);
        assert_eq!(row_px(15.0), 20);
        assert_eq!(row_px(12.75), 17);
    }

    #[test]
    fn hostile_sizes_are_clamped() {
        assert_eq!(column_px(1e9, 7.0), 1785);
        assert_eq!(column_px(-5.0, 7.0), 0);
        assert_eq!(row_px(1e9), 546);
        assert_eq!(row_px(f32::NAN), 20);
        assert_eq!(column_px(f32::INFINITY, 7.0), 56);
    }
}
