//! Calls tools as clients do, over the example workspace or another folder, without a transport.

#![allow(clippy::unwrap_used, dead_code, reason = "tests, and not each of them needs everything")]

pub(crate) mod desk;

use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use serde_json::{Value, json};
use server::{
    Server,
    call::{Call, StopSignal},
    config::Config,
    error::ToolError,
    principal::Principal,
};

/// The example financial model.
pub(crate) const PLAN: &str = "finance/three-year-plan.xlsx";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    config: Config,
}

/// A server over the example workspace, started with these flags as well.
pub(crate) fn server(flags: &[&str]) -> Server {
    server_over(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/workspace"), flags)
}

/// A server over a folder.
pub(crate) fn server_over(folder: &Path, flags: &[&str]) -> Server {
    let mut config = Line::try_parse_from(["test"].iter().chain(flags)).unwrap().config;
    config.fixed.workspace.workspace = folder.to_path_buf().into();
    Server::build(config).unwrap()
}

/// Calls a tool with JSON arguments. An answer was held against the tool's own output schema and the bound on its bytes.
pub(crate) fn call(server: &Server, tool: &str, arguments: Value) -> Result<Value, ToolError> {
    let entry = server.find_tool(tool, &Principal::local())?;
    let call = Call::new(Arc::clone(&server.context), Principal::local(), StopSignal::default(), None);
    let answer = (entry.run)(&call, arguments.as_object().unwrap().clone())?;
    let schema = Value::Object((*entry.output_schema()).clone());
    if let Err(error) = jsonschema::validate(&schema, &answer.structured) {
        panic!("{tool} breaks its output schema: {error}\n{:#}", answer.structured);
    }
    assert_eq!(answer.text, answer.structured.to_string(), "both copies say the same");
    assert!(2 * answer.text.len() <= server.context.live().limits.max_response_bytes);
    Ok(answer.structured)
}

/// What a tool of the example workspace answers.
#[track_caller]
pub(crate) fn ask(tool: &str, arguments: Value) -> Value {
    call(&server(&[]), tool, arguments).unwrap()
}

/// How a tool of the example workspace refuses a call.
#[track_caller]
pub(crate) fn refused(tool: &str, arguments: Value) -> Value {
    json!(call(&server(&[]), tool, arguments).unwrap_err())
}

/// Every page of a call, by its cursors.
#[track_caller]
pub(crate) fn pages(server: &Server, tool: &str, arguments: Value) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut arguments = arguments;
    loop {
        let page = call(server, tool, arguments.clone()).unwrap();
        let next = page.get("next_cursor").cloned();
        pages.push(page);
        let Some(next) = next else { return pages };
        assert!(pages.len() < 1_000, "the pages never end");
        arguments["cursor"] = next;
    }
}

/// JSON as a snapshot shows it: an object or list on one line if it is short.
pub(crate) fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text.push('\n');
    text
}

fn write(value: &Value, indent: usize, out: &mut String) {
    let flat = value.to_string();
    let is_short = flat.len() + indent <= 110 && indent > 0;
    match value {
        Value::Object(fields) if !is_short && !fields.is_empty() => {
            let lines = fields.iter().map(|(key, value)| (format!("{}: ", json!(key)), value));
            lines_of(('{', '}'), lines, indent, out);
        }
        Value::Array(items) if !is_short && !items.is_empty() => {
            lines_of(('[', ']'), items.iter().map(|item| (String::new(), item)), indent, out);
        }
        _ => out.push_str(&flat),
    }
}

fn lines_of<'a>(
    (open, close): (char, char),
    lines: impl Iterator<Item = (String, &'a Value)>,
    indent: usize,
    out: &mut String,
) {
    out.push(open);
    for (index, (prefix, value)) in lines.enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&" ".repeat(indent + 2));
        out.push_str(&prefix);
        write(value, indent + 2, out);
    }
    out.push('\n');
    out.push_str(&" ".repeat(indent));
    out.push(close);
}
