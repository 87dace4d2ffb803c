//! What is different between two assessments, and what may be the cause.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::{record::RunRecord, spec::ItemId, status::Status, verdict};

/// What is different between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Difference {
    /// What was judged differs: the checklist, the program, the configuration and the like.
    pub causes: Vec<String>,
    /// The boxes that differ.
    pub changes: Vec<Change>,
}

/// A box that is another than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// The box.
    pub id: ItemId,
    /// What it was; nothing, if it was not there.
    pub was: Option<Status>,
    /// What it is.
    pub is: Option<Status>,
    /// What was known then.
    pub before: String,
    /// What is known now.
    pub now: String,
}

/// What is different between two runs, the old one first.
pub fn diff(old: &RunRecord, new: &RunRecord) -> Difference {
    let causes = verdict::differences(&old.subject, &new.subject)
        .map(|cause| cause.trim_end_matches(": run it again").to_owned())
        .chain(options(old.configuration.as_ref(), new.configuration.as_ref(), ""))
        .collect();
    let before: BTreeMap<&ItemId, _> = old.findings.iter().map(|found| (&found.id, found)).collect();
    let mut changes: Vec<Change> = new
        .findings
        .iter()
        .filter(|now| before.get(&now.id).is_none_or(|before| before.status != now.status))
        .map(|now| Change {
            id: now.id.clone(),
            was: before.get(&now.id).map(|before| before.status),
            is: Some(now.status),
            before: before.get(&now.id).map(|before| before.summary.clone()).unwrap_or_default(),
            now: now.summary.clone(),
        })
        .collect();
    changes.extend(old.findings.iter().filter(|before| new.find(&before.id).is_none()).map(|before| {
        Change {
            id: before.id.clone(),
            was: Some(before.status),
            is: None,
            before: before.summary.clone(),
            now: String::new(),
        }
    }));
    Difference { causes, changes }
}

/// The options of the configuration that differ, with their values.
fn options(old: Option<&Value>, new: Option<&Value>, place: &str) -> Vec<String> {
    if old == new {
        return Vec::new();
    }
    if let (Some(Value::Object(before)), Some(Value::Object(now))) = (old, new) {
        let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        let below = |key: &String| {
            let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            options(before.get(key), now.get(key), &place)
        };
        return keys.into_iter().flat_map(below).collect();
    }
    let told = |value: Option<&Value>| value.map_or_else(|| "not set".to_owned(), Value::to_string);
    let name = if place.is_empty() { "the configuration" } else { place };
    vec![format!("{name} was {} and is {}", told(old), told(new))]
}
