//! Cells that changed since the workbook was loaded.

use analysis::formulas::Area;
use grid::{CellRange, CellRef};
use workbook::{FormulaKind, SheetId};

use crate::engine::{EngineError, Refused, Source};
use crate::formualizer::context::Surroundings;
use crate::formualizer::load::{ArrayFormula, declare, load};
use crate::formualizer::prepare::Preparer;
use crate::formualizer::values::literal;
use crate::formualizer::{Formualizer, failed, refers_by_text};

impl Formualizer {
    /// Takes over the content of cells; anew the whole workbook where that is simpler.
    pub(super) fn take_over(&mut self, source: Source<'_>, areas: &[Area]) -> Result<(), EngineError> {
        self.is_changed = true;
        if self.needs_reload(source, areas) {
            let loaded = load(source, self.overrides, &self.threads)?;
            self.library = loaded.library;
            self.formulas = loaded.formulas;
            self.arrays = loaded.arrays;
            self.used = loaded.used;
            self.has_fixed_arrays = loaded.has_fixed_arrays;
            self.refers_by_text = refers_by_text(source);
            self.refused_when_read = loaded.refused.len();
            self.refused = loaded.refused;
            self.calculated = None;
            return Ok(());
        }
        self.refused.truncate(self.refused_when_read);
        let mut preparer = Preparer::new(source, Surroundings { overrides: self.overrides });
        for area in areas {
            self.area(source, *area, &mut preparer)?;
        }
        self.refused_when_read = self.refused.len();
        Ok(())
    }

    /// Array formulas that fill fixed cells, and edits of many cells, are taken over with all the rest.
    fn needs_reload(&self, source: Source<'_>, areas: &[Area]) -> bool {
        areas.iter().any(|area| {
            let sheet = &source.sheets[area.sheet.0 as usize];
            let touches = |range: CellRange| range.intersect(area.range).is_some();
            let had = self
                .arrays
                .iter()
                .any(|array| array.sheet == area.sheet && !array.is_dynamic && touches(array.range));
            let has = sheet.formulas().iter().any(|(_, formula)| match formula.kind {
                FormulaKind::Array { range, dynamic: false } => touches(range),
                _ => false,
            });
            had || has
        })
    }
}

impl Formualizer {
    fn area(
        &mut self,
        source: Source<'_>,
        area: Area,
        preparer: &mut Preparer<'_>,
    ) -> Result<(), EngineError> {
        let sheet = &source.sheets[area.sheet.0 as usize];
        // Nothing was, and nothing is, outside of what is used.
        let was = self.used[area.sheet.0 as usize];
        let used = match (was, sheet.used_range()) {
            (Some(was), Some(is)) => Some(was.union(is)),
            (was, is) => was.or(is),
        };
        self.used[area.sheet.0 as usize] = used;
        let Some(cells) = used.and_then(|used| used.intersect(area.range)) else { return Ok(()) };
        let is_in = |at: CellRef| cells.contains(at);
        self.refused.retain(|refused| refused.sheet != area.sheet || !is_in(refused.at));
        self.formulas[area.sheet.0 as usize].retain(|at| !is_in(*at));
        self.arrays.retain(|array| array.sheet != area.sheet || !is_in(array.range.start()));
        let arrays: Vec<CellRange> = sheet
            .formulas()
            .iter()
            .filter_map(|(_, formula)| match formula.kind {
                FormulaKind::Array { range, .. } => range.intersect(cells).map(|_| range),
                _ => None,
            })
            .collect();
        for at in cells.cells() {
            self.cell(source, area.sheet, at, &arrays, preparer)?;
        }
        Ok(())
    }

    fn cell(
        &mut self,
        source: Source<'_>,
        id: SheetId,
        at: CellRef,
        arrays: &[CellRange],
        preparer: &mut Preparer<'_>,
    ) -> Result<(), EngineError> {
        let sheet = &source.sheets[id.0 as usize];
        let name = &self.sheets[id.0 as usize];
        let (row, col) = (at.row() + 1, at.col() + 1);
        let cell = sheet.cell(at);
        let Some(formula) = cell.formula else {
            let is_shown_by_array =
                arrays.iter().any(|range| range.contains(at) && is_anchored(sheet, *range));
            let value = if is_shown_by_array { grid::Value::Empty } else { cell.value };
            return self.library.set_cell_value(name, row, col, literal(value)).map_err(failed);
        };
        let text = sheet.formula_text(at, formula);
        let text = format!("={}", text.trim_start_matches('='));
        self.refers_by_text |= text.contains("INDIRECT");
        let array = match sheet.formulas().get(formula).kind {
            FormulaKind::Array { range, dynamic } => {
                Some(ArrayFormula { sheet: id, range, is_dynamic: dynamic })
            }
            _ => None,
        };
        let prepared = match sheet.formulas().get(formula).kind {
            FormulaKind::DataTable { .. } => Err((crate::engine::Refusal::Unsupported, None)),
            _ => preparer.prepare(id, at, &text, array.is_some()),
        };
        match prepared {
            Ok(prepared) => {
                self.library.set_cell_formula(name, row, col, prepared.tree).map_err(failed)?;
                self.formulas[id.0 as usize].push(at);
                if let Some(array) = array {
                    declare(&mut self.library, name, array)?;
                    self.arrays.push(array);
                }
            }
            Err((why, function)) => {
                self.library.set_cell_value(name, row, col, literal(cell.value)).map_err(failed)?;
                self.refused.push(Refused { sheet: id, at, why, function });
            }
        }
        Ok(())
    }
}

/// Whether the range is still filled by an array formula that is entered in its first cell.
fn is_anchored(sheet: &workbook::Sheet, range: CellRange) -> bool {
    let formula = sheet.cell(range.start()).formula;
    formula.is_some_and(|id| match sheet.formulas().get(id).kind {
        FormulaKind::Array { range: filled, .. } => filled == range,
        _ => false,
    })
}
