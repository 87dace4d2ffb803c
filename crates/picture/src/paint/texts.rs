//! The texts of cells: aligned, wrapped, flowing into empty neighbours, or giving way to `####`.

use grid::{CellRef, Value};
use workbook::StyleId;

use crate::canvas::Rect;
use crate::error::PictureError;
use crate::glyphs::Ink;
use crate::look::{Horizontal, Look, Rotation, Script, Underline, Vertical};
use crate::paint::Painter;
use crate::scene::Item;
use crate::shown::{Shown, around_spare_room, general_that_fits, shown};
use crate::text_block::{PADDING, wrap};
use crate::typesetter::Type;

/// How far to the left of the range a text may start that flows into it, in columns.
const MAX_INFLOW: u32 = 64;
/// The smallest part that "shrink to fit" makes of a font.
const MIN_SHRINK: f32 = 0.2;
const WHITE: u32 = 0xFF_FFFF;

/// A text with its type and its ink: what is left to decide is where.
struct Words<'t> {
    text: &'t str,
    of: Type,
    rgb: u32,
}

impl Painter<'_, '_> {
    /// Draws every text.
    pub(super) fn texts(&mut self) -> Result<(), PictureError> {
        let mut next = 0;
        for row in 0..self.scene.rows.len() {
            self.check()?;
            self.inflow(row);
            while let Some(item) = self.scene.items.get(next).copied().filter(|item| item.row == row) {
                self.item(item);
                next += 1;
            }
        }
        Ok(())
    }

    fn item(&mut self, item: Item<'_>) {
        let (row, col) = (item.row, item.col);
        let merge = self.scene.merge(row, col);
        let rect = merge.map_or_else(|| self.scene.rect(row, col, row, col), |merge| merge.rect);
        let is_merged = merge.is_some();
        let look = merge.map_or_else(|| self.scene.look(row, col).clone(), |merge| merge.look.clone());
        let overlay = self.scene.overlay(&self.geometry, row, col);
        let styles = self.geometry.looks.styles();
        let Some(shown) = shown(item.value, &look, styles, self.view.book.date_system) else { return };
        let of = if overlay.bold { look.bold } else { look.of };
        let rgb = shown.color.or(look.color.filter(|rgb| *rgb != 0)).or(overlay.color).unwrap_or(0);
        match look.rotation {
            Rotation::Turned(degrees) => {
                let (before, after) = around_spare_room(&shown.text);
                let text = format!("{before}{after}");
                self.turned_text(&text, degrees, (&look, of), shown.horizontal, rect, rgb);
            }
            Rotation::Stacked => self.stacked_text(&shown.text, (&look, of), rect, rgb),
            Rotation::Flat if look.wrap && shown.is_text => self.wrapped(&shown, (&look, of), rect, rgb),
            Rotation::Flat if shown.is_text => {
                let place = if is_merged { None } else { Some((row, col)) };
                self.flowing(&shown, (&look, of), rect, place, rgb);
            }
            Rotation::Flat => self.contained(&shown, (&look, of), rect, rgb),
        }
    }

    /// Where texts of a cell may stand: left edge and width, without padding and indentation.
    fn room(&self, look: &Look, horizontal: Horizontal, rect: Rect) -> (f32, f32) {
        let scale = self.geometry.scale;
        let pad = PADDING * scale;
        let indent = look.indent as f32 * self.geometry.indent_px() * scale;
        let (left, width) = (rect.x as f32 + pad, rect.width as f32 - 1.0 - 2.0 * pad);
        match horizontal {
            Horizontal::Left | Horizontal::Fill => (left + indent, width - indent),
            Horizontal::Right => (left, width - indent),
            _ => (left, width),
        }
    }

    /// A text over as many lines as it needs; what does not fit the height is not seen.
    fn wrapped(&mut self, shown: &Shown, (look, of): (&Look, Type), rect: Rect, rgb: u32) {
        let scale = self.geometry.scale;
        let (left, room) = self.room(look, shown.horizontal, rect);
        let metrics = self.geometry.setter.line(of);
        let pitch = metrics.pitch * scale;
        let most = (rect.height as f32 / pitch).ceil() as usize + 1;
        let lines = wrap(&mut self.geometry.setter, of, &shown.text, room / scale, most);
        let top = line_top(look.vertical, rect, pitch, lines.len());
        for (index, line) in lines.iter().enumerate() {
            let x = aligned(shown.horizontal, left, room, line.width * scale);
            let words = Words { text: line.text, of, rgb };
            self.words(&words, look, x, top + index as f32 * pitch, rect);
        }
    }

    /// A text on one line; `place` says from which cell it may flow on.
    fn flowing(
        &mut self,
        shown: &Shown,
        (look, of): (&Look, Type),
        rect: Rect,
        place: Option<(usize, usize)>,
        rgb: u32,
    ) {
        let scale = self.geometry.scale;
        let (left, room) = self.room(look, shown.horizontal, rect);
        let one_line;
        let text = if shown.text.contains(['\n', '\r']) {
            one_line = shown.text.replace(['\n', '\r'], "");
            &one_line
        } else {
            &shown.text
        };
        let width = self.geometry.setter.width(of, text) * scale;
        let of = if look.shrink && width > room { of.scaled((room / width).max(MIN_SHRINK)) } else { of };
        let width = if look.shrink { width.min(room.max(0.0)) } else { width };
        let top = line_top(look.vertical, rect, self.geometry.setter.line(of).pitch * scale, 1);
        let words = Words { text, of, rgb };
        if shown.horizontal == Horizontal::Fill {
            let times = if width > 0.0 { (room / width).clamp(1.0, 64.0) as usize } else { 1 };
            for time in 0..times {
                self.words(&words, look, left + time as f32 * width, top, rect);
            }
            return;
        }
        let (mut from, mut to) = (rect.x as f32, (rect.right() - 1) as f32);
        let mut x = aligned(shown.horizontal, left, room, width);
        if let Some((row, col)) = place {
            if shown.horizontal == Horizontal::AcrossSelection {
                let last = self.last_of_selection(row, col);
                to = (self.scene.columns.tracks()[last].end() - 1) as f32;
                x = from + (to - from - width) / 2.0;
                self.erase_gridlines(row, col, last);
            } else if width > room {
                let (first, last) = self.flow(row, col, x, x + width);
                from = self.scene.columns.tracks()[first].start as f32;
                to = (self.scene.columns.tracks()[last].end() - 1) as f32;
                self.erase_gridlines(row, first, last);
            }
        }
        let clip = Rect { x: from as i32, width: (to - from) as i32, ..rect };
        self.words(&words, look, x, top, clip);
    }

    /// A number, a truth value or an error: within its cell, or not at all.
    fn contained(&mut self, shown: &Shown, (look, of): (&Look, Type), rect: Rect, rgb: u32) {
        let scale = self.geometry.scale;
        let (left, room) = self.room(look, shown.horizontal, rect);
        // What fits with one pixel less padding still fits: Excel's own best fit leaves no more.
        let available = (room + 2.0) / scale;
        let (before, after) = around_spare_room(&shown.text);
        let setter = &mut self.geometry.setter;
        let whole = setter.width(of, before) + setter.width(of, after);
        let top = line_top(look.vertical, rect, setter.line(of).pitch * scale, 1);
        if whole <= available {
            let after_width = setter.width(of, after) * scale;
            if before.is_empty() {
                let x = aligned(shown.horizontal, left, room, after_width);
                self.words(&Words { text: after, of, rgb }, look, x, top, rect);
            } else {
                self.words(&Words { text: before, of, rgb }, look, left, top, rect);
                self.words(&Words { text: after, of, rgb }, look, left + room - after_width, top, rect);
            }
            return;
        }
        if look.shrink {
            let of = of.scaled((available / whole).max(MIN_SHRINK));
            let text = format!("{before}{after}");
            let width = self.geometry.setter.width(of, &text) * scale;
            let x = aligned(shown.horizontal, left, room, width);
            self.words(&Words { text: &text, of, rgb }, look, x, top, rect);
            return;
        }
        let rounded = shown
            .general
            .and_then(|number| general_that_fits(number, &mut |text| setter.width(of, text) <= available));
        let text = rounded.unwrap_or_else(|| {
            let mark = setter.advance(of, '#').max(1.0);
            "#".repeat((available / mark).clamp(0.0, 255.0) as usize)
        });
        let width = self.geometry.setter.width(of, &text) * scale;
        let x = aligned(shown.horizontal, left, room, width);
        self.words(&Words { text: &text, of, rgb }, look, x, top, rect);
    }

    /// Draws words from `(x, top)` on, with the lines under and through them.
    fn words(&mut self, words: &Words<'_>, look: &Look, x: f32, top: f32, clip: Rect) {
        let scale = self.geometry.scale;
        let metrics = self.geometry.setter.line(words.of);
        let baseline = top + metrics.ascent * scale;
        let size = words.of.size * scale;
        let (of, y) = match look.script {
            Script::Normal => (words.of, baseline),
            Script::Super => (words.of.scaled(0.66), baseline - size * 0.33),
            Script::Sub => (words.of.scaled(0.66), baseline + size * 0.14),
        };
        let ink = Ink { rgb: words.rgb, clip, scale };
        self.scribe.line(&mut self.canvas, &mut self.geometry.setter, words.text, of, (x, y), ink);
        if look.underline == Underline::None && !look.strike {
            return;
        }
        let width = self.geometry.setter.width(of, words.text) * scale;
        let thickness = ((size / 14.0).round() as i32).max(1);
        let mut rule = |y: f32| {
            let rule = Rect::new(x.round() as i32, y.round() as i32, width.round() as i32, thickness);
            self.canvas.fill(rule.intersect(clip), words.rgb);
        };
        if look.underline != Underline::None {
            let first = y + (size * 0.1).max(1.0);
            rule(first);
            if look.underline == Underline::Double {
                rule(first + 2.0 * thickness as f32);
            }
        }
        if look.strike {
            rule(y - size * 0.26);
        }
    }

    /// The columns that a text from `from` to `to` may flow over: empty neighbours, as many as it needs.
    fn flow(&self, row: usize, col: usize, from: f32, to: f32) -> (usize, usize) {
        let is_free =
            |col: usize| !self.scene.slot(row, col).is_occupied && self.scene.merge(row, col).is_none();
        let tracks = self.scene.columns.tracks();
        let (mut first, mut last) = (col, col);
        while first > 0 && from < tracks[first].start as f32 && is_free(first - 1) {
            first -= 1;
        }
        while last + 1 < tracks.len() && to > tracks[last].end() as f32 && is_free(last + 1) {
            last += 1;
        }
        (first, last)
    }

    /// The last column of a selection that a text is centred across: empty cells in the same format.
    fn last_of_selection(&self, row: usize, col: usize) -> usize {
        let mut last = col;
        while last + 1 < self.scene.columns.len()
            && !self.scene.slot(row, last + 1).is_occupied
            && self.scene.look(row, last + 1).horizontal == Horizontal::AcrossSelection
        {
            last += 1;
        }
        last
    }

    /// Takes the lines away that a text flows over, where nothing is filled.
    fn erase_gridlines(&mut self, row: usize, first: usize, last: usize) {
        if !self.has_gridlines() {
            return;
        }
        let track = self.scene.rows.tracks()[row];
        for col in first..last {
            if self.fill_of(row, col).is_none() && self.fill_of(row, col + 1).is_none() {
                let x = self.scene.columns.tracks()[col].end() - 1;
                self.canvas.fill(Rect::new(x, track.start, 1, track.size - 1), WHITE);
            }
        }
    }

    /// Draws the text that flows into a row from a cell to the left of the range.
    fn inflow(&mut self, row: usize) {
        let first = self.view.range.start().col();
        if self.scene.slot(row, 0).is_occupied || self.scene.merge(row, 0).is_some() {
            return;
        }
        let (sheet, sheet_row) = (self.view.sheet, self.scene.rows.tracks()[row].index);
        let mut x = self.scene.columns.origin() as f32;
        for col in (first.saturating_sub(MAX_INFLOW)..first).rev() {
            let width = self.geometry.scaled(self.geometry.column(col));
            x -= width as f32;
            let at = CellRef::clamped(sheet_row, col);
            let cell = sheet.cell(at);
            if cell.value.is_empty() {
                continue;
            }
            if let Value::Text(_) = cell.value
                && !self.geometry.merged.contains_key(&at)
                && width > 0
            {
                self.draw_inflow(row, cell.value, cell.style, x, width);
            }
            return;
        }
    }

    fn draw_inflow(&mut self, row: usize, value: Value<'_>, style: StyleId, x: f32, width: u32) {
        let look = self.geometry.looks.get(style, &mut self.geometry.setter);
        if look.wrap || look.shrink || look.rotation != Rotation::Flat {
            return;
        }
        let styles = self.geometry.looks.styles();
        let Some(shown) = shown(value, &look, styles, self.view.book.date_system) else { return };
        let track = self.scene.rows.tracks()[row];
        let cell = Rect::new(x as i32, track.start, width as i32, track.size);
        let (left, room) = self.room(&look, shown.horizontal, cell);
        let text = shown.text.replace(['\n', '\r'], "");
        let length = self.geometry.setter.width(look.of, &text) * self.geometry.scale;
        let start = aligned(shown.horizontal, left, room, length);
        let is_flowing = matches!(shown.horizontal, Horizontal::Left | Horizontal::Center);
        if !is_flowing || start + length <= self.scene.columns.origin() as f32 {
            return;
        }
        let (_, last) = self.flow(row, 0, f32::INFINITY, start + length);
        self.erase_gridlines(row, 0, last);
        let from = self.scene.columns.origin();
        let to = self.scene.columns.tracks()[last].end() - 1;
        let top =
            line_top(look.vertical, cell, self.geometry.setter.line(look.of).pitch * self.geometry.scale, 1);
        let words = Words { text: &text, of: look.of, rgb: shown.color.or(look.color).unwrap_or(0) };
        let clip = Rect::new(from, track.start, to - from, track.size);
        self.words(&words, &look, start, top, clip);
    }
}

/// Where a line of a width starts.
fn aligned(horizontal: Horizontal, left: f32, room: f32, width: f32) -> f32 {
    match horizontal {
        Horizontal::Center | Horizontal::AcrossSelection => left + (room - width) / 2.0,
        Horizontal::Right => left + room - width,
        Horizontal::General | Horizontal::Left | Horizontal::Fill => left,
    }
}

/// Where the first of some lines starts. A block that is higher than its cell starts at the top, so that its beginning can
/// be read; a single line keeps its place.
fn line_top(vertical: Vertical, rect: Rect, pitch: f32, lines: usize) -> f32 {
    let spare = rect.height as f32 - pitch * lines as f32;
    let spare = if lines > 1 { spare.max(0.0) } else { spare };
    rect.y as f32
        + match vertical {
            Vertical::Top => 0.0,
            Vertical::Center => spare / 2.0,
            Vertical::Bottom => spare,
        }
}
