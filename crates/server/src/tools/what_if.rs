//! What targets become for sets of inputs: evaluated on copies, the fork stays as it is.

use std::collections::BTreeMap;
use std::time::Instant;

use analysis::formulas::Area;
use grid::CellRef;
use recalc::Engine;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use workbook::{Cell, Sheet, SheetId, edit::Edit};

use super::recalculate::Json;
use crate::{
    book::Book,
    call::Call,
    cell_json::cell_json,
    error::{ErrorCode, ToolError},
    forks::Live,
    recalc::{EngineParam, Loaded, engine_error, moment},
};

/// Sets of inputs that one call evaluates at most.
const MAX_SETS: usize = 200;
/// Target cells that one call tells at most.
const MAX_TARGETS: usize = 200;

/// Targets, by set of inputs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct WhatIf {
    /// The targets: the columns of the rows.
    targets: Vec<String>,
    /// As the fork is.
    base: Vec<Value>,
    /// One row for each set of inputs, in their order.
    rows: Vec<Vec<Value>>,
    #[serde(skip)]
    pub(super) engine: String,
    #[serde(skip)]
    pub(super) milliseconds: u64,
}

impl WhatIf {
    /// Evaluates the sets one after the other.
    ///
    /// # Errors
    /// When there are no targets, too much is asked, an input can't be written, or the engine fails.
    pub(super) fn evaluated(
        call: &Call,
        live: &Live,
        engine: EngineParam,
        named: &Option<Vec<String>>,
        targets: &[Area],
        sets: &[BTreeMap<String, Json>],
    ) -> Result<WhatIf, ToolError> {
        let wrong = |message: String, at: &str, hint: &str| {
            Err(ToolError::new(ErrorCode::InvalidArgument, message).at(at).hint(hint))
        };
        if matches!(engine, EngineParam::Libreoffice | EngineParam::Verify) {
            let message = "what_if is evaluated by native engines".to_owned();
            return wrong(message, "engine", "leave engine out");
        }
        if named.as_ref().is_none_or(Vec::is_empty) {
            return wrong(
                "what_if has no targets".to_owned(),
                "targets",
                "name the cells to tell, e.g. [\"Summary!B2\"]",
            );
        }
        if sets.is_empty() || sets.len() > MAX_SETS {
            let message = format!("what_if has {} sets of inputs", sets.len());
            return wrong(message, "what_if", "give 1 to 200 sets, e.g. [{\"Inputs!B2\": 0.05}]");
        }
        let cells: u64 = targets.iter().map(|area| area.range.area()).sum();
        if cells > MAX_TARGETS as u64 {
            return wrong(format!("the targets have {cells} cells"), "targets", "name 200 cells at most");
        }
        let begun = Instant::now();
        let cells: Vec<(SheetId, CellRef)> =
            targets.iter().flat_map(|area| area.range.cells().map(move |at| (area.sheet, at))).collect();
        let loaded = Loaded::of(&live.draft, &live.book, call)?;
        // The sets see one time and the same random numbers.
        let (now, stop) = (moment(), || call.is_stopped());
        let (mut ready, mut choice) = call.ready_engine(&loaded, engine.named(), now)?;
        let told = |loaded: &Loaded<'_>, engine: &dyn Engine| -> Vec<Value> {
            cells.iter().map(|(sheet, at)| value(loaded, engine, *sheet, *at)).collect()
        };
        let base = told(&loaded, &*ready);
        let mut rows = Vec::with_capacity(sets.len());
        let mut changed: Vec<Area> = Vec::new();
        for (done, set) in sets.iter().enumerate() {
            call.check()?;
            call.progress(done as f64, Some(sets.len() as f64), "evaluating");
            let edits = set.iter().map(|(range, input)| Edit::Set {
                range: range.clone(),
                values: vec![vec![input.0.clone()]],
                parse: false,
            });
            let edits: Vec<Edit> = edits.collect();
            let (draft, edits) = call.work_out(&live.draft, &edits).map_err(|error| ToolError {
                location: Some(format!(
                    "what_if[{done}]{}",
                    error.location.map_or(String::new(), |at| format!(": {at}"))
                )),
                ..error
            })?;
            let book = Book::following(&draft, &live.book);
            let copy = Loaded::of(&draft, &book, call)?;
            let own = written(&copy, &edits);
            // What the set before this one wrote is as it was.
            let areas: Vec<Area> = changed.iter().copied().chain(own.iter().copied()).collect();
            changed = own;
            // One that does not follow computes anew.
            let follows =
                !call.needs_process(choice.engine, &copy)? && ready.update(copy.source(), &areas).is_ok();
            match follows {
                true => ready.calculate(now, &stop).map_err(engine_error)?,
                false => (ready, choice) = call.ready_engine(&copy, engine.named(), now)?,
            }
            rows.push(told(&copy, &*ready));
        }
        let address = |(sheet, at): &(SheetId, CellRef)| {
            format!("{}!{at}", grid::quote(&live.book.workbook.tab(*sheet).name))
        };
        Ok(WhatIf {
            targets: cells.iter().map(address).collect(),
            base,
            rows,
            engine: ready.name().to_owned(),
            milliseconds: begun.elapsed().as_millis() as u64,
        })
    }
}

/// The cells that explicit edits wrote.
fn written(loaded: &Loaded<'_>, edits: &[Edit]) -> Vec<Area> {
    let area = |edit: &Edit| {
        let Edit::Set { range, .. } = edit else { return None };
        let (name, range) = range.rsplit_once('!')?;
        let name = name.trim_matches('\'').replace("''", "'");
        Some(Area { sheet: loaded.book.workbook.sheet_id(&name)?, range: range.parse().ok()? })
    };
    edits.iter().filter_map(area).collect()
}

fn value(loaded: &Loaded<'_>, engine: &dyn Engine, sheet: SheetId, at: CellRef) -> Value {
    let book = &loaded.book.workbook;
    let cells: &Sheet = &loaded.sheets[sheet.0 as usize];
    let cell = cells.cell(at);
    if cell.formula.is_none() {
        return cell_json(book, cell);
    }
    let computed = engine.value(sheet, at);
    cell_json(book, Cell { value: computed.value(), ..cell })
}
