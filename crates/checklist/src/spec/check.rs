//! How a box is known.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Period;
use crate::rule::{Pattern, Rule};

/// How a box is known: by one of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// By a probe that the program brings with it.
    Builtin(BuiltinCheck),
    /// By what a server answers.
    Http(HttpCheck),
    /// By what Prometheus knows.
    Promql(PromqlCheck),
    /// By what a program says.
    Command(CommandCheck),
    /// By what manifests say: Kubernetes, alert rules, anything of YAML documents.
    Manifest(ManifestCheck),
    /// By a file: that it is there, is young enough, and what is in it.
    File(FileCheck),
    /// By the word of a person.
    Attestation(AttestationCheck),
    /// By the signature of somebody of a role under all the rest.
    SignOff(SignOffCheck),
}

impl Check {
    /// The kinds that there are.
    pub const KINDS: [&'static str; 8] =
        ["builtin", "http", "promql", "command", "manifest", "file", "attestation", "sign-off"];

    /// What kind of check it is, as the specification names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Check::Builtin(_) => "builtin",
            Check::Http(_) => "http",
            Check::Promql(_) => "promql",
            Check::Command(_) => "command",
            Check::Manifest(_) => "manifest",
            Check::File(_) => "file",
            Check::Attestation(_) => "attestation",
            Check::SignOff(_) => "sign-off",
        }
    }

    /// Whether a machine finds it out.
    pub fn is_by_machine(&self) -> bool {
        !matches!(self, Check::Attestation(_) | Check::SignOff(_))
    }
}

/// A probe that the program brings with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BuiltinCheck {
    /// The name of the probe.
    pub probe: String,
    /// What the probe is told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, serde_json::Value>,
}

/// A request, and what has to come back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpCheck {
    /// Whom to ask: the name of an endpoint that the run is given, as `mcp` or `metrics`.
    pub endpoint: String,
    /// The path, and what follows it.
    pub path: String,
    /// How.
    #[serde(default = "get")]
    pub method: String,
    /// Headers of the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether the run's credentials go with it.
    #[serde(default)]
    pub authenticated: bool,
    /// The status that has to come.
    #[serde(default = "ok")]
    pub status: u16,
    /// Headers of the answer, each of which has to match.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answer_headers: BTreeMap<String, Pattern>,
    /// What the body has to hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Pattern>,
    /// What the body must not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Pattern>,
    /// What the body as JSON has to fulfil.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// A question to Prometheus; every series of the answer has to be within the bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PromqlCheck {
    /// The expression. `{{name}}` becomes the value of that fact.
    pub query: String,
    /// The least that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The most that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Whether it is right that there is nothing: no errors, no series of errors.
    #[serde(default)]
    pub empty_is_right: bool,
}

/// A program, and what it has to say. It is started without a shell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CommandCheck {
    /// The program and its arguments. `{{program}}`, `{{repository}}`, `{{evidence}}` and the names of endpoints and facts in double
    /// braces become what the run knows.
    pub run: Vec<String>,
    /// The code that it has to end with.
    #[serde(default)]
    pub exit: i32,
    /// How long it may take; otherwise as long as the run gives each check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Period>,
    /// The variables of the environment that it gets, besides PATH and HOME.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// What it has to print.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Pattern>,
    /// What it must not print.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Pattern>,
    /// What it prints as JSON, and what that has to fulfil.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// Where files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Folder {
    /// What is deployed, and what documents it: the source tree, or a copy of what matters of it.
    #[default]
    Repository,
    /// What tests, benches and scanners have written down.
    Evidence,
}

/// Documents of YAML, JSON or TOML files, and rules for those of a kind and name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ManifestCheck {
    /// The files, as globs from the folder: `kubernetes/*.yaml`.
    pub files: Vec<String>,
    /// Where they are.
    #[serde(default)]
    pub folder: Folder,
    /// Only documents of this `kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only documents of this `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What each of those has to fulfil. At least one has to be there.
    pub rules: Vec<Rule>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileCheck {
    /// Its path from the folder.
    pub path: PathBuf,
    /// Where it is.
    #[serde(default)]
    pub folder: Folder,
    /// How old it may be, by when it was changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Period>,
    /// Whether its links to files and headings have to lead somewhere (Markdown).
    #[serde(default)]
    pub links: bool,
    /// Whether it can be started.
    #[serde(default)]
    pub executable: bool,
    /// What has to be in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Pattern>,
    /// What must not be in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Pattern>,
    /// What it has to fulfil as a document of its extension: json, yaml, toml.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// The word of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AttestationCheck {
    /// What the person states.
    pub statement: String,
    /// Of which role the person has to be; otherwise of that which owns the box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether a file has to show it.
    #[serde(default)]
    pub evidence: Evidence,
}

/// Whether a file has to show what a person states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// It may.
    #[default]
    Optional,
    /// It has to.
    Required,
}

/// A signature under all the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignOffCheck {
    /// Whose.
    pub role: String,
}

fn get() -> String {
    "GET".to_owned()
}

fn ok() -> u16 {
    200
}
