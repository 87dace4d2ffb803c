//! What the native engines make of the samples.

use std::sync::Arc;

use grid::CellRef;
use recalc::formualizer::Formualizer;
use recalc::ironcalc::{InProcess, IronCalc};
use recalc::{Engine, Moment, Source};
use workbook::{Limits, SheetId, Workbook};

use crate::answer::Answer;
use crate::fixture::SAMPLES_SHEET;
use crate::samples::Sample;

/// What volatile functions see; nothing here shows it.
const MOMENT: Moment = Moment { local_millis: 1_700_000_000_000, seed: 1 };

/// An engine of ours.
pub(crate) struct Native {
    /// How the files call it.
    pub(crate) name: &'static str,
    load: fn(Source<'_>) -> Box<dyn Engine>,
}

/// Every engine of ours.
pub(crate) const ENGINES: [Native; 2] = [
    Native { name: "formualizer", load: |source| Box::new(Formualizer::load(source).unwrap()) },
    Native {
        name: "ironcalc",
        load: |source| Box::new(IronCalc::load(source, Arc::new(InProcess)).unwrap()),
    },
];

impl Native {
    /// The answers to all samples, in their order.
    pub(crate) fn answers(&self, bytes: &[u8], samples: &[Sample]) -> Vec<Answer> {
        let book = Workbook::open(bytes.into(), "samples.xlsx", &Limits::default(), &()).unwrap();
        let sheets = book.sheets(2, &()).unwrap();
        let mut engine = (self.load)(Source { book: &book, sheets: &sheets });
        engine.calculate(MOMENT, &|| false).unwrap();
        let sheet = book.sheet_id(SAMPLES_SHEET).unwrap();
        samples.iter().map(|sample| answer(engine.as_ref(), sheet, sample)).collect()
    }
}

fn answer(engine: &dyn Engine, sheet: SheetId, sample: &Sample) -> Answer {
    let start = sample.range.start();
    let refused = engine.refused().iter().find(|refused| refused.sheet == sheet && refused.at == start);
    if let Some(refused) = refused {
        let function = refused.function.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        return Answer::Refused(format!("{:?}{function}", refused.why));
    }
    let end = sample.range.end();
    let rows = start.row()..=end.row();
    let cells =
        rows.flat_map(|row| (start.col()..=end.col()).map(move |col| CellRef::new(row, col).unwrap()));
    Answer::Values(cells.map(|at| engine.value(sheet, at)).collect())
}
