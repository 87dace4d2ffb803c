//! The options for people: the reference page, the commented example, and what is in force.

use serde_json::{Value, json};

use super::{
    layers::{Effective, Origin},
    options::{ConfigOption, Kind},
};

/// The reference page, in Markdown.
pub fn page(options: &[ConfigOption]) -> String {
    let mut page = PAGE_HEAD.to_owned();
    for section in sections(options) {
        page.push_str(&format!(
            "\n## `[{}]`\n\n| flag | variable | default | live | |\n|---|---|---|---|---|\n",
            section[0].section
        ));
        for option in section {
            let default = option.default.as_deref().map(|text| format!("`{text}`")).unwrap_or_default();
            let live = if option.is_live { "yes" } else { "" };
            page.push_str(&format!(
                "| `--{}` | `{}` | {default} | {live} | {}{} |\n",
                option.flag,
                option.variable,
                option.about,
                choices(option)
            ));
        }
    }
    page
}

const PAGE_HEAD: &str = "\
# Configuration

<!-- Generated: spreadsheet-mcp config docs > docs/configuration.md -->

Every option is a flag, a variable and a key of the file that `--config` (or `SPREADSHEET_MCP_CONFIG`) names: TOML, YAML or
JSON, by its extension. The key is the flag's name with underscores, in the section that is the heading here. A default gives
way to the file, the file to the environment, the environment to a flag. [config.example.toml](config.example.toml) has all.

`spreadsheet-mcp config check` tells everything that is wrong and where it comes from, `config show` every value and where it
comes from, `config schema` the JSON Schema of the file. A wrong configuration ends the program with exit code 64 before
anything is opened. Unknown keys and unknown `SPREADSHEET_MCP_*` variables are wrong, too; those that Kubernetes makes of a
service's name are not ours.

SIGHUP reads the file again. What is live changes for the calls that begin then; for the rest the log says that it needs a
restart. If anything is wrong, all stays as it was. Environment and flags of a process do not change, so that a reload changes
what they do not give.

Options under `[flags]` are dangerous, off by default, and announced at every start. `25%` switches one on for a quarter of the
callers, always the same ones. `RUST_LOG` is what `--log` is where nobody gives that; `RUST_BACKTRACE=1` logs where a defect was
called from.
";

fn choices(option: &ConfigOption) -> String {
    match &option.kind {
        Kind::Choice(choices) => format!(": {}", choices.join(", ")),
        Kind::Integer { least } if *least > 0 => format!("; at least {least}"),
        _ => String::new(),
    }
}

/// A file that sets nothing and shows everything: remove a `#` to change a value.
pub fn example(options: &[ConfigOption]) -> String {
    let mut text = EXAMPLE_HEAD.to_owned();
    for section in sections(options) {
        text.push_str(&format!("\n[{}]\n", section[0].section));
        for option in section {
            let value = match option.default_value() {
                Some(value) => value,
                None if option.kind == Kind::List => json!([]),
                None => json!(option.placeholder),
            };
            text.push_str(&format!("# {}{}\n#{} = {value}\n", option.about, choices(option), option.key));
        }
    }
    text
}

const EXAMPLE_HEAD: &str = "\
# Configuration of spreadsheet-mcp: all options, with their defaults.
# Generated: spreadsheet-mcp config docs --format toml > docs/config.example.toml
#
#   spreadsheet-mcp serve --config config.toml
#   spreadsheet-mcp config check --config config.toml
";

/// What is in force, as a file, with where each value comes from.
pub fn in_force(values: &[Effective]) -> String {
    let width = values.iter().map(|value| assignment(value).len()).max().unwrap_or(0).min(MAX_ASSIGNMENT);
    let mut text = String::new();
    let mut section = "";
    for value in values {
        if value.option.section != section {
            section = &value.option.section;
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}[{section}]\n"));
        }
        text.push_str(&format!("{:width$}  # {}\n", assignment(value), origin(value)));
    }
    text
}

/// Comments stand in one column as long as assignments are no longer.
const MAX_ASSIGNMENT: usize = 44;

fn assignment(value: &Effective) -> String {
    match value.shown() {
        Some(text) => format!("{} = {}", value.option.key, value.option.file_value(&text)),
        None => format!("# {} is not given", value.option.key),
    }
}

fn origin(value: &Effective) -> String {
    match &value.origin {
        Origin::Default { .. } => "default".to_owned(),
        origin => origin.to_string(),
    }
}

/// What is in force, for programs.
pub fn in_force_json(values: &[Effective]) -> Value {
    let value = |value: &Effective| {
        let shown = value.shown().map(|text| value.option.file_value(&text));
        json!({ "option": value.option.name(), "value": shown, "origin": origin(value), "live": value.option.is_live })
    };
    values.iter().map(value).collect()
}

/// What is in force, as a file would say it, for rules over it: sections of keys. What nobody gave and has no default is left out.
pub fn in_force_by_section(values: &[Effective]) -> Value {
    let mut sections = serde_json::Map::new();
    for value in values {
        let section = sections.entry(value.option.section.clone()).or_insert_with(|| json!({}));
        if let Some(text) = value.shown() {
            section[&value.option.key] = value.option.file_value(&text);
        }
    }
    Value::Object(sections)
}

/// The options by their sections.
fn sections(options: &[ConfigOption]) -> impl Iterator<Item = &[ConfigOption]> {
    options.chunk_by(|left, right| left.section == right.section)
}
