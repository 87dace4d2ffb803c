//! The map of a workbook's formulas: what is computed where, and what is odd about it.

use std::collections::BTreeSet;

use formula::{hardcoded_constants, has_lost_reference, reads_other_book, to_r1c1};
use grid::{CellRange, CellRef, ErrorValue, Value, quote};
use serde::Serialize;
use workbook::{Sheet, SheetId};

use crate::formulas::blocks::{Blocks, Flavor, Pattern};
use crate::formulas::consistency::{Odd, inconsistencies};
use crate::formulas::{Area, Cancel, Cancelled, Listed, Places};

/// What to map, and how long the lists may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapOptions {
    /// The cells to look at; empty for all of every sheet.
    pub within: Vec<Area>,
    /// Groups to pass over: the place of the next page.
    pub skip_groups: usize,
    /// Groups at most.
    pub max_groups: usize,
    /// Ranges of one group at most.
    pub max_ranges: usize,
    /// Entries of each list of findings at most.
    pub max_findings: usize,
}

impl Default for MapOptions {
    fn default() -> MapOptions {
        MapOptions { within: Vec::new(), skip_groups: 0, max_groups: 50, max_ranges: 5, max_findings: 25 }
    }
}

/// The map of a workbook's formulas.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FormulaMap {
    /// Sums over everything that was looked at, whatever the lists leave out.
    pub totals: MapTotals,
    /// Formulas by sheet and pattern, in the order of their first cells.
    pub groups: Listed<FormulaGroup>,
    /// Cells that break a run of equal formulas.
    pub inconsistent: Listed<Inconsistency>,
    /// Formulas whose last result is an error.
    pub errors: Listed<ErrorCells>,
    /// Formulas that recalculate without a change of their inputs.
    pub volatile: Listed<FormulaCells>,
    /// Formulas that refer to something deleted.
    pub lost_references: Listed<FormulaCells>,
    /// Formulas that read another workbook.
    pub external: Listed<FormulaCells>,
    /// Numbers written into formulas.
    pub constants: Listed<FormulaConstants>,
}

/// Sums over the formulas that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct MapTotals {
    /// Sheets with formulas.
    pub sheets: u64,
    /// Cells with a formula; an array formula counts once.
    pub formulas: u64,
    /// Different formulas in R1C1 notation, sheet by sheet.
    pub patterns: u64,
    /// Rectangles of one pattern.
    pub blocks: u64,
    /// Array formulas, dynamic ones included.
    pub arrays: u64,
    /// Formulas whose last result is an error.
    pub errors: u64,
    /// Formulas with a volatile function.
    pub volatile: u64,
    /// Formulas that refer to something deleted.
    pub lost_references: u64,
    /// Formulas that read another workbook.
    pub external: u64,
    /// Formulas with hard-coded numbers.
    pub with_constants: u64,
    /// Cells that break a run.
    pub inconsistent: u64,
}

/// The cells of a sheet that share a formula in R1C1 notation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FormulaGroup {
    /// The sheet's name.
    pub sheet: String,
    /// The first cell.
    pub at: String,
    /// Its formula in A1 notation, in braces if it was entered as an array formula.
    pub formula: String,
    /// The formula that all share.
    pub r1c1: String,
    /// The cells as rectangles, without the sheet.
    pub ranges: Listed<String>,
    /// Number of formulas.
    pub cells: u64,
    /// Functions called, in upper case and in order.
    pub functions: Vec<String>,
    /// Whether one of them is volatile.
    #[serde(skip_serializing_if = "is_false")]
    pub volatile: bool,
    /// Hard-coded numbers as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<String>,
    /// Formulas whose last result is an error.
    #[serde(skip_serializing_if = "is_zero")]
    pub errors: u64,
}

/// A cell that breaks a run of equal formulas.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inconsistency {
    /// The cell.
    pub at: String,
    /// What kind of thing is there.
    pub kind: Odd,
    /// What is there: a formula, or a constant.
    pub found: String,
    /// The formula that its neighbour would have there.
    pub expected: String,
    /// The run that it breaks.
    pub run: String,
}

/// Formulas whose last result is an error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorCells {
    /// Cells below each other with the same formula and error.
    pub at: String,
    /// The error.
    pub error: String,
    /// The first cell's formula.
    pub formula: String,
}

/// Formulas worth a word.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FormulaCells {
    /// The first rectangle of them.
    pub at: String,
    /// The first cell's formula.
    pub formula: String,
    /// Number of formulas, over all rectangles.
    pub cells: u64,
}

/// Formulas with hard-coded numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FormulaConstants {
    /// The first rectangle of them.
    pub at: String,
    /// The numbers as written.
    pub constants: Vec<String>,
    /// The first cell's formula.
    pub formula: String,
    /// Number of formulas, over all rectangles.
    pub cells: u64,
}

/// Maps the formulas of a workbook. Takes time linear in the formulas of the sheets that are looked at.
pub fn formula_map(
    places: &Places<'_>,
    options: &MapOptions,
    cancel: Cancel<'_>,
) -> Result<FormulaMap, Cancelled> {
    let mut mapper = Mapper {
        places,
        options,
        map: FormulaMap {
            totals: MapTotals::default(),
            groups: Listed::default(),
            inconsistent: Listed::default(),
            errors: Listed::default(),
            volatile: Listed::default(),
            lost_references: Listed::default(),
            external: Listed::default(),
            constants: Listed::default(),
        },
    };
    for (id, sheet) in places.sheets() {
        let within: Vec<CellRange> =
            options.within.iter().filter(|area| area.sheet == id).map(|area| area.range).collect();
        if sheet.formulas().is_empty() || (within.is_empty() && !options.within.is_empty()) {
            continue;
        }
        let blocks = Blocks::collect(sheet, cancel)?;
        mapper.sheet(id, sheet, &blocks, &within, cancel)?;
    }
    Ok(mapper.map)
}

struct Mapper<'p, 'w> {
    places: &'p Places<'w>,
    options: &'p MapOptions,
    map: FormulaMap,
}

/// What the cells of one pattern within the wanted ranges add up to.
#[derive(Debug, Clone, Default)]
struct Tally {
    ranges: Vec<CellRange>,
    cells: u64,
    errors: u64,
}

impl Mapper<'_, '_> {
    fn sheet(
        &mut self,
        id: SheetId,
        sheet: &Sheet,
        blocks: &Blocks,
        within: &[CellRange],
        cancel: Cancel<'_>,
    ) -> Result<(), Cancelled> {
        let mut tallies = vec![Tally::default(); blocks.patterns.len()];
        let mut order = Vec::new();
        for block in &blocks.blocks {
            let tally = &mut tallies[block.pattern as usize];
            let pattern = &blocks.patterns[block.pattern as usize];
            for range in clip(block.range, within) {
                if tally.ranges.is_empty() {
                    order.push(block.pattern);
                }
                tally.ranges.push(range);
                tally.cells += if pattern.flavor.is_spread() { 1 } else { range.area() };
            }
        }
        if order.is_empty() {
            return Ok(());
        }
        self.map.totals.sheets += 1;
        self.errors(id, sheet, blocks, within, &mut tallies, cancel)?;
        for (done, pattern) in order.into_iter().enumerate() {
            if done % 1024 == 0 && cancel() {
                return Err(Cancelled);
            }
            self.group(id, sheet, &blocks.patterns[pattern as usize], &tallies[pattern as usize]);
        }
        self.inconsistencies(id, sheet, blocks, within);
        Ok(())
    }

    fn group(&mut self, id: SheetId, sheet: &Sheet, pattern: &Pattern, tally: &Tally) {
        let options = self.options;
        let first = tally.ranges[0];
        // An array formula stands in the first cell of its range; a clipped range may not hold it.
        let is_clipped = sheet.cell(first.start()).formula.is_none();
        let at = if is_clipped { pattern.example } else { first.start() };
        let Some(formula) = self.places.formula(id, at) else { return };
        let stored = sheet.formulas().get(pattern.formula);
        let text = &*stored.text;
        let place = self.places.address(Area { sheet: id, range: first });
        let cells = tally.cells;

        let totals = &mut self.map.totals;
        totals.patterns += 1;
        totals.formulas += cells;
        totals.blocks += tally.ranges.len() as u64;
        if matches!(pattern.flavor, Flavor::Array { .. }) {
            totals.arrays += cells;
        }
        let entry = || FormulaCells { at: place.clone(), formula: formula.clone(), cells };
        let is_volatile = formula::is_volatile(text);
        if is_volatile {
            totals.volatile += cells;
            self.map.volatile.push_up_to(options.max_findings, entry);
        }
        if has_lost_reference(text) {
            totals.lost_references += cells;
            self.map.lost_references.push_up_to(options.max_findings, entry);
        }
        if reads_other_book(text) {
            totals.external += cells;
            self.map.external.push_up_to(options.max_findings, entry);
        }
        let constants = constants_as_written(text);
        if !constants.is_empty() {
            totals.with_constants += cells;
            self.map.constants.push_up_to(options.max_findings, || FormulaConstants {
                at: place.clone(),
                constants: constants.clone(),
                formula: formula.clone(),
                cells,
            });
        }
        let is_passed_over = self.map.groups.total < options.skip_groups as u64;
        let room = if is_passed_over { 0 } else { options.max_groups };
        self.map.groups.push_up_to(room, || {
            let written = formula.trim_matches(['{', '}']);
            let mut ranges = Listed::default();
            for range in &tally.ranges {
                ranges.push_up_to(options.max_ranges, || range.to_string());
            }
            let called: BTreeSet<String> =
                formula::functions(text).map(|call| call.name.to_ascii_uppercase()).collect();
            FormulaGroup {
                sheet: sheet.name.clone(),
                at: at.to_string(),
                r1c1: to_r1c1(written, at),
                formula: formula.clone(),
                ranges,
                cells,
                functions: called.into_iter().collect(),
                volatile: is_volatile,
                constants: constants.clone(),
                errors: tally.errors,
            }
        });
    }

    /// Lists the formulas whose last result is an error, column by column as they are stored.
    fn errors(
        &mut self,
        id: SheetId,
        sheet: &Sheet,
        blocks: &Blocks,
        within: &[CellRange],
        tallies: &mut [Tally],
        cancel: Cancel<'_>,
    ) -> Result<(), Cancelled> {
        let mut found: Vec<(CellRange, ErrorValue, u32)> = Vec::new();
        let mut add = |at: CellRef, pattern: u32| {
            let Value::Error(error) = sheet.cell(at).value else { return };
            if !within.is_empty() && !within.iter().any(|range| range.contains(at)) {
                return;
            }
            tallies[pattern as usize].errors += 1;
            if let Some((range, last_error, last_pattern)) = found.last_mut()
                && (*last_error, *last_pattern) == (error, pattern)
                && range.end().offset(1, 0) == Some(at)
            {
                *range = range.union(CellRange::cell(at));
                return;
            }
            found.push((CellRange::cell(at), error, pattern));
        };
        for (col, runs) in &blocks.columns {
            for run in runs {
                for row in run.first..=run.last {
                    add(CellRef::clamped(row, *col), run.pattern);
                }
            }
            if cancel() {
                return Err(Cancelled);
            }
        }
        for block in &blocks.blocks {
            if blocks.patterns[block.pattern as usize].flavor.is_spread() {
                add(block.range.start(), block.pattern);
            }
        }
        found.sort_unstable_by_key(|(range, _, _)| *range);
        for (range, error, _) in found {
            self.map.totals.errors += range.area();
            self.map.errors.push_up_to(self.options.max_findings, || ErrorCells {
                at: self.places.address(Area { sheet: id, range }),
                error: error.to_string(),
                formula: self.places.formula(id, range.start()).unwrap_or_default(),
            });
        }
        Ok(())
    }

    fn inconsistencies(&mut self, id: SheetId, sheet: &Sheet, blocks: &Blocks, within: &[CellRange]) {
        for finding in inconsistencies(sheet, blocks) {
            if !within.is_empty() && !within.iter().any(|range| range.contains(finding.at)) {
                continue;
            }
            self.map.totals.inconsistent += 1;
            self.map.inconsistent.push_up_to(self.options.max_findings, || {
                let (at, neighbour) = (finding.at, finding.neighbour);
                let rows = i64::from(at.row()) - i64::from(neighbour.row());
                let cols = i64::from(at.col()) - i64::from(neighbour.col());
                let found = match (finding.odd, sheet.cell(at).value) {
                    (Odd::Formula, _) => self.places.formula(id, at).unwrap_or_default(),
                    (Odd::Constant, Value::Bool(value)) => value.to_string().to_ascii_uppercase(),
                    (Odd::Constant, value) => value.as_number().unwrap_or_default().to_string(),
                };
                Inconsistency {
                    at: format!("{}!{at}", quote(&sheet.name)),
                    kind: finding.odd,
                    found,
                    expected: formula::shift(
                        &self.places.formula(id, neighbour).unwrap_or_default(),
                        rows,
                        cols,
                    ),
                    run: self.places.address(Area { sheet: id, range: finding.run }),
                }
            });
        }
    }
}

/// The parts of a block inside of the wanted ranges; all of it if none are named.
fn clip(block: CellRange, within: &[CellRange]) -> Vec<CellRange> {
    if within.is_empty() {
        return vec![block];
    }
    within.iter().filter_map(|range| range.intersect(block)).collect()
}

fn constants_as_written(text: &str) -> Vec<String> {
    let mut written: Vec<String> = Vec::new();
    for constant in hardcoded_constants(text) {
        let constant = &text[constant.span];
        if !written.iter().any(|known| known == constant) {
            written.push(constant.to_owned());
        }
    }
    written
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}
