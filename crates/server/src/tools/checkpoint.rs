//! `checkpoint`: states of a fork to come back to; undo and redo; staged edits.

use ::forks::{CheckpointName, InvalidName, Move, Seq, StagedId, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::discard_fork::fork_id;
use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    forks::{now, store_error},
    room::Room,
    timestamp,
    tool::Tool,
};

/// Entries of the history that are told.
const HISTORY: u32 = 50;

/// Names states and moves between them.
#[derive(Debug)]
pub(super) struct Checkpoint;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Fork id.
    fork: String,
    action: Action,
    /// Of the checkpoint: create, restore, delete.
    name: Option<String>,
    /// To restore instead of a name: a head that a call answered; 0 is the base.
    head: Option<u64>,
    /// To undo or redo (1).
    steps: Option<u64>,
    /// Staged edits to discard.
    staged: Option<String>,
    /// Refuse another head.
    expected_head: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Create,
    List,
    Restore,
    Delete,
    Undo,
    Redo,
    DiscardStaged,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    fork: String,
    head: u64,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    checkpoints: Vec<Named>,
    /// Newest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    history: Vec<Step>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    staged: Vec<StagedEntry>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Named {
    name: String,
    head: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Step {
    head: u64,
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct StagedEntry {
    staged: String,
    summary: String,
    previewed_at: u64,
}

impl Tool for Checkpoint {
    const NAME: &'static str = "checkpoint";
    const TITLE: &'static str = "Checkpoints, undo and redo";
    const DESCRIPTION: &'static str = "Names a fork's state (create), goes back (restore, undo) or forth (redo), lists \
        checkpoints, history and staged edits. Nothing is lost by going back.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let id = fork_id(&params.fork)?;
        let fork = call.fork(&id)?;
        let state = call.forks().open()?;
        let store = &state.store;
        let expected = params.expected_head.map_or(fork.head, Seq::new);
        let mut head = fork.head;
        let move_to = |to: Move| store.move_head(&id, expected, to, now()).map_err(store_error);
        match params.action {
            Action::Create => {
                // What is named is what the fork is by now, which another writer may have changed since it was looked at.
                head = store.create_checkpoint(&id, &name_of(&params)?, now()).map_err(store_error)?.seq;
            }
            Action::Delete => store.delete_checkpoint(&id, &name_of(&params)?).map_err(store_error)?,
            Action::Restore => {
                let to = match params.head {
                    Some(head) => Seq::new(head),
                    None => store.checkpoint(&id, &name_of(&params)?).map_err(store_error)?.seq,
                };
                head = move_to(Move::To(to))?;
            }
            Action::Undo => head = move_to(Move::Undo(params.steps.unwrap_or(1)))?,
            Action::Redo => head = move_to(Move::Redo(params.steps.unwrap_or(1)))?,
            Action::DiscardStaged => {
                let staged: StagedId =
                    params.staged.as_deref().unwrap_or_default().parse().map_err(wrong("staged"))?;
                store.discard_staged(&id, &staged).map_err(store_error)?;
            }
            Action::List => {}
        }
        let mut answer = Answer {
            fork: id.to_string(),
            head: head.get(),
            checkpoints: Vec::new(),
            history: Vec::new(),
            staged: Vec::new(),
        };
        if params.action == Action::List {
            let mut room = Room::of(call);
            let named = store.checkpoints(&id).map_err(store_error)?;
            let named = named.into_iter().map(|it| Named { name: it.name.to_string(), head: it.seq.get() });
            answer.checkpoints = room.fill_half(named.collect()).0;
            let staged = store.staged_changes(&id).map_err(store_error)?;
            let staged = staged.into_iter().map(|it| StagedEntry {
                staged: it.id.to_string(),
                summary: it.summary,
                previewed_at: it.seq.get(),
            });
            answer.staged = room.fill_half(staged.collect()).0;
            let history = store.history(&id, head, HISTORY).map_err(store_error)?;
            let history = history.into_iter().map(|it| Step {
                head: it.seq.get(),
                summary: it.summary,
                at: timestamp::of_millis(it.at),
            });
            answer.history = room.fill_half(history.collect()).0;
        }
        Ok(answer)
    }
}

fn name_of(params: &Params) -> Result<CheckpointName, ToolError> {
    let Some(name) = &params.name else {
        return Err(ToolError::new(ErrorCode::InvalidArgument, "the checkpoint's name is missing")
            .at("name")
            .hint("action list tells the names there are"));
    };
    // These would read as other states in fork@state.
    if name == "base" || name.parse::<u64>().is_ok() {
        return Err(ToolError::new(
            ErrorCode::InvalidArgument,
            format!("{name:?} names another state already"),
        )
        .at("name")
        .hint("take a name that is not base and no number"));
    }
    name.parse().map_err(wrong("name"))
}

fn wrong(argument: &'static str) -> impl Fn(InvalidName) -> ToolError {
    move |error| ToolError::new(ErrorCode::InvalidArgument, error.to_string()).at(argument)
}
