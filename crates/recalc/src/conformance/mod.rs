//! Which functions each engine is known to compute as Excel does: found out by the tests, over workbooks that Excel computed.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::choose::Native;

/// Lines of a function, a tab, and the engines that compute it as Excel does, by spaces.
const VERIFIED: &str = include_str!("verified.txt");

/// Whether an engine is known to compute a function (in capitals, without marks) as Excel does.
pub fn is_verified(engine: Native, function: &str) -> bool {
    static TABLE: OnceLock<HashMap<&str, &str>> = OnceLock::new();
    let table = TABLE.get_or_init(|| VERIFIED.lines().filter_map(|line| line.split_once('\t')).collect());
    table.get(function).is_some_and(|engines| engines.split(' ').any(|name| name == engine.as_str()))
}
