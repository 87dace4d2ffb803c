//! `transfer_url`: a URL by which a file comes or goes without a key.

use access::{Role, grant::Grant};
use chrono::{SecondsFormat, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    call::Call,
    error::{ErrorCode, ToolError},
    export::{EXTENSIONS, Format},
    files::{Export, FileRequest, PICTURE, tag_of},
    open::ForkReference,
    screenshots,
    tool::Tool,
    workspace::WorkbookId,
};

/// Signs URLs.
#[derive(Debug)]
pub(super) struct TransferUrl;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Workbook, fork, state or screenshot:// URI; a path to upload to.
    workbook: String,
    /// For PUT.
    #[serde(default)]
    upload: bool,
    /// Cells as text.
    format: Option<Format>,
    /// With format.
    range: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    url: String,
    method: &'static str,
    expires: String,
    /// The header If-Match that replacing the file takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    if_match: Option<String>,
}

impl Tool for TransferUrl {
    const NAME: &'static str = super::TRANSFER_URL;
    const TITLE: &'static str = "URL of a file";
    const DESCRIPTION: &'static str = "A URL that needs no key, for minutes: to download a workbook, fork, picture or cells, or to upload a \
        file. For what is too large for an answer.";
    type Params = Params;
    type Answer = Answer;

    fn run(call: &Call, params: Params) -> Result<Answer, ToolError> {
        let base = call.base_url()?;
        let (method, role) = if params.upload { ("PUT", Role::Editor) } else { ("GET", Role::Viewer) };
        let (asked, if_match, is_for_new) = match params.upload {
            true => uploaded(call, params)?,
            false => (downloaded(call, params)?, None, false),
        };
        let target = asked.target();
        let lifetime = i64::try_from(call.context().config.files.url_ttl).unwrap_or(i64::MAX);
        let expires = Utc::now() + TimeDelta::seconds(lifetime);
        let principal = call.principal().as_role(role);
        let grant = Grant { principal, request: format!("{method} {target}"), is_for_new, expires };
        let grant = call.files().grants.sign(&grant, call.forks())?;
        let mark = if asked.export.is_some() { '&' } else { '?' };
        Ok(Answer {
            url: base.url(&format!("{target}{mark}grant={grant}")),
            method,
            expires: expires.to_rfc3339_opts(SecondsFormat::Secs, true),
            if_match,
        })
    }
}

/// What is to be downloaded, if it is there: the state of a fork that there is now, and not what becomes of it.
fn downloaded(call: &Call, params: Params) -> Result<FileRequest, ToolError> {
    let Params { workbook, format, range, .. } = params;
    if range.is_some() && format.is_none() {
        return Err(ToolError::new(ErrorCode::InvalidArgument, "a workbook is downloaded as a whole")
            .at("range")
            .hint("give a format, too: csv, tsv, json or json_records"));
    }
    let export = format.map(|format| Export { format, range, values: None, formula_injection: None });
    if let Some(picture) = workbook.strip_prefix(screenshots::SCHEME) {
        call.screenshots().read(picture, &call.principal().gallery())?;
        return Ok(FileRequest { name: format!("{PICTURE}{picture}"), export: None });
    }
    if let Some(reference) = ForkReference::parse(&workbook)? {
        let fork = call.fork(&reference.fork)?;
        let seq = call.state_of(&reference)?.unwrap_or(fork.head);
        return Ok(FileRequest { name: format!("{}@{seq}", fork.id), export });
    }
    let found = match workbook.parse::<WorkbookId>() {
        Ok(_) => call.workspace().resolve(&workbook)?,
        Err(_) => call.workspace().find(&workbook, &EXTENSIONS)?,
    };
    Ok(FileRequest { name: found.path, export })
}

/// Where a file is to be uploaded, the tag of the one that would be replaced, and whether there is none.
fn uploaded(call: &Call, params: Params) -> Result<(FileRequest, Option<String>, bool), ToolError> {
    let role = call.principal().role();
    if role < Role::Editor {
        return Err(ToolError::new(
            ErrorCode::Forbidden,
            format!("an upload takes the role editor, and yours is {role}"),
        )
        .at("upload")
        .hint("ask whoever runs the server for a key with that role"));
    }
    if params.format.is_some() || params.range.is_some() {
        return Err(ToolError::new(ErrorCode::InvalidArgument, "a file is uploaded as a whole")
            .at("format")
            .hint("leave out format and range"));
    }
    let target = call.workspace().target(&params.workbook, &[])?;
    let state = target.state()?;
    if state.is_there() {
        call.check_overwrite()?;
    }
    let etag = state.identity().map(tag_of);
    Ok((FileRequest { name: target.path().to_owned(), export: None }, etag, !state.is_there()))
}
