//! What is made to be downloaded: the workbook of a fork at a state, and cells as text.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
};

use workbook::edit::SaveOptions;

use super::{Export, FileRequest, source::Source};
use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    export::{self, InjectionParam, ValuesParam},
    forks::save_error,
    open::ForkReference,
};

/// Makes what a request names, in a file without a name.
///
/// # Errors
/// When there is no such workbook or state, or it can't be written.
pub(super) fn made(call: &Call, asked: &FileRequest) -> Result<Source, ToolError> {
    let failed = |error: io::Error| {
        let code = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
            _ => ErrorCode::Internal,
        };
        ToolError::new(code, format!("the file can't be made: {error}"))
            .hint("whoever runs the server has to make room where temporary files are")
    };
    let mut out = BufWriter::with_capacity(1 << 20, tempfile::tempfile().map_err(failed)?);
    let _alone = call.files().one_at_a_time();
    call.check()?;
    let file_name = match &asked.export {
        Some(export) => exported(call, &asked.name, export, &mut out)?,
        None => saved(call, &asked.name, &mut out)?,
    };
    out.flush().map_err(failed)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    Source::of_made(file, file_name).map_err(failed)
}

fn saved(call: &Call, name: &str, out: &mut BufWriter<File>) -> Result<String, ToolError> {
    let reference =
        ForkReference::parse(name)?.ok_or_else(|| ToolError::new(ErrorCode::NotFound, "no fork"))?;
    let replayed = call.replayed(&reference.fork, call.state_of(&reference)?)?;
    let live = &replayed.live;
    let is_fresh = !live.draft.is_stale() || !live.book.is_any_stale(call)?;
    let options = SaveOptions { drop_signature: false, is_fresh };
    live.draft.save(options, out).map_err(save_error)?;
    let fork = &replayed.fork;
    let path = fork.origin.as_ref().map_or(fork.base.file_name.as_str(), |origin| origin.path.as_str());
    Ok(format!("{}.{}", stem(path), live.draft.book().format.extension()))
}

fn exported(call: &Call, name: &str, asked: &Export, out: &mut BufWriter<File>) -> Result<String, ToolError> {
    let opened = call.open(name)?;
    let file_name = format!("{}.{}", stem(&opened.path), asked.format.extension());
    if asked.formula_injection.is_some() && !asked.format.is_delimited() {
        return Err(ToolError::new(
            ErrorCode::InvalidArgument,
            "no program takes a text in JSON for a formula",
        )
        .at("formula_injection")
        .hint("leave it out, or ask for csv or tsv"));
    }
    let export = export::Export {
        path: &file_name,
        format: asked.format,
        range: asked.range.as_deref(),
        values: asked.values.unwrap_or(ValuesParam::Raw),
        injection: asked.formula_injection.unwrap_or(InjectionParam::Escape),
        is_stale: false,
    };
    export.write(call, &opened, out)?;
    Ok(file_name)
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
