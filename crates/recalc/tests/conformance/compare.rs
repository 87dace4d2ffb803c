//! Whether a cell shows what Excel showed.

use grid::Value;
use recalc::{Computed, Engine};

use crate::cells::Expected;
use crate::tally::Outcome;

/// How far numbers may differ, in proportion.
const RELATIVE: f64 = 1e-9;
/// How far numbers near zero may differ.
const ABSOLUTE: f64 = 1e-12;

/// What an engine makes of a cell.
pub(crate) fn outcome(engine: &dyn Engine, cell: &Expected<'_>) -> Outcome {
    let refused =
        engine.refused().iter().find(|refused| refused.sheet == cell.sheet && refused.at == cell.anchor);
    if let Some(refused) = refused {
        let function = refused.function.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        return Outcome::Refused(format!("{:?}{function}", refused.why));
    }
    let computed = engine.value(cell.sheet, cell.at);
    match is_equal(&computed, cell.value) {
        true => Outcome::Equal,
        false => Outcome::Wrong(computed),
    }
}

fn is_equal(computed: &Computed, expected: Value<'_>) -> bool {
    match (computed.value(), expected) {
        (Value::Number(found), Value::Number(wanted)) => {
            let difference = (found - wanted).abs();
            difference <= ABSOLUTE || difference <= RELATIVE * wanted.abs().max(found.abs())
        }
        (found, wanted) => found == wanted,
    }
}
