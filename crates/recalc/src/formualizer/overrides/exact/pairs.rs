//! Functions of two arrays that are read in pairs.

use formualizer_common::{ExcelErrorKind, LiteralValue};

use crate::formualizer::overrides::arguments::Argument;
use crate::formualizer::overrides::convert::number_of;
use crate::formualizer::overrides::spread::error;

/// Those of statistics, whose arrays have as many values each.
const OF_STATISTICS: &[&str] = &[
    "CHISQ.TEST",
    "CHITEST",
    "CORREL",
    "COVAR",
    "COVARIANCE.P",
    "COVARIANCE.S",
    "INTERCEPT",
    "PEARSON",
    "RSQ",
    "SLOPE",
    "STEYX",
];
/// Those whose arrays may differ.
const UNPAIRED: &[&str] = &["F.TEST", "FTEST", "T.TEST", "TTEST"];
/// Those that add up a term for each pair.
const SUMS: &[&str] = &["SUMX2MY2", "SUMX2PY2", "SUMXMY2"];

/// Whether the first two arguments of a function are arrays, also where they have one value.
pub(super) fn takes_arrays(name: &str) -> bool {
    OF_STATISTICS.contains(&name) || UNPAIRED.contains(&name)
}

/// Makes arrays of one value of values that are no cells.
pub(super) fn as_arrays(arguments: &mut [Argument]) {
    for argument in arguments.iter_mut().take(2) {
        if let Argument::Value(value) = argument
            && !matches!(value, LiteralValue::Error(_))
        {
            *argument = Argument::Array(vec![vec![value.clone()]]);
        }
    }
}

pub(super) fn computed(name: &str, arguments: &[Argument]) -> Option<LiteralValue> {
    let is_sum = SUMS.contains(&name);
    let is_paired = match name {
        // Only the test of pairs takes pairs.
        "T.TEST" | "TTEST" => arguments.get(3).and_then(number_in_argument) == Some(1.0),
        _ => OF_STATISTICS.contains(&name) || is_sum,
    };
    if !is_paired {
        return None;
    }
    let (left, right) = (values(arguments.first()?), values(arguments.get(1)?));
    let fault = left.iter().chain(&right).find(|value| matches!(value, LiteralValue::Error(_)));
    if let Some(fault) = fault {
        return Some((*fault).clone());
    }
    let is_lone = left.len() == 1 && matches!(name, "CHISQ.TEST" | "CHITEST");
    if left.len() != right.len() || is_lone {
        return Some(error(ExcelErrorKind::Na));
    }
    if !is_sum {
        return None;
    }
    let is_number = |value: &LiteralValue| {
        number_of(value).is_some() && !matches!(value, LiteralValue::Boolean(_) | LiteralValue::Empty)
    };
    let pairs = left.into_iter().zip(right).filter(|(left, right)| is_number(left) && is_number(right));
    let numbers: Vec<(f64, f64)> =
        pairs.filter_map(|(left, right)| number_of(left).zip(number_of(right))).collect();
    if numbers.is_empty() {
        return Some(error(ExcelErrorKind::Div));
    }
    let numbers = numbers.into_iter();
    Some(LiteralValue::Number(match name {
        "SUMX2MY2" => numbers.map(|(x, y)| x * x - y * y).sum(),
        "SUMX2PY2" => numbers.map(|(x, y)| x * x + y * y).sum(),
        _ => numbers.map(|(x, y)| (x - y) * (x - y)).sum(),
    }))
}

fn number_in_argument(argument: &Argument) -> Option<f64> {
    match argument {
        Argument::Value(value) | Argument::Cell(value) => number_of(value),
        _ => None,
    }
}

fn values(argument: &Argument) -> Vec<&LiteralValue> {
    match argument {
        Argument::Omitted => Vec::new(),
        Argument::Value(value) | Argument::Cell(value) => vec![value],
        Argument::Array(rows) | Argument::Cells(rows) => rows.iter().flatten().collect(),
    }
}
