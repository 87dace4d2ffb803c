//! `list_forks`: the forks there are, and what is kept of files that forks replaced.

use ::forks::{Fork, ForkId, ForkQuery, InvalidName, KeptVersion, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    forks::store_error,
    room::Room,
    timestamp,
    tool::Tool,
};

/// Entries of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 50;

/// Lists forks.
#[derive(Debug)]
pub(super) struct ListForks;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Path of a file.
    versions_of: Option<String>,
    /// Entries of the page (50).
    limit: Option<usize>,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// Those used last first.
    forks: Vec<ForkEntry>,
    /// Newest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    versions: Vec<VersionEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ForkEntry {
    fork: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    head: u64,
    base_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

/// What a file was before a fork was saved over it.
#[derive(Debug, Serialize, JsonSchema)]
struct VersionEntry {
    version: u64,
    bytes: u64,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<String>,
    /// By this state of a fork, an upload or a deletion.
    by: String,
}

impl Tool for ListForks {
    const NAME: &'static str = "list_forks";
    const TITLE: &'static str = "List forks";
    const DESCRIPTION: &'static str = "Your forks: id, origin, head, when they expire. Or the previous versions that are kept of a file \
        (versions_of), which create_fork reads.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        if let Some(reference) = &params.versions_of {
            return versions(call, reference);
        }
        let after = params.cursor.as_deref().map(position).transpose()?;
        let limit = params.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, call.config().limits.max_items);
        let owner = call.principal().owner();
        let query = ForkQuery {
            owner: Some(&owner),
            after: after.as_ref().map(|(used, id)| (*used, id)),
            limit: u32::try_from(limit + 1).unwrap_or(u32::MAX),
        };
        let mut found = call.forks().open()?.store.forks(&query).map_err(store_error)?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let last_looked_at = found.last().map(position_of);
        found.retain(|fork| call.may_see(fork));
        let shown: Vec<ForkEntry> = found.iter().map(ForkEntry::of).collect();
        let (forks, untold) = Room::of(call).fill(shown);
        let next_cursor = match untold > 0 {
            true => found.get(forks.len().saturating_sub(1)).map(position_of),
            false => last_looked_at.filter(|_| has_more),
        };
        Ok(Answer { forks, versions: Vec::new(), next_cursor })
    }
}

/// Where a page that ends with a fork ends.
fn position_of(fork: &Fork) -> String {
    format!("{}.{}", fork.last_used, fork.id)
}

/// The server keeps a handful of each file: they are one page.
fn versions(call: &Call, reference: &str) -> Result<Answer, ToolError> {
    let path = call.workspace().path_of(reference)?;
    let kept = call.forks().open()?.store.versions(&path).map_err(store_error)?;
    let (versions, _) = Room::of(call).fill(kept.iter().map(VersionEntry::of).collect());
    Ok(Answer { forks: Vec::new(), versions, next_cursor: None })
}

impl VersionEntry {
    fn of(kept: &KeptVersion) -> VersionEntry {
        VersionEntry {
            version: kept.number,
            bytes: kept.saved.size,
            digest: kept.saved.digest.to_string(),
            replaced: timestamp::of_millis(kept.saved.saved_at),
            by: match (&kept.saved.fork, &kept.saved.became) {
                (Some(fork), _) => format!("{fork}@{}", kept.saved.seq),
                (None, Some(_)) => "upload".to_owned(),
                (None, None) => "deletion".to_owned(),
            },
        }
    }
}

fn position(cursor: &str) -> Result<(i64, ForkId), ToolError> {
    let wrong = || {
        ToolError::new(ErrorCode::InvalidCursor, "the cursor is not one that list_forks gave")
            .at("cursor")
            .hint("start again without a cursor")
    };
    let (used, id) = cursor.split_once('.').ok_or_else(wrong)?;
    Ok((used.parse().map_err(|_| wrong())?, id.parse().map_err(|_: InvalidName| wrong())?))
}

impl ForkEntry {
    fn of(fork: &Fork) -> ForkEntry {
        ForkEntry {
            fork: fork.id.to_string(),
            label: fork.label.clone(),
            origin: fork.origin.as_ref().map(|origin| origin.path.clone()),
            head: fork.head.get(),
            base_bytes: fork.base.size,
            created: timestamp::of_millis(fork.created),
            last_used: timestamp::of_millis(fork.last_used),
            expires: timestamp::of_millis(fork.expires),
        }
    }
}
