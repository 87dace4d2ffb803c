//! `spreadsheet-mcp tools`: what can be called.

use std::process::ExitCode;

use serde_json::{Value, json};
use server::{config::LiveConfig, principal::Principal, registry::Registry, tool::ToolEntry};

use crate::{cli::ToolsArguments, render::print};

/// Prints the tools.
pub(crate) fn run(arguments: &ToolsArguments, config: &LiveConfig) -> ExitCode {
    let registry = Registry::default();
    let offered = registry.offered(config, &Principal::local());
    if arguments.json {
        let tools: Vec<_> = offered.iter().map(|entry| &entry.definition).collect();
        return print(&json!({ "tools": tools }).to_string());
    }
    let texts: Vec<String> = offered.into_iter().map(describe).collect();
    print(texts.join("\n").trim_end())
}

/// A tool and its arguments, for people.
fn describe(entry: &ToolEntry) -> String {
    let description = entry.definition.description.as_deref().unwrap_or_default();
    let mut text = format!("{}\n  {description}\n", entry.name);
    let required = entry.definition.input_schema.get("required").and_then(Value::as_array);
    let properties = entry.definition.input_schema.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or("any");
        let is_required = required.is_some_and(|names| names.iter().any(|required| required == name));
        let mark = if is_required { ", required" } else { "" };
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        text.push_str(&format!("    {name} ({kind}{mark}): {about}\n"));
    }
    text
}
