//! Prompts that a person picks in a client: a good way to begin.

use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::Value;

use crate::error::{ErrorCode, ToolError};

/// The name of the prompt that begins with a workbook.
const UNDERSTAND: &str = "understand_workbook";

/// The prompts there are.
pub fn all() -> Vec<Prompt> {
    let workbook = PromptArgument::new("workbook")
        .with_description("An id or a path within the workspace")
        .with_required(true);
    let about = "Find out what a workbook holds, how it calculates and what is odd about it";
    vec![Prompt::new(UNDERSTAND, Some(about), Some(vec![workbook]))]
}

/// The messages of a prompt.
///
/// # Errors
/// When there is no such prompt, or its argument is missing.
pub fn get(name: &str, arguments: &JsonObject) -> Result<GetPromptResult, ToolError> {
    if name != UNDERSTAND {
        return Err(ToolError::new(ErrorCode::NotFound, format!("there is no prompt \"{name}\""))
            .at("name")
            .candidates(vec![UNDERSTAND.to_owned()]));
    }
    let workbook = arguments.get("workbook").and_then(Value::as_str).ok_or_else(|| {
        ToolError::new(ErrorCode::InvalidArgument, "the argument `workbook` is required").at("workbook")
    })?;
    let text = format!(
        "Explain the workbook {}. Call describe_workbook, then sheet_overview for each sheet that matters, and \
         formula_map where it calculates. Say what it is for, where its inputs and results are, how they depend on each \
         other, and what looks wrong: inconsistent formulas, hard-coded numbers, errors, hidden sheets. Give addresses.",
        Value::from(workbook)
    );
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]))
}
