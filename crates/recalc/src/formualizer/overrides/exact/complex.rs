//! Complex numbers: ranges of them, and functions that have no value for zero.

use formualizer_common::{ExcelErrorKind, LiteralValue};

use crate::formualizer::overrides::arguments::Argument;
use crate::formualizer::overrides::exact::single;
use crate::formualizer::overrides::spread::error;

/// Functions that have no value for zero.
const WITHOUT_ZERO: &[&str] = &["IMCOT", "IMCSC", "IMCSCH", "IMLN", "IMLOG10", "IMLOG2"];

pub(super) fn computed(name: &str, arguments: &[Argument]) -> Option<LiteralValue> {
    if !WITHOUT_ZERO.contains(&name) {
        return None;
    }
    let is_zero = match single(arguments.first()?)? {
        LiteralValue::Number(number) => *number == 0.0,
        LiteralValue::Int(number) => *number == 0,
        LiteralValue::Text(text) => matches!(text.as_str(), "0" | "0i" | "0j" | "0+0i" | "0+0j"),
        LiteralValue::Empty => true,
        _ => false,
    };
    is_zero.then(|| error(ExcelErrorKind::Num))
}

/// Each value of arrays as an argument of its own; what is blank is passed over.
pub(super) fn flatten(arguments: &mut Vec<Argument>) {
    let flat = arguments.drain(..).flat_map(|argument| match argument {
        Argument::Array(rows) | Argument::Cells(rows) => {
            let values = rows.into_iter().flatten().filter(|value| *value != LiteralValue::Empty);
            values.map(Argument::Cell).collect()
        }
        argument => vec![argument],
    });
    *arguments = flat.collect();
}
