//! What a verdict is bound to: this program, and its configuration.

use std::{fs::File, io};

use checklist::digest::Digest;
use serde_json::{Map, Value};
use server::config::layers::Effective;

/// Options that differ between replicas, are about the gate itself, or change while a server runs without making it another one.
const LEFT_OUT: [&str; 6] =
    ["audit_dir", "log", "require_verdict", "checklist_keys", "checklist_file", "checklist_ledger"];

/// The configuration that is in force, by the keys of its options, secrets redacted.
pub(super) fn configuration(values: &[Effective]) -> Value {
    let of = |value: &Effective| {
        let shown = value.shown()?;
        Some((value.option.key.clone(), value.option.file_value(&shown)))
    };
    let kept = values.iter().filter(|value| !LEFT_OUT.contains(&value.option.key.as_str()));
    Value::Object(kept.filter_map(of).collect::<Map<_, _>>())
}

/// The digest of this program.
pub(super) fn program() -> io::Result<Digest> {
    let mut program = File::open("/proc/self/exe")?;
    Digest::of_reader(&mut program)
}
