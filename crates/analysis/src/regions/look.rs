//! What single cells look like: the kind of their values, and how they are set off by formats.

use std::borrow::Cow;

use grid::{CellRange, CellRef, Value};
use workbook::{CellFormat, Chunk, RawValue, Sheet, StyleId, Workbook};

/// What kind of value a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Blank,
    Text,
    Number,
    Date,
    Bool,
    Error,
}

impl Kind {
    /// Neither blank nor text.
    pub(crate) fn is_data(self) -> bool {
        !matches!(self, Kind::Blank | Kind::Text)
    }
}

/// How a format sets a cell off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Traits {
    pub(crate) bold: bool,
    /// Fill, with which colours compare.
    pub(crate) fill: usize,
    pub(crate) font: usize,
    pub(crate) top_border: bool,
    pub(crate) bottom_border: bool,
    date: bool,
}

/// Reads cells of a sheet for detection.
pub(crate) struct Looks<'a> {
    pub(crate) sheet: &'a Sheet,
    traits: Vec<Traits>,
    merges: Vec<CellRange>,
    /// The cells that the sheet's filter has its buttons on, if they name columns.
    pub(crate) filter: Option<CellRange>,
    /// The last row that stays when the sheet scrolls.
    pub(crate) frozen: Option<u32>,
}

impl<'a> Looks<'a> {
    pub(crate) fn new(workbook: &'a Workbook, sheet: &'a Sheet) -> Looks<'a> {
        let styles = &workbook.styles;
        let traits = |(index, format): (usize, &CellFormat)| {
            let border = styles.borders.get(format.border);
            Traits {
                bold: styles.fonts.get(format.font).is_some_and(|font| font.bold),
                fill: match styles.fills.get(format.fill) {
                    Some(fill) if fill.pattern != "none" => format.fill,
                    _ => 0,
                },
                font: format.font,
                top_border: border.is_some_and(|border| border.top.is_some()),
                bottom_border: border.is_some_and(|border| border.bottom.is_some()),
                date: styles.kind(StyleId(index as u32)).is_date_time(),
            }
        };
        let mut merges = sheet.merges.clone();
        merges.sort_unstable();
        let mut looks = Looks {
            sheet,
            traits: styles.formats.iter().enumerate().map(traits).collect(),
            merges,
            filter: None,
            frozen: sheet.freeze.and_then(|freeze| freeze.rows.checked_sub(1)),
        };
        looks.filter = looks.filter_header();
        looks
    }

    fn filter_header(&self) -> Option<CellRange> {
        const COLS: usize = 256;
        let range = self.sheet.auto_filter.as_ref()?.range;
        let (start, end) = (range.start(), range.end());
        let names =
            (start.col()..=end.col()).take(COLS).filter(|col| self.kind(start.row(), *col) == Kind::Text);
        let is_header = names.count() >= 2;
        is_header.then(|| CellRange::from_bounds(start.row(), start.col(), start.row(), end.col())).flatten()
    }

    /// The row within a rectangle that the sheet's filter says is its last header row.
    pub(crate) fn pinned(&self, range: CellRange) -> Option<u32> {
        let shared = self.filter?.intersect(range)?;
        let is_above_data = shared.start().row() < range.end().row();
        (is_above_data && shared.width() * 2 >= range.width()).then(|| shared.start().row())
    }

    pub(crate) fn traits(&self, style: StyleId) -> Traits {
        self.traits.get(style.0 as usize).or_else(|| self.traits.first()).copied().unwrap_or_default()
    }

    pub(crate) fn kind_of(&self, value: RawValue, style: StyleId, has_formula: bool) -> Kind {
        match value {
            RawValue::Empty if has_formula => Kind::Number,
            RawValue::Empty => Kind::Blank,
            RawValue::Number(_) if self.traits(style).date => Kind::Date,
            RawValue::Number(_) => Kind::Number,
            RawValue::SharedText(_) | RawValue::SheetText(_) => Kind::Text,
            RawValue::Bool(_) => Kind::Bool,
            RawValue::Error(_) => Kind::Error,
        }
    }

    pub(crate) fn kind_in(&self, chunk: &Chunk, index: usize) -> Kind {
        let cell = chunk.at(index);
        self.kind_of(cell.value, cell.style, cell.formula.is_some())
    }

    pub(crate) fn kind(&self, row: u32, col: u32) -> Kind {
        match self.sheet.column(col).and_then(|column| column.get(row)) {
            Some(cell) => self.kind_of(cell.value, cell.style, cell.formula.is_some()),
            None => Kind::Blank,
        }
    }

    pub(crate) fn traits_at(&self, row: u32, col: u32) -> Traits {
        let cell = self.sheet.column(col).and_then(|column| column.get(row));
        cell.map_or_else(Traits::default, |cell| self.traits(cell.style))
    }

    /// The text of a text cell, trimmed.
    pub(crate) fn text(&self, row: u32, col: u32) -> Option<&'a str> {
        match self.sheet.cell(CellRef::clamped(row, col)).value {
            Value::Text(text) => Some(text.trim()),
            _ => None,
        }
    }

    pub(crate) fn number(&self, row: u32, col: u32) -> Option<f64> {
        match self.sheet.cell(CellRef::clamped(row, col)).value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The text of the cell's formula, without `=`.
    pub(crate) fn formula(&self, row: u32, col: u32) -> Option<Cow<'a, str>> {
        let at = CellRef::clamped(row, col);
        let id = self.sheet.cell(at).formula?;
        Some(self.sheet.formula_text(at, id))
    }

    /// The merges that start in a row.
    pub(crate) fn merges_from(&self, row: u32) -> &[CellRange] {
        let from = self.merges.partition_point(|merge| merge.start().row() < row);
        let to = self.merges.partition_point(|merge| merge.start().row() <= row);
        &self.merges[from..to]
    }

    /// The merge that starts at a cell.
    pub(crate) fn merge_at(&self, row: u32, col: u32) -> Option<CellRange> {
        let at = CellRef::clamped(row, col);
        self.merges.binary_search_by_key(&at, |merge| merge.start()).ok().map(|found| self.merges[found])
    }
}
