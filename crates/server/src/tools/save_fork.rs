//! `save_fork`: a fork as a file of the workspace.

use std::io::{self, BufWriter, Seek, Write};

use ::forks::{Digest, Fork, InvalidDigest, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workbook::{
    FileFormat,
    edit::{Draft, SaveOptions, Saved},
};

use super::recalculate::recalculated;
use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    export::{EXTENSIONS, Export, ExportTold, Format, InjectionParam, ValuesParam},
    flags::Flag,
    forks::{Replayed, save_error, store_error},
    metrics::labels::ForkEvent,
    open::{ForkReference, Opened},
    recalc::{EngineParam, Scope},
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
    /// Of an export (by the extension).
    format: Option<Format>,
    /// What to export: a sheet, table, region, name or cells (the only sheet with content).
    range: Option<String>,
    /// Of an export (raw: exact numbers, ISO dates).
    values: Option<ValuesParam>,
    /// Texts in csv and tsv that programs would take for formulas (escape: an apostrophe in front).
    formula_injection: Option<InjectionParam>,
    /// Replace a file; what it held is kept.
    #[serde(default)]
    overwrite: bool,
    /// SHA-256 of the file to replace; needed for another one than the fork was made from.
    expected_digest: Option<String>,
    /// Compute stale results first (auto), or leave that to the program that opens the file (never).
    recalculate: Option<RecalculateParam>,
    /// Tell which parts would be touched.
    #[serde(default)]
    dry_run: bool,
    /// Save without the digital signature.
    #[serde(default)]
    drop_signature: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RecalculateParam {
    Auto,
    Never,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    parts_changed: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    parts_added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    parts_removed: Vec<String>,
    /// Parts kept byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts_copied: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exported: Option<ExportTold>,
    /// What was replaced is kept under this number: list_forks versions_of, create_fork version.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_version: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    warnings: Vec<String>,
}

impl Tool for SaveFork {
    const NAME: &'static str = "save_fork";
    const TITLE: &'static str = "Save a fork";
    const DESCRIPTION: &'static str = "Writes a fork to a new file, or over the one that it was made from (overwrite, if the \
        server allows it and the file did not change), or over another one whose expected_digest you give. Only touched parts are rewritten; the fork stays. A path in .csv, \
        .tsv or .json exports cells.";
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
        let mut replayed = call.replayed(&reference.fork, seq)?;
        let fork = replayed.fork.clone();
        let fork = &fork;
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
        let extensions = Content::of(&params, &path, &replayed, true)?.extensions();
        let target = call.workspace().target(&path, extensions)?;
        let state = target.state()?;
        let replaces = check_target(call, &params, &target, &state, fork)?;
        let computes = reference.state.is_none()
            && !params.dry_run
            && params.recalculate != Some(RecalculateParam::Never);
        let problem = if computes { computed_first(call, &mut replayed)? } else { None };
        let is_fresh = !replayed.live.draft.is_stale() || !replayed.live.book.is_any_stale(call)?;
        let content = Content::of(&params, &path, &replayed, is_fresh)?;
        let mut answer = Answer {
            warnings: problem.into_iter().collect(),
            path: target.path().to_owned(),
            dry_run: params.dry_run,
            head: replayed.live.seq.get(),
            ..Answer::default()
        };
        if params.dry_run {
            content.dry_run(call, &replayed, &mut answer)?;
            return Ok(answer);
        }
        let mut temporary = target.create()?;
        let mut buffered = BufWriter::with_capacity(1 << 20, temporary.file());
        content.write(call, &replayed, &mut buffered, &mut answer)?;
        buffered.flush().map_err(|error| target.failed(&error))?;
        drop(buffered);
        let (digest, bytes) = temporary.finish()?;
        if let Some(previous) = replaces {
            let by = Some((&fork.id, replayed.live.seq));
            let noted = call.keep_version(&target, previous, by, Some(digest), bytes)?;
            let (_, number) = call.settle_version(&noted, temporary.replace(&state))?;
            answer.previous_version = Some(number);
            call.forks()
                .open()?
                .store
                .follow_origin(&fork.id, target.path(), &digest)
                .map_err(store_error)?;
        } else {
            temporary.publish()?;
        }
        call.metrics().work.forks(ForkEvent::Saved, 1);
        answer.bytes = Some(bytes);
        answer.digest = Some(digest.to_string());
        Ok(answer)
    }
}

/// Computes results that are old. What stands in the way is told, and does not stop the saving.
fn computed_first(call: &Call, replayed: &mut Replayed) -> Result<Option<String>, ToolError> {
    let live = &replayed.live;
    if !live.draft.is_stale() || !live.book.is_any_stale(call)? {
        return Ok(None);
    }
    let id = replayed.fork.id.clone();
    let computed = recalculated(call, &id, EngineParam::Auto, &Scope::Workbook, Some(live.seq), None);
    match computed {
        Ok(_) => {
            *replayed = call.replayed(&id, None)?;
            Ok(None)
        }
        Err(error) if matches!(error.code, ErrorCode::Cancelled | ErrorCode::Conflict) => Err(error),
        Err(error) => Ok(Some(format!("results were not computed before saving: {}", error.message))),
    }
}

/// What is written.
enum Content<'a> {
    Workbook(SaveOptions),
    Export(Export<'a>),
}

impl<'a> Content<'a> {
    fn of(
        params: &'a Params,
        path: &'a str,
        replayed: &Replayed,
        is_fresh: bool,
    ) -> Result<Content<'a>, ToolError> {
        let Params { range, values, formula_injection, .. } = params;
        let wrong = |argument: &str, message: &str| {
            Err(ToolError::new(ErrorCode::InvalidArgument, message)
                .at(argument)
                .hint("leave it out, or let the path end in .csv or .tsv"))
        };
        let Some(format) = Format::of(params.format, path)? else {
            let of_exports = [
                ("range", range.is_some()),
                ("values", values.is_some()),
                ("formula_injection", formula_injection.is_some()),
            ];
            if let Some((argument, _)) = of_exports.iter().find(|(_, is_given)| *is_given) {
                return wrong(argument, "a workbook is saved as a whole");
            }
            check_format(&replayed.live.draft, path)?;
            return Ok(Content::Workbook(SaveOptions { drop_signature: params.drop_signature, is_fresh }));
        };
        if formula_injection.is_some() && !format.is_delimited() {
            return wrong("formula_injection", "no program takes a text in JSON for a formula");
        }
        Ok(Content::Export(Export {
            path,
            format,
            range: range.as_deref(),
            values: values.unwrap_or(ValuesParam::Raw),
            injection: formula_injection.unwrap_or(InjectionParam::Escape),
            is_stale: !is_fresh && replayed.live.draft.is_stale(),
        }))
    }

    /// Extensions that the path may have besides those of workbooks.
    fn extensions(&self) -> &'static [&'static str] {
        match self {
            Content::Workbook(_) => &[],
            Content::Export(_) => &EXTENSIONS,
        }
    }

    fn write(
        &self,
        call: &Call,
        replayed: &Replayed,
        out: impl Write + Seek,
        answer: &mut Answer,
    ) -> Result<(), ToolError> {
        let draft = &replayed.live.draft;
        match self {
            Content::Workbook(options) => {
                answer.tell_saved(call, &draft.save(*options, out).map_err(save_error)?, draft);
            }
            Content::Export(export) => {
                answer.tell_exported(export.write(call, &Opened::from(replayed), out)?);
            }
        }
        Ok(())
    }

    /// What writing would tell.
    fn dry_run(&self, call: &Call, replayed: &Replayed, answer: &mut Answer) -> Result<(), ToolError> {
        let draft = &replayed.live.draft;
        match self {
            Content::Workbook(options) => {
                answer.tell_saved(call, &draft.dry_run(*options).map_err(save_error)?, draft);
            }
            Content::Export(export) => {
                answer.tell_exported(export.write(call, &Opened::from(replayed), io::sink())?);
            }
        }
        Ok(())
    }
}

/// Whether the file that is there may be replaced: it is what the fork was made from, or what the caller says. Gives what goes.
fn check_target(
    call: &Call,
    params: &Params,
    target: &Target,
    state: &TargetState,
    fork: &Fork,
) -> Result<Option<Digest>, ToolError> {
    let path = target.path();
    let expected: Option<Digest> = params.expected_digest.as_deref().map(digest).transpose()?;
    if !state.is_there() {
        return match expected {
            None => Ok(None),
            Some(_) => {
                Err(ToolError::new(ErrorCode::TargetChanged, format!("there is no file {path:?} any more"))
                    .at("expected_digest")
                    .hint("leave it out to save a new file"))
            }
        };
    }
    if !params.overwrite {
        return Err(ToolError::new(ErrorCode::AlreadyExists, format!("there is a file {path:?} already"))
            .at("path")
            .hint("save to another path, or pass overwrite: true"));
    }
    if !call.is_on(Flag::Overwrite) {
        return Err(ToolError::new(
            ErrorCode::OverwriteNotAllowed,
            "this server does not replace files of the workspace",
        )
        .at("overwrite")
        .hint("save to a new path, or start the server with SPREADSHEET_MCP_ALLOW_OVERWRITE=true"));
    }
    let actual = target.digest()?;
    let origin = fork.origin.as_ref().filter(|origin| origin.path == path).map(|origin| origin.digest);
    if expected.is_none() && origin.is_some() && was_interrupted(call, fork, path, &actual)? {
        return Ok(Some(actual));
    }
    match (expected, origin) {
        (Some(known), _) | (None, Some(known)) if known == actual => Ok(Some(actual)),
        (Some(_), _) => Err(ToolError::new(
            ErrorCode::TargetChanged,
            format!("{path:?} holds something else than you expect"),
        )
        .at("expected_digest")
        .hint(format!("read the file again; it may go with expected_digest: \"{actual}\""))),
        (None, Some(_)) => {
            Err(ToolError::new(ErrorCode::TargetChanged, format!("{path:?} changed since the fork was made"))
                .at("path")
                .hint("save to a new path and compare, or make a new fork of the file as it is now"))
        }
        (None, None) => Err(ToolError::new(
            ErrorCode::AlreadyExists,
            format!("{path:?} is not the file that the fork was made from"),
        )
        .at("expected_digest")
        .hint(format!("save to another path; or it may go with expected_digest: \"{actual}\""))),
    }
}

/// Whether the file is what this fork was saved as by a server that died before it noted so.
fn was_interrupted(call: &Call, fork: &Fork, path: &str, actual: &Digest) -> Result<bool, ToolError> {
    let last = call.forks().open()?.store.versions(path).map_err(store_error)?.into_iter().next();
    Ok(last.is_some_and(|last| {
        last.saved.fork.as_ref() == Some(&fork.id) && last.saved.became.as_ref() == Some(actual)
    }))
}

fn digest(text: &str) -> Result<Digest, ToolError> {
    text.parse().map_err(|error: InvalidDigest| {
        ToolError::new(ErrorCode::InvalidArgument, error.to_string())
            .at("expected_digest")
            .hint("take it from the answer of save_fork, or from the error that asks for it")
    })
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
    fn tell_saved(&mut self, call: &Call, saved: &Saved, draft: &Draft) {
        let mut room = Room::of(call);
        if saved.full_calc_on_load {
            self.warnings.push(
                "results of formulas may be older than their inputs; the program that opens the file is asked to calculate"
                    .to_owned(),
            );
        }
        if draft.book().signed && draft.is_changed() {
            self.warnings.push("the digital signature is dropped".to_owned());
        }
        self.parts_changed = Some(room.fill_half(saved.changed.clone()).0);
        self.parts_added = room.fill_half(saved.added.clone()).0;
        self.parts_removed = room.fill_half(saved.removed.clone()).0;
        self.parts_copied = Some(saved.copied);
    }

    fn tell_exported(&mut self, (told, warnings): (ExportTold, Vec<String>)) {
        self.exported = Some(told);
        self.warnings = warnings;
    }
}
