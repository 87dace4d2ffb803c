//! `save_fork`: a fork as a file of the workspace.

use std::io::{BufWriter, Write};

use ::forks::{Digest, SavedVersion, Seq, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workbook::{
    FileFormat,
    edit::{Draft, SaveOptions, Saved},
};

use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    forks::{now, save_error, store_error},
    open::ForkReference,
    room::Room,
    tool::Tool,
    workspace::{Target, TargetState},
};

/// Saves forks.
#[derive(Debug)]
pub(super) struct SaveFork;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Fork id, or a state of it: fork@checkpoint.
    fork: String,
    /// Path within the workspace; the file that the fork was made from if left out.
    path: Option<String>,
    /// Replace a file that is there; its previous version is kept.
    #[serde(default)]
    overwrite: bool,
    /// Tell which parts would be touched, and write nothing.
    #[serde(default)]
    dry_run: bool,
    /// Save a signed workbook without its signature.
    #[serde(default)]
    drop_signature: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    path: String,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    dry_run: bool,
    head: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    parts_changed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    parts_added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    parts_removed: Vec<String>,
    /// Parts kept byte for byte.
    parts_copied: usize,
    /// What was replaced is kept under this digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    warnings: Vec<String>,
}

impl Tool for SaveFork {
    const NAME: &'static str = "save_fork";
    const TITLE: &'static str = "Save a fork";
    const DESCRIPTION: &'static str = "Writes a fork to a new file, or over the one that it was made from (overwrite, if the \
        server allows it and the file did not change). Only touched parts are rewritten; the fork stays.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let Some(reference) = ForkReference::parse(&params.fork)? else {
            return Err(ToolError::new(
                ErrorCode::InvalidArgument,
                format!("{:?} is not a fork's id", params.fork),
            )
            .at("fork")
            .hint("list_forks tells the ids"));
        };
        let seq = call.state_of(&reference)?;
        let replayed = call.replayed(&reference.fork, seq)?;
        let (fork, live) = (replayed.fork, replayed.live);
        let path = match (&params.path, &fork.origin) {
            (Some(path), _) => path.clone(),
            (None, Some(origin)) => origin.path.clone(),
            (None, None) => {
                return Err(ToolError::new(
                    ErrorCode::InvalidArgument,
                    "the fork was not made from a file that it could replace",
                )
                .at("path")
                .hint("give a path for a new file, for example \"report.xlsx\""));
            }
        };
        let target = call.workspace().target(&path)?;
        check_format(&live.draft, target.path())?;
        let origin = fork.origin.as_ref().filter(|origin| origin.path == target.path());
        let state = target.state()?;
        let replaces = check_target(call, &params, &target, &state, origin.map(|origin| origin.digest))?;
        let options = SaveOptions { drop_signature: params.drop_signature };
        if params.dry_run {
            let saved = live.draft.dry_run(options).map_err(save_error)?;
            return Ok(Answer::of(call, &target, live.seq, &saved, &live.draft));
        }
        let mut temporary = target.create()?;
        let mut buffered = BufWriter::with_capacity(1 << 20, temporary.file());
        let saved = live.draft.save(options, &mut buffered).map_err(save_error)?;
        buffered.flush().map_err(|error| target.failed(&error))?;
        drop(buffered);
        let (digest, bytes) = temporary.finish()?;
        let mut answer =
            Answer { dry_run: false, ..Answer::of(call, &target, live.seq, &saved, &live.draft) };
        if let Some(previous) = replaces {
            let opened = call.forks().open()?;
            let kept = opened.blobs.put(&previous, now()).map_err(store_error)?;
            let version = SavedVersion {
                path: target.path().to_owned(),
                digest: kept,
                size: previous.len() as u64,
                saved_at: now(),
                fork: fork.id.clone(),
                seq: live.seq,
            };
            opened.store.add_version(&version).map_err(store_error)?;
            answer.previous_version = Some(kept.to_string());
            temporary.replace(&state)?;
            opened.store.follow_origin(&fork.id, target.path(), &digest).map_err(store_error)?;
        } else {
            temporary.publish()?;
        }
        answer.bytes = Some(bytes);
        answer.digest = Some(digest.to_string());
        Ok(answer)
    }
}

/// What may be replaced, and whether it is what the fork was made from. Gives the bytes that go.
fn check_target(
    call: &Call,
    params: &Params,
    target: &Target,
    state: &TargetState,
    origin: Option<Digest>,
) -> Result<Option<Vec<u8>>, ToolError> {
    if !state.is_there() {
        return Ok(None);
    }
    if !params.overwrite {
        return Err(ToolError::new(
            ErrorCode::AlreadyExists,
            format!("there is a file {:?} already", target.path()),
        )
        .at("path")
        .hint("save to another path, or pass overwrite: true"));
    }
    if !call.config().state.allow_overwrite {
        return Err(ToolError::new(
            ErrorCode::OverwriteNotAllowed,
            "this server does not replace files of the workspace",
        )
        .at("overwrite")
        .hint("save to a new path, or start the server with SPREADSHEET_MCP_ALLOW_OVERWRITE=true"));
    }
    let bytes = target.read(call.config().limits.max_file_bytes)?;
    let is_known = origin.is_none_or(|origin| Digest::of(&bytes) == origin);
    if !is_known {
        return Err(ToolError::new(
            ErrorCode::TargetChanged,
            format!("{:?} changed since the fork was made", target.path()),
        )
        .at("path")
        .hint("save to a new path and compare, or make a new fork of the file as it is now"));
    }
    Ok(Some(bytes))
}

/// The extension has to say what the bytes are: Excel refuses to open a workbook under the wrong one.
fn check_format(draft: &Draft, path: &str) -> Result<(), ToolError> {
    let format = draft.book().format;
    let extension = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let own = format.extension();
    if extension == own {
        return Ok(());
    }
    let why = match format {
        FileFormat::Xlsm | FileFormat::Xltm => "it is a workbook with macros",
        FileFormat::Xltx => "it is a template",
        _ => "it is a workbook without macros",
    };
    Err(ToolError::new(
        ErrorCode::InvalidArgument,
        format!("a fork of this format is saved as .{own}: {why}"),
    )
    .at("path")
    .hint(format!("let the path end in .{own}")))
}

impl Answer {
    fn of(call: &Call, target: &Target, seq: Seq, saved: &Saved, draft: &Draft) -> Answer {
        let mut room = Room::of(call);
        let mut warnings = Vec::new();
        if saved.full_calc_on_load {
            warnings.push(
                "results of formulas may be older than their inputs; the program that opens the file is asked to calculate"
                    .to_owned(),
            );
        }
        if draft.book().signed && draft.is_changed() {
            warnings.push("the digital signature is dropped".to_owned());
        }
        Answer {
            path: target.path().to_owned(),
            dry_run: true,
            head: seq.get(),
            bytes: None,
            digest: None,
            parts_changed: room.fill_half(saved.changed.clone()).0,
            parts_added: room.fill_half(saved.added.clone()).0,
            parts_removed: room.fill_half(saved.removed.clone()).0,
            parts_copied: saved.copied,
            previous_version: None,
            warnings,
        }
    }
}
