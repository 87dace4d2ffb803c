//! Filters and orders as callers write them.

use analysis::frame::{Condition, Filter, NoSuchColumn, QueryError, Scalar, SortKey, TableView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{ErrorCode, ToolError};

/// A condition on a column.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterParam {
    column: String,
    op: Op,
    /// A number, text, boolean or ISO date; a list for in and between.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    NotContains,
    StartsWith,
    EndsWith,
    In,
    NotIn,
    Between,
    IsNull,
    NotNull,
}

/// The filters of a query.
pub(crate) fn parse_filters(filters: Vec<FilterParam>) -> Result<Vec<Filter>, ToolError> {
    let parse = |(index, filter): (usize, FilterParam)| {
        let condition = condition(filter.op, filter.value).map_err(|problem| {
            ToolError::new(ErrorCode::InvalidArgument, problem).at(format!("filters[{index}].value"))
        })?;
        Ok(Filter { column: filter.column, condition })
    };
    filters.into_iter().enumerate().map(parse).collect()
}

/// The order of a query: `Amount`, or `-Amount` for descending; a column that is called so wins.
pub(crate) fn parse_sort(sort: Vec<String>, view: &TableView) -> Vec<SortKey> {
    let key = |written: String| match written.strip_prefix('-') {
        Some(column) if view.column(&written).is_err() => {
            SortKey { column: column.to_owned(), descending: true }
        }
        _ => SortKey { column: written, descending: false },
    };
    sort.into_iter().map(key).collect()
}

fn condition(op: Op, value: Value) -> Result<Condition, String> {
    Ok(match op {
        Op::Eq if value.is_null() => Condition::IsNull,
        Op::Ne if value.is_null() => Condition::NotNull,
        Op::Eq => Condition::Eq(scalar(value)?),
        Op::Ne => Condition::Ne(scalar(value)?),
        Op::Lt => Condition::Lt(scalar(value)?),
        Op::Le => Condition::Le(scalar(value)?),
        Op::Gt => Condition::Gt(scalar(value)?),
        Op::Ge => Condition::Ge(scalar(value)?),
        Op::Contains => Condition::Contains(text(value)?),
        Op::NotContains => Condition::NotContains(text(value)?),
        Op::StartsWith => Condition::StartsWith(text(value)?),
        Op::EndsWith => Condition::EndsWith(text(value)?),
        Op::In => Condition::In(scalars(value)?),
        Op::NotIn => Condition::NotIn(scalars(value)?),
        Op::Between => match <[Scalar; 2]>::try_from(scalars(value)?) {
            Ok([low, high]) => Condition::Between(low, high),
            Err(values) => {
                return Err(format!("between takes a list of two values, not of {}", values.len()));
            }
        },
        Op::IsNull => Condition::IsNull,
        Op::NotNull => Condition::NotNull,
    })
}

fn scalar(value: Value) -> Result<Scalar, String> {
    match value {
        Value::Number(number) => Ok(Scalar::Number(number.as_f64().unwrap_or(f64::NAN))),
        Value::String(text) => Ok(Scalar::Text(text)),
        Value::Bool(value) => Ok(Scalar::Bool(value)),
        other => Err(format!("a number, a text, a boolean or an ISO date is needed, not {other}")),
    }
}

fn scalars(value: Value) -> Result<Vec<Scalar>, String> {
    match value {
        Value::Array(values) => values.into_iter().map(scalar).collect(),
        other => Err(format!("a list is needed, e.g. [1, 2], not {other}")),
    }
}

fn text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(format!("a text is needed, not {other}")),
    }
}

impl From<QueryError> for ToolError {
    fn from(error: QueryError) -> ToolError {
        match error {
            QueryError::NoSuchColumn(missing) => missing.into(),
            QueryError::Cancelled(cancelled) => cancelled.into(),
        }
    }
}

impl From<NoSuchColumn> for ToolError {
    fn from(missing: NoSuchColumn) -> ToolError {
        ToolError::new(ErrorCode::NotFound, format!("there is no column {:?}", missing.name))
            .hint(
                "columns go by header or by letters; set header_rows if the wrong row was taken for headers",
            )
            .candidates(missing.candidates)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(op: &str, value: Value, expected: Result<Condition, &str>) {
        let param: FilterParam =
            serde_json::from_value(json!({ "column": "A", "op": op, "value": value })).expect("a filter");
        let parsed = parse_filters(vec![param]).map(|mut filters| filters.remove(0).condition);
        assert_eq!(parsed.map_err(|error| error.message), expected.map_err(str::to_owned));
    }

    #[test]
    fn values_fit_their_operators() {
        check("eq", json!("x"), Ok(Condition::Eq("x".into())));
        check("eq", Value::Null, Ok(Condition::IsNull));
        check("in", json!([1, "a", true]), Ok(Condition::In(vec![1.0.into(), "a".into(), true.into()])));
        check("between", json!([1, 2]), Ok(Condition::Between(1.0.into(), 2.0.into())));
        check("between", json!([1]), Err("between takes a list of two values, not of 1"));
        check("in", json!(3), Err("a list is needed, e.g. [1, 2], not 3"));
        check("lt", json!({}), Err("a number, a text, a boolean or an ISO date is needed, not {}"));
        check("contains", json!(12), Ok(Condition::Contains("12".to_owned())));
    }
}
