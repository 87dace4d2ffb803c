//! `create_fork`: a copy of a workbook to edit, which leaves the file as it is.

use std::sync::Arc;

use ::forks::{Base, ForkId, InvalidName, NewFork, Origin, Seq, Store, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workbook::{
    FileFormat, Workbook,
    edit::{self, Draft},
};

use crate::{
    book::Book,
    call::Call,
    error::{ErrorCode, ToolError},
    export::EXTENSIONS,
    forks::{Live, edit_error, new_id, now, store_error},
    timestamp,
    tool::Tool,
};

/// Characters of a label.
const MAX_LABEL: usize = 200;

/// Makes forks.
#[derive(Debug)]
pub(super) struct CreateFork;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Workbook id, path or fork; leave out for a new, empty workbook.
    workbook: Option<String>,
    /// Of that file, by list_forks versions_of.
    version: Option<u64>,
    /// Sheets of a new workbook (Sheet1).
    #[serde(default)]
    sheets: Vec<String>,
    /// What it is for.
    label: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// Pass it as `workbook` to every tool.
    fork: String,
    head: u64,
    sheets: Vec<String>,
    /// The file that save_fork may replace.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// The format was converted to .xlsx.
    #[serde(skip_serializing_if = "Option::is_none")]
    converted_from: Option<&'static str>,
    /// Unless it is used before (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

/// What a fork starts from.
struct Start {
    draft: Arc<Draft>,
    base: Base,
    origin: Option<Origin>,
    converted_from: Option<FileFormat>,
    /// The open workbook that the draft is of.
    workbook: Option<Arc<Book>>,
}

impl Tool for CreateFork {
    const NAME: &'static str = "create_fork";
    const TITLE: &'static str = "Create a fork";
    const DESCRIPTION: &'static str = "Starts editing: a private, durable copy of a workbook (or a new one). The file stays \
        as it is until save_fork. Every tool reads the fork by its id; fork@base and fork@checkpoint are earlier states.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        if let Some(label) = params.label.as_deref().filter(|label| label.chars().count() > MAX_LABEL) {
            let told = format!("the label has {} characters, more than {MAX_LABEL}", label.chars().count());
            return Err(ToolError::new(ErrorCode::InvalidArgument, told).at("label"));
        }
        call.check_state(0)?;
        let start = match (&params.workbook, params.version) {
            (Some(reference), Some(version)) => Start::of_version(call, reference, version)?,
            (Some(reference), None) => Start::of(call, reference)?,
            (None, None) => Start::blank(call, &params.sheets)?,
            (None, Some(_)) => {
                return Err(ToolError::new(
                    ErrorCode::InvalidArgument,
                    "a version of which file is not said",
                )
                .at("workbook")
                .hint("name the file that the version is of"));
            }
        };
        let id: ForkId = new_id("fork-")
            .parse()
            .map_err(|error: InvalidName| ToolError::new(ErrorCode::Internal, error.to_string()))?;
        let state = call.forks();
        let new = NewFork {
            id: id.clone(),
            owner: call.principal().owner(),
            base: start.base,
            origin: start.origin,
            label: params.label,
            ttl: state.ttl(),
        };
        let fork = state.open()?.store.create_fork(&new, state.limits(), now()).map_err(store_error)?;
        let book = Arc::new(match &start.workbook {
            Some(workbook) => Book::first(&start.draft, workbook),
            None => Book::of(&start.draft),
        });
        call.keep_live(&id, &Live { seq: Seq::BASE, draft: Arc::clone(&start.draft), book });
        call.keep_base(fork.base.digest, Arc::clone(&start.draft));
        Ok(Answer {
            fork: id.to_string(),
            head: fork.head.get(),
            sheets: start.draft.book().tabs.iter().map(|tab| tab.name.clone()).collect(),
            origin: fork.origin.map(|origin| origin.path),
            converted_from: start.converted_from.map(FileFormat::extension),
            expires: timestamp::of_millis(fork.expires),
        })
    }
}

impl Start {
    fn of(call: &Call, reference: &str) -> Result<Start, ToolError> {
        let opened = call.open(reference)?;
        let limits = call.config().limits.for_reading();
        let book = &opened.book.workbook;
        let is_file = opened.path != opened.id;
        let name = opened.path.rsplit('/').next().unwrap_or_default().to_owned();
        let state = call.forks().open()?;
        if !is_file {
            // A fork of a fork starts from what that one would be saved as.
            let mut bytes = std::io::Cursor::new(Vec::new());
            let reference = crate::open::ForkReference::parse(reference)?;
            let Some(reference) = reference else {
                return Err(ToolError::new(ErrorCode::Internal, "a fork without its reference"));
            };
            let seq = call.state_of(&reference)?;
            let live = call.replayed(&reference.fork, seq)?;
            let options = edit::SaveOptions { drop_signature: true, ..Default::default() };
            live.live.draft.save(options, &mut bytes).map_err(crate::forks::save_error)?;
            let extension = book.format.extension();
            let name = format!("fork.{extension}");
            return Start::from_bytes(call, bytes.into_inner().into(), &name, live.fork.origin);
        }
        let Some(bytes) = opened.book.file_bytes() else {
            return Start::converted(call, book, &name);
        };
        let digest = opened.book.digest(&bytes);
        state.blobs.put_known(&digest, &bytes, state.time()?).map_err(store_error)?;
        let draft = Arc::new(Draft::new(book, &limits).map_err(edit_error)?);
        Ok(Start {
            draft,
            base: Base { digest, size: bytes.len() as u64, file_name: name },
            origin: Some(Origin { path: opened.path.clone(), digest }),
            converted_from: None,
            workbook: Some(Arc::clone(&opened.book)),
        })
    }

    fn blank(call: &Call, sheets: &[String]) -> Result<Start, ToolError> {
        let names: Vec<&str> = match sheets {
            [] => vec!["Sheet1"],
            names => names.iter().map(String::as_str).collect(),
        };
        let bytes = edit::blank_workbook(&names).map_err(edit_error)?;
        Start::from_bytes(call, bytes.into(), "new.xlsx", None)
    }

    /// What the file was. It may be saved over what the file is now, if that stays.
    fn of_version(call: &Call, reference: &str, number: u64) -> Result<Start, ToolError> {
        let path = call.workspace().path_of(reference)?;
        let state = call.forks().open()?;
        let kept = state.store.version(&path, number).map_err(|error| match error {
            StoreError::NotFound { .. } => {
                ToolError::new(ErrorCode::NotFound, format!("there is no version {number} of {path:?}"))
                    .at("version")
                    .hint("list_forks with versions_of tells the versions that are kept")
            }
            other => store_error(other),
        })?;
        let bytes = state.blobs.read(&kept.saved.digest, now()).map_err(store_error)?;
        let target = call.workspace().target(&path, &EXTENSIONS)?;
        let digest = if target.state()?.is_there() { target.digest()? } else { kept.saved.digest };
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        Start::from_bytes(call, bytes, &name, Some(Origin { path, digest }))
    }

    /// A workbook of a format that is only read, as one that can be edited.
    fn converted(call: &Call, book: &Workbook, name: &str) -> Result<Start, ToolError> {
        let limits = call.config().limits.for_reading();
        let bytes = edit::converted(book, &limits, call).map_err(edit_error)?;
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let start = Start::from_bytes(call, bytes.into(), &format!("{stem}.xlsx"), None)?;
        Ok(Start { converted_from: Some(book.format), ..start })
    }

    fn from_bytes(
        call: &Call,
        bytes: Arc<[u8]>,
        name: &str,
        origin: Option<Origin>,
    ) -> Result<Start, ToolError> {
        let limits = call.config().limits.for_reading();
        let book = Book::new(Workbook::open(Arc::clone(&bytes), name, &limits, call)?);
        if book.file_bytes().is_none() {
            return Start::converted(call, &book.workbook, name);
        }
        let state = call.forks().open()?;
        let digest = state.blobs.put(&bytes, state.time()?).map_err(store_error)?;
        let draft = Arc::new(Draft::new(&book.workbook, &limits).map_err(edit_error)?);
        let base = Base { digest, size: bytes.len() as u64, file_name: name.to_owned() };
        Ok(Start { draft, base, origin, converted_from: None, workbook: None })
    }
}
