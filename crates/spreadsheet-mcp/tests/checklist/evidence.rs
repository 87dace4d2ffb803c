//! What tests, benches and scanners write down, as it looks when all is well. The names of tests are those of the sources: a
//! checklist that asks for a test that is not there does not pass.

use std::{
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

use crate::tree::repository;

/// What programs print that are not started here.
const PRINTED: [(&str, &str); 7] = [
    ("advisories.log", include_str!("evidence/advisories.log")),
    ("clients.log", include_str!("evidence/clients.log")),
    ("outdated.log", include_str!("evidence/outdated.log")),
    ("restore.json", include_str!("evidence/restore.json")),
    ("soak.log", include_str!("evidence/soak.log")),
    ("stress.log", include_str!("evidence/stress.log")),
    ("vulnerabilities.json", include_str!("evidence/vulnerabilities.json")),
];

/// Writes all of it into a folder.
pub(crate) fn write(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    for (name, text) in PRINTED {
        fs::write(folder.join(name), text).expect("written");
    }
    fs::write(folder.join("tests.log"), tests()).expect("written");
    fs::write(folder.join("images.log"), images()).expect("written");
    fs::copy(repository().join("docs/benchmarks.md"), folder.join("benchmarks.md")).expect("copied");
}

/// As `cargo test` tells of all tests of the sources.
fn tests() -> String {
    let mut names = Vec::new();
    for crate_folder in fs::read_dir(repository().join("crates")).expect("crates").flatten() {
        for part in ["src", "tests"] {
            let root = crate_folder.path().join(part);
            for file in sources(&root) {
                tests_of(&fs::read_to_string(&file).expect("read"), &modules(&root, &file), &mut names);
            }
        }
    }
    names.sort();
    let lines: Vec<String> = names.iter().map(|name| format!("test {name} ... ok\n")).collect();
    let count = names.len();
    let sum = format!(
        "test result: ok. {count} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s"
    );
    format!("\nrunning {count} tests\n{}\n{sum}\n", lines.concat())
}

/// The files of Rust below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let below = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    };
    let all = entries.flat_map(below);
    all.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The modules that a file is in. What lies in `tests` is a program of its own, whose name is not told.
fn modules(root: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(root).expect("below it").with_extension("");
    let mut modules: Vec<String> =
        path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if root.ends_with("tests") {
        modules.remove(0);
    }
    if modules.last().is_some_and(|last| matches!(last.as_str(), "main" | "lib" | "mod")) {
        modules.pop();
    }
    modules
}

fn tests_of(text: &str, modules: &[String], names: &mut Vec<String>) {
    let (test, function) = (
        Regex::new(r"^\s*#\[(tokio::)?test\b").expect("sound"),
        Regex::new(r"^\s*(?:pub )?(?:async )?fn (\w+)").expect("sound"),
    );
    let inner = Regex::new(r"^mod (\w+) \{").expect("sound");
    let (mut is_test, mut within) = (false, None);
    for line in text.lines() {
        if let Some(found) = inner.captures(line) {
            within = Some(found[1].to_owned());
        } else if line.starts_with('}') {
            within = None;
        }
        is_test |= test.is_match(line);
        if let Some(found) = function.captures(line)
            && std::mem::take(&mut is_test)
        {
            let name = found[1].to_owned();
            let path: Vec<&str> = modules.iter().chain(&within).chain([&name]).map(String::as_str).collect();
            names.push(path.join("::"));
        }
    }
}

/// As Python's unittest tells of the tests of images: each in its class, and in those that inherit from it.
fn images() -> String {
    let test = Regex::new(r"^\s+def (test_\w+)\(").expect("sound");
    let class = Regex::new(r"^class (\w+)(?:\(([^)]*)\))?").expect("sound");
    let mut lines = String::new();
    for entry in fs::read_dir(repository().join("tests/images")).expect("tests of images").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(module) = name.strip_suffix(".py").filter(|module| module.starts_with("test_")) else {
            continue;
        };
        let mut classes: Vec<(String, String, Vec<String>)> = Vec::new();
        for line in fs::read_to_string(entry.path()).expect("read").lines() {
            if let Some(found) = class.captures(line) {
                let bases = found.get(2).map_or("", |bases| bases.as_str()).to_owned();
                classes.push((found[1].to_owned(), bases, Vec::new()));
            }
            if let (Some(found), Some((_, _, tests))) = (test.captures(line), classes.last_mut()) {
                tests.push(found[1].to_owned());
            }
        }
        for (within, bases, tests) in &classes {
            let inherited = classes.iter().filter(|(base, _, _)| bases.split(", ").any(|name| name == base));
            for test in tests.iter().chain(inherited.flat_map(|(_, _, tests)| tests)) {
                lines.push_str(&format!("{test} ({module}.{within}.{test}) ... ok\n"));
            }
        }
    }
    lines + "\nOK\n"
}
