//! What Excel computed, computed anew by each engine: every formula of every workbook of the corpus that Excel stored.
//!
//! The results of formulas are taken out of a workbook first, so that no engine can pass off what it was given. Figures of the
//! formulas that no engine may get wrong any more are floors: a regression fails. `docs/formula-conformance.md` and the table of
//! verified functions are written from the same run (`UPDATE_DOCS=1`), and compared otherwise.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod blank;
mod candidates;
mod cells;
mod compare;
mod corpus;
mod report;
mod tally;
mod verify;

use std::sync::Arc;

use recalc::{Engine, Moment, Source};
use workbook::{Sheet, Workbook};

use candidates::{CANDIDATES, Candidate};
use cells::{Expected, expected};
use corpus::{Book, books};
use tally::{Outcome, Tally};

/// What volatile functions see; what depends on them is not compared.
const MOMENT: Moment = Moment { local_millis: 1_700_000_000_000, seed: 1 };

#[test]
fn excel_computed_the_same() {
    let Some(folder) = fixtures::corpus::folder() else { return };
    let books = books(&folder);
    let only = std::env::var("CONFORMANCE_ONLY").ok();
    let mut tallies: Vec<Tally> = CANDIDATES.iter().map(|candidate| Tally::new(candidate.name)).collect();
    for book in &books {
        if only.as_ref().is_some_and(|only| !book.name.contains(only.as_str())) {
            continue;
        }
        let cells = expected(&book.book, &book.sheets);
        if cells.is_empty() {
            continue;
        }
        let blanked = blank::without_results(&book.book, &book.sheets);
        for (candidate, tally) in CANDIDATES.iter().zip(&mut tallies) {
            tally.add(book, &cells, &outcomes(candidate, &book.book, &blanked, &cells));
        }
    }
    report::print(&tallies);
    report::print_functions(&tallies);
    if only.is_some() {
        return;
    }
    report::check(&tallies);
    for (candidate, tally) in CANDIDATES.iter().zip(&tallies) {
        candidate.floors.check(tally);
    }
}

fn outcomes(
    candidate: &Candidate,
    book: &Workbook,
    sheets: &[Arc<Sheet>],
    cells: &[Expected<'_>],
) -> Vec<Outcome> {
    let computed = (candidate.load)(Source { book, sheets }).and_then(|mut engine| {
        engine.calculate(MOMENT, &|| false)?;
        Ok(engine)
    });
    match computed {
        Ok(engine) => {
            let engine: &dyn Engine = engine.as_ref();
            cells.iter().map(|cell| compare::outcome(engine, cell)).collect()
        }
        Err(error) => vec![Outcome::Failed(error.to_string()); cells.len()],
    }
}
