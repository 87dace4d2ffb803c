//! A file: that it is there, is young enough, and what is in it.

use std::{fs, io, os::unix::fs::PermissionsExt as _, time::SystemTime};

use super::{Found, check_rules, check_text, links};
use crate::{
    context::{Context, Finding},
    digest::Digest,
    rule::Syntax,
    spec::{FileCheck, Folder, Period},
};

/// More is read of no file.
const LARGEST: u64 = 64 << 20;

pub(super) fn find(check: &FileCheck, context: &Context<'_>) -> Found {
    let path = context.folder(check.folder).join(context.filled(&check.path.to_string_lossy())?);
    let name = check.path.display().to_string();
    let metadata = fs::metadata(&path).map_err(|error| match (error.kind(), check.folder) {
        (io::ErrorKind::NotFound, Folder::Repository) => Finding::fail(format!("there is no {name}")),
        (io::ErrorKind::NotFound, Folder::Evidence) => {
            Finding::fail(format!("there is no {name} among the evidence: whatever writes it has not run"))
        }
        _ => Finding::error(format!("{name} can't be looked at: {error}")),
    })?;
    if !metadata.is_file() {
        return Err(Finding::fail(format!("{name} is no file")));
    }
    if metadata.len() == 0 {
        return Err(Finding::fail(format!("{name} is empty")));
    }
    if metadata.len() > LARGEST {
        return Err(Finding::error(format!(
            "{name} has {} bytes, which is more than is read",
            metadata.len()
        )));
    }
    if check.executable && metadata.permissions().mode() & 0o111 == 0 {
        return Err(Finding::fail(format!(
            "{name} can't be started: its mode is {:o}",
            metadata.permissions().mode() & 0o777
        )));
    }
    let mut told = format!("{name} is there");
    if let Some(limit) = check.max_age {
        let age = age_of(&metadata, &name)?;
        if age > limit {
            return Err(Finding::fail(format!("{name} is {age} old, and may be {limit}")));
        }
        told = format!("{name} is {age} old, and may be {limit}");
    }
    let bytes = fs::read(&path).map_err(|error| Finding::error(format!("{name} can't be read: {error}")))?;
    let digest = Digest::of(&bytes);
    let text = String::from_utf8_lossy(&bytes);
    check_text(&text, &check.holds, &check.lacks, &name)?;
    if !check.rules.is_empty() {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let syntax = Syntax::of_extension(extension).ok_or_else(|| {
            Finding::error(format!("{name} is neither json nor yaml nor toml, so rules say nothing of it"))
        })?;
        let documents = syntax
            .documents(&text)
            .map_err(|error| Finding::fail(format!("{name} can't be parsed: {error}")))?;
        documents.iter().try_for_each(|document| check_rules(document, &check.rules, &format!("{name} ")))?;
    }
    if check.links {
        links::check(&path, &text, &name)?;
    }
    let found =
        check.holds.iter().filter_map(|pattern| pattern.first_in(&text)).map(|line| line.trim().to_owned());
    Ok(Finding::pass(told).with([format!("{name} {digest}")]).with(found.take(6)))
}

/// How old a file is, in whole units that people think in.
fn age_of(metadata: &fs::Metadata, name: &str) -> Result<Period, Finding> {
    let modified =
        metadata.modified().map_err(|error| Finding::error(format!("{name} has no time: {error}")))?;
    // A file from the future is as young as can be: clocks of machines differ a little.
    let age = SystemTime::now().duration_since(modified).unwrap_or_default().as_secs();
    let whole = match age {
        0..3_600 => age,
        3_600..172_800 => age - age % 60,
        _ => age - age % 3_600,
    };
    Ok(Period(std::time::Duration::from_secs(whole)))
}
