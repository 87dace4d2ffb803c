//! Takes apart what touches and yet is several things: titles, lines of key and value above a table, tables stacked
//! without a blank row, notes below.

use grid::CellRange;
use workbook::Table;

use crate::frame::slices;
use crate::regions::header::{self, Header};
use crate::regions::look::{Kind, Looks};
use crate::regions::rows::Rows;
use crate::regions::sample::Sample;
use crate::regions::words::{is_remark, is_total};

/// Nested cuts at most.
const MAX_DEPTH: u32 = 4;
/// Rows above a table that are looked at for titles.
const MAX_LEAD: u32 = 24;
/// Titles above a rectangle in which most rows have one cell.
const MAX_SPARSE_TITLES: u32 = 2;
/// Rows that are examined for being a header within a table, at most.
const MAX_CHECKS: u32 = 5_000;
/// Rows around such a row that are compared with it.
const WINDOW: u32 = 8;
/// Columns that are looked at.
const MAX_COLS: usize = 64;
/// Merges that are looked at.
const MAX_MERGES: usize = 4096;
/// Characters of a note from which on it is no title.
const LONG: usize = 120;

/// A rectangle that is one thing.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) range: CellRange,
    pub(crate) title: Option<String>,
    pub(crate) header: Header,
    pub(crate) declared: Option<Declared>,
}

/// What the file itself says of a rectangle.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) table: Option<Table>,
    pub(crate) is_matrix: bool,
}

/// Cuts a rectangle.
pub(crate) fn split(looks: &Looks<'_>, range: CellRange) -> Vec<Piece> {
    let mut splitter = Splitter { looks, pieces: Vec::new() };
    splitter.cut(range, None, 0);
    splitter.pieces
}

/// A rectangle without its titles at the top, which come as their first text.
pub(crate) fn without_title(looks: &Looks<'_>, range: CellRange) -> (CellRange, Option<String>) {
    let splitter = Splitter { looks, pieces: Vec::new() };
    let rows = Rows::of(looks, range);
    let first = range.start().row();
    let lead = splitter.lead(&rows);
    let are_titles = lead > first && (first..lead).all(|row| rows.at(row).filled() <= 1);
    let title = splitter.title_in(&rows, first, lead).filter(|_| are_titles);
    let below = CellRange::from_bounds(lead, range.start().col(), range.end().row(), range.end().col());
    match (title, below) {
        (Some(title), Some(below)) => (below, Some(title)),
        _ => (range, None),
    }
}

/// Looks at a rectangle as one piece.
pub(crate) fn piece(looks: &Looks<'_>, range: CellRange, title: Option<String>) -> Piece {
    let sample = Sample::of(looks, range);
    let header = match looks.pinned(range) {
        Some(row) => header::pinned(looks, &sample, row - range.start().row() + 1),
        None => header::find(looks, &sample),
    };
    Piece { range, title, header, declared: None }
}

struct Splitter<'a> {
    looks: &'a Looks<'a>,
    pieces: Vec<Piece>,
}

impl Splitter<'_> {
    /// Takes titles and remarks off a rectangle, cuts it at inner headers, and goes on with the parts.
    fn cut(&mut self, range: CellRange, title: Option<String>, depth: u32) {
        let rows = Rows::of(self.looks, range);
        let (first, last) = (range.start().row(), range.end().row());
        let lead = self.lead(&rows);
        let trail = self.trail(&rows, lead);
        let mut starts = vec![lead];
        starts.extend(self.inner_headers(&rows, lead, trail));
        let is_whole = lead == first && trail == last + 1 && starts.len() == 1;
        if is_whole || depth == MAX_DEPTH {
            let whole = piece(self.looks, range, title);
            match self.loose_columns(&rows, &whole).filter(|_| depth < MAX_DEPTH) {
                Some((named, loose)) => {
                    self.pieces.push(piece(self.looks, named, whole.title));
                    self.column_parts(loose).into_iter().for_each(|part| self.cut(part, None, depth + 1));
                }
                None => self.pieces.push(whole),
            }
            return;
        }
        let mut above = title;
        if lead > first {
            let is_titles = (first..lead).all(|row| rows.at(row).filled() <= 1);
            let text = self.title_in(&rows, first, lead);
            if is_titles && text.is_some() {
                above = text.or(above);
            } else {
                self.cut_rows(&rows, first, lead, above.take(), depth + 1);
            }
        }
        starts.push(trail);
        for pair in starts.windows(2) {
            let title = above.take();
            self.cut_rows(&rows, pair[0], pair[1], title, depth + 1);
        }
        if trail <= last {
            self.cut_rows(&rows, trail, last + 1, None, depth + 1);
        }
    }

    /// A table, and what is scribbled to the right of it: nearly empty columns that no header names.
    fn loose_columns(&self, rows: &Rows, whole: &Piece) -> Option<(CellRange, CellRange)> {
        let (start, end) = (whole.range.start(), whole.range.end());
        let body = whole.range.height().checked_sub(whole.header.rows).filter(|_| whole.header.rows > 0)?;
        let most = match body {
            0..4 => return None,
            4..8 => 1,
            _ => (body / 5).max(2),
        };
        let header = start.row()..start.row() + whole.header.rows;
        let merged_to =
            header.clone().flat_map(|row| self.looks.merges_from(row)).map(|merge| merge.end().col()).max();
        let is_named = |col: u32| {
            merged_to >= Some(col) || header.clone().any(|row| self.looks.kind(row, col) != Kind::Blank)
        };
        let is_kept = |col: &u32| is_named(*col) || rows.column_fill(*col) > most;
        // At least two columns have to be left of a table.
        let last = (start.col()..=end.col()).rev().find(is_kept)?;
        if last == end.col() || last < start.col() + 1 {
            return None;
        }
        let named = CellRange::from_bounds(start.row(), start.col(), end.row(), last)?;
        let loose = CellRange::from_bounds(start.row(), last + 1, end.row(), end.col())?;
        Some((named, loose))
    }

    /// Cuts some rows of a rectangle on their own: shrunk to what they hold, and at blank columns.
    fn cut_rows(&mut self, rows: &Rows, from: u32, to: u32, title: Option<String>, depth: u32) {
        let bounds = (from..to).filter_map(|row| rows.bounds(row).map(|(first, last)| (row, first, last)));
        let tight = bounds.fold(None, |so_far: Option<CellRange>, (row, first, last)| {
            let row = CellRange::from_bounds(row, first, row, last);
            match (so_far, row) {
                (Some(so_far), Some(row)) => Some(so_far.union(row)),
                (so_far, row) => so_far.or(row),
            }
        });
        let Some(tight) = tight else { return };
        let parts = self.column_parts(self.with_merges(tight));
        let mut title = title;
        for part in parts {
            self.cut(part, title.take(), depth);
        }
    }

    /// The rectangle with what is merged with its first rows.
    fn with_merges(&self, range: CellRange) -> CellRange {
        let rows = range.start().row()..=range.end().row().min(range.start().row() + MAX_LEAD);
        let merges = rows.flat_map(|row| self.looks.merges_from(row));
        let reach = merges
            .filter(|merge| range.contains(merge.start()) && merge.end().row() <= range.end().row())
            .map(|merge| merge.end().col())
            .max();
        let right = reach.unwrap_or(0).max(range.end().col());
        let (start, end) = (range.start(), range.end());
        CellRange::from_bounds(start.row(), start.col(), end.row(), right).unwrap_or(range)
    }

    /// Parts of a rectangle between columns without a cell, each with its own rows.
    fn column_parts(&self, range: CellRange) -> Vec<CellRange> {
        let (start, end) = (range.start(), range.end());
        let mut spans: Vec<CellRange> = Vec::new();
        let mut add = |first: u32, last: u32, top: u32, bottom: u32| {
            let Some(span) = CellRange::from_bounds(top, first, bottom, last) else { return };
            match spans.last_mut().filter(|before| before.end().col() + 1 >= first) {
                Some(before) => *before = before.union(span),
                None => spans.push(span),
            }
        };
        let merges: Vec<CellRange> = (start.row()..=end.row().min(start.row() + MAX_LEAD))
            .flat_map(|row| self.looks.merges_from(row))
            .filter(|merge| range.contains_range(**merge) && merge.width() > 1)
            .take(MAX_MERGES)
            .copied()
            .collect();
        for col in start.col()..=end.col() {
            for merge in merges.iter().filter(|merge| merge.start().col() <= col && col <= merge.end().col())
            {
                add(col, col, merge.start().row(), merge.end().row());
            }
            let Some(column) = self.looks.sheet.column(col) else { continue };
            let mut filled: Option<(u32, u32)> = None;
            for slice in slices(column, start.row()..end.row() + 1) {
                let is_filled = |index: &usize| self.looks.kind_in(slice.chunk, *index) != Kind::Blank;
                let (first, last) =
                    (slice.indices.clone().find(is_filled), slice.indices.clone().rfind(is_filled));
                if let (Some(first), Some(last)) = (first, last) {
                    let top = filled.map_or(slice.row(first), |(top, _)| top);
                    filled = Some((top, slice.row(last)));
                }
            }
            if let Some((top, bottom)) = filled {
                add(col, col, top, bottom);
            }
        }
        spans
    }

    /// The first row of what the rectangle is mostly: above are titles, or lines of key and value.
    fn lead(&self, rows: &Rows) -> u32 {
        let range = rows.range;
        let first = range.start().row();
        let typical = rows.typical_fill();
        let full = rows.full();
        let is_narrow = |row: u32| {
            let filled = rows.at(row).filled();
            filled <= 1 && full >= 2
                || filled <= 2 && typical >= 5
                || filled == 1 && self.is_banner(range, row)
        };
        let stop = range.end().row().min(first + MAX_LEAD).min(self.looks.pinned(range).unwrap_or(u32::MAX));
        let mut lead = first;
        while lead < stop && is_narrow(lead) && !self.spans_columns(rows, lead) {
            lead += 1;
        }
        // Where most rows have one cell, those above a fuller one are no titles.
        let is_sparse = typical < 2 && lead - first > MAX_SPARSE_TITLES;
        if is_sparse || lead == stop && is_narrow(lead) { first } else { lead }
    }

    /// Whether a row is one cell merged across the whole rectangle.
    fn is_banner(&self, range: CellRange, row: u32) -> bool {
        let merge = self.looks.merge_at(row, range.start().col());
        range.width() > 1 && merge.is_some_and(|merge| merge.end().col() >= range.end().col())
    }

    /// Whether a row of few cells stands over columns rather than over the whole: `| 2024 |   | 2025 |`.
    fn spans_columns(&self, rows: &Rows, row: u32) -> bool {
        let Some((left, _)) = rows.bounds(row) else { return false };
        if left == rows.range.start().col() {
            return false;
        }
        rows.at(row).filled() > 1 || self.looks.merge_at(row, left).is_some_and(|merge| merge.width() > 1)
    }

    /// The first of the remarks at the bottom, or the row below the rectangle.
    fn trail(&self, rows: &Rows, lead: u32) -> u32 {
        let range = rows.range;
        let end = range.end().row() + 1;
        if rows.full() < 3 {
            return end;
        }
        let is_remark = |row: u32| {
            let counts = rows.at(row);
            let Some((col, _)) = rows.bounds(row) else { return false };
            counts.filled() == 1
                && counts.texts == 1
                && (rows.column_fill(col) == 1
                    || self.looks.text(row, col).is_some_and(|text| is_remark(text) && !is_total(text)))
        };
        let mut trail = end;
        while trail > lead + 2 && is_remark(trail - 1) {
            trail -= 1;
        }
        trail
    }

    fn title_in(&self, rows: &Rows, from: u32, to: u32) -> Option<String> {
        let texts = (from..to).filter_map(|row| self.looks.text(row, rows.bounds(row)?.0));
        texts.into_iter().find(|text| !text.is_empty()).map(|text| text.chars().take(LONG).collect())
    }

    /// Rows below `lead` with which another table starts: its header, or the title right above it.
    fn inner_headers(&self, rows: &Rows, lead: u32, trail: u32) -> Vec<u32> {
        let mut starts = Vec::new();
        if self.looks.pinned(rows.range).is_some() {
            return starts;
        }
        let data_columns: Vec<u32> = rows.data_columns().take(MAX_COLS).collect();
        if data_columns.is_empty() {
            return starts;
        }
        let mut checks = 0;
        let mut seen_data = false;
        let mut from = lead;
        for row in lead..trail {
            let counts = rows.at(row);
            if counts.data > 0 || counts.texts < 2 {
                seen_data |= counts.data > 0;
                continue;
            }
            if !seen_data || row + 1 >= trail || rows.at(row + 1).filled() < 2 || checks >= MAX_CHECKS {
                continue;
            }
            if !data_columns.iter().any(|col| self.looks.kind(row, *col) == Kind::Text) {
                continue;
            }
            checks += 1;
            if self.is_inner_header(rows, from, row, trail) {
                let mut start = row;
                while start > from + 1 && rows.at(start - 1).filled() <= 1 && rows.at(start - 1).data == 0 {
                    start -= 1;
                }
                starts.push(start);
                from = row;
                seen_data = false;
            }
        }
        starts
    }

    /// Whether a row of texts amid data names the columns of the rows below it.
    fn is_inner_header(&self, rows: &Rows, from: u32, row: u32, trail: u32) -> bool {
        let cols: Vec<u32> = (rows.range.start().col()..=rows.range.end().col()).take(MAX_COLS).collect();
        let above = row.saturating_sub(WINDOW).max(from)..row;
        let below = row + 1..(row + 1 + WINDOW).min(trail);
        let mut names: Vec<&str> = Vec::new();
        let mut over_data = 0;
        let mut data_below = 0;
        let mut data_above = 0;
        let mut styled = 0;
        let mut covered_to = None;
        for col in cols {
            let share = |rows: std::ops::Range<u32>| {
                let kinds: Vec<Kind> =
                    rows.map(|row| self.looks.kind(row, col)).filter(|kind| *kind != Kind::Blank).collect();
                let data = kinds.iter().filter(|kind| kind.is_data()).count();
                !kinds.is_empty() && data * 2 > kinds.len()
            };
            let has_data_below = share(below.clone());
            data_below += u32::from(has_data_below);
            // A merged name stands over every column under it.
            let merge = self.looks.merge_at(row, col).map(|merge| merge.end().col());
            covered_to = covered_to.max(merge);
            let text = self.looks.text(row, col).filter(|text| !text.is_empty());
            if text.is_none() && has_data_below && covered_to >= Some(col) {
                over_data += 1;
                data_above += u32::from(share(above.clone()));
            }
            let Some(text) = text else { continue };
            if names.contains(&text) || text.chars().count() > LONG {
                return false;
            }
            names.push(text);
            if has_data_below {
                over_data += 1;
                data_above += u32::from(share(above.clone()));
            }
            let traits = self.looks.traits_at(row, col);
            let is_set_off = |other: u32| {
                let others = self.looks.traits_at(other, col);
                (traits.bold, traits.fill) != (others.bold, others.fill)
            };
            styled += u32::from(is_set_off(row + 1) && is_set_off(row - 1));
        }
        if data_below == 0 || over_data * 5 < data_below * 3 {
            return false;
        }
        let follows_break = rows.at(row - 1).filled() <= 1 || self.is_total_row(rows, row - 1);
        let is_styled = styled as usize * 2 > names.len();
        follows_break || is_styled || data_above >= 2
    }

    fn is_total_row(&self, rows: &Rows, row: u32) -> bool {
        rows.bounds(row).and_then(|(col, _)| self.looks.text(row, col)).is_some_and(is_total)
    }
}
