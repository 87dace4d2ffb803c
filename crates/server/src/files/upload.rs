//! `PUT`: a file that arrives.
//!
//! Conditions are looked at before the first byte is asked for (`Expect: 100-continue`), and again when the file gets its name.

use std::{io::Write as _, sync::Arc, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use headers::{ContentLength, ETag, HeaderMapExt as _};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{
    FileRequest,
    check::check_content,
    conditions::{Write, writes},
    doors::OnlyNew,
    download::STALL,
    link_of, scan,
    source::etag_of,
};
use crate::{
    Server,
    call::Call,
    error::{ErrorCode, ToolError},
    flags::Flag,
    metrics::{
        TransferRecord,
        labels::{Direction, FileMethod, Rejection},
    },
};

/// Pieces that may wait to be written.
const AHEAD: usize = 4;
/// Bytes of a refused upload that are read and thrown away, and for how long, so that its sender comes to read why.
const LINGERING: u64 = 64 << 20;
const LINGERING_TIME: Duration = Duration::from_secs(5);

/// What arrives.
enum Piece {
    Data(Bytes),
    /// All of it is here.
    End,
    /// Nothing more comes.
    Failed(ToolError),
}

/// Under what it is taken.
struct Conditions {
    headers: HeaderMap,
    /// Whether the URL was given for a file that was not there.
    is_for_new: bool,
}

/// What became of it.
struct Stored {
    status: StatusCode,
    etag: Option<ETag>,
    told: Value,
}

/// Takes a file.
pub(super) async fn upload(
    server: Arc<Server>,
    asked: FileRequest,
    request: Request,
) -> Result<Response, ToolError> {
    let link = link_of(&request);
    let is_for_new = request.extensions().get::<OnlyNew>().is_some();
    let (parts, mut body) = request.into_parts();
    let audited = json!({ "workbook": &asked.name });
    let recording = server.audit.call(&link.principal, FileMethod::Put.action(), &audited);
    let record = TransferRecord::begin(&server.context, &link, FileMethod::Put, &asked.name);
    let most = server.context.live().limits.max_file_bytes;
    // Who asks before sending has not sent anything yet.
    let mut is_asked_for = !parts.headers.contains_key(header::EXPECT);
    let stored = match check_announced(&parts.headers, most) {
        Err(error) => Err(error),
        Ok(()) => {
            let (ready, is_ready) = oneshot::channel();
            let (sender, pieces) = mpsc::channel(AHEAD);
            let headers = parts.headers;
            let stored = server.runner.transfer(link, move |call| {
                receive(call, &asked, &Conditions { headers, is_for_new }, ready, pieces)
            });
            let arrived = arrive(&mut body, most, is_ready, sender, &mut is_asked_for);
            tokio::pin!(stored);
            tokio::select! {
                stored = &mut stored => stored,
                () = arrived => stored.await,
            }
        }
    };
    if stored.as_ref().is_err_and(|error| error.code == ErrorCode::LimitExceeded) {
        server.context.metrics.calls.rejected(Rejection::RequestTooLarge);
    }
    record.ended(stored.as_ref().err());
    recording.ended(stored.as_ref().err());
    if stored.is_err() && is_asked_for {
        linger(body);
    }
    let stored = stored?;
    let mut response = (stored.status, Json(stored.told)).into_response();
    if let Some(etag) = stored.etag {
        response.headers_mut().typed_insert(etag);
    }
    Ok(response)
}

/// A part of a file is never taken for the file (RFC 9110 §14.5).
fn check_announced(headers: &HeaderMap, most: u64) -> Result<(), ToolError> {
    if headers.contains_key(header::CONTENT_RANGE) {
        return Err(ToolError::new(
            ErrorCode::InvalidArgument,
            "a part of a file can't be sent: PUT stores a whole one",
        )
        .at("Content-Range")
        .hint("nothing was stored; send all of the file, without Content-Range (curl without -C)"));
    }
    match headers.typed_get::<ContentLength>() {
        Some(ContentLength(length)) if length > most => Err(too_large(most)),
        _ => Ok(()),
    }
}

fn too_large(most: u64) -> ToolError {
    ToolError::new(
        ErrorCode::LimitExceeded,
        format!("the file has more than the {most} bytes that one may have"),
    )
    .at("path")
    .hint("send a smaller one, or ask whoever runs the server to raise SPREADSHEET_MCP_MAX_FILE_BYTES")
}

fn used_up() -> ToolError {
    ToolError::new(ErrorCode::AlreadyExists, "the URL is for a new file, and there is one by now")
        .at("path")
        .hint("ask for a URL with transfer_url that replaces the file, or for one of another path")
}

/// Passes on what arrives, once somebody is ready for it.
async fn arrive(
    body: &mut Body,
    most: u64,
    is_ready: oneshot::Receiver<()>,
    pieces: mpsc::Sender<Piece>,
    is_asked_for: &mut bool,
) {
    if is_ready.await.is_err() {
        return;
    }
    *is_asked_for = true;
    let mut length = 0;
    loop {
        let piece = match timeout(STALL, body.frame()).await {
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    length += data.len() as u64;
                    if length > most { Piece::Failed(too_large(most)) } else { Piece::Data(data) }
                }
                Err(_trailers) => continue,
            },
            Ok(None) => Piece::End,
            Ok(Some(Err(_broken))) => Piece::Failed(cut_off()),
            Err(_stalled) => Piece::Failed(stalled()),
        };
        let is_last = !matches!(piece, Piece::Data(_));
        if pieces.send(piece).await.is_err() || is_last {
            return;
        }
    }
}

fn cut_off() -> ToolError {
    ToolError::new(ErrorCode::Cancelled, "the upload was cut off before its end")
        .at("path")
        .hint("nothing was kept; send all of the file again")
}

/// Whoever still reads is told of what ended the call, and not that it ended.
fn stopped_by(call: &Call, error: ToolError) -> ToolError {
    call.stop_by(error.clone());
    error
}

fn stalled() -> ToolError {
    let seconds = STALL.as_secs();
    ToolError::new(ErrorCode::Timeout, format!("nothing arrived for {seconds} s; nothing was kept"))
        .hint("send the file again")
}

/// Lets the sender of a refused upload finish, within bounds: who is cut off while they write may not come to read the answer.
fn linger(mut body: Body) {
    tokio::spawn(timeout(LINGERING_TIME, async move {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, |data| data.len() as u64);
            if length > LINGERING {
                return;
            }
        }
    }));
}

/// Writes what arrives beside its place, looks at it, and puts it there.
fn receive(
    call: &Call,
    asked: &FileRequest,
    conditions: &Conditions,
    ready: oneshot::Sender<()>,
    mut pieces: mpsc::Receiver<Piece>,
) -> Result<Stored, ToolError> {
    call.check_editor(FileMethod::Put)?;
    if asked.export.is_some() {
        return Err(ToolError::new(ErrorCode::InvalidArgument, "an upload has no parameters")
            .hint("leave out what follows the ? of the URL"));
    }
    let target = call.workspace().target(&asked.name, &[])?;
    let state = target.state()?;
    if conditions.is_for_new && state.is_there() {
        return Err(used_up());
    }
    let write = writes(&conditions.headers, state.identity().map(etag_of).as_ref())?;
    if write == Write::Replace {
        call.check_overwrite()?;
    }
    let mut temporary = target.create()?;
    let _refused_meanwhile = ready.send(());
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Data(data)) => {
                temporary.file().write_all(&data).map_err(|error| target.failed(&error))?;
                call.metrics().files.moved(Direction::In, data.len() as u64);
            }
            Some(Piece::End) => break,
            Some(Piece::Failed(error)) => return Err(stopped_by(call, error)),
            // The client hung up.
            None => return Err(stopped_by(call, cut_off())),
        }
    }
    let (digest, bytes) = temporary.finish()?;
    check_content(call, temporary.file(), target.path())?;
    scan::check_clean(call, temporary.file())?;
    call.check()?;
    let (identity, previous_version) = match write {
        Write::Create => (temporary.publish()?, None),
        Write::Replace => {
            let previous = target.digest()?;
            let noted = call.keep_version(&target, previous, None, Some(digest), bytes)?;
            let (identity, number) = call.settle_version(&noted, temporary.replace(&state))?;
            (identity, Some(number))
        }
    };
    let mut told = json!({ "path": target.path(), "bytes": bytes, "digest": digest.to_string() });
    if let Some(version) = previous_version {
        told["previous_version"] = json!(version);
    }
    let status = if write == Write::Create { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Stored { status, etag: identity.as_ref().map(etag_of), told })
}

impl Call {
    /// Whether who calls may replace and delete files.
    pub(crate) fn check_overwrite(&self) -> Result<(), ToolError> {
        if self.is_on(Flag::Overwrite) {
            return Ok(());
        }
        Err(ToolError::new(
            ErrorCode::OverwriteNotAllowed,
            "this server does not replace files of the workspace",
        )
        .at("path")
        .hint("use a new path, or start the server with SPREADSHEET_MCP_ALLOW_OVERWRITE=true"))
    }
}
