//! Rules over documents of a kind.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use globset::GlobBuilder;
use serde_json::Value;

use super::{Found, check_rules};
use crate::{
    context::{Context, Finding},
    rule::Syntax,
    spec::ManifestCheck,
};

pub(super) fn find(check: &ManifestCheck, context: &Context<'_>) -> Found {
    let folder = context.folder(check.folder);
    let mut judged: Vec<String> = Vec::new();
    for glob in &check.files {
        let glob = context.filled(glob)?;
        let files = matching(folder, &glob)?;
        if files.is_empty() {
            return Err(Finding::fail(format!("there is no {glob}")));
        }
        for file in files {
            let name = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
            for document in documents(&file, &name)? {
                if is_meant(&document, check) {
                    check_rules(&document, &check.rules, &format!("{name} "))?;
                    judged.push(described(&name, &document));
                }
            }
        }
    }
    if judged.is_empty() {
        let wanted = [check.kind.as_deref(), check.name.as_deref()];
        let wanted: Vec<&str> = wanted.into_iter().flatten().collect();
        return Err(Finding::fail(format!("{} has no {}", check.files.join(", "), wanted.join(" "))));
    }
    let places: Vec<String> =
        check.rules.iter().map(|rule| rule.at.to_string()).filter(|at| !at.is_empty()).collect();
    let rules = if places.is_empty() { "all rules".to_owned() } else { places.join(", ") };
    Ok(Finding::pass(format!("{} as it has to be: {rules}", told(judged.len())))
        .with(judged.into_iter().take(12)))
}

fn told(count: usize) -> String {
    if count == 1 { "1 document is".to_owned() } else { format!("{count} documents are") }
}

fn is_meant(document: &Value, check: &ManifestCheck) -> bool {
    let is = |pointer: &str, wanted: &Option<String>| {
        wanted.as_ref().is_none_or(|wanted| document.pointer(pointer).and_then(Value::as_str) == Some(wanted))
    };
    !document.is_null() && is("/kind", &check.kind) && is("/metadata/name", &check.name)
}

fn described(name: &str, document: &Value) -> String {
    let part = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    match (part("/kind"), part("/metadata/name")) {
        (Some(kind), Some(of)) => format!("{name}: {kind} {of}"),
        _ => name.to_owned(),
    }
}

fn documents(file: &Path, name: &str) -> Result<Vec<Value>, Finding> {
    let text =
        fs::read_to_string(file).map_err(|error| Finding::error(format!("{name} can't be read: {error}")))?;
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let syntax = Syntax::of_extension(extension)
        .ok_or_else(|| Finding::error(format!("{name} is neither yaml nor json nor toml")))?;
    syntax.documents(&text).map_err(|error| Finding::fail(format!("{name} can't be parsed: {error}")))
}

/// The files below a folder whose paths match, in order.
fn matching(folder: &Path, glob: &str) -> Result<Vec<PathBuf>, Finding> {
    let matcher = GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .map_err(|error| Finding::error(format!("{glob}: {error}")))?
        .compile_matcher();
    // As much of it as is no pattern: nothing else has to be walked through.
    let plain: PathBuf = Path::new(glob)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    let start = folder.join(&plain);
    let mut found = Vec::new();
    let mut rest = vec![start];
    while let Some(path) = rest.pop() {
        if path.is_file() {
            if path.strip_prefix(folder).is_ok_and(|relative| matcher.is_match(relative)) {
                found.push(path);
            }
            continue;
        }
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Finding::error(format!("{} can't be read: {error}", path.display()))),
        };
        rest.extend(entries.flatten().map(|entry| entry.path()));
    }
    found.sort();
    Ok(found)
}
