//! Which formats are used where: a count over the stored cells, in time linear in them.

use std::collections::HashMap;

use grid::CellRange;
use workbook::{CHUNK_ROWS, Chunk, Column, Sheet, StyleId, Styles};

use crate::formulas::{Area, Cancel, Cancelled, Listed};
use crate::styles::describe::look;

/// A format, and where it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct FormatUse {
    /// How it looks, as [`look`] says it.
    pub look: String,
    /// Its number format code.
    pub number_format: String,
    /// Stored cells that have it.
    pub cells: u64,
    /// The largest rectangles of them, from left to right and from top to bottom.
    pub ranges: Listed<Area>,
}

/// Counts the formats of the cells in some areas, the most used first. Formats that look the same are one.
///
/// # Errors
/// When the caller asks to stop.
pub fn census<'a>(
    styles: &Styles,
    areas: impl IntoIterator<Item = (Area, &'a Sheet)>,
    max_ranges: usize,
    cancel: Cancel<'_>,
) -> Result<Vec<FormatUse>, Cancelled> {
    let mut classes =
        Classes { styles, by_style: HashMap::new(), by_words: HashMap::new(), uses: Vec::new() };
    for (area, sheet) in areas {
        let mut rectangles = Rectangles { area, max_ranges, open: Vec::new(), next_col: 0 };
        let range = area.range;
        for (col, column) in sheet.columns_in(range.start().col()..=range.end().col()) {
            if cancel() {
                return Err(Cancelled);
            }
            let runs = runs(column, range, &mut classes);
            rectangles.add_column(col, &runs, &mut classes.uses);
        }
        rectangles.close(&mut classes.uses);
    }
    let mut uses = classes.uses;
    for used in &mut uses {
        used.ranges
            .items
            .sort_by_key(|area| (area.sheet, area.range.start().col(), area.range.start().row()));
    }
    uses.sort_by_key(|used| std::cmp::Reverse(used.cells));
    Ok(uses)
}

/// Formats by how they look; many formats of a file differ only in what nobody sees.
struct Classes<'a> {
    styles: &'a Styles,
    by_style: HashMap<StyleId, usize>,
    by_words: HashMap<(String, String), usize>,
    uses: Vec<FormatUse>,
}

impl Classes<'_> {
    fn of(&mut self, style: StyleId) -> usize {
        if let Some(class) = self.by_style.get(&style) {
            return *class;
        }
        let words = (look(self.styles, style), self.styles.number_format_code(style).to_owned());
        let class = *self.by_words.entry(words.clone()).or_insert(self.uses.len());
        if class == self.uses.len() {
            let (look, number_format) = words;
            self.uses.push(FormatUse { look, number_format, cells: 0, ranges: Listed::default() });
        }
        self.by_style.insert(style, class);
        class
    }
}

/// Rows of one column without a gap, all of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    first: u32,
    last: u32,
    class: usize,
}

fn runs(column: &Column, range: CellRange, classes: &mut Classes<'_>) -> Vec<Run> {
    let (first, last) = (range.start().row(), range.end().row());
    let mut runs: Vec<Run> = Vec::new();
    let mut add = |run: Run| match runs.last_mut() {
        Some(open) if open.class == run.class && open.last + 1 == run.first => open.last = run.last,
        _ => runs.push(run),
    };
    let wanted = |base: u32| base <= last && base.saturating_add(CHUNK_ROWS) > first;
    for (base, chunk) in column.chunks().filter(|(base, _)| wanted(*base)) {
        if let Some(run) = whole_chunk(base, chunk, classes)
            && first <= run.first
            && run.last <= last
        {
            add(run);
            continue;
        }
        for index in 0..chunk.len() {
            let row = base + u32::from(chunk.offset(index));
            if (first..=last).contains(&row) {
                add(Run { first: row, last: row, class: classes.of(chunk.style_at(index)) });
            }
        }
    }
    runs
}

/// The chunk as one run, if its cells share a format and leave no gap.
fn whole_chunk(base: u32, chunk: &Chunk, classes: &mut Classes<'_>) -> Option<Run> {
    let style = chunk.uniform_style()?;
    let end = chunk.len().checked_sub(1)?;
    let (first, last) = (base + u32::from(chunk.offset(0)), base + u32::from(chunk.offset(end)));
    ((last - first) as usize == end).then(|| Run { first, last, class: classes.of(style) })
}

/// Equal runs of neighbouring columns become one rectangle.
struct Rectangles {
    area: Area,
    max_ranges: usize,
    /// Runs of the column before, and where their rectangles start; by row.
    open: Vec<(Run, u32)>,
    next_col: u32,
}

impl Rectangles {
    fn add_column(&mut self, col: u32, runs: &[Run], uses: &mut [FormatUse]) {
        if col != self.next_col {
            self.close(uses);
        }
        let mut before = std::mem::take(&mut self.open).into_iter().peekable();
        for run in runs {
            while let Some(ended) = before.next_if(|(open, _)| open.first < run.first) {
                self.end(ended, uses);
            }
            let first_col = before.next_if(|(open, _)| open == run).map_or(col, |(_, first_col)| first_col);
            self.open.push((*run, first_col));
        }
        for ended in before {
            self.end(ended, uses);
        }
        self.next_col = col + 1;
    }

    fn close(&mut self, uses: &mut [FormatUse]) {
        for ended in std::mem::take(&mut self.open) {
            self.end(ended, uses);
        }
    }

    fn end(&self, (run, first_col): (Run, u32), uses: &mut [FormatUse]) {
        let last_col = self.next_col.saturating_sub(1);
        let Some(range) = CellRange::from_bounds(run.first, first_col, run.last, last_col) else { return };
        let used = &mut uses[run.class];
        used.cells += range.area();
        used.ranges.total += 1;
        let kept = &mut used.ranges.items;
        let area = Area { range, ..self.area };
        if kept.len() < self.max_ranges {
            kept.push(area);
        } else if let Some(smallest) = kept.iter_mut().min_by_key(|area| area.range.area())
            && smallest.range.area() < range.area()
        {
            *smallest = area;
        }
    }
}
