//! What is in force and where it comes from, and what the documentation of the file promises.

use serde_json::Value;

use crate::program::{Place, docs};

/// The value of an option and where it comes from.
fn shown(place: &Place, flags: &[&str], environment: &[(&str, &str)], option: &str) -> (Value, String) {
    let arguments = [&["config", "show", "--format", "json"], flags].concat();
    let (code, stdout, stderr) = place.run(&arguments, environment);
    assert_eq!(code, 0, "{stderr}");
    let options: Vec<Value> = serde_json::from_str(&stdout).expect("JSON");
    let found = options.into_iter().find(|value| value["option"] == option).expect("the option");
    (found["value"].clone(), found["origin"].as_str().expect("an origin").to_owned())
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let place = Place::new();
    place.write("server.toml", "[limits]\nmax_cells = 2\n");
    let (file, flag) = (["--config", "server.toml"], ["--config", "server.toml", "--max-cells", "4"]);
    let environment = [("SPREADSHEET_MCP_MAX_CELLS", "3")];
    let check = |flags: &[&str], environment: &[(&str, &str)], value: u64, origin: &str| {
        let shown = shown(&place, flags, environment, "limits.max_cells");
        assert_eq!(shown, (Value::from(value), origin.to_owned()));
    };
    check(&[], &[], 50_000, "default");
    check(&file, &[], 2, "file server.toml, line 2");
    check(&file, &environment, 3, "variable SPREADSHEET_MCP_MAX_CELLS");
    check(&flag, &environment, 4, "flag --max-cells");
    // It is not only shown.
    place.write("tools.yaml", "tools:\n  tools: [read_range, find]\n");
    let tools = |flags: &[&str], environment: &[(&str, &str)]| {
        let (_, stdout, _) = place.run(&[&["tools", "--config", "tools.yaml"], flags].concat(), environment);
        stdout.lines().filter(|line| !line.starts_with(' ') && !line.is_empty()).count()
    };
    assert_eq!(tools(&[], &[]), 2);
    assert_eq!(tools(&[], &[("SPREADSHEET_MCP_TOOLS", "find")]), 1);
    assert_eq!(tools(&["--tools", "find,diff,styles"], &[("SPREADSHEET_MCP_TOOLS", "find")]), 3);
}

#[test]
fn rust_log_gives_way_to_our_own_variable() {
    let place = Place::new();
    let log = |environment: &[(&str, &str)]| shown(&place, &[], environment, "logging.log");
    let both = [("RUST_LOG", "warn"), ("SPREADSHEET_MCP_LOG", "debug")];
    assert_eq!(log(&both[..1]), (Value::from("warn"), "variable RUST_LOG".to_owned()));
    assert_eq!(log(&both), (Value::from("debug"), "variable SPREADSHEET_MCP_LOG".to_owned()));
}

#[test]
fn what_is_shown_is_a_file_that_gives_the_same() {
    let place = Place::new();
    let flags =
        ["--vba-enabled=25%", "--workspace", "books", "--tools", "find,vba", "--soffice", "a\\b \"c\""];
    let (_, first, _) = place.run(&[&["config", "show"], flags.as_slice()].concat(), &[]);
    place.write("shown.toml", &first);
    let (code, second, stderr) = place.run(&["config", "show", "--config", "shown.toml"], &[]);
    assert_eq!(code, 0, "{stderr}");
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  # ").next().unwrap_or(line).trim().to_owned()).collect()
    };
    assert_eq!(values(&first), values(&second));
    assert!(first.contains("vba_enabled = \"25%\""), "{first}");
}

fn schema(place: &Place) -> Value {
    let (_, stdout, _) = place.run(&["config", "schema"], &[]);
    serde_json::from_str(&stdout).expect("JSON")
}

/// A TOML file as JSON, one line of an option at a time: the values of the example are JSON, too.
fn as_json(text: &str) -> Value {
    let mut sections = Value::Object(serde_json::Map::new());
    let mut section = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
            sections[&section] = Value::Object(serde_json::Map::new());
        } else if let Some((key, value)) = line.split_once(" = ") {
            sections[&section][key] = serde_json::from_str(value).expect("a value");
        }
    }
    sections
}

#[test]
fn the_example_shows_every_option_and_is_right() {
    let place = Place::new();
    let example = std::fs::read_to_string(docs("config.example.toml")).expect("the example");
    place.write("example.toml", &example);
    assert_eq!(place.run(&["config", "check", "--config", "example.toml"], &[]).0, 0);
    let settings: Vec<&str> = example
        .lines()
        .filter(|line| !line.starts_with("# "))
        .map(|line| line.strip_prefix('#').unwrap_or(line))
        .collect();
    let all = as_json(&settings.join("\n"));
    let schema = schema(&place);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<String> = validator.iter_errors(&all).map(|error| error.to_string()).collect();
    assert_eq!(wrong, Vec::<String>::new());
    for (section, known) in schema["properties"].as_object().expect("sections") {
        for key in known["properties"].as_object().expect("keys").keys() {
            assert!(all[section].get(key).is_some(), "{section}.{key} is not in the example");
        }
    }
}

#[test]
fn the_schema_and_the_program_refuse_the_same() {
    let place = Place::new();
    let schema = schema(&place);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for (file, is_right) in [
        (r#"{}"#, true),
        (r#"{"limits": {"max_cells": 1}}"#, true),
        (r#"{"limits": {"max_cells": 0}}"#, false),
        (r#"{"limits": {"max_cells": "1"}}"#, false),
        (r#"{"limits": {"max_cell": 1}}"#, false),
        (r#"{"limit": {}}"#, false),
        (r#"{"flags": {"vba_enabled": true}}"#, true),
        (r#"{"flags": {"vba_enabled": "100%"}}"#, true),
        (r#"{"flags": {"vba_enabled": "101%"}}"#, false),
        (r#"{"tools": {"tools": ["find"]}}"#, true),
        (r#"{"tools": {"tools": "find"}}"#, false),
        (r#"{"tools": {"tools": ["find,diff"]}}"#, false),
        (r#"{"listening": {"transport": "stdio", "insecure": false}}"#, true),
        (r#"{"listening": {"transport": "pigeon"}}"#, false),
    ] {
        place.write("file.json", file);
        let (code, _, stderr) = place.run(&["config", "check", "--config", "file.json"], &[]);
        assert_eq!(code == 0, is_right, "{file}: {stderr}");
        let value = serde_json::from_str(file).expect("JSON");
        assert_eq!(validator.is_valid(&value), is_right, "{file}");
    }
}

#[test]
fn docs_prints_the_pages_that_are_kept() {
    let place = Place::new();
    for (arguments, page) in [
        (["config", "docs", "--format", "markdown"], "configuration.md"),
        (["config", "docs", "--format", "toml"], "config.example.toml"),
    ] {
        let kept = std::fs::read_to_string(docs(page)).expect("the page");
        assert_eq!(place.run(&arguments, &[]), (0, kept, String::new()));
    }
}
