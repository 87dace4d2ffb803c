//! Answers for people: fields line by line, lists of objects as tables.

use std::{io::Write, process::ExitCode};

use serde_json::{Map, Value};

/// Columns of a table are cut at this many characters.
const MAX_CELL: usize = 60;

/// Prints to standard output. A reader that closed its end (`| head`) is no failure.
pub(crate) fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let _closed_pipe = writeln!(out, "{text}").and_then(|()| out.flush());
    ExitCode::SUCCESS
}

/// A value as indented text.
pub(crate) fn as_text(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, 0);
    text.trim_end().to_owned()
}

fn write_value(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(fields) => write_fields(text, fields, indent),
        Value::Array(items) => write_items(text, items, indent),
        scalar => push_line(text, indent, &in_line(scalar)),
    }
}

fn write_fields(text: &mut String, fields: &Map<String, Value>, indent: usize) {
    for (name, value) in fields {
        let nested = match value {
            Value::Object(fields) => !fields.is_empty(),
            Value::Array(items) => items.iter().any(|item| item.is_object() || item.is_array()),
            _ => false,
        };
        if nested {
            push_line(text, indent, &format!("{name}:"));
            write_value(text, value, indent + 2);
        } else {
            push_line(text, indent, &format!("{name}: {}", in_line(value)));
        }
    }
}

fn write_items(text: &mut String, items: &[Value], indent: usize) {
    if let Some(rows) = table(items) {
        for row in rows {
            push_line(text, indent, row.trim_end());
        }
        return;
    }
    for item in items {
        if item.is_object() {
            push_line(text, indent, "-");
            write_value(text, item, indent + 2);
        } else {
            push_line(text, indent, &format!("- {}", in_line(item)));
        }
    }
}

/// A list of flat objects as the aligned lines of a table.
fn table(items: &[Value]) -> Option<Vec<String>> {
    let objects: Vec<&Map<String, Value>> = items.iter().map(Value::as_object).collect::<Option<_>>()?;
    let flat = objects.iter().all(|fields| fields.values().all(|value| !value.is_object()));
    if !flat || objects.is_empty() {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in objects.iter().flat_map(|fields| fields.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let header: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let rows = objects.iter().map(|fields| {
        names.iter().map(|name| cut(&fields.get(*name).map(in_line).unwrap_or_default())).collect::<Vec<_>>()
    });
    let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let widths: Vec<usize> = (0..names.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let aligned = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ")
    });
    Some(aligned.collect())
}

fn in_line(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace(['\n', '\r', '\t'], " "),
        Value::Array(items) => items.iter().map(in_line).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_CELL {
        return text.to_owned();
    }
    let kept: String = text.chars().take(MAX_CELL - 1).collect();
    format!("{kept}…")
}

fn push_line(text: &mut String, indent: usize, line: &str) {
    text.push_str(&" ".repeat(indent));
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_and_tables() {
        let answer = json!({
            "sheets": [{ "name": "Sales", "rows": 10 }, { "name": "Q1", "rows": 2, "hidden": true }],
            "names": ["a", "b"],
            "total": 2
        });
        assert_eq!(
            as_text(&answer),
            "sheets:\n  name   rows  hidden\n  Sales  10\n  Q1     2     true\nnames: a, b\ntotal: 2"
        );
    }
}
