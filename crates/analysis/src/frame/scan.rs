//! Walking over a column's cells chunk by chunk.

use std::ops::Range;

use number_format::FormatKind;
use workbook::{CHUNK_ROWS, Chunk, Column, StringId, StringTable, StyleId, Styles};

/// The cells of one chunk that lie in wanted rows.
pub(crate) struct Slice<'a> {
    /// Row that the chunk's offsets count from.
    pub(crate) base: u32,
    /// The chunk.
    pub(crate) chunk: &'a Chunk,
    /// Its cells inside of the rows.
    pub(crate) indices: Range<usize>,
}

impl Slice<'_> {
    /// The row of the cell at `index`.
    pub(crate) fn row(&self, index: usize) -> u32 {
        self.base + u32::from(self.chunk.offset(index))
    }
}

/// The parts of a column's chunks inside of `rows`, in row order.
pub(crate) fn slices(column: &Column, rows: Range<u32>) -> impl Iterator<Item = Slice<'_>> {
    column
        .chunks()
        .filter(move |(base, _)| *base < rows.end && base.saturating_add(CHUNK_ROWS) > rows.start)
        .map(move |(base, chunk)| {
            let bound = |row: u32| match row.saturating_sub(base) {
                beyond if beyond >= CHUNK_ROWS => chunk.len(),
                offset => chunk.lower_bound(offset as u16),
            };
            Slice { base, chunk, indices: bound(rows.start)..bound(rows.end) }
        })
        .filter(|slice| !slice.indices.is_empty())
}

/// Kinds of number formats, remembered for the style of the cell before: neighbours mostly share it.
pub(crate) struct Kinds<'a> {
    styles: &'a Styles,
    last: Option<(StyleId, FormatKind)>,
}

impl<'a> Kinds<'a> {
    pub(crate) fn new(styles: &'a Styles) -> Kinds<'a> {
        Kinds { styles, last: None }
    }

    pub(crate) fn of(&mut self, style: StyleId) -> FormatKind {
        match self.last {
            Some((known, kind)) if known == style => kind,
            _ => {
                let kind = self.styles.kind(style);
                self.last = Some((style, kind));
                kind
            }
        }
    }
}

/// What a test says of each distinct text, found out once.
pub(crate) struct Verdicts<'a> {
    texts: &'a StringTable,
    /// 0 is unknown, 1 no, 2 yes; empty until the first text is asked for.
    known: Vec<u8>,
}

impl<'a> Verdicts<'a> {
    pub(crate) fn new(texts: &'a StringTable) -> Verdicts<'a> {
        Verdicts { texts, known: Vec::new() }
    }

    /// What `test` says of a text; it has to be the same test every time.
    pub(crate) fn of(&mut self, id: StringId, test: impl FnOnce(&str) -> bool) -> bool {
        if self.known.is_empty() {
            self.known.resize(self.texts.len(), 0);
        }
        let Some(verdict) = self.known.get_mut(id.0 as usize) else { return test("") };
        if *verdict == 0 {
            *verdict = 1 + u8::from(test(self.texts.get(id).unwrap_or_default()));
        }
        *verdict == 2
    }
}
