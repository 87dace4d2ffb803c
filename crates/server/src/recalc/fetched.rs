//! Values that an engine computed elsewhere: as an engine that has computed already, and as bytes on their way.

use std::collections::HashMap;

use analysis::formulas::Area;
use grid::{CellRange, CellRef};
use recalc::{Computed, Engine, EngineError, Moment, Refusal, Refused, Source, Stop};
use serde::{Deserialize, Serialize};
use workbook::{FormulaKind, SheetId};

/// The reasons why formulas are not computed, by their numbers on the way.
const REASONS: [Refusal; 5] =
    [Refusal::UnknownFunction, Refusal::Syntax, Refusal::Outside, Refusal::Unsupported, Refusal::Circular];

/// What an engine computed for a workbook.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    name: &'static str,
    values: HashMap<(SheetId, CellRef), Computed>,
    refused: Vec<Refused>,
    spills: Vec<(SheetId, CellRange)>,
}

/// The same on its way. Sheets, rows and columns are numbered from 0.
#[derive(Default, Serialize, Deserialize)]
struct Sent {
    values: Vec<(u32, u32, u32, SentValue)>,
    refused: Vec<(u32, u32, u32, usize, Option<String>)>,
    spills: Vec<(u32, String)>,
}

#[derive(Serialize, Deserialize)]
enum SentValue {
    Empty,
    /// By its bits, so that it stays the same.
    Number(u64),
    Text(String),
    Bool(bool),
    Error(String),
}

impl Fetched {
    /// The values of all cells that formulas compute.
    pub(super) fn of(source: Source<'_>, engine: &dyn Engine) -> Fetched {
        let mut fetched = Fetched { name: engine.name(), ..Fetched::default() };
        for (index, sheet) in source.sheets.iter().enumerate() {
            let id = SheetId(index as u32);
            for (col, column) in sheet.columns() {
                for (row, cell) in column.cells(0..=grid::MAX_ROWS - 1) {
                    if cell.formula.is_some() {
                        fetched.fetch(engine, id, CellRef::clamped(row, col));
                    }
                }
            }
            for (_, formula) in sheet.formulas().iter() {
                if let FormulaKind::Array { range, dynamic: false } = formula.kind {
                    range.cells().for_each(|at| fetched.fetch(engine, id, at));
                }
            }
        }
        fetched.spills = engine.spills();
        for (id, range) in fetched.spills.clone() {
            range.cells().for_each(|at| fetched.fetch(engine, id, at));
        }
        fetched.refused = engine.refused().to_vec();
        fetched
    }

    fn fetch(&mut self, engine: &dyn Engine, id: SheetId, at: CellRef) {
        self.values.insert((id, at), engine.value(id, at));
    }

    pub(super) fn encode(self) -> Vec<u8> {
        let value = |value: Computed| match value {
            Computed::Empty => SentValue::Empty,
            Computed::Number(number) => SentValue::Number(number.to_bits()),
            Computed::Text(text) => SentValue::Text(text.into()),
            Computed::Bool(value) => SentValue::Bool(value),
            Computed::Error(error) => SentValue::Error(error.to_string()),
        };
        let reason = |why: Refusal| REASONS.iter().position(|known| *known == why).unwrap_or_default();
        let sent = Sent {
            values: (self.values.into_iter())
                .map(|((sheet, at), computed)| (sheet.0, at.row(), at.col(), value(computed)))
                .collect(),
            refused: (self.refused.into_iter())
                .map(|refused| {
                    let (row, col) = (refused.at.row(), refused.at.col());
                    (refused.sheet.0, row, col, reason(refused.why), refused.function.map(String::from))
                })
                .collect(),
            spills: self.spills.into_iter().map(|(sheet, range)| (sheet.0, range.to_string())).collect(),
        };
        serde_json::to_vec(&sent).unwrap_or_default()
    }

    /// What was encoded; `None` for anything else.
    pub(super) fn decode(name: &'static str, bytes: &[u8]) -> Option<Fetched> {
        let sent: Sent = serde_json::from_slice(bytes).ok()?;
        let value = |value: SentValue| {
            Some(match value {
                SentValue::Empty => Computed::Empty,
                SentValue::Number(bits) => Computed::number(f64::from_bits(bits)),
                SentValue::Text(text) => Computed::Text(text.into()),
                SentValue::Bool(value) => Computed::Bool(value),
                SentValue::Error(error) => Computed::Error(error.parse().ok()?),
            })
        };
        let values = sent
            .values
            .into_iter()
            .map(|(sheet, row, col, sent)| Some(((SheetId(sheet), CellRef::new(row, col)?), value(sent)?)));
        let refused = sent.refused.into_iter().map(|(sheet, row, col, why, function)| {
            let function = function.map(String::into_boxed_str);
            Some(Refused {
                sheet: SheetId(sheet),
                at: CellRef::new(row, col)?,
                why: *REASONS.get(why)?,
                function,
            })
        });
        let spills =
            sent.spills.into_iter().map(|(sheet, range)| Some((SheetId(sheet), range.parse().ok()?)));
        Some(Fetched {
            name,
            values: values.collect::<Option<_>>()?,
            refused: refused.collect::<Option<_>>()?,
            spills: spills.collect::<Option<_>>()?,
        })
    }
}

impl Engine for Fetched {
    fn name(&self) -> &'static str {
        self.name
    }

    fn update(&mut self, _: Source<'_>, _: &[Area]) -> Result<(), EngineError> {
        Err(EngineError::Failed {
            engine: self.name,
            what: "it computed a file, which stays as it was".to_owned(),
        })
    }

    fn calculate(&mut self, _: Moment, _: Stop<'_>) -> Result<(), EngineError> {
        // It has.
        Ok(())
    }

    fn value(&self, sheet: SheetId, at: CellRef) -> Computed {
        self.values.get(&(sheet, at)).cloned().unwrap_or_default()
    }

    fn refused(&self) -> &[Refused] {
        &self.refused
    }

    fn spills(&self) -> Vec<(SheetId, CellRange)> {
        self.spills.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_arrives() {
        let at = |text: &str| (SheetId(1), text.parse::<CellRef>().unwrap());
        let values = [
            (at("A1"), Computed::Number(0.1 + 0.2)),
            (at("A2"), Computed::Text("\"é\n".into())),
            (at("B1"), Computed::Bool(true)),
            (at("B2"), Computed::Error(grid::ErrorValue::Spill)),
            (at("C1"), Computed::Empty),
        ];
        let refused = Refused {
            sheet: SheetId(0),
            at: at("D4").1,
            why: Refusal::Circular,
            function: Some("NOSUCH".into()),
        };
        let fetched = || Fetched {
            name: "formualizer",
            values: values.clone().into(),
            refused: vec![refused.clone()],
            spills: vec![(SheetId(1), "A1:B2".parse().unwrap())],
        };
        let arrived = Fetched::decode("formualizer", &fetched().encode()).unwrap();
        assert_eq!(arrived.values, fetched().values);
        assert_eq!((arrived.refused, arrived.spills), (fetched().refused, fetched().spills));
        assert!(Fetched::decode("formualizer", b"{").is_none());
    }
}
