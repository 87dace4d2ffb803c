//! IronCalc: nearly all of Excel's functions, exactly; every calculation computes the whole workbook.
//!
//! It has no index of dependencies and looks at each cell of a range anew for each formula, so that it suits workbooks whose
//! formulas read little. Its evaluation cannot be stopped from within: whoever needs that runs it in a process that is ended.

mod conditions;
mod evaluate;
mod formulas;
mod load;

use std::collections::HashMap;

use analysis::formulas::Area;
use grid::{CellRange, CellRef, DateSystem, ErrorValue};
use ironcalc_base::expressions::token::Error;
use ironcalc_base::types::{Cell, FormulaValue, SpillValue, Workbook as Model};
use workbook::SheetId;

use crate::Computed;
use crate::engine::{Engine, EngineError, Moment, Refusal, Refused, Source, Stop};

/// IronCalc with one workbook loaded.
pub struct IronCalc {
    model: Model,
    refused: Vec<Refused>,
}

impl IronCalc {
    /// The engine's name, as answers tell it.
    pub const NAME: &str = "ironcalc";

    /// Loads a workbook. Array formulas and data tables come with their whole ranges.
    ///
    /// # Errors
    /// When its dates count from 1904: the engine takes those for others.
    pub fn load(source: Source<'_>) -> Result<IronCalc, EngineError> {
        let (model, refused) = evaluate::deep(|| loaded(source))??;
        Ok(IronCalc { model, refused })
    }

    fn cell(&self, sheet: SheetId, at: CellRef) -> Option<Cell> {
        let (row, col) = (at.row() as i32 + 1, at.col() as i32 + 1);
        Some(self.model.worksheets.get(sheet.0 as usize)?.sheet_data.cell(row, col)?.into_owned())
    }

    /// Formulas that turned out not to be computed: those in circles, and those that the engine has no code for.
    fn refuse_failures(&mut self) {
        let known: HashMap<(SheetId, CellRef), ()> =
            self.refused.iter().map(|refused| ((refused.sheet, refused.at), ())).collect();
        for (index, worksheet) in self.model.worksheets.iter().enumerate() {
            if worksheet.shared_formulas.is_empty() {
                continue;
            }
            let sheet = SheetId(index as u32);
            for (row, col, cell) in worksheet.sheet_data.cells() {
                let (Cell::CellFormula { v, .. } | Cell::ArrayFormula { v, .. }) = cell.as_ref() else {
                    continue;
                };
                let FormulaValue::Error { ei, .. } = v else { continue };
                let why = match ei {
                    Error::CIRC => Refusal::Circular,
                    Error::NIMPL => Refusal::UnknownFunction,
                    Error::ERROR => Refusal::Syntax,
                    _ => continue,
                };
                let at = CellRef::clamped(row as u32 - 1, col as u32 - 1);
                if !known.contains_key(&(sheet, at)) {
                    self.refused.push(Refused { sheet, at, why, function: None });
                }
            }
        }
    }
}

fn loaded(source: Source<'_>) -> Result<(Model, Vec<Refused>), EngineError> {
    match source.book.date_system {
        DateSystem::Date1900 => Ok(load::load(source)),
        DateSystem::Date1904 => Err(EngineError::Failed {
            engine: IronCalc::NAME,
            what: "its dates count from 1904, which this engine does not know".to_owned(),
        }),
    }
}

impl Engine for IronCalc {
    fn name(&self) -> &'static str {
        IronCalc::NAME
    }

    fn update(&mut self, source: Source<'_>, _: &[Area]) -> Result<(), EngineError> {
        // It computes everything anew in any case.
        *self = IronCalc::load(source)?;
        Ok(())
    }

    fn calculate(&mut self, moment: Moment, stop: Stop<'_>) -> Result<(), EngineError> {
        if stop() {
            return Err(EngineError::Cancelled);
        }
        let model = std::mem::replace(&mut self.model, load::nothing());
        self.model = evaluate::evaluated(model, moment)?;
        self.refuse_failures();
        Ok(())
    }

    fn value(&self, sheet: SheetId, at: CellRef) -> Computed {
        let error = |error: &Error| match error {
            Error::REF => ErrorValue::Ref,
            Error::NAME => ErrorValue::Name,
            Error::VALUE => ErrorValue::Value,
            Error::DIV => ErrorValue::Div0,
            Error::NA => ErrorValue::NA,
            Error::NUM => ErrorValue::Num,
            Error::SPILL => ErrorValue::Spill,
            Error::CALC => ErrorValue::Calc,
            Error::NULL => ErrorValue::Null,
            Error::ERROR | Error::NIMPL | Error::CIRC => ErrorValue::Value,
        };
        match self.cell(sheet, at) {
            None | Some(Cell::EmptyCell { .. }) => Computed::Empty,
            Some(Cell::BooleanCell { v, .. }) => Computed::Bool(v),
            Some(Cell::NumberCell { v, .. }) => Computed::number(v),
            Some(Cell::ErrorCell { ei, .. }) => Computed::Error(error(&ei)),
            Some(Cell::SharedString { si, .. }) => {
                let text = self.model.shared_strings.get(si as usize);
                Computed::Text(text.map_or("", String::as_str).into())
            }
            Some(Cell::CellFormula { v, .. } | Cell::ArrayFormula { v, .. }) => match v {
                FormulaValue::Unevaluated => Computed::Empty,
                FormulaValue::Boolean(value) => Computed::Bool(value),
                FormulaValue::Number(number) => Computed::number(number),
                FormulaValue::Text(text) => Computed::text(text),
                FormulaValue::Error { ei, .. } => Computed::Error(error(&ei)),
            },
            Some(Cell::SpillCell { v, .. }) => match v {
                SpillValue::Boolean(value) => Computed::Bool(value),
                SpillValue::Number(number) => Computed::number(number),
                SpillValue::Text(text) => Computed::text(text),
                SpillValue::Error(ei) => Computed::Error(error(&ei)),
            },
        }
    }

    fn refused(&self) -> &[Refused] {
        &self.refused
    }

    fn spills(&self) -> Vec<(SheetId, CellRange)> {
        let mut spills = Vec::new();
        for (index, worksheet) in self.model.worksheets.iter().enumerate() {
            if worksheet.shared_formulas.is_empty() {
                continue;
            }
            for (row, col, cell) in worksheet.sheet_data.cells() {
                if let Cell::ArrayFormula { r: (width, height), .. } = cell.as_ref() {
                    let (top, left) = (row as u32 - 1, col as u32 - 1);
                    let (bottom, right) = (row + height.max(&1) - 2, col + width.max(&1) - 2);
                    let range = CellRange::from_bounds(top, left, bottom as u32, right as u32);
                    spills.extend(range.map(|range| (SheetId(index as u32), range)));
                }
            }
        }
        spills
    }
}
