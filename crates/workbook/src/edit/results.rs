//! Results of formulas that an engine computed: values take the place of older ones, formulas stay as they are.

use std::sync::Arc;

use grid::{Address, CellRange, CellRef};
use serde::{Deserialize, Serialize};

use crate::edit::error::Problem;
use crate::edit::input::Input;
use crate::edit::sheet_edit::Dirt;
use crate::edit::{Draft, ExplicitPlaces, Place, Places, stamp};
use crate::model::{Formula, FormulaKind, RawCell, RawValue, SheetId};

/// What an engine computed. The log keeps it; no caller can say it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// The engine.
    pub engine: String,
    /// Results that differ from those that were there.
    pub sheets: Vec<SheetResults>,
    /// Areas with their sheets that count as changed now; whatever else changed before has been computed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<String>,
}

/// Results of one sheet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct SheetResults {
    /// The sheet's name.
    pub sheet: String,
    /// Runs of results.
    pub runs: Vec<Run>,
    /// What dynamic array formulas reach now, by their first cells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spills: Vec<String>,
}

/// Results from a cell downwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The first cell.
    pub cell: String,
    /// Numbers, texts, booleans, errors; `null` for a cell that an array formula does not reach any more.
    pub values: Vec<Input>,
}

impl Draft {
    pub(crate) fn put_results(&mut self, results: &Results) -> Result<(), Problem> {
        for sheet in &results.sheets {
            let id = self.sheet_named(&sheet.sheet)?;
            self.put_sheet_results(id, sheet)?;
        }
        self.everything_pending = false;
        self.computed = true;
        self.results = stamp();
        for sheet in &mut self.sheets {
            if !sheet.pending.is_empty() {
                Arc::make_mut(sheet).pending.clear();
            }
        }
        for area in &results.pending {
            let address: Address = area.parse().map_err(|_| damaged("an address"))?;
            let (sheet, range) =
                ExplicitPlaces.find(&self.book, &address).map_err(|problem| Problem::new(problem, ""))?;
            Arc::make_mut(&mut self.sheets[sheet.0 as usize]).pending.add(range);
        }
        // Results that the file asked for are there now, but for what is pending.
        self.book.calc.full_calc_on_load = false;
        Ok(())
    }

    fn put_sheet_results(&mut self, id: SheetId, results: &SheetResults) -> Result<(), Problem> {
        let hand = self.hand(Place { sheet: id, range: CellRange::ALL })?;
        for run in &results.runs {
            let first: CellRef = run.cell.parse().map_err(|_| damaged("an address"))?;
            for (row, input) in (first.row()..).zip(&run.values) {
                let at = CellRef::new(row, first.col()).ok_or_else(|| damaged("a row"))?;
                let old = hand.sheet.raw_cell(at);
                let value = match input {
                    Input::Empty => RawValue::Empty,
                    Input::Number(number) => RawValue::Number(*number),
                    Input::Bool(value) => RawValue::Bool(*value),
                    Input::Error(error) => RawValue::Error(*error),
                    Input::Text(text) => hand.sheet.keep_text(text)?,
                    Input::Formula(_) | Input::Date(_) | Input::Rich(_) => return Err(damaged("a value")),
                };
                if old.value != value {
                    hand.sheet.set_cell(at, RawCell { value, ..old });
                    hand.edit.mark(at, if old.formula.is_some() { Dirt::Value } else { Dirt::Content });
                }
            }
        }
        for spill in &results.spills {
            let spill: CellRange = spill.parse().map_err(|_| damaged("an address"))?;
            let anchor = hand.sheet.raw_cell(spill.start());
            let formula = anchor.formula.map(|id| (id, hand.sheet.formulas().get(id)));
            let Some((formula_id, Formula { text, kind: FormulaKind::Array { range, dynamic: true } })) =
                formula
            else {
                return Err(damaged("a spilled range"));
            };
            if *range != spill {
                let kind = FormulaKind::Array { range: spill, dynamic: true };
                let formula = Formula { text: text.clone(), kind };
                hand.sheet.formulas_mut().replace(formula_id, formula);
                hand.edit.mark(spill.start(), Dirt::Content);
            }
        }
        Ok(())
    }
}

fn damaged(what: &str) -> Problem {
    Problem::new(
        format!("the computed results have {what} that does not fit the workbook"),
        "recalculate again",
    )
}
