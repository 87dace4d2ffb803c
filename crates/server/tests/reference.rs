//! The reference pages of `docs/` are generated: `UPDATE_EXPECT=1 cargo test --workspace --test reference` writes them.

#![allow(clippy::unwrap_used, reason = "tests")]

use expect_test::expect_file;
use serde_json::Value;
use server::{
    config::{options::options, reference},
    error::ErrorCode,
    metrics::{Metrics, labels::Label},
    tools,
};

const GENERATED: &str = "<!-- Generated: UPDATE_EXPECT=1 cargo test --workspace --test reference -->\n";

#[test]
fn every_tool() {
    let mut page = format!(
        "# Tools\n\n{GENERATED}\nFiles of the workspace change by `save_fork` alone. `?` marks what may be left out.\n"
    );
    for entry in tools::all() {
        let description = entry.definition.description.as_deref().unwrap();
        page.push_str(&format!(
            "\n## `{}`\n\n{description}\n\n| argument | type | |\n|---|---|---|\n",
            entry.name
        ));
        let input = Value::Object((*entry.definition.input_schema).clone());
        for (name, schema) in input["properties"].as_object().unwrap() {
            let optional = if is_required(&input, name) { "" } else { "?" };
            let about = schema["description"].as_str().unwrap_or_default();
            page.push_str(&format!("| `{name}`{optional} | {} | {about} |\n", kind(schema)));
        }
        let output = Value::Object((*entry.output_schema()).clone());
        let fields = output["properties"].as_object().unwrap().iter().map(|(name, schema)| {
            let optional = if is_required(&output, name) { "" } else { "?" };
            format!("`{name}`{optional} ({})", kind(schema))
        });
        page.push_str(&format!("\nAnswers {}.\n", fields.collect::<Vec<_>>().join(", ")));
    }
    expect_file!["../../../docs/tools.md"].assert_eq(&page);
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|required| required == name))
}

/// A schema in a word or two: `text`, `list of text`, `one of a, b`.
fn kind(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        return format!("one of {}", values.join(", "));
    }
    match schema["type"].as_str() {
        Some("array") if schema["items"]["type"].is_string() => format!("list of {}", kind(&schema["items"])),
        Some("array") => "list".to_owned(),
        Some("object") => match schema["properties"].as_object() {
            Some(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, schema)| format!("{name}: {}", kind(schema))).collect();
                format!("{{{}}}", fields.join("; "))
            }
            None => "object".to_owned(),
        },
        Some("string") => "text".to_owned(),
        Some("integer") => "integer".to_owned(),
        Some("number") => "number".to_owned(),
        Some("boolean") => "boolean".to_owned(),
        _ => "any".to_owned(),
    }
}

#[test]
fn every_option() {
    let options = options();
    expect_file!["../../../docs/configuration.md"].assert_eq(&reference::page(&options));
    expect_file!["../../../docs/config.example.toml"].assert_eq(&reference::example(&options));
}

#[test]
fn every_error() {
    let mut page = format!(
        "# Errors\n\n{GENERATED}\nA failed call answers `isError` and `{{\"error\": {{\"code\", \"message\", \"where\"?, \"hint\"?, \
         \"candidates\"?}}}}`: what was wrong, where,\nwhat to do next, and what may have been meant. The codes are a closed \
         set.\n\n| code | |\n|---|---|\n"
    );
    for code in ErrorCode::ALL {
        page.push_str(&format!("| `{}` | {} |\n", code.as_str(), code.meaning()));
    }
    expect_file!["../../../docs/errors.md"].assert_eq(&page);
}

#[test]
fn every_metric() {
    let mut page = format!(
        "# Metrics\n\n{GENERATED}\n`GET /metrics` on port 9090 tells these, as OpenMetrics or in Prometheus' own text format, whichever the \
         scraper accepts.\nValues of labels come from closed sets: no file, fork or caller is ever one.\n\n\
         | metric | type | labels | |\n|---|---|---|---|\n"
    );
    let metrics = Metrics::default();
    let mut sets: Vec<&Label> = Vec::new();
    for metric in metrics.described() {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{}`", label.name)).collect();
        page.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            metric.name,
            metric.kind,
            labels.join(", "),
            metric.help
        ));
        sets.extend(metric.labels.iter().filter(|label| !label.values.is_empty()));
    }
    page.push_str("\n## Labels\n\n| label | values |\n|---|---|\n");
    let mut told: Vec<&Label> = Vec::new();
    for label in sets {
        if told.contains(&label) {
            continue;
        }
        told.push(label);
        let values: Vec<String> = label.values.iter().map(|value| format!("`{value}`")).collect();
        page.push_str(&format!("| `{}` | {} |\n", label.name, values.join(", ")));
    }
    expect_file!["../../../docs/metrics.md"].assert_eq(&page);
}

/// CARDINALITY: no metric has more series than a small server can be scraped for.
#[test]
fn labels_are_few() {
    let metrics = Metrics::default();
    for metric in metrics.described() {
        let series: usize = metric.labels.iter().map(|label| label.values.len().max(1)).product();
        assert!(series <= 6_000, "{} has up to {series} series", metric.name);
    }
    let names: std::collections::HashSet<&str> =
        metrics.described().iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names.len(), metrics.described().len(), "a name is used twice");
}
