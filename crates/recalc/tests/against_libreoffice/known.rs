//! The disagreements that are allowed, and the functions that LibreOffice lacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::samples::lines;

const KNOWN: &str = include_str!("known.txt");
const ABSENT: &str = include_str!("absent.txt");

/// What starts the reason of a disagreement in which an engine of ours is the one that differs from Excel.
const WRONG: &str = "WRONG";

/// What was found before, and explained.
pub(crate) struct Known {
    /// The version of LibreOffice that it was found with.
    version: &'static str,
    /// The functions that this version does not know.
    pub(crate) absent: BTreeSet<&'static str>,
    /// Reasons by engine and formula.
    pub(crate) reasons: BTreeMap<(&'static str, &'static str), String>,
}

impl Known {
    /// Reads the files.
    pub(crate) fn read() -> Known {
        let mut known = Known { version: "", absent: BTreeSet::new(), reasons: BTreeMap::new() };
        let mut shared = BTreeMap::new();
        for line in lines(KNOWN) {
            match line.split(" | ").collect::<Vec<_>>()[..] {
                ["version", version] => known.version = version,
                ["shared", key, reason] => _ = shared.insert(key, reason),
                [engines, formula, reason] => {
                    let reason = full(reason, &shared);
                    for engine in engines.split(", ") {
                        let before = known.reasons.insert((engine, formula), reason.clone());
                        assert!(before.is_none(), "there twice: {line}");
                    }
                }
                _ => panic!("neither two nor three parts: {line}"),
            }
        }
        known.absent = lines(ABSENT).flat_map(str::split_whitespace).collect();
        known
    }

    /// Other versions know other functions, and have other faults.
    pub(crate) fn check_version(&self, version: &str) {
        assert_eq!(
            version, self.version,
            "known.txt and absent.txt are about another version of LibreOffice: go through them again"
        );
    }

    /// How many disagreements are faults of an engine.
    pub(crate) fn wrong(&self, engine: &str) -> usize {
        let of_engine = self.reasons.iter().filter(|((of, _), _)| *of == engine);
        of_engine.filter(|(_, reason)| reason.starts_with(WRONG)).count()
    }
}

/// A reason with its shared part, `@key`, written out.
fn full(reason: &'static str, shared: &BTreeMap<&str, &'static str>) -> String {
    let Some(rest) = reason.strip_prefix('@') else { return reason.to_owned() };
    let (key, more) = rest.split_once(' ').unwrap_or((rest, ""));
    let shared = shared.get(key).unwrap_or_else(|| panic!("no shared reason {key}"));
    if more.is_empty() { (*shared).to_owned() } else { format!("{shared}: {more}") }
}
