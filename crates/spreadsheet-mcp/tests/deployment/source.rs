//! The files of the repository.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// A place in the repository.
pub(crate) fn place(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the repository");
    root.join(path)
}

/// What a file says.
#[track_caller]
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(place(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of a folder's files, in order.
#[track_caller]
pub(crate) fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(place(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let files = entries.flatten().filter(|entry| entry.path().is_file());
    let mut names: Vec<String> =
        files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The documents of a YAML file's text.
#[track_caller]
pub(crate) fn documents(text: &str) -> Vec<Value> {
    let documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    documents.iter().map(value).collect()
}

fn value(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(is)) => (*is).into(),
        Yaml::Value(Scalar::Integer(number)) => (*number).into(),
        Yaml::Value(Scalar::FloatingPoint(number)) => number.into_inner().into(),
        Yaml::Value(Scalar::String(text)) => text.as_ref().into(),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => {
            let key = |key: &Yaml<'_>| value(key).as_str().expect("keys are texts").to_owned();
            entries.iter().map(|(name, item)| (key(name), value(item))).collect::<Map<_, _>>().into()
        }
        other => panic!("what is this? {other:?}"),
    }
}

/// What a tool says; a failure of it is one of the test.
#[track_caller]
pub(crate) fn said(tool: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(tool).args(arguments).current_dir(place("")).output().expect("it runs");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let failed = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{} {arguments:?}: {}\n{said}\n{failed}", tool.display(), ran.status);
    said
}
