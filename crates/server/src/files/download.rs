//! `GET` and `HEAD`: a file on its way to a client.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use headers::{AcceptRanges, ContentLength, HeaderMapExt as _, LastModified};
use http_body_util::channel::{Channel, Sender};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tokio::{runtime::Handle, sync::oneshot, time::timeout};

use super::{
    FileRequest,
    conditions::{Answer, Known},
    link_of,
    source::Source,
};
use crate::{
    Server,
    call::Call,
    error::{ErrorCode, ToolError},
    metrics::{
        TransferRecord,
        labels::{Direction, FileMethod},
    },
};

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;
/// Pieces that are read ahead of the client.
const AHEAD: usize = 2;
/// How long a client may take none.
pub(super) const STALL: Duration = Duration::from_secs(30);

/// What stays as it is in an extended parameter (RFC 8187 §3.2.1).
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// What is told of an answer before its bytes.
struct Head {
    answer: Answer,
    known: Known,
    content_type: &'static str,
    file_name: String,
}

/// Sends what is asked for, or tells of it.
pub(super) async fn download(
    server: Arc<Server>,
    asked: FileRequest,
    request: Request,
    method: FileMethod,
) -> Result<Response, ToolError> {
    let link = link_of(&request);
    let headers = request.headers().clone();
    let (told, head) = oneshot::channel();
    let (sender, body) = Channel::<Bytes, ToolError>::new(AHEAD);
    let transfer = tokio::spawn(async move {
        let audited = json!({ "workbook": &asked.name });
        let recording = server.audit.call(&link.principal, method.action(), &audited);
        let record = TransferRecord::begin(&server.context, &link, method, &asked.name);
        let sent = server.runner.transfer(link, move |call| {
            let source = Source::open(call, &asked)?;
            let answer = Answer::of(&headers, &source.known)?;
            let bytes = match answer {
                Answer::Whole => 0..source.known.length,
                Answer::Part(from, to) => from..to,
                Answer::NotModified | Answer::Unsatisfiable => 0..0,
            };
            let head = Head {
                answer,
                known: source.known.clone(),
                content_type: source.content_type(),
                file_name: source.file_name.clone(),
            };
            let is_awaited = told.send(head).is_ok();
            if method == FileMethod::Head || !is_awaited {
                return Ok(());
            }
            send(call, source, bytes, sender)
        });
        let sent = sent.await;
        record.ended(sent.as_ref().err());
        recording.ended(sent.as_ref().err());
        sent
    });
    match head.await {
        Ok(head) => Ok(head.response(method, body)),
        // It ended before there was anything to tell.
        Err(_) => match transfer.await {
            Ok(Err(error)) => Err(error),
            _ => Err(ToolError::new(ErrorCode::Internal, "the transfer failed unexpectedly")
                .hint("this is a defect of the server; its log says where")),
        },
    }
}

/// Sends bytes as fast as the client takes them.
fn send(
    call: &Call,
    mut source: Source,
    range: std::ops::Range<u64>,
    mut sender: Sender<Bytes, ToolError>,
) -> Result<(), ToolError> {
    let runtime = Handle::current();
    let mut send_all = || {
        let failed = |error: std::io::Error| {
            ToolError::new(ErrorCode::FileUnreadable, format!("reading failed: {error}"))
        };
        source.go_to(range.start).map_err(failed)?;
        let mut left = range.end - range.start;
        while left > 0 {
            call.check()?;
            let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
            let read = source.read(&mut piece).map_err(failed)?;
            if read == 0 {
                return Err(ToolError::new(ErrorCode::FileChanging, "the file became shorter meanwhile"));
            }
            piece.truncate(read);
            left -= read as u64;
            // The last bytes go when all that went before is known to be of one content.
            if left == 0 {
                source.check_unchanged()?;
            }
            match runtime.block_on(timeout(STALL, sender.send_data(piece.into()))) {
                Ok(Ok(())) => call.metrics().files.moved(Direction::Out, read as u64),
                Ok(Err(_hung_up)) => return Err(ToolError::cancelled()),
                Err(_stalled) => return Err(ToolError::timeout(STALL)),
            }
        }
        Ok(())
    };
    let sent = send_all();
    if let Err(error) = &sent {
        // A client must not take what it has for all of it.
        sender.abort(error.clone());
    }
    sent
}

impl Head {
    fn response(self, method: FileMethod, body: Channel<Bytes, ToolError>) -> Response {
        let (status, length) = match self.answer {
            Answer::Whole => (StatusCode::OK, Some(self.known.length)),
            Answer::Part(from, to) => (StatusCode::PARTIAL_CONTENT, Some(to - from)),
            Answer::NotModified => (StatusCode::NOT_MODIFIED, None),
            Answer::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, None),
        };
        let mut response = match (method, length) {
            (FileMethod::Get, Some(_)) => Body::new(body).into_response(),
            _ => Body::empty().into_response(),
        };
        *response.status_mut() = status;
        self.write_headers(response.headers_mut(), length);
        response
    }

    fn write_headers(&self, headers: &mut HeaderMap, length: Option<u64>) {
        headers.typed_insert(self.known.etag.clone());
        headers.typed_insert(AcceptRanges::bytes());
        headers.extend(
            self.known
                .modified
                .map(LastModified::from)
                .map(|at| {
                    let mut one = HeaderMap::new();
                    one.typed_insert(at);
                    one
                })
                .unwrap_or_default(),
        );
        if let Some(range) = self.answer.content_range(self.known.length) {
            headers.typed_insert(range);
        }
        let is_content = length.is_some();
        if let Some(length) = length {
            headers.typed_insert(ContentLength(length));
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        if is_content && let Ok(disposition) = disposition(&self.file_name).parse() {
            headers.insert(header::CONTENT_DISPOSITION, disposition);
        }
        // What is here is somebody's, and changes.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
}

/// The name under which it is saved (RFC 6266), for programs that know RFC 8187 and for those that do not.
fn disposition(name: &str) -> String {
    let plain = |letter: char| match letter {
        '"' | '\\' | '%' => '_',
        letter if letter.is_ascii() && !letter.is_ascii_control() => letter,
        _ => '_',
    };
    let fallback: String = name.chars().map(plain).collect();
    format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{}", utf8_percent_encode(name, ATTRIBUTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_to_old_and_new_programs() {
        assert_eq!(
            disposition("Q1 plan.xlsx"),
            "attachment; filename=\"Q1 plan.xlsx\"; filename*=UTF-8''Q1%20plan.xlsx"
        );
        assert_eq!(
            disposition("Über \"50%\".csv"),
            "attachment; filename=\"_ber _50__.csv\"; filename*=UTF-8''%C3%9Cber%20%2250%25%22.csv"
        );
    }
}
