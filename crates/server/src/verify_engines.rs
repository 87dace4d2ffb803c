//! Every engine over one workbook: where they differ.

use std::collections::HashSet;
use std::time::Instant;

use grid::CellRef;
use recalc::{Engine, Native};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use workbook::{Cell, SheetId};

use crate::{
    call::Call,
    cell_json::cell_json,
    error::ToolError,
    forks::Live,
    recalc::{Loaded, moment},
    room::Room,
};

/// Cells that an answer tells at most.
const TOLD_CELLS: usize = 50;
/// Relative difference up to which numbers are the same.
const TOLERANCE: f64 = 1e-9;

/// Where engines differ.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Disagreements {
    /// The engines that computed.
    engines: Vec<String>,
    /// Engines that did not, and why.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    without: Map<String, Value>,
    /// Formulas that are computed alike by all of them that compute them.
    agree: u64,
    differ: u64,
    /// Formulas that fewer than two of them compute.
    not_compared: u64,
    /// The first of those that differ, with the value of each engine, and the one that the cell has.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    cells: Vec<Map<String, Value>>,
    #[serde(skip)]
    pub(crate) formulas: u64,
    #[serde(skip)]
    pub(crate) milliseconds: u64,
}

/// Lets every engine compute a fork.
///
/// # Errors
/// When the call is stopped, or no engine can compute the workbook.
pub(crate) fn verify_engines(call: &Call, live: &Live) -> Result<Disagreements, ToolError> {
    let begun = Instant::now();
    let loaded = Loaded::of(&live.draft, &live.book, call)?;
    let stop = || call.is_stopped();
    let mut found = Disagreements::default();
    let mut engines: Vec<Box<dyn Engine + '_>> = Vec::new();
    for native in [Native::Formualizer, Native::IronCalc] {
        call.check()?;
        let computed = call.computed_by(native, &loaded, moment());
        match computed {
            Ok(engine) => engines.push(engine),
            Err(error) => drop(found.without.insert(native.as_str().to_owned(), Value::from(error.message))),
        }
    }
    let office = call.libreoffice(&live.draft).and_then(|mut office| {
        office.run(&stop)?;
        Ok(office)
    });
    match office {
        Ok(office) => engines.push(Box::new(office)),
        Err(error) => drop(found.without.insert("libreoffice".to_owned(), Value::from(error.message))),
    }
    call.check()?;
    let refused: Vec<HashSet<(SheetId, CellRef)>> = engines
        .iter()
        .map(|engine| engine.refused().iter().map(|refused| (refused.sheet, refused.at)).collect())
        .collect();
    found.engines = engines.iter().map(|engine| engine.name().to_owned()).collect();
    let mut told = Vec::new();
    for (index, sheet) in loaded.sheets.iter().enumerate() {
        let id = SheetId(index as u32);
        for (col, column) in sheet.columns() {
            for (row, raw) in column.cells(0..=grid::MAX_ROWS - 1) {
                if raw.formula.is_none() {
                    continue;
                }
                let (at, cell) = (CellRef::clamped(row, col), sheet.resolve(raw));
                found.formulas += 1;
                let values: Vec<(&str, recalc::Computed)> = engines
                    .iter()
                    .zip(&refused)
                    .filter(|(_, refused)| !refused.contains(&(id, at)))
                    .map(|(engine, _)| (engine.name(), engine.value(id, at)))
                    .collect();
                if values.len() < 2 {
                    found.not_compared += 1;
                    continue;
                }
                let agrees = values.windows(2).all(|pair| is_same(&pair[0].1, &pair[1].1));
                if agrees {
                    found.agree += 1;
                    continue;
                }
                found.differ += 1;
                if told.len() < TOLD_CELLS {
                    let book = &loaded.book.workbook;
                    let json = |value: grid::Value<'_>| cell_json(book, Cell { value, ..cell });
                    let place = format!("{}!{at}", grid::quote(&sheet.name));
                    let mut entry = Map::from_iter([("cell".to_owned(), Value::from(place))]);
                    entry
                        .extend(values.iter().map(|(name, value)| ((*name).to_owned(), json(value.value()))));
                    entry.insert("cell_has".to_owned(), json(cell.value));
                    told.push(entry);
                }
            }
        }
    }
    found.cells = Room::of(call).fill_half(told).0;
    found.milliseconds = begun.elapsed().as_millis() as u64;
    Ok(found)
}

fn is_same(a: &recalc::Computed, b: &recalc::Computed) -> bool {
    match (a, b) {
        (recalc::Computed::Number(a), recalc::Computed::Number(b)) => {
            (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()).max(1e-3)
        }
        (a, b) => a == b,
    }
}
