//! Which functions an engine was seen to compute as Excel does.
//!
//! `verified.txt` is written by the conformance test (`tests/conformance`) from workbooks that Excel computed: a line for each
//! function, with the engines that got it right.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

const VERIFIED: &str = include_str!("verified.txt");

/// Whether an engine, by its name, was seen to compute a function as Excel does. `function` is in capitals and without marks.
pub fn is_verified(engine: &str, function: &str) -> bool {
    verified().get(engine).is_some_and(|functions| functions.contains(function))
}

fn verified() -> &'static HashMap<&'static str, HashSet<&'static str>> {
    static READ: OnceLock<HashMap<&'static str, HashSet<&'static str>>> = OnceLock::new();
    READ.get_or_init(|| {
        let mut read: HashMap<&str, HashSet<&str>> = HashMap::new();
        for line in VERIFIED.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let Some(function) = words.next() else { continue };
            for engine in words {
                read.entry(engine).or_default().insert(function);
            }
        }
        read
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_verified_by_engine() {
        assert!(is_verified("formualizer", "SUM"));
        assert!(!is_verified("formualizer", "NO.SUCH.FUNCTION"));
        assert!(!is_verified("abacus", "SUM"));
    }
}
