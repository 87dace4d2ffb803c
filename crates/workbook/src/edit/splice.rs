//! `sheetData` written again while it streams past: what an edit does not concern is copied as it stands.

use std::collections::HashSet;
use std::io::{self, Write};

use formula::Direction;
use grid::{CellRange, CellRef, MAX_ROWS};
use memchr::{memchr, memmem};
use ooxml::PartWriter;

use crate::edit::cell_xml::{CellWriter, data_table, push, push_address, push_integer};
use crate::edit::sheet_edit::{Dirt, SheetEdit};
use crate::model::{FormulaId, FormulaKind, RowProps, Sheet};
use crate::xlsx::markup::{Attributes, find_end, integer, is_true};
use crate::xlsx::window::Window;

/// Bytes that gather before they are passed on.
const FLUSH_BYTES: usize = 256 << 10;

/// Writes the rows of one sheet.
pub(crate) struct Splicer<'a, 'b> {
    pub(crate) edit: &'a SheetEdit,
    pub(crate) cells: CellWriter<'a>,
    /// Shared formulas whose master is not where the base has it: their cells get texts of their own.
    pub(crate) unshared: HashSet<FormulaId>,
    out: &'a mut PartWriter<'b>,
    buffer: Vec<u8>,
    /// Rows with something marked, and how many of them are written.
    touched: Vec<u32>,
    written: usize,
    names: Names,
    /// Zero-based row of the base that a row without a number is.
    next_row: u32,
    /// The row written last.
    last_row: Option<u32>,
    moves_rows: bool,
    moves_columns: bool,
    /// Whether a row without a number would now read as another one.
    needs_numbers: bool,
}

/// The names of elements, with the sheet's prefix.
struct Names {
    row: Vec<u8>,
    cell: Vec<u8>,
    /// `<c` with the prefix.
    cell_open: memmem::Finder<'static>,
    formula: Vec<u8>,
    data: Vec<u8>,
}

impl<'a, 'b> Splicer<'a, 'b> {
    pub(crate) fn new(
        edit: &'a SheetEdit,
        cells: CellWriter<'a>,
        out: &'a mut PartWriter<'b>,
    ) -> Splicer<'a, 'b> {
        let name = |local: &str| format!("{}{local}", cells.prefix).into_bytes();
        let cell_open = memmem::Finder::new(&[&b"<"[..], &name("c")].concat()).into_owned();
        let names = Names {
            row: name("row"),
            cell: name("c"),
            cell_open,
            formula: name("f"),
            data: name("sheetData"),
        };
        let moves = |direction| edit.steps.iter().any(|step| step.direction == direction);
        Splicer {
            unshared: unshared(edit, cells.sheet),
            touched: edit.touched_rows(),
            moves_rows: moves(Direction::Row),
            moves_columns: moves(Direction::Column),
            edit,
            cells,
            out,
            buffer: Vec::with_capacity(FLUSH_BYTES + 4096),
            written: 0,
            needs_numbers: false,
            names,
            next_row: 0,
            last_row: None,
        }
    }

    /// Writes every row for a sheet that the base does not have.
    pub(crate) fn write_new(mut self) -> io::Result<()> {
        self.write_rows_before(MAX_ROWS)?;
        self.flush()
    }

    /// From behind the start tag of `sheetData` to before its end tag.
    pub(crate) fn splice(mut self, window: &mut Window) -> io::Result<()> {
        loop {
            let Some(open) = memchr(b'<', window.rest()) else {
                self.copy(window, window.rest().len())?;
                if !window.grow()? {
                    return Err(window.damaged("its cells end too early").into());
                }
                continue;
            };
            self.copy(window, open)?;
            if window.rest().len() < 64 && window.grow()? {
                continue;
            }
            let tag = &window.rest()[1..];
            if is_named(tag, &self.names.row) {
                self.row(window)?;
                self.flush_if_full()?;
            } else if tag.first() == Some(&b'/') && is_named(&tag[1..], &self.names.data) {
                self.write_rows_before(MAX_ROWS)?;
                return self.flush();
            } else {
                let end: &[u8] = if tag.starts_with(b"!--") { b"-->" } else { b">" };
                let Some(found) = window.find(end)? else {
                    return Err(window.damaged("its cells end too early").into());
                };
                self.copy(window, found + end.len())?;
            }
        }
    }

    /// Writes bytes of the base as they stand.
    fn copy(&mut self, window: &mut Window, bytes: usize) -> io::Result<()> {
        if bytes > 0 {
            self.flush()?;
            window.copy(bytes, self.out)?;
        }
        Ok(())
    }

    fn row(&mut self, window: &mut Window) -> io::Result<()> {
        let Some(tag_end) = window.find(b">")? else { return Err(window.damaged("a row is cut off").into()) };
        let is_empty = window.rest()[tag_end - 1] == b'/';
        let name_end = 1 + self.names.row.len();
        let number = Attributes(&window.rest()[name_end..tag_end]).find(|(name, _)| name == b"r");
        let number = number.map(|(_, value)| integer(value).unwrap_or(u32::MAX));
        let base = number.map_or(Some(self.next_row), |number| number.checked_sub(1)).unwrap_or(MAX_ROWS);
        self.next_row = base.saturating_add(1);
        let (close, after) = match is_empty {
            true => (tag_end + 1, tag_end + 1),
            false => window
                .find_end(&self.names.row, tag_end + 1)?
                .ok_or_else(|| window.damaged("a row is cut off"))?,
        };
        let target = match self.moves_rows && base < MAX_ROWS {
            true => self.edit.place(Direction::Row, base),
            false => Some(base),
        };
        let Some(target) = target else {
            self.needs_numbers = true;
            window.advance(after);
            return Ok(());
        };
        if self.written < self.touched.len() && self.touched[self.written] < target {
            self.write_rows_before(target)?;
        }
        let is_touched = self.touched.get(self.written) == Some(&target);
        let is_repeated = self.last_row.is_some_and(|last| target <= last);
        if is_repeated && (is_touched || self.touched.binary_search(&target).is_ok()) {
            return Err(window.damaged(&format!(
                "row {} is not in its order, so that its cells cannot be edited; re-save the workbook in its program",
                target + 1
            ))
            .into());
        }
        self.last_row = Some(target.max(self.last_row.unwrap_or(0)));
        let has_unshared =
            || !self.unshared.is_empty() && memmem::find(&window.rest()[..after], b"shared").is_some();
        let row_moves = target != base || number.is_none() && self.needs_numbers;
        let has_formulas = || memmem::find(&window.rest()[..after], &self.names.formula).is_some();
        let is_rewritten =
            is_touched || self.moves_columns || has_unshared() || self.edit.formulas_follow && has_formulas();
        let cells_change = is_rewritten || row_moves;
        if is_touched {
            self.written += 1;
        }
        if !cells_change {
            return self.copy(window, after);
        }
        let cells = match is_empty {
            true => &[][..],
            false => &window.rest()[tag_end + 1..close],
        };
        let tag =
            window.rest()[name_end..tag_end].strip_suffix(b"/").unwrap_or(&window.rest()[name_end..tag_end]);
        self.row_tag(tag, target, is_touched || self.moves_columns);
        let start = self.buffer.len();
        if is_rewritten || !self.renumber(cells, target) {
            self.row_cells(cells, base, target);
        }
        if self.buffer.len() == start && is_empty {
            // Nothing came into it: back to an empty element.
            self.buffer.pop();
            self.buffer.extend_from_slice(b"/>");
        } else {
            self.end_row();
        }
        window.advance(after);
        Ok(())
    }

    /// A row's start tag with its new number, and with the properties of the model where they changed.
    fn row_tag(&mut self, tag: &[u8], row: u32, drops_spans: bool) {
        let is_dirty = self.edit.dirty_rows.contains(&row);
        let props = self.cells.sheet.row_props(row).copied();
        // A height that a program measured stays until one is set.
        let is_measured = !Attributes(tag).any(|(name, value)| name == b"customHeight" && is_true(value));
        let keeps_height = is_measured && props.is_none_or(|props| props.height.is_none());
        self.buffer.push(b'<');
        self.buffer.extend_from_slice(&self.names.row);
        push(&mut self.buffer, format_args!(" r=\"{}\"", row + 1));
        for (name, value) in Attributes(tag) {
            let is_replaced = match name {
                b"r" => true,
                // An optimisation hint that may no longer hold.
                b"spans" => drops_spans,
                b"ht" => is_dirty && !keeps_height,
                b"customHeight" | b"hidden" | b"outlineLevel" | b"s" | b"customFormat" => is_dirty,
                _ => false,
            };
            if !is_replaced {
                push_attribute(&mut self.buffer, name, value);
            }
        }
        if is_dirty && let Some(props) = props {
            self.row_props(&props);
        }
        self.buffer.push(b'>');
    }

    fn row_props(&mut self, props: &RowProps) {
        if let Some(style) = props.style {
            push(&mut self.buffer, format_args!(" s=\"{}\" customFormat=\"1\"", style.0));
        }
        if let Some(height) = props.height {
            push(&mut self.buffer, format_args!(" ht=\"{height}\" customHeight=\"1\""));
        }
        if props.hidden {
            self.buffer.extend_from_slice(b" hidden=\"1\"");
        }
        if props.outline_level > 0 {
            push(&mut self.buffer, format_args!(" outlineLevel=\"{}\"", props.outline_level));
        }
    }

    fn end_row(&mut self) {
        self.buffer.extend_from_slice(b"</");
        self.buffer.extend_from_slice(&self.names.row);
        self.buffer.push(b'>');
    }

    /// Marked rows that the base does not have.
    fn write_rows_before(&mut self, row: u32) -> io::Result<()> {
        while let Some(next) = self.touched.get(self.written).copied().filter(|next| *next < row) {
            self.written += 1;
            let edit = self.edit;
            let (sheet, dirty) = (self.cells.sheet, edit.dirty_cells(next));
            let props = sheet.row_props(next).copied();
            let has_cells = dirty.iter().any(|(col, _)| is_stored(sheet, next, *col));
            if !has_cells && props.is_none() {
                continue;
            }
            self.last_row = Some(next);
            self.needs_numbers = true;
            self.buffer.push(b'<');
            self.buffer.extend_from_slice(&self.names.row);
            push(&mut self.buffer, format_args!(" r=\"{}\"", next + 1));
            if let Some(props) = props {
                self.row_props(&props);
            }
            self.buffer.push(b'>');
            for (col, _) in dirty {
                let at = CellRef::clamped(next, u32::from(*col));
                self.cells.write(&mut self.buffer, at, sheet.raw_cell(at));
            }
            self.end_row();
            self.flush_if_full()?;
        }
        Ok(())
    }

    /// The cells of a row that does nothing but move: their addresses alone are written anew. `false`, and nothing written,
    /// if they are not as nearly all programs write them.
    fn renumber(&mut self, cells: &[u8], row: u32) -> bool {
        if memmem::find(cells, b"<!").is_some() {
            return false;
        }
        let start = self.buffer.len();
        let mut number = Vec::with_capacity(8);
        push_integer(&mut number, row + 1);
        let mut copied = 0;
        for open in self.names.cell_open.find_iter(cells) {
            let name_end = open + self.names.cell_open.needle().len();
            let tag = &cells[name_end..];
            if !matches!(tag.first(), Some(b' ' | b'>' | b'/' | b'\t' | b'\r' | b'\n')) {
                continue;
            }
            let address = tag.strip_prefix(b" r=\"").unwrap_or_default();
            let letters = address.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
            let digits = address[letters..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if letters == 0 || digits == 0 || address.get(letters + digits) != Some(&b'"') {
                self.buffer.truncate(start);
                return false;
            }
            let number_at = cells.len() - address.len() + letters;
            self.buffer.extend_from_slice(&cells[copied..number_at]);
            self.buffer.extend_from_slice(&number);
            copied = number_at + digits;
        }
        self.buffer.extend_from_slice(&cells[copied..]);
        true
    }

    /// The cells of a row, those that are marked written from the model.
    fn row_cells(&mut self, mut rest: &[u8], base_row: u32, row: u32) {
        let edit = self.edit;
        let mut dirty = edit.dirty_cells(row);
        let mut next_col = 0;
        // Whether a cell without a reference would now read as another one.
        let mut needs_references = self.moves_columns;
        while let Some(open) = memchr(b'<', rest) {
            self.buffer.extend_from_slice(&rest[..open]);
            rest = &rest[open..];
            if !is_named(&rest[1..], &self.names.cell) {
                // Comments, and elements that no schema has here.
                let end: &[u8] = if rest.starts_with(b"<!--") { b"-->" } else { b">" };
                let length = memmem::find(rest, end).map_or(rest.len(), |found| found + end.len());
                self.buffer.extend_from_slice(&rest[..length]);
                rest = &rest[length..];
                continue;
            }
            let Some(tag_end) = memchr(b'>', rest) else { break };
            let is_empty = rest[tag_end - 1] == b'/';
            let tag = &rest[1 + self.names.cell.len()..tag_end - usize::from(is_empty)];
            let (close, after) = match is_empty {
                true => (tag_end + 1, tag_end + 1),
                false => match find_end(rest, &self.names.cell, tag_end + 1) {
                    Ok(found) => found,
                    Err(_) => (rest.len(), rest.len()),
                },
            };
            let body = &rest[tag_end + 1..close.max(tag_end + 1)];
            let whole = &rest[..after];
            rest = &rest[after..];
            let reference = Attributes(tag)
                .find(|(name, _)| name == b"r")
                .and_then(|(_, value)| CellRef::parse_a1(value));
            let base_col = reference.map_or(next_col, CellRef::col);
            next_col = base_col + 1;
            let place = match self.moves_columns {
                true => self.edit.place(Direction::Column, base_col),
                false => Some(base_col),
            };
            let Some(col) = place else { continue };
            while let Some(((first, _), later)) = dirty.split_first()
                && u32::from(*first) < col
            {
                needs_references = true;
                self.model_cell(row, u32::from(*first));
                dirty = later;
            }
            let mark = dirty.first().filter(|(marked, _)| u32::from(*marked) == col).map(|(_, dirt)| *dirt);
            if mark.is_some() {
                dirty = &dirty[1..];
            }
            match mark {
                Some(Dirt::Content) => {
                    needs_references = true;
                    self.model_cell(row, col);
                }
                mark => {
                    let stays = mark.is_none()
                        && row == base_row
                        && col == base_col
                        && (reference.is_some() || !needs_references)
                        && !self.formula_changes(body);
                    if stays {
                        self.buffer.extend_from_slice(whole);
                    } else {
                        self.moved_cell(tag, body, is_empty, row, col, mark);
                    }
                }
            }
        }
        self.buffer.extend_from_slice(rest);
        for (col, _) in dirty {
            self.model_cell(row, u32::from(*col));
        }
    }

    fn model_cell(&mut self, row: u32, col: u32) {
        let at = CellRef::clamped(row, col);
        self.cells.write(&mut self.buffer, at, self.cells.sheet.raw_cell(at));
    }

    /// Whether a cell's formula may read otherwise than the base has it.
    fn formula_changes(&self, body: &[u8]) -> bool {
        let may_change = self.edit.formulas_follow || !self.unshared.is_empty();
        may_change && memmem::find(body, &self.names.formula).is_some()
    }

    /// A cell of the base at its place of now, with the format and the formula that the model has.
    fn moved_cell(
        &mut self,
        tag: &[u8],
        body: &[u8],
        is_empty: bool,
        row: u32,
        col: u32,
        mark: Option<Dirt>,
    ) {
        let at = CellRef::clamped(row, col);
        let style = mark.map(|_| self.cells.sheet.raw_cell(at).style.0);
        self.buffer.push(b'<');
        self.buffer.extend_from_slice(&self.names.cell);
        self.buffer.extend_from_slice(b" r=\"");
        push_address(&mut self.buffer, row, col);
        self.buffer.push(b'"');
        let has_result = mark == Some(Dirt::Value);
        for (name, value) in Attributes(tag) {
            let is_replaced = match name {
                b"r" => true,
                b"s" => style.is_some(),
                // Of the value: its type, and what says more of an error.
                b"t" | b"vm" => has_result,
                _ => false,
            };
            if !is_replaced {
                push_attribute(&mut self.buffer, name, value);
            }
        }
        if has_result {
            self.cells.write_result_type(&mut self.buffer, self.cells.sheet.raw_cell(at).value);
        }
        if let Some(style) = style.filter(|style| *style != 0) {
            self.buffer.extend_from_slice(b" s=\"");
            push_integer(&mut self.buffer, style);
            self.buffer.push(b'"');
        }
        if is_empty {
            self.buffer.extend_from_slice(b"/>");
            return;
        }
        self.buffer.push(b'>');
        let formula = self.cells.sheet.raw_cell(at).formula.filter(|_| self.formula_changes(body));
        match formula {
            _ if has_result => {
                match formula {
                    Some(id) => self.body_with_formula(formula_of(body, &self.names.formula), at, id),
                    None => self.buffer.extend_from_slice(formula_of(body, &self.names.formula)),
                }
                self.cells.write_value(&mut self.buffer, self.cells.sheet.raw_cell(at).value, true);
            }
            Some(id) => self.body_with_formula(body, at, id),
            None => self.buffer.extend_from_slice(body),
        }
        self.buffer.extend_from_slice(b"</");
        self.buffer.extend_from_slice(&self.names.cell);
        self.buffer.push(b'>');
    }

    /// A cell's content with the `f` element as the model has it, and everything else as it stands.
    fn body_with_formula(&mut self, body: &[u8], at: CellRef, id: FormulaId) {
        let name = self.names.formula.clone();
        let open = memchr::memchr_iter(b'<', body).find(|open| is_named(&body[open + 1..], &name));
        let Some(open) = open else {
            self.buffer.extend_from_slice(body);
            return;
        };
        let Some(tag_length) = memchr(b'>', &body[open..]) else {
            self.buffer.extend_from_slice(body);
            return;
        };
        let tag_end = open + tag_length;
        let is_empty = body[tag_end - 1] == b'/';
        let after = match is_empty {
            true => tag_end + 1,
            false => find_end(body, &name, tag_end + 1).map_or(body.len(), |(_, after)| after),
        };
        self.buffer.extend_from_slice(&body[..open]);
        let tag = &body[open + 1 + name.len()..tag_end - usize::from(is_empty)];
        self.formula(tag, at, id);
        self.buffer.extend_from_slice(&body[after..]);
    }

    fn formula(&mut self, tag: &[u8], at: CellRef, id: FormulaId) {
        let sheet = self.cells.sheet;
        let formula = sheet.formulas().get(id);
        let is_shared = !self.unshared.contains(&id);
        let (range, text, keeps_group) = match &formula.kind {
            FormulaKind::Shared { master } if is_shared && *master != at => (None, None, true),
            FormulaKind::Shared { .. } if is_shared => {
                let old =
                    Attributes(tag).find(|(name, _)| name == b"ref").and_then(|(_, value)| range_of(value));
                (old.and_then(|old| self.placed(old)), Some(formula.text_at(at)), true)
            }
            FormulaKind::Shared { .. } | FormulaKind::Normal => (None, Some(formula.text_at(at)), false),
            FormulaKind::Array { range, .. } => (Some(*range), Some(formula.text_at(at)), true),
            FormulaKind::DataTable { range } => {
                let element = data_table(self.cells.prefix, &range.to_string(), &formula.text);
                self.buffer.extend_from_slice(element.as_bytes());
                return;
            }
        };
        self.buffer.push(b'<');
        self.buffer.extend_from_slice(&self.names.formula);
        for (name, value) in Attributes(tag) {
            let is_left_out = match name {
                b"ref" => true,
                b"t" | b"si" => !keeps_group,
                _ => false,
            };
            if !is_left_out {
                push_attribute(&mut self.buffer, name, value);
            }
        }
        if let Some(range) = range {
            push(&mut self.buffer, format_args!(" ref=\"{range}\""));
        }
        match text {
            Some(text) => {
                self.buffer.push(b'>');
                self.buffer.extend_from_slice(ooxml::escape_text(&text).as_bytes());
                self.buffer.extend_from_slice(b"</");
                self.buffer.extend_from_slice(&self.names.formula);
                self.buffer.push(b'>');
            }
            None => self.buffer.extend_from_slice(b"/>"),
        }
    }

    /// A range of the base where it is now.
    fn placed(&self, range: CellRange) -> Option<CellRange> {
        self.edit.steps.iter().try_fold(range, |range, step| step.moved_range(range))
    }

    fn flush_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() >= FLUSH_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.out.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// The `f` element of a cell's content.
fn formula_of<'a>(body: &'a [u8], name: &[u8]) -> &'a [u8] {
    let open = memchr::memchr_iter(b'<', body).find(|open| is_named(&body[open + 1..], name));
    let Some(open) = open else { return &[] };
    let Some(tag_length) = memchr(b'>', &body[open..]) else { return &[] };
    let tag_end = open + tag_length;
    let after = match body[tag_end - 1] {
        b'/' => tag_end + 1,
        _ => find_end(body, name, tag_end + 1).map_or(body.len(), |(_, after)| after),
    };
    &body[open..after]
}

/// An attribute as it stood, in quotes that it does not contain.
fn push_attribute(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    let quote = if value.contains(&b'"') { b'\'' } else { b'"' };
    out.push(b' ');
    out.extend_from_slice(name);
    out.extend_from_slice(&[b'=', quote]);
    out.extend_from_slice(value);
    out.push(quote);
}

fn is_stored(sheet: &Sheet, row: u32, col: u16) -> bool {
    sheet.raw_cell(CellRef::clamped(row, u32::from(col))) != crate::model::RawCell::default()
}

/// Whether a tag, behind its `<`, has a name.
fn is_named(tag: &[u8], name: &[u8]) -> bool {
    tag.starts_with(name) && matches!(tag.get(name.len()), Some(b' ' | b'>' | b'/' | b'\t' | b'\r' | b'\n'))
}

fn range_of(value: &[u8]) -> Option<CellRange> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// The shared formulas whose master's cell no longer writes the group.
fn unshared(edit: &SheetEdit, sheet: &Sheet) -> HashSet<FormulaId> {
    let is_lost = |(id, formula): (FormulaId, &crate::model::Formula)| match formula.kind {
        FormulaKind::Shared { master } => {
            let stands = sheet.raw_cell(master).formula == Some(id) && !edit.is_rewritten(master);
            (!stands).then_some(id)
        }
        _ => None,
    };
    if !edit.has_changed_cells() {
        return HashSet::new();
    }
    sheet.formulas().iter().filter_map(is_lost).collect()
}
