//! JSON Schemas that strict clients accept, in as few bytes as possible: a client pays for every byte of
//! `tools/list` with each conversation.
//!
//! Plain: no `$ref`, no `type: […]`, no `oneOf`, no `$schema`, no titles, no numeric formats. An optional field is
//! simply not required.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// How deep an output schema describes its objects. Below, an object is just an object.
const OUTPUT_DEPTH: usize = 2;

/// The schema of a tool's parameters.
pub fn input_schema<T: JsonSchema>() -> Arc<JsonObject> {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    object(compact_schema(settings.into_generator().into_root_schema_for::<T>().to_value(), Side::Input))
}

/// The schema of a tool's answer: names and types, without descriptions.
pub fn output_schema<T: JsonSchema>() -> Arc<JsonObject> {
    let settings =
        SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.inline_subschemas = true);
    object(compact_schema(settings.into_generator().into_root_schema_for::<T>().to_value(), Side::Output))
}

/// Which side of a call a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What the caller may send: descriptions are kept, an optional field loses its `null`.
    Input,
    /// What the caller gets: whatever may be null is left open, so that answers keep their own schema.
    Output,
}

/// Rewrites a generated schema into the plain, terse form.
pub fn compact_schema(schema: Value, side: Side) -> Value {
    compact(schema, side, 0)
}

fn object(schema: Value) -> Arc<JsonObject> {
    match schema {
        Value::Object(fields) => Arc::new(fields),
        _ => Arc::new(Map::new()),
    }
}

fn compact(schema: Value, side: Side, depth: usize) -> Value {
    let Value::Object(mut fields) = schema else {
        // `true` is "anything".
        return json!({});
    };
    if fields.contains_key("$ref") {
        return json!({});
    }
    if let Some(alternatives) = fields.remove("anyOf").or_else(|| fields.remove("oneOf")) {
        return compact_alternatives(fields, alternatives, side, depth);
    }
    if let Some(Value::Array(types)) = fields.get("type").cloned() {
        return compact_types(fields, types, side, depth);
    }
    if let Some(constant) = fields.remove("const") {
        fields.insert("enum".to_owned(), json!([constant]));
    }
    let is_object = fields.get("type") == Some(&json!("object"));
    if side == Side::Output && is_object && depth >= OUTPUT_DEPTH {
        return json!({ "type": "object" });
    }
    let compacted = fields
        .into_iter()
        .filter(|(key, value)| is_kept(key, value, side))
        .map(|(key, value)| {
            let value = match key.as_str() {
                "properties" => compact_properties(value, side, depth),
                "items" | "additionalProperties" if value.is_object() => compact(value, side, depth + 1),
                "enum" => without_null(value),
                _ => value,
            };
            (key, value)
        })
        .filter(|(key, value)| !(key == "items" && (value == &json!({}) || value == &json!(true))))
        .collect();
    Value::Object(compacted)
}

fn compact_properties(properties: Value, side: Side, depth: usize) -> Value {
    let Value::Object(properties) = properties else { return properties };
    Value::Object(
        properties.into_iter().map(|(name, schema)| (name, compact(schema, side, depth + 1))).collect(),
    )
}

/// `anyOf`: `null` is dropped, plain constants become one `enum`, the rest stays.
fn compact_alternatives(
    mut fields: Map<String, Value>,
    alternatives: Value,
    side: Side,
    depth: usize,
) -> Value {
    let alternatives = alternatives.as_array().cloned().unwrap_or_default();
    let nullable = alternatives.iter().any(is_null);
    if nullable && side == Side::Output {
        return json!({});
    }
    let mut remaining: Vec<Value> = alternatives.into_iter().filter(|schema| !is_null(schema)).collect();
    let constants: Option<Vec<Value>> =
        remaining.iter().map(constants_of).collect::<Option<Vec<_>>>().map(|lists| lists.concat());
    if let Some(constants) = constants {
        fields.insert("type".to_owned(), json!("string"));
        fields.insert("enum".to_owned(), Value::Array(constants));
        return compact(Value::Object(fields), side, depth);
    }
    if remaining.len() == 1
        && let Some(Value::Object(only)) = remaining.pop()
    {
        for (key, value) in only {
            // The outer description says what the field means here.
            fields.entry(key).or_insert(value);
        }
        return compact(Value::Object(fields), side, depth);
    }
    let compacted: Vec<Value> = remaining.into_iter().map(|schema| compact(schema, side, depth)).collect();
    if side == Side::Output && compacted.contains(&json!({})) {
        return json!({});
    }
    fields.retain(|key, value| is_kept(key, value, side) && key != "type");
    fields.insert("anyOf".to_owned(), Value::Array(compacted));
    Value::Object(fields)
}

/// `type: [a, b]`: an optional type is the type, several types are alternatives.
fn compact_types(mut fields: Map<String, Value>, types: Vec<Value>, side: Side, depth: usize) -> Value {
    let nullable = types.contains(&json!("null"));
    if nullable && side == Side::Output {
        return json!({});
    }
    let mut concrete: Vec<Value> = types.into_iter().filter(|name| name != "null").collect();
    if concrete.len() == 1
        && let Some(only) = concrete.pop()
    {
        fields.insert("type".to_owned(), only);
        return compact(Value::Object(fields), side, depth);
    }
    fields.remove("type");
    let alternatives = concrete.into_iter().map(|name| json!({ "type": name })).collect();
    compact_alternatives(fields, Value::Array(alternatives), side, depth)
}

/// The values of a schema that admits only constant strings.
fn constants_of(schema: &Value) -> Option<Vec<Value>> {
    if let Some(constant) = schema.get("const") {
        return constant.is_string().then(|| vec![constant.clone()]);
    }
    let values = schema.get("enum")?.as_array()?;
    values.iter().all(Value::is_string).then(|| values.clone())
}

fn is_null(schema: &Value) -> bool {
    schema.get("type") == Some(&json!("null")) || schema.get("const") == Some(&Value::Null)
}

fn without_null(values: Value) -> Value {
    match values {
        Value::Array(values) => Value::Array(values.into_iter().filter(|value| !value.is_null()).collect()),
        other => other,
    }
}

fn is_kept(key: &str, value: &Value, side: Side) -> bool {
    match key {
        "$schema" | "$defs" | "$id" | "title" | "format" => false,
        // What may be left out is false, if it is a boolean: nobody expects otherwise.
        "default" => side == Side::Input && !value.is_null() && *value != json!(false),
        "description" => side == Side::Input,
        // An unsigned integer says so by its type; a bound that is not zero carries information.
        "minimum" => value.as_f64() != Some(0.0) && side == Side::Input,
        "maximum" | "minItems" | "maxItems" => side == Side::Input,
        "required" => value.as_array().is_some_and(|names| !names.is_empty()),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Deserialize, Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Order {
        /// Smallest first.
        Ascending,
        /// Largest first.
        Descending,
    }

    #[derive(Deserialize, Serialize, JsonSchema)]
    #[serde(untagged)]
    enum Scalar {
        Number(f64),
        Text(String),
    }

    #[derive(Deserialize, Serialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        column: String,
        value: Option<Scalar>,
    }

    #[derive(Deserialize, Serialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Params {
        /// Which workbook.
        workbook: String,
        /// At most this many rows.
        limit: Option<u32>,
        /// The order of rows.
        order: Option<Order>,
        #[serde(default)]
        filters: Vec<Filter>,
    }

    #[derive(Serialize, JsonSchema)]
    struct Answer {
        /// Said to nobody.
        rows: Vec<Vec<serde_json::Value>>,
        next: Option<String>,
        order: Order,
        counts: BTreeMap<String, u64>,
        nested: Vec<Filter>,
    }

    #[test]
    fn parameters_become_plain() {
        assert_eq!(
            Value::Object((*input_schema::<Params>()).clone()),
            json!({
                "type": "object",
                "properties": {
                    "workbook": { "description": "Which workbook.", "type": "string" },
                    "limit": { "description": "At most this many rows.", "type": "integer" },
                    "order": {
                        "description": "The order of rows.",
                        "type": "string",
                        "enum": ["ascending", "descending"]
                    },
                    "filters": {
                        "type": "array",
                        "default": [],
                        "items": {
                            "type": "object",
                            "properties": {
                                "column": { "type": "string" },
                                "value": { "anyOf": [{ "type": "number" }, { "type": "string" }] }
                            },
                            "required": ["column"],
                            "additionalProperties": false
                        }
                    }
                },
                "required": ["workbook"],
                "additionalProperties": false
            })
        );
    }

    #[test]
    fn answers_are_terse_and_leave_open_what_may_be_null() {
        let schema = Value::Object((*output_schema::<Answer>()).clone());
        assert_eq!(
            schema,
            json!({
                "type": "object",
                "properties": {
                    "rows": { "type": "array", "items": { "type": "array" } },
                    "next": {},
                    "order": { "type": "string", "enum": ["ascending", "descending"] },
                    "counts": { "type": "object", "additionalProperties": { "type": "integer" } },
                    "nested": { "type": "array", "items": { "type": "object" } }
                },
                "required": ["rows", "next", "order", "counts", "nested"]
            })
        );
        let answer = Answer {
            rows: vec![vec![json!(1), json!(null)]],
            next: None,
            order: Order::Ascending,
            counts: BTreeMap::from([("a".to_owned(), 1)]),
            nested: vec![Filter { column: "A".to_owned(), value: None }],
        };
        assert!(jsonschema::is_valid(&schema, &json!(answer)));
    }
}
