//! Heights of rows that the file leaves to their content: they grow with larger fonts, wrapped and turned texts. And
//! widths of columns, where the model does not know what the file says of them.

use std::collections::HashMap;

use grid::{CellRef, DateSystem, MAX_ROWS, Value};

use crate::geometry::{Geometry, MAX_ROW_PX};
use crate::look::{Look, Rotation};
use crate::shown::shown;
use crate::text_block::{PADDING, wrap};

/// The columns with cells that a row's height is taken from; the further ones do not grow it.
const MAX_COLUMNS: usize = 512;
/// The columns and the cells of each that widths are fitted to, and the widest that comes of it, in digits.
const FITTED_COLUMNS: usize = 256;
const FITTED_CELLS: usize = 64;
const FITTED_CHARACTERS: usize = 60;
/// The longest text that is measured to turn it.
const MAX_TURNED_CHARACTERS: usize = 512;

impl Geometry<'_> {
    /// Heights from row `first` on, in pixels at 96 dpi: the given ones, and what the content asks for where there is none.
    pub(crate) fn grow(&mut self, first: u32, own: &[Option<u32>]) -> Vec<u32> {
        let mut heights: Vec<u32> = own.iter().map(|height| height.unwrap_or(self.default_row)).collect();
        let Some(last) = (own.len() as u32).checked_sub(1).map(|rest| first + rest) else { return heights };
        if own.iter().all(Option::is_some) {
            return heights;
        }
        let sheet = self.sheet;
        let from = sheet.rows.partition_point(|props| props.row < first);
        for props in sheet.rows[from..].iter().take_while(|props| props.row <= last) {
            let index = (props.row - first) as usize;
            if let (Some(style), None) = (props.style, own[index]) {
                let look = self.looks.get(style, &mut self.setter);
                heights[index] = heights[index].max(self.setter.line(look.of).pitch as u32);
            }
        }
        for (col, column) in sheet.columns().take(MAX_COLUMNS) {
            let width = self.column(col);
            if width == 0 {
                continue;
            }
            for (row, raw) in column.cells(first..=last) {
                let index = (row - first) as usize;
                if own[index].is_some() || heights[index] >= MAX_ROW_PX {
                    continue;
                }
                let look = self.looks.get(raw.style, &mut self.setter);
                let value = sheet.resolve_value(raw.value);
                let at = CellRef::clamped(row, col);
                let wanted = self.wanted(&look, value, at, width);
                heights[index] = heights[index].max(wanted.min(MAX_ROW_PX));
            }
        }
        heights
    }

    /// Widths that show the first cells of the first columns, in pixels at 96 dpi; never below the default one.
    pub(crate) fn fit_columns(&mut self, dates: DateSystem) -> HashMap<u32, u32> {
        let sheet = self.sheet;
        let mut widths = HashMap::new();
        for (col, column) in sheet.columns().take(FITTED_COLUMNS) {
            let mut widest = self.column(col) as f32;
            for (row, raw) in column.cells(0..=MAX_ROWS - 1).take(FITTED_CELLS) {
                let look = self.looks.get(raw.style, &mut self.setter);
                let value = sheet.resolve_value(raw.value);
                let is_title = matches!(value, Value::Text(_)) && self.is_followed_by_nothing(row, col);
                if is_title || look.wrap || self.merged.contains_key(&CellRef::clamped(row, col)) {
                    continue;
                }
                if let Some(shown) = shown(value, &look, self.looks.styles(), dates) {
                    let head: String = shown.text.chars().take(FITTED_CHARACTERS).collect();
                    widest = widest.max(self.setter.width(look.of, &head) + 2.0 * PADDING + 4.0);
                }
            }
            widths.insert(col, widest.min(FITTED_CHARACTERS as f32 * self.digit) as u32);
        }
        widths
    }

    /// Whether a cell has nothing to its right: then its text may flow on.
    fn is_followed_by_nothing(&self, row: u32, col: u32) -> bool {
        self.sheet.cell(CellRef::clamped(row, col + 1)).value.is_empty()
    }

    fn wanted(&mut self, look: &Look, value: Value<'_>, at: CellRef, width: u32) -> u32 {
        let pitch = self.setter.line(look.of).pitch;
        let text = match value {
            Value::Text(text) if look.wrap || look.rotation != Rotation::Flat => text,
            _ => return pitch as u32,
        };
        if self.merged.contains_key(&at) {
            return pitch as u32;
        }
        match look.rotation {
            Rotation::Flat => {
                let indent = look.indent as f32 * self.indent_px();
                let room = width as f32 - 2.0 * PADDING - 1.0 - indent;
                let max_lines = (MAX_ROW_PX as f32 / pitch).ceil() as usize;
                let lines = wrap(&mut self.setter, look.of, text, room, max_lines).len();
                (lines.max(1) as f32 * pitch) as u32
            }
            Rotation::Turned(degrees) => {
                let head: String = text.chars().take(MAX_TURNED_CHARACTERS).collect();
                let length = self.setter.width(look.of, &head) + 2.0 * PADDING;
                let (sin, cos) = degrees.to_radians().sin_cos();
                (length * sin.abs() + pitch * cos.abs()) as u32
            }
            Rotation::Stacked => (text.chars().take(64).count() as f32 * pitch) as u32,
        }
    }

    /// One step of indentation in pixels at 96 dpi: three spaces of the default font.
    pub(crate) fn indent_px(&self) -> f32 {
        (self.digit * 9.0 / 7.0).round()
    }
}
