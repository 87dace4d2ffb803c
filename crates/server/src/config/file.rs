//! The configuration file: sections of keys, in TOML, YAML or JSON.

use std::{ffi::OsString, fs, path::Path};

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use toml::de::{DeTable, DeValue};

use super::options::{ConfigOption, Kind, suggest};

/// A value of the file that an option takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key of the option.
    pub(crate) key: String,
    /// The value as its flag would be given.
    pub(crate) text: OsString,
    pub(crate) line: usize,
}

/// Something wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileProblem {
    /// Where, as far as it is known.
    pub(crate) line: Option<usize>,
    pub(crate) what: String,
}

/// A value as the formats have it.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Boolean(bool),
    Integer(i64),
    Text(String),
    List(Vec<Value>),
    Table(Vec<Field>),
    Other(&'static str),
}

#[derive(Debug, Clone, PartialEq)]
struct Field {
    key: String,
    line: usize,
    value: Value,
}

/// Reads a file: its right entries, and everything that is wrong with it.
pub(crate) fn read(path: &Path, options: &[ConfigOption]) -> (Vec<Entry>, Vec<FileProblem>) {
    let parsed = match fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) => Err(FileProblem { line: None, what: format!("it can't be read: {error}") }),
    };
    match parsed {
        Ok(sections) => entries(&sections, options),
        Err(problem) => (Vec::new(), vec![problem]),
    }
}

fn parse(path: &Path, text: &str) -> Result<Vec<Field>, FileProblem> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => parse_toml(text),
        Some("yaml" | "yml") => parse_yaml(text),
        Some("json") => {
            serde_json::from_str::<serde::de::IgnoredAny>(text)
                .map_err(|error| FileProblem { line: Some(error.line()), what: error.to_string() })?;
            // What is JSON is YAML, too, and the reader of YAML tells lines.
            parse_yaml(text)
        }
        _ => Err(FileProblem { line: None, what: "its name must end with .toml, .yaml or .json".to_owned() }),
    }
}

fn parse_toml(text: &str) -> Result<Vec<Field>, FileProblem> {
    let line_at = |offset: usize| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
    let table = DeTable::parse(text).map_err(|error| FileProblem {
        line: error.span().map(|span| line_at(span.start)),
        what: error.message().to_owned(),
    })?;
    Ok(toml_fields(table.get_ref(), &line_at))
}

fn toml_fields(table: &DeTable<'_>, line_at: &dyn Fn(usize) -> usize) -> Vec<Field> {
    let field = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| Field {
        key: String::from(AsRef::<str>::as_ref(key.get_ref())),
        line: line_at(key.span().start),
        value: toml_value(value.get_ref(), line_at),
    };
    let mut fields: Vec<Field> = table.iter().map(field).collect();
    // The table sorts its keys.
    fields.sort_by_key(|field| field.line);
    fields
}

fn toml_value(value: &DeValue<'_>, line_at: &dyn Fn(usize) -> usize) -> Value {
    match value {
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or(Value::Other("a number that is too large"), Value::Integer),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| toml_value(item.get_ref(), line_at)).collect())
        }
        DeValue::Table(table) => Value::Table(toml_fields(table, line_at)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    }
}

fn parse_yaml(text: &str) -> Result<Vec<Field>, FileProblem> {
    let documents = MarkedYaml::load_from_str(text)
        .map_err(|error| FileProblem { line: Some(error.marker().line()), what: error.info().to_owned() })?;
    match documents.as_slice() {
        [] => Ok(Vec::new()),
        [document] => match yaml_value(document) {
            Value::Table(fields) => Ok(fields),
            Value::Other("nothing") => Ok(Vec::new()),
            _ => Err(FileProblem { line: Some(1), what: "it must be sections of keys".to_owned() }),
        },
        [_, second, ..] => Err(FileProblem {
            line: Some(second.span.start.line()),
            what: "it must be one document".to_owned(),
        }),
    }
}

fn yaml_value(node: &MarkedYaml<'_>) -> Value {
    match &node.data {
        YamlData::Value(Scalar::Boolean(value)) => Value::Boolean(*value),
        YamlData::Value(Scalar::Integer(value)) => Value::Integer(*value),
        YamlData::Value(Scalar::String(text)) => Value::Text(text.to_string()),
        YamlData::Value(Scalar::FloatingPoint(_)) => Value::Other("a number with a fraction"),
        YamlData::Value(Scalar::Null) => Value::Other("nothing"),
        YamlData::Sequence(items) => Value::List(items.iter().map(yaml_value).collect()),
        YamlData::Mapping(mapping) => {
            let field = |(key, value): (&MarkedYaml<'_>, &MarkedYaml<'_>)| Field {
                key: key.data.as_str().unwrap_or_default().to_owned(),
                line: key.span.start.line(),
                value: yaml_value(value),
            };
            Value::Table(mapping.iter().map(field).collect())
        }
        _ => Value::Other("a value of an unknown type"),
    }
}

/// The entries of sections, each held against its option.
fn entries(sections: &[Field], options: &[ConfigOption]) -> (Vec<Entry>, Vec<FileProblem>) {
    let mut entries = Vec::new();
    let mut problems = Vec::new();
    for section in sections {
        let known = options.iter().any(|option| option.section == section.key);
        let Value::Table(fields) = &section.value else {
            let what = match known {
                true => format!("{} is a section: give it keys", section.key),
                false => format!("there is no section {}{}", section.key, meant(None, &section.key, options)),
            };
            problems.push(FileProblem { line: Some(section.line), what });
            continue;
        };
        if !known {
            let what = format!("there is no section {}{}", section.key, meant(None, &section.key, options));
            problems.push(FileProblem { line: Some(section.line), what });
            continue;
        }
        for field in fields {
            match entry(&section.key, field, options) {
                Ok(entry) => entries.push(entry),
                Err(what) => problems.push(FileProblem { line: Some(field.line), what }),
            }
        }
    }
    (entries, problems)
}

fn entry(section: &str, field: &Field, options: &[ConfigOption]) -> Result<Entry, String> {
    let option = options.iter().find(|option| option.section == section && option.key == field.key);
    let Some(option) = option else {
        let meant = meant(Some(section), &field.key, options);
        return Err(format!("there is no option {section}.{}{meant}", field.key));
    };
    let text = as_flag(&option.kind, &field.value).map_err(|what| format!("{}: {what}", option.name()))?;
    Ok(Entry { key: option.key.clone(), text: OsString::from(text), line: field.line })
}

/// What an unknown name may have meant, as the rest of a sentence.
fn meant(section: Option<&str>, key: &str, options: &[ConfigOption]) -> String {
    if let Some(option) = options.iter().find(|option| option.key == key.replace('-', "_")) {
        return format!("; did you mean {}?", option.name());
    }
    let Some(section) = section else {
        return suggest(key, options.iter().map(|option| option.section.as_str()));
    };
    let (here, elsewhere): (Vec<_>, Vec<_>) = options.iter().partition(|option| option.section == section);
    let nearest = |options: Vec<&ConfigOption>| {
        let names = crate::near_miss::near_misses(key, options.iter().map(|option| option.key.as_str()));
        let best = names.into_iter().next()?;
        options.into_iter().find(|option| option.key == best).map(ConfigOption::name)
    };
    nearest(here)
        .or_else(|| nearest(elsewhere))
        .map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// A value as its flag would be given.
fn as_flag(kind: &Kind, value: &Value) -> Result<String, String> {
    let wanted = match (kind, value) {
        (Kind::Boolean | Kind::Rollout, Value::Boolean(value)) => return Ok(value.to_string()),
        (Kind::Integer { .. }, Value::Integer(value)) => return Ok(value.to_string()),
        (Kind::Text | Kind::Choice(_) | Kind::Rollout, Value::Text(text)) => return Ok(text.clone()),
        (Kind::List, Value::List(items)) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_list_item).collect();
            match texts {
                Some(texts) => return Ok(texts.join(",")),
                None => return Err("expected a list of texts without commas".to_owned()),
            }
        }
        (Kind::Boolean, _) => "true or false",
        (Kind::Rollout, _) => "true, false or a percentage such as \"25%\"",
        (Kind::Integer { .. }, _) => "a whole number",
        (Kind::Text | Kind::Choice(_), _) => "a text",
        (Kind::List, _) => "a list of texts",
    };
    Err(format!("expected {wanted}, and not {}", value.in_words()))
}

impl Value {
    fn as_list_item(&self) -> Option<&str> {
        match self {
            Value::Text(text) if !text.contains(',') => Some(text),
            _ => None,
        }
    }

    /// What it is, without telling it: it may be a secret in the wrong place.
    fn in_words(&self) -> &'static str {
        match self {
            Value::Boolean(_) => "true or false",
            Value::Integer(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Table(_) => "a section",
            Value::Other(what) => what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::options::options;

    fn read_text(name: &str, text: &str) -> (Vec<(String, String, usize)>, Vec<String>) {
        let (entries, problems) = match parse(Path::new(name), text) {
            Ok(sections) => entries(&sections, &options()),
            Err(problem) => (Vec::new(), vec![problem]),
        };
        let entries = entries
            .into_iter()
            .map(|entry| (entry.key, entry.text.into_string().expect("text"), entry.line))
            .collect();
        let problems = problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.line.unwrap_or_default(), problem.what))
            .collect();
        (entries, problems)
    }

    #[test]
    fn three_formats_say_the_same() {
        let toml = "[limits]\nmax_cells = 1_000\n\n[tools]\ntools = [\"find\", \"diff\"]\n\n[flags]\nvba_enabled = \"5%\"\n";
        let yaml =
            "limits:\n  max_cells: 1000\n\ntools:\n  tools: [find, diff]\n\nflags:\n  vba_enabled: 5%\n";
        let json = "{\n\"limits\":\n{\"max_cells\": 1000}, \"tools\":\n\t{\n\"tools\": [\"find\", \"d\\u0069ff\"]\n},\n\"flags\": {\"vba_enabled\": \"5%\"}}";
        let expected = |lines: [usize; 3]| {
            let entries = [("max_cells", "1000"), ("tools", "find,diff"), ("vba_enabled", "5%")];
            let entries = entries.iter().zip(lines);
            entries.map(|((key, text), line)| (key.to_string(), text.to_string(), line)).collect::<Vec<_>>()
        };
        assert_eq!(read_text("a.toml", toml), (expected([2, 5, 8]), vec![]));
        assert_eq!(read_text("a.yaml", yaml), (expected([2, 5, 8]), vec![]));
        assert_eq!(read_text("a.json", json), (expected([3, 5, 7]), vec![]));
        for empty in ["a.toml", "a.yaml"] {
            assert_eq!(read_text(empty, "# nothing\n"), (vec![], vec![]));
        }
    }

    #[track_caller]
    fn check(name: &str, text: &str, expected: &[&str]) {
        assert_eq!(read_text(name, text).1, expected);
    }

    #[test]
    fn unknown_names_come_with_what_was_meant() {
        check(
            "a.toml",
            "max_cells = 1\n[limit]\n[limits]\nmax_cell = 1\nmax-items = 1\nworkspace = \".\"\nzzz = 1\n",
            &[
                "1: there is no section max_cells; did you mean limits.max_cells?",
                "2: there is no section limit; did you mean limits?",
                "4: there is no option limits.max_cell; did you mean limits.max_cells?",
                "5: there is no option limits.max-items; did you mean limits.max_items?",
                "6: there is no option limits.workspace; did you mean workspace.workspace?",
                "7: there is no option limits.zzz",
            ],
        );
    }

    #[test]
    fn types_are_exact() {
        check(
            "a.yaml",
            "limits:\n  max_cells: \"5\"\n  max_items: 1.5\nflags: 1\ntools:\n  tools: [1]\nlistening:\n  insecure: 1\n",
            &[
                "2: limits.max_cells: expected a whole number, and not a text",
                "3: limits.max_items: expected a whole number, and not a number with a fraction",
                "4: flags is a section: give it keys",
                "6: tools.tools: expected a list of texts without commas",
                "8: listening.insecure: expected true or false, and not a number",
            ],
        );
    }

    #[test]
    fn damaged_files_say_where() {
        for (name, text) in [
            ("a.toml", "[limits]\nmax_cells = \n"),
            ("a.toml", "[limits]\nmax_cells = 1\nmax_cells = 2\n"),
            ("a.yaml", "limits:\n  max_cells: 1\n  max_cells: 2\n"),
            ("a.json", "{\n\"limits\": {,}}"),
        ] {
            let (entries, problems) = read_text(name, text);
            assert!(entries.is_empty());
            assert!(
                matches!(problems.as_slice(), [problem] if problem.starts_with(['2', '3'])),
                "{problems:?}"
            );
        }
        check("a.ini", "", &["0: its name must end with .toml, .yaml or .json"]);
    }
}
