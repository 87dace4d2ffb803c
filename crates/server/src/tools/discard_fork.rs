//! `discard_fork`: a fork that is done with.

use ::forks::{ForkId, InvalidName, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    forks::store_error,
    tool::Tool,
};

/// Drops forks.
#[derive(Debug)]
pub(super) struct DiscardFork;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Fork id.
    fork: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    discarded: String,
}

impl Tool for DiscardFork {
    const NAME: &'static str = "discard_fork";
    const TITLE: &'static str = "Discard a fork";
    const DESCRIPTION: &'static str = "Drops a fork with its edits and checkpoints. Files stay as they are.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let id = fork_id(&params.fork)?;
        call.fork(&id)?;
        call.forks().open()?.store.discard(&id).map_err(store_error)?;
        call.forks().forget(&id);
        Ok(Answer { discarded: id.to_string() })
    }
}

/// The id of a fork, given as an argument.
pub(super) fn fork_id(text: &str) -> Result<ForkId, ToolError> {
    text.parse().map_err(|error: InvalidName| {
        ToolError::new(ErrorCode::InvalidArgument, error.to_string())
            .at("fork")
            .hint("list_forks tells the ids")
    })
}
