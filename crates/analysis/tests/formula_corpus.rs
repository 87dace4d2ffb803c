//! Maps and traces of real files: nothing panics, and the two directions of a trace agree with each other and with
//! what the formulas say.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use analysis::formulas::{
    Area, DependencyIndex, MapOptions, Places, Trace, TraceDirection, TraceOptions, formula_map, trace,
};
use formula::{Sheets, Target};
use grid::{CellRange, CellRef};
use workbook::{Limits, Sheet, SheetId, Workbook};

/// Formula cells of a file that are traced; more would take minutes in a debug build and tell little more.
const SAMPLE: usize = 200;

/// Up to [`SAMPLE`] formula cells, spread evenly.
fn sample(sheets: &[Arc<Sheet>]) -> Vec<(SheetId, CellRef)> {
    let mut all = Vec::new();
    for (id, sheet) in (0..).map(SheetId).zip(sheets) {
        for (col, column) in sheet.columns() {
            for (base, chunk) in column.chunks() {
                let rows = chunk.formulas().iter().map(|(offset, _)| base + u32::from(*offset));
                all.extend(rows.map(|row| (id, CellRef::new(row, col).unwrap())));
            }
        }
    }
    let step = all.len().div_ceil(SAMPLE).max(1);
    all.into_iter().step_by(step).collect()
}

struct File<'a> {
    name: String,
    places: Places<'a>,
    index: DependencyIndex,
}

impl File<'_> {
    fn neighbours(&self, of: Area, direction: TraceDirection) -> Trace {
        let options = TraceOptions { direction, depth: 1, max_nodes: usize::MAX, max_edges: usize::MAX };
        trace(&self.places, &self.index, &[of], &options, &|| false).unwrap()
    }

    /// What the text of a cell's formula refers to on its own sheet without names, tables and `:` between calls.
    fn plain_references(&self, sheet: SheetId, at: CellRef) -> Vec<CellRange> {
        let text = self.places.formula(sheet, at).unwrap();
        let mentions: Vec<formula::Mention<'_>> = formula::references(&text).collect();
        if mentions.iter().any(|mention| mention.joins_previous || mention.spilled)
            || text.contains("ANCHORARRAY")
        {
            return Vec::new();
        }
        let plain = |mention: formula::Mention<'_>| match mention.target {
            Target::Cells(reference) if reference.prefix.sheets == Sheets::Current => reference.range(),
            _ => None,
        };
        mentions.into_iter().filter_map(plain).collect()
    }

    /// Checks one formula cell; returns how many of its precedents were compared.
    fn check(&self, sheet: SheetId, at: CellRef) -> usize {
        let own = Area { sheet, range: CellRange::cell(at) };
        let up = self.neighbours(own, TraceDirection::Precedents);
        let precedents: Vec<Area> = up
            .edges
            .iter()
            .filter(|edge| edge.to == 0)
            .filter_map(|edge| up.nodes[edge.from as usize].area)
            .collect();
        for range in self.plain_references(sheet, at) {
            let area = Area { sheet, range };
            // A cell may ask where it is without reading itself.
            assert!(range == own.range || precedents.contains(&area), "{}: {at} reads {range}", self.name);
        }
        for precedent in &precedents {
            let corner = Area { sheet: precedent.sheet, range: CellRange::cell(precedent.range.end()) };
            let down = self.neighbours(corner, TraceDirection::Dependents);
            let mut readers = down
                .edges
                .iter()
                .filter(|edge| edge.from == 0)
                .filter_map(|edge| down.nodes[edge.to as usize].area);
            assert!(
                readers.any(|reader| reader.sheet == sheet && reader.range.contains(at)),
                "{}: {at} reads {}, which does not know",
                self.name,
                precedent.range
            );
        }
        precedents.len()
    }
}

#[test]
fn real_files() {
    let Some(folder) = fixtures::corpus::folder() else { return };
    let paths = fixtures::corpus::files(&folder, &[]).unwrap();
    let (mut opened, mut formulas, mut traced, mut compared) = (0, 0, 0, 0);
    for path in paths {
        let bytes: Arc<[u8]> = std::fs::read(&path).unwrap().into();
        let Ok(book) = Workbook::open(bytes, path.to_str().unwrap(), &Limits::default(), &()) else {
            continue;
        };
        let Ok(sheets) = book.sheets(2, &()) else { continue };
        let places = Places::new(&book, &sheets);
        let map = formula_map(&places, &MapOptions::default(), &|| false).unwrap();
        let index = DependencyIndex::build(&places, &|| false).unwrap();
        let file = File { name: path.display().to_string(), places, index };
        opened += 1;
        let stored: u64 = sheets.iter().map(|sheet| sheet.formula_count()).sum();
        assert_eq!(map.totals.formulas, stored, "{}", file.name);
        formulas += stored;
        for (sheet, at) in sample(&sheets) {
            compared += file.check(sheet, at);
            traced += 1;
            let deep = TraceOptions { direction: TraceDirection::Both, depth: 6, ..TraceOptions::default() };
            let target = Area { sheet, range: CellRange::cell(at) };
            let deep = trace(&file.places, &file.index, &[target], &deep, &|| false).unwrap();
            assert!(deep.nodes.len() <= 100 && deep.edges.len() <= 400);
        }
    }
    fixtures::corpus::say(&format!(
        "{opened} files, {formulas} formulas mapped; {traced} traced, {compared} precedents compared"
    ));
    assert!(traced > 1000, "the corpus has formulas");
}
