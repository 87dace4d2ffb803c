//! What a formula reads, resolved against its workbook.

use std::collections::HashSet;
use std::sync::Arc;

use formula::{
    Axis, Mention, NamedReference, RefKind, SheetPrefix, Sheets, StructuredReference, Target, TokenKind,
};
use grid::{CellRange, CellRef, MAX_COLS, MAX_ROWS, quote};
use workbook::{DefinedName, FormulaKind, SheetId, Table};

use crate::formulas::extent::{Bound, Extent};
use crate::formulas::places::Places;

/// Names within names that are followed; Excel itself refuses names that lead back to themselves.
const MAX_NAME_DEPTH: u32 = 16;
/// Names that one formula may lead to, directly or not.
const MAX_NAMES: u32 = 1000;

/// Sources that a new one is compared with; keeps a formula of thousands of references linear.
const MAX_COMPARED: usize = 64;

/// Functions that ask where their argument is, not what it holds.
const ASKS_WHERE: [&str; 4] = ["ROW(", "COLUMN(", "ROWS(", "COLUMNS("];

/// What a formula reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) list: Vec<Source>,
    /// Whether `INDIRECT` or `OFFSET` reads more, which no text tells.
    pub(crate) dynamic: bool,
}

/// One thing that a formula reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) reach: Reach,
    /// The defined name, table or structured reference that it is reached through.
    pub(crate) via: Option<Arc<str>>,
    /// Whether its value matters; `ROW(A1)` only asks where `A1` is.
    pub(crate) is_read: bool,
}

/// Where a [`Source`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    Cells(Cells),
    Leaf(Leaf),
}

/// Cells, as seen from the cells that read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cells {
    /// First and last sheet, in tab order; the same but for `Jan:Dec!A1`.
    pub(crate) sheets: (SheetId, SheetId),
    pub(crate) rows: Extent,
    pub(crate) cols: Extent,
}

impl Cells {
    /// What the cells of `readers` read together; `None` if it lies outside of the grid.
    pub(crate) fn hull(&self, readers: CellRange) -> Option<CellRange> {
        let (top, bottom) = self.rows.sweep(readers.start().row(), readers.end().row());
        let (left, right) = self.cols.sweep(readers.start().col(), readers.end().col());
        let inside = |low: i32, high: i32, size: u32| {
            (high >= 0 && low < size as i32).then(|| (low.max(0) as u32, (high as u32).min(size - 1)))
        };
        let (top, bottom) = inside(top, bottom, MAX_ROWS)?;
        let (left, right) = inside(left, right, MAX_COLS)?;
        CellRange::from_bounds(top, left, bottom, right)
    }

    /// Those of `readers` that read some cell of `range`.
    pub(crate) fn readers(&self, range: CellRange, readers: CellRange) -> Option<CellRange> {
        let (start, end) = (range.start(), range.end());
        let (first, last) = (readers.start(), readers.end());
        let (top, bottom) = self.rows.reaching(start.row(), end.row(), first.row(), last.row())?;
        let (left, right) = self.cols.reaching(start.col(), end.col(), first.col(), last.col())?;
        CellRange::from_bounds(top, left, bottom, right)
    }

    /// The same for all cells of an array formula that is entered at `anchor`.
    pub(crate) fn fixed_at(self, anchor: CellRef) -> Cells {
        Cells {
            sheets: self.sheets,
            rows: self.rows.fixed_at(anchor.row()),
            cols: self.cols.fixed_at(anchor.col()),
        }
    }
}

/// Something that a formula reads and that has no cells here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Leaf {
    pub(crate) kind: LeafKind,
    /// How a user would write it.
    pub(crate) label: Arc<str>,
    /// What a name stands for.
    pub(crate) refers_to: Option<Arc<str>>,
}

/// Why a thing that a formula reads has no cells here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum LeafKind {
    /// It is in another workbook.
    External,
    /// It is deleted: `#REF!`.
    Lost,
    /// Nothing in the workbook has that name.
    Unknown,
    /// A defined name that stands for a constant or an expression without cells.
    Name,
}

/// What the formula `text` of the cell `at` reads, in the order in which it is written, each thing once.
pub(crate) fn sources(places: &Places<'_>, sheet: SheetId, at: CellRef, text: &str) -> Sources {
    let mut reader = Reader {
        places,
        sheet,
        holder: at,
        found: Sources::default(),
        followed: HashSet::new(),
        names_read: 0,
        things_read: 0,
    };
    reader.read(text, at, None, 0);
    reader.found
}

struct Reader<'p, 'w> {
    places: &'p Places<'w>,
    sheet: SheetId,
    /// The cell that holds the formula: "this row", and the table that `[@x]` means.
    holder: CellRef,
    found: Sources,
    /// The names behind the outermost one being read: each adds what it reads once.
    followed: HashSet<*const DefinedName>,
    names_read: u32,
    /// Things met so far, those met before included.
    things_read: u32,
}

impl Reader<'_, '_> {
    /// Reads a text whose relative references count from `origin`.
    fn read(&mut self, text: &str, origin: CellRef, via: Option<&Arc<str>>, depth: u32) {
        let mut binds_names = false;
        for call in formula::functions(text) {
            let is = |name: &str| call.name.eq_ignore_ascii_case(name);
            self.found.dynamic |= is("INDIRECT") || is("OFFSET");
            binds_names |= is("LET") || is("LAMBDA");
        }
        if text.contains("#REF!") {
            let lost = formula::lex(text).filter(|token| token.kind == TokenKind::Error);
            for token in lost.filter(|token| token.text == "#REF!") {
                self.leaf(LeafKind::Lost, token.text, via);
            }
        }
        for mention in formula::references(text) {
            self.mention(text, &mention, origin, via, depth, binds_names);
        }
    }

    fn mention(
        &mut self,
        text: &str,
        mention: &Mention<'_>,
        origin: CellRef,
        via: Option<&Arc<str>>,
        depth: u32,
        binds_names: bool,
    ) {
        let written = &text[mention.span.clone()];
        match &mention.target {
            Target::Cells(reference) => {
                let Some((rows, cols)) = extents(reference.kind, origin) else {
                    return self.leaf(LeafKind::Lost, written, via);
                };
                // A name's "cell to the left" is stored as `XFD1`: seen from A1, it wraps around.
                let mut rows = rows.wrapped(self.holder.row(), MAX_ROWS);
                let mut cols = cols.wrapped(self.holder.col(), MAX_COLS);
                let before = &text[..mention.span.start];
                // Files store `A1#` as `_xlfn.ANCHORARRAY(A1)`.
                let is_spilled = mention.spilled || ends_with(before, "ANCHORARRAY(");
                let Some(sheets) = self.sheets_of(&reference.prefix, written, via) else { return };
                if is_spilled {
                    self.grow_to_spill(sheets.0, &mut rows, &mut cols);
                }
                let is_read = !ASKS_WHERE.iter().any(|call| ends_with(before, call));
                self.cells(Cells { sheets, rows, cols }, via, mention.joins_previous, is_read);
            }
            Target::Name(named) => self.name(written, named, via, depth, binds_names),
            Target::Structured(structured) => {
                if structured.prefix.book.is_some() {
                    return self.external(&structured.prefix, written, via);
                }
                let own: Arc<str> = Arc::from(written);
                match self.structured(structured) {
                    Some(cells) => {
                        let is_read =
                            !ASKS_WHERE.iter().any(|call| ends_with(&text[..mention.span.start], call));
                        self.cells(cells, Some(via.unwrap_or(&own)), mention.joins_previous, is_read);
                    }
                    None => self.leaf(LeafKind::Unknown, written, via),
                }
            }
        }
    }

    fn name(
        &mut self,
        written: &str,
        named: &NamedReference<'_>,
        via: Option<&Arc<str>>,
        depth: u32,
        binds_names: bool,
    ) {
        if named.prefix.book.is_some() && named.prefix.book_index() != Some(0) {
            return self.external(&named.prefix, written, via);
        }
        let scope = match &named.prefix.sheets {
            Sheets::One(name) => self.places.sheet_id(name),
            Sheets::Current => Some(self.sheet),
            Sheets::Span(..) | Sheets::Lost => None,
        };
        let Some(scope) = scope else { return self.leaf(LeafKind::Unknown, written, via) };
        let own: Arc<str> = Arc::from(written);
        // The outermost name is the one that the formula shows.
        let via_name = via.unwrap_or(&own);
        if let Some(defined) = self.places.defined_name(scope, named.name) {
            if depth == 0 {
                self.followed.clear();
            }
            if !self.followed.insert(defined) {
                return;
            }
            self.names_read += 1;
            if depth >= MAX_NAME_DEPTH || self.names_read > MAX_NAMES {
                return self.leaf(LeafKind::Unknown, written, via);
            }
            let before = self.things_read;
            // Names keep their relative references as if they were entered in A1.
            self.read(&defined.refers_to, CellRef::A1, Some(via_name), depth + 1);
            if self.things_read == before {
                self.push(Source {
                    reach: Reach::Leaf(Leaf {
                        kind: LeafKind::Name,
                        label: Arc::clone(&own),
                        refers_to: Some(Arc::from(format!("={}", defined.refers_to))),
                    }),
                    via: via.cloned(),
                    is_read: true,
                });
            }
        } else if let Some((sheet, table)) = self.places.table(named.name) {
            let Some(data) = table.data_range() else { return };
            let rows = Extent::fixed(data.start().row(), data.end().row());
            let cols = Extent::fixed(data.start().col(), data.end().col());
            self.cells(Cells { sheets: (sheet, sheet), rows, cols }, Some(via_name), false, true);
        } else if !binds_names {
            self.leaf(LeafKind::Unknown, written, via);
        }
    }

    /// The sheets that a prefix names; what it names otherwise is noted.
    fn sheets_of(
        &mut self,
        prefix: &SheetPrefix<'_>,
        written: &str,
        via: Option<&Arc<str>>,
    ) -> Option<(SheetId, SheetId)> {
        if prefix.book.is_some() && prefix.book_index() != Some(0) {
            self.external(prefix, written, via);
            return None;
        }
        let ends = match &prefix.sheets {
            Sheets::Current => Some((self.sheet, self.sheet)),
            Sheets::One(name) => self.places.sheet_id(name).map(|id| (id, id)),
            Sheets::Span(first, last) => self.places.sheet_id(first).zip(self.places.sheet_id(last)),
            Sheets::Lost => {
                self.leaf(LeafKind::Lost, written, via);
                return None;
            }
        };
        if ends.is_none() {
            self.leaf(LeafKind::Unknown, written, via);
        }
        ends.map(|(first, last)| (first.min(last), first.max(last)))
    }

    /// The cells of a structured reference; `None` if the table, a column or the rows do not exist.
    fn structured(&self, reference: &StructuredReference<'_>) -> Option<Cells> {
        let (sheet, table) = match reference.table {
            Some(name) => self.places.table(name)?,
            None => (self.sheet, self.places.table_at(self.sheet, self.holder)?),
        };
        let rows = table_rows(table, reference.rows)?;
        let left = table.range.start().col();
        let cols = match &reference.columns {
            None => Extent::fixed(left, table.range.end().col()),
            Some((first, last)) => {
                let column = |wanted: &str| {
                    let folded = wanted.to_lowercase();
                    table.columns.iter().position(|column| column.name.to_lowercase() == folded)
                };
                Extent::fixed(left + column(first)? as u32, left + column(last)? as u32)
            }
        };
        Some(Cells { sheets: (sheet, sheet), rows, cols })
    }

    /// Makes the cell of `A1#` the array that spills from it, if its formula is known to.
    fn grow_to_spill(&self, sheet: SheetId, rows: &mut Extent, cols: &mut Extent) {
        let (row, _) = rows.sweep(self.holder.row(), self.holder.row());
        let (col, _) = cols.sweep(self.holder.col(), self.holder.col());
        let anchor = u32::try_from(row).ok().zip(u32::try_from(col).ok());
        let Some(anchor) = anchor.and_then(|(row, col)| CellRef::new(row, col)) else { return };
        let sheet = self.places.sheet(sheet);
        let Some(id) = sheet.cell(anchor).formula else { return };
        if let FormulaKind::Array { range, .. } = sheet.formulas().get(id).kind {
            rows.second = rows.first.plus(range.height() - 1);
            cols.second = cols.first.plus(range.width() - 1);
        }
    }

    fn cells(&mut self, cells: Cells, via: Option<&Arc<str>>, joins_previous: bool, is_read: bool) {
        if joins_previous
            && let Some(Source { reach: Reach::Cells(before), .. }) = self.found.list.last_mut()
            && before.sheets == cells.sheets
        {
            before.rows = Extent::new(before.rows.first, cells.rows.second);
            before.cols = Extent::new(before.cols.first, cells.cols.second);
            return;
        }
        self.push(Source { reach: Reach::Cells(cells), via: via.cloned(), is_read });
    }

    fn external(&mut self, prefix: &SheetPrefix<'_>, written: &str, via: Option<&Arc<str>>) {
        let book = self.places.external_book(prefix.book.as_deref().unwrap_or_default());
        let body = written.rsplit_once('!').map_or(written, |(_, body)| body);
        let label = match &prefix.sheets {
            Sheets::One(sheet) => format!("{}!{body}", quote_external(&book, sheet)),
            Sheets::Span(first, last) => {
                format!("{}!{body}", quote_external(&book, &format!("{first}:{last}")))
            }
            Sheets::Current | Sheets::Lost => format!("[{book}]!{body}"),
        };
        self.leaf(LeafKind::External, &label, via);
    }

    fn leaf(&mut self, kind: LeafKind, label: &str, via: Option<&Arc<str>>) {
        let leaf = Leaf { kind, label: Arc::from(label), refers_to: None };
        self.push(Source { reach: Reach::Leaf(leaf), via: via.cloned(), is_read: true });
    }

    fn push(&mut self, source: Source) {
        self.things_read += 1;
        let list = &mut self.found.list;
        let recent = list.len().saturating_sub(MAX_COMPARED);
        if !list[recent..].contains(&source) {
            list.push(source);
        }
    }
}

fn quote_external(book: &str, sheet: &str) -> String {
    let place = format!("[{book}]{sheet}");
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    if place.chars().all(is_plain) && quote(sheet) == sheet {
        place
    } else {
        format!("'{}'", place.replace('\'', "''"))
    }
}

fn extents(kind: RefKind, origin: CellRef) -> Option<(Extent, Extent)> {
    let row = |axis: Axis| Bound::written(axis, origin.row());
    let col = |axis: Axis| Bound::written(axis, origin.col());
    Some(match kind {
        RefKind::Cell(cell) => {
            (Extent::new(row(cell.row), row(cell.row)), Extent::new(col(cell.col), col(cell.col)))
        }
        RefKind::Range(first, last) => {
            (Extent::new(row(first.row), row(last.row)), Extent::new(col(first.col), col(last.col)))
        }
        RefKind::Columns(first, last) => (Extent::fixed(0, MAX_ROWS - 1), Extent::new(col(first), col(last))),
        RefKind::Rows(first, last) => (Extent::new(row(first), row(last)), Extent::fixed(0, MAX_COLS - 1)),
        RefKind::Lost => return None,
    })
}

fn table_rows(table: &Table, rows: formula::TableRows) -> Option<Extent> {
    if rows.this_row {
        return Some(Extent::new(Bound::Relative(0), Bound::Relative(0)));
    }
    let (top, bottom) = (table.range.start().row(), table.range.end().row());
    let data = table.data_range().map(|data| (data.start().row(), data.end().row()));
    let headers = table.header_rows.checked_sub(1).map(|more| (top, top + more));
    let totals = table.totals_rows.checked_sub(1).and_then(|more| Some((bottom.checked_sub(more)?, bottom)));
    let wanted = [(rows.headers, headers), (rows.data, data), (rows.totals, totals)];
    let parts = wanted.into_iter().filter(|(is_wanted, _)| *is_wanted).filter_map(|(_, part)| part);
    let (first, last) = parts.reduce(|(first, _), (_, last)| (first, last))?;
    Some(Extent::fixed(first, last))
}

fn ends_with(text: &str, end: &str) -> bool {
    let bytes = text.trim_end().as_bytes();
    bytes.len() >= end.len() && bytes[bytes.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}
