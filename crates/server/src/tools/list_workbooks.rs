//! `list_workbooks`: which workbooks are in the workspace.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{call::Call, cursor, error::ToolError, tool::Tool, workspace::Listed};

/// Entries of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 100;

/// Lists workbooks.
#[derive(Debug)]
pub(super) struct ListWorkbooks;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Only paths that contain this text, in any case.
    contains: Option<String>,
    /// Entries of the page (100).
    limit: Option<usize>,
    /// Where to continue.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// In the order of their paths.
    workbooks: Vec<WorkbookEntry>,
    /// All that match, over all pages.
    total: usize,
    /// The folder has more entries than one scan looks at.
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WorkbookEntry {
    id: String,
    path: String,
    bytes: u64,
    /// UTC, ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
}

impl Tool for ListWorkbooks {
    const NAME: &'static str = "list_workbooks";
    const TITLE: &'static str = "List workbooks";
    const DESCRIPTION: &'static str = "Workbooks in the workspace: ids and paths. Start here; every other tool takes an id or path as `workbook`.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let listing = call.workspace().list()?;
        let wanted = params.contains.unwrap_or_default().to_lowercase();
        let matching: Vec<&Listed> = listing
            .workbooks
            .iter()
            .filter(|workbook| workbook.path.to_lowercase().contains(&wanted))
            .collect();

        let scope = cursor::scope_of(&json!([Self::NAME, wanted, matching.len()]));
        let start = cursor::decode(&scope, params.cursor.as_deref())?;
        let limit = params.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, call.config().limits.max_items);
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(matching.len());
        let mut budget = call.answer_bytes().saturating_sub(200);
        let mut workbooks = Vec::new();
        for workbook in matching.iter().skip(start).take(limit) {
            let cost = workbook.path.len() * 2 + 100;
            if cost > budget && !workbooks.is_empty() {
                break;
            }
            budget = budget.saturating_sub(cost);
            workbooks.push(WorkbookEntry::of(workbook));
        }

        let next = start + workbooks.len();
        let next_cursor = (next < matching.len()).then(|| cursor::encode(&scope, next as u64));
        Ok(Answer { workbooks, total: matching.len(), truncated: listing.truncated, next_cursor })
    }
}

impl WorkbookEntry {
    fn of(workbook: &Listed) -> WorkbookEntry {
        WorkbookEntry {
            id: workbook.id.to_string(),
            path: workbook.path.clone(),
            bytes: workbook.size,
            modified: workbook.modified.and_then(crate::timestamp::iso_8601),
        }
    }
}
