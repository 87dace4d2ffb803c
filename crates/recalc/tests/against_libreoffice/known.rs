//! The disagreements that are allowed.

use std::collections::BTreeMap;

use crate::samples::lines;

const KNOWN: &str = include_str!("known.txt");

/// What starts the reason of a disagreement in which an engine of ours is the one that differs from Excel.
const WRONG: &str = "WRONG";

/// What was found before, and explained.
pub(crate) struct Known {
    /// The version of LibreOffice that it was found with.
    version: &'static str,
    /// Reasons by engine and formula.
    pub(crate) reasons: BTreeMap<(&'static str, &'static str), String>,
}

impl Known {
    /// Reads the files.
    pub(crate) fn read() -> Known {
        let mut known = Known { version: "", reasons: BTreeMap::new() };
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
        known
    }

    /// Whether it is about a version of LibreOffice: another one knows other functions, and has other faults. Said aloud
    /// where it is not.
    pub(crate) fn is_about(&self, version: &str) -> bool {
        if version != self.version {
            eprintln!("not checked: known.txt is about LibreOffice {}, and this is {version}", self.version);
        }
        version == self.version
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
