//! Arguments become typed parameters at the edge, or an error that names the argument and what it may have been.

use rmcp::model::JsonObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    error::{ErrorCode, ToolError},
    near_miss::near_misses,
};

/// Parses the arguments of a call. A `null` at the top means "not given": many clients send every optional field.
pub(crate) fn parse_arguments<P: DeserializeOwned>(arguments: JsonObject) -> Result<P, ToolError> {
    let given: JsonObject = arguments.into_iter().filter(|(_, value)| !value.is_null()).collect();
    serde_path_to_error::deserialize(Value::Object(given)).map_err(|error| {
        let path = error.path().to_string();
        let parent = if path == "." { String::new() } else { path };
        describe(&parent, &error.into_inner().to_string())
    })
}

/// Turns serde's message into one that says where, and what the caller may have meant.
fn describe(path: &str, message: &str) -> ToolError {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut names = quoted_names(rest).into_iter();
        let unknown = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        return ToolError::new(ErrorCode::UnknownArgument, format!("there is no argument `{unknown}`"))
            .at(at(path, unknown))
            .hint(format!("the arguments here are: {}", known.join(", ")))
            .candidates(near_misses(unknown, known));
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let mut names = quoted_names(rest).into_iter();
        let unknown = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        return ToolError::new(ErrorCode::InvalidArgument, format!("`{unknown}` is not a value of `{path}`"))
            .at(path)
            .hint(format!("the values are: {}", known.join(", ")))
            .candidates(near_misses(unknown, known));
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        let missing = quoted_names(rest).first().copied().unwrap_or_default();
        return ToolError::new(ErrorCode::InvalidArgument, format!("the argument `{missing}` is required"))
            .at(at(path, missing));
    }
    let location = if path.is_empty() { "arguments" } else { path };
    ToolError::new(ErrorCode::InvalidArgument, format!("`{location}`: {}", in_json(message)))
        .at(location)
        .hint("see the tool's input schema in tools/list")
}

/// Serde's message in the words of JSON, where it speaks of Rust's types.
fn in_json(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once("expected ") else { return message.to_owned() };
    let expected = match expected {
        "a sequence" => "a list in brackets",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i64" | "isize" => "a whole number",
        "f64" => "a number",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    format!("{found}expected {expected}")
}

fn at(path: &str, name: &str) -> String {
    // For an unknown field the path ends with the field itself.
    if path.is_empty() || path == name || path.ends_with(&format!(".{name}")) {
        if path.is_empty() { name.to_owned() } else { path.to_owned() }
    } else {
        format!("{path}.{name}")
    }
}

/// The names between backticks in one of serde's messages.
fn quoted_names(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Params {
        workbook: String,
        #[serde(default)]
        limit: u32,
        #[serde(default)]
        filters: Vec<Filter>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        #[allow(dead_code)]
        op: Op,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Op {
        Contains,
        Between,
    }

    #[track_caller]
    fn check(arguments: Value, expected: &str) {
        let error = parse_arguments::<Params>(arguments.as_object().cloned().unwrap_or_default())
            .expect_err("the arguments are wrong");
        let location = error.location.clone().unwrap_or_default();
        let shown =
            format!("{} at {location}: {} -> {:?}", error.code.as_str(), error.message, error.candidates);
        assert_eq!(shown, expected);
    }

    #[test]
    fn mistakes_are_named_where_they_are() {
        check(
            json!({ "workbok": "a.xlsx" }),
            "unknown_argument at workbok: there is no argument `workbok` -> [\"workbook\"]",
        );
        check(json!({}), "invalid_argument at workbook: the argument `workbook` is required -> []");
        check(
            json!({ "workbook": "a", "filters": [{ "op": "contain" }] }),
            "invalid_argument at filters[0].op: `contain` is not a value of `filters[0].op` -> [\"contains\"]",
        );
        check(
            json!({ "workbook": "a", "filters": [{ "opp": "contains" }] }),
            "unknown_argument at filters[0].opp: there is no argument `opp` -> [\"op\"]",
        );
        check(
            json!({ "workbook": "a", "limit": "ten" }),
            "invalid_argument at limit: `limit`: invalid type: string \"ten\", expected a whole number, 0 or more -> []",
        );
    }

    #[test]
    fn null_means_not_given() {
        let params: Params = parse_arguments(
            json!({ "workbook": "a", "limit": null, "filters": [{"op": "between"}] })
                .as_object()
                .cloned()
                .unwrap_or_default(),
        )
        .expect("null is absent");
        assert_eq!((params.workbook.as_str(), params.limit, params.filters.len()), ("a", 0, 1));
    }
}
