//! What a tool is: one file that shows its parameters, its answer, and the call into a lower crate.

use std::sync::Arc;

use access::Role;
use rmcp::model::{JsonObject, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    arguments::parse_arguments,
    call::Call,
    error::{ErrorCode, ToolError},
    schema,
    screenshots::Picture,
};

/// A tool. Its body is a plain function: it runs on a bounded pool, under a timeout, and may be asked to stop.
pub trait Tool: 'static {
    /// The name on the wire.
    const NAME: &'static str;
    /// The name for people.
    const TITLE: &'static str;
    /// What it does and when to use it, in a sentence or two: each byte is paid for by every conversation.
    const DESCRIPTION: &'static str;
    /// The parameters, with `#[serde(deny_unknown_fields)]`.
    type Params: DeserializeOwned + JsonSchema;
    /// The answer: a struct whose required fields are always written.
    type Answer: Serialize + JsonSchema;

    /// Answers a call.
    ///
    /// # Errors
    /// Whatever the client should know: what was wrong, where, and what to do next.
    fn run(call: &Call, params: Self::Params) -> Result<Self::Answer, ToolError>;
}

/// An answer, once as a value and once as the same in compact JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The structured content.
    pub structured: Value,
    /// The same as text.
    pub text: String,
    /// Pictures that belong to it.
    pub pictures: Vec<Picture>,
}

/// A tool as the registry keeps it.
#[derive(Debug, Clone)]
pub struct ToolEntry {
    /// The name on the wire.
    pub name: &'static str,
    /// The least role that may call it.
    pub role: Role,
    /// What `tools/list` says.
    pub definition: rmcp::model::Tool,
    /// Parses the arguments and answers.
    pub run: fn(&Call, JsonObject) -> Result<Answer, ToolError>,
}

impl ToolEntry {
    /// The entry of a tool that only reads.
    pub fn reading<T: Tool>() -> ToolEntry {
        // The others mean something only where a tool does not only read.
        let annotations = ToolAnnotations::from_raw(None, Some(true), None, None, Some(false));
        let definition = rmcp::model::Tool::new(T::NAME, T::DESCRIPTION, schema::input_schema::<T::Params>())
            .with_title(T::TITLE)
            .with_raw_output_schema(schema::output_schema::<T::Answer>())
            .with_annotations(annotations);
        ToolEntry { name: T::NAME, role: Role::Viewer, definition, run: run::<T> }
    }

    /// The entry of a tool that changes state, for a role and those above: forks, or files of the workspace where it `destroys`.
    pub fn writing<T: Tool>(role: Role, destroys: bool, is_idempotent: bool) -> ToolEntry {
        // What is left out is false by default.
        let annotations =
            ToolAnnotations::from_raw(None, None, Some(destroys), is_idempotent.then_some(true), Some(false));
        let reading = ToolEntry::reading::<T>();
        ToolEntry { role, definition: reading.definition.with_annotations(annotations), ..reading }
    }

    /// The schema of the answer.
    pub fn output_schema(&self) -> Arc<JsonObject> {
        self.definition.output_schema.clone().unwrap_or_default()
    }
}

fn run<T: Tool>(call: &Call, arguments: JsonObject) -> Result<Answer, ToolError> {
    let params = parse_arguments::<T::Params>(arguments)?;
    let answer = T::run(call, params)?;
    let structured = serde_json::to_value(&answer).map_err(|error| {
        ToolError::new(ErrorCode::Internal, format!("the answer could not be written: {error}"))
    })?;
    let text = structured.to_string();
    check_size(&text, call.config().limits.max_response_bytes)?;
    Ok(Answer { structured, text, pictures: call.take_pictures() })
}

/// The last resort of BOUNDED: a tool pages by its own budget and should never meet this.
fn check_size(text: &str, limit: usize) -> Result<(), ToolError> {
    let escapes = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
    let bytes = 2 * text.len() + escapes;
    if bytes <= limit {
        return Ok(());
    }
    Err(ToolError::new(ErrorCode::ResponseTooLarge, format!("the answer would have {bytes} bytes, more than {limit}"))
        .hint("ask for less: a smaller limit, fewer columns or fields, a smaller range; or raise SPREADSHEET_MCP_MAX_RESPONSE_BYTES"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_counts_both_copies_and_the_escapes() {
        assert!(check_size(r#"{"a":1}"#, 16).is_ok());
        assert_eq!(check_size(r#"{"a":1}"#, 15).expect_err("too large").code, ErrorCode::ResponseTooLarge);
    }
}
