//! The JSON Schema of the configuration file.

use serde_json::{Map, Value, json};

use super::options::{ConfigOption, Kind};

/// The schema of a file with these options.
pub fn schema(options: &[ConfigOption]) -> Value {
    let mut sections = Map::new();
    for option in options {
        let section = sections
            .entry(option.section.clone())
            .or_insert_with(|| json!({ "type": "object", "additionalProperties": false, "properties": {} }));
        section["properties"][&option.key] = property(option);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of spreadsheet-mcp",
        "type": "object",
        "additionalProperties": false,
        "properties": sections,
    })
}

fn property(option: &ConfigOption) -> Value {
    let mut property = match &option.kind {
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer { least } => json!({ "type": "integer", "minimum": least }),
        Kind::Text => json!({ "type": "string" }),
        Kind::List => json!({ "type": "array", "items": { "type": "string", "pattern": "^[^,]*$" } }),
        Kind::Choice(choices) => json!({ "enum": choices }),
        Kind::Rollout => json!({
            "anyOf": [{ "type": "boolean" }, { "type": "string", "pattern": "^(true|false|(100|[1-9]?[0-9])%)$" }],
        }),
    };
    property["description"] = json!(option.about);
    if let Some(default) = option.default_value() {
        property["default"] = default;
    }
    property
}

impl ConfigOption {
    /// The default as the file has it.
    pub(crate) fn default_value(&self) -> Option<Value> {
        self.default.as_deref().map(|text| self.file_value(text))
    }

    /// A value as the file has it.
    pub fn file_value(&self, text: &str) -> Value {
        match &self.kind {
            Kind::Boolean | Kind::Rollout if matches!(text, "true" | "false") => json!(text == "true"),
            Kind::Integer { .. } => text.parse::<u64>().map_or_else(|_| json!(text), |value| json!(value)),
            Kind::List => json!(text.split(',').filter(|item| !item.is_empty()).collect::<Vec<_>>()),
            _ => json!(text),
        }
    }
}
