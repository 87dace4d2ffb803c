//! Conditions and ranges of requests (RFC 9110 §13, §14), decided over what is there.

use std::time::SystemTime;

use axum::http::HeaderMap;
use headers::{
    ContentRange, ETag, HeaderMapExt as _, IfMatch, IfModifiedSince, IfNoneMatch, IfRange, IfUnmodifiedSince,
    LastModified, Range,
};

use crate::error::{ErrorCode, ToolError};

/// What is known of a content before it is sent.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) etag: ETag,
    pub(super) modified: Option<SystemTime>,
    pub(super) length: u64,
}

/// What a GET is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// All of it.
    Whole,
    /// The bytes from the first to before the second position.
    Part(u64, u64),
    /// The client has it.
    NotModified,
    /// No byte that there is was asked for.
    Unsatisfiable,
}

impl Answer {
    /// What a request is answered with, in the order of RFC 9110 §13.2.2.
    ///
    /// # Errors
    /// When it asks for another content.
    pub(super) fn of(headers: &HeaderMap, known: &Known) -> Result<Answer, ToolError> {
        let failed = match (headers.typed_get::<IfMatch>(), headers.typed_get::<IfUnmodifiedSince>()) {
            (Some(condition), _) => !condition.precondition_passes(&known.etag),
            (None, Some(condition)) => known.modified.is_some_and(|at| !condition.precondition_passes(at)),
            (None, None) => false,
        };
        if failed {
            return Err(changed("the file is not what you ask for"));
        }
        let is_known = match (headers.typed_get::<IfNoneMatch>(), headers.typed_get::<IfModifiedSince>()) {
            (Some(condition), _) => !condition.precondition_passes(&known.etag),
            (None, Some(condition)) => known.modified.is_some_and(|at| !condition.is_modified(at)),
            (None, None) => false,
        };
        if is_known {
            return Ok(Answer::NotModified);
        }
        let Some(range) = headers.typed_get::<Range>() else { return Ok(Answer::Whole) };
        let modified = known.modified.map(LastModified::from);
        let is_other = headers
            .typed_get::<IfRange>()
            .is_some_and(|condition| condition.is_modified(Some(&known.etag), modified.as_ref()));
        if is_other {
            return Ok(Answer::Whole);
        }
        let mut parts = range.satisfiable_ranges(known.length);
        Ok(match (parts.next(), parts.next()) {
            (Some(bounds), None) => part(bounds, known.length),
            (None, _) => Answer::Unsatisfiable,
            // Several parts at once are nothing that programs for files ask for: they may be answered with the whole.
            (Some(_), Some(_)) => Answer::Whole,
        })
    }

    /// What `Content-Range` says of it.
    pub(super) fn content_range(&self, length: u64) -> Option<ContentRange> {
        match *self {
            Answer::Part(from, to) => ContentRange::bytes(from..to, length).ok(),
            Answer::Unsatisfiable => Some(ContentRange::unsatisfied_bytes(length)),
            Answer::Whole | Answer::NotModified => None,
        }
    }
}

fn part((from, to): (std::ops::Bound<u64>, std::ops::Bound<u64>), length: u64) -> Answer {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let from = match from {
        Included(from) => from,
        Excluded(before) => before.saturating_add(1),
        Unbounded => 0,
    };
    let to = match to {
        Included(last) => last.saturating_add(1),
        Excluded(to) => to,
        Unbounded => length,
    };
    let to = to.min(length);
    if from < to { Answer::Part(from, to) } else { Answer::Unsatisfiable }
}

/// What a writer says of the file that it means to replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// There is none yet.
    Create,
    /// That one is to be replaced.
    Replace,
}

/// Whether a file may be written over what is there, of that tag if there is a file: nothing is replaced blindly (ORIGINAL).
///
/// # Errors
/// `TargetChanged` when the condition does not hold; `AlreadyExists` when there is a file and it does not say that one.
pub(super) fn writes(headers: &HeaderMap, there: Option<&ETag>) -> Result<Write, ToolError> {
    let is_new = headers.typed_get::<IfNoneMatch>();
    let replaced = headers.typed_get::<IfMatch>();
    let Some(etag) = there else {
        return match replaced {
            Some(_) => Err(changed("there is no file any more")),
            None => Ok(Write::Create),
        };
    };
    match (is_new, replaced) {
        (None, Some(condition)) if condition.is_any() => Err(blind("replaced")),
        (None, Some(condition)) if condition.precondition_passes(etag) => Ok(Write::Replace),
        (None, Some(_)) => Err(changed("the file is another one than that of If-Match")),
        (Some(_), _) | (_, None) => Err(ToolError::new(ErrorCode::AlreadyExists, "there is a file already")
            .at("path")
            .hint("use another path; or say which content goes, by If-Match and the ETag that HEAD gives")),
    }
}

/// Whether the file of that tag, which is there, may be deleted: nothing is deleted blindly.
///
/// # Errors
/// `TargetChanged` when nothing says which content is to go, or it is another one.
pub(super) fn deletes(headers: &HeaderMap, there: &ETag) -> Result<(), ToolError> {
    match headers.typed_get::<IfMatch>() {
        Some(condition) if condition.is_any() => Err(blind("deleted")),
        Some(condition) if condition.precondition_passes(there) => Ok(()),
        Some(_) => Err(changed("the file is another one than that of If-Match")),
        None => Err(ToolError::new(ErrorCode::TargetChanged, "a deletion has to say which content goes")
            .at("If-Match")
            .hint("nothing was deleted; send If-Match with the ETag that HEAD gives")),
    }
}

/// `If-Match: *` is true of whatever is there, and says nothing of what its sender knows.
fn blind(done: &str) -> ToolError {
    let told = format!("If-Match: * names no content, and nothing is {done} blindly");
    ToolError::new(ErrorCode::TargetChanged, told)
        .at("If-Match")
        .hint("send If-Match with the ETag that HEAD gives")
}

fn changed(message: &str) -> ToolError {
    ToolError::new(ErrorCode::TargetChanged, message).at("If-Match").hint("ask for it with HEAD, and compare")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sent(headers: &[(&'static str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &str)| {
            (name.parse().expect("a name"), value.parse().expect("a value"))
        };
        headers.iter().map(header).collect()
    }

    /// Of ten bytes.
    fn answer(headers: &[(&'static str, &str)]) -> Result<Answer, ErrorCode> {
        let known = Known {
            etag: "\"a\"".parse().expect("a tag"),
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)),
            length: 10,
        };
        Answer::of(&sent(headers), &known).map_err(|error| error.code)
    }

    #[test]
    fn who_has_it_is_not_sent_it_again() {
        assert_eq!(answer(&[]), Ok(Answer::Whole));
        assert_eq!(answer(&[("if-none-match", "\"a\"")]), Ok(Answer::NotModified));
        assert_eq!(answer(&[("if-none-match", "\"b\", W/\"a\"")]), Ok(Answer::NotModified));
        assert_eq!(answer(&[("if-none-match", "\"b\"")]), Ok(Answer::Whole));
        let then = "Sun, 09 Sep 2001 01:46:40 GMT";
        assert_eq!(answer(&[("if-modified-since", then)]), Ok(Answer::NotModified));
        assert_eq!(answer(&[("if-modified-since", "Sun, 09 Sep 2001 01:46:39 GMT")]), Ok(Answer::Whole));
        // The tag goes before the time.
        assert_eq!(answer(&[("if-none-match", "\"b\""), ("if-modified-since", then)]), Ok(Answer::Whole));
        assert_eq!(answer(&[("if-match", "\"b\"")]), Err(ErrorCode::TargetChanged));
        assert_eq!(answer(&[("if-match", "\"b\", \"a\"")]), Ok(Answer::Whole));
    }

    #[test]
    fn parts_are_those_that_there_are() {
        let range = |range: &str| answer(&[("range", range)]);
        assert_eq!(range("bytes=0-3"), Ok(Answer::Part(0, 4)));
        assert_eq!(range("bytes=4-"), Ok(Answer::Part(4, 10)));
        assert_eq!(range("bytes=-4"), Ok(Answer::Part(6, 10)));
        assert_eq!(range("bytes=4-99"), Ok(Answer::Part(4, 10)));
        assert_eq!(range("bytes=10-"), Ok(Answer::Unsatisfiable));
        assert_eq!(range("bytes=0-1,4-5"), Ok(Answer::Whole));
        assert_eq!(range("rows=0-1"), Ok(Answer::Whole));
        assert_eq!(answer(&[("range", "bytes=0-3"), ("if-range", "\"a\"")]), Ok(Answer::Part(0, 4)));
        assert_eq!(answer(&[("range", "bytes=0-3"), ("if-range", "\"b\"")]), Ok(Answer::Whole));
    }

    fn write(headers: &[(&'static str, &str)], there: Option<&str>) -> Result<Write, ErrorCode> {
        let there = there.map(|tag| tag.parse().expect("a tag"));
        writes(&sent(headers), there.as_ref()).map_err(|error| error.code)
    }

    #[test]
    fn nothing_is_replaced_blindly() {
        let there = Some("\"a\"");
        assert_eq!(write(&[], None), Ok(Write::Create));
        assert_eq!(write(&[], there), Err(ErrorCode::AlreadyExists));
        assert_eq!(write(&[("if-none-match", "*")], None), Ok(Write::Create));
        assert_eq!(write(&[("if-none-match", "*")], there), Err(ErrorCode::AlreadyExists));
        assert_eq!(write(&[("if-match", "\"a\"")], there), Ok(Write::Replace));
        assert_eq!(write(&[("if-match", "\"b\"")], there), Err(ErrorCode::TargetChanged));
        assert_eq!(write(&[("if-match", "\"a\"")], None), Err(ErrorCode::TargetChanged));
        assert_eq!(write(&[("if-match", "*")], there), Err(ErrorCode::TargetChanged));
        assert_eq!(write(&[("if-match", "*")], None), Err(ErrorCode::TargetChanged));
        assert_eq!(write(&[("if-match", "W/\"a\"")], there), Err(ErrorCode::TargetChanged));
    }

    #[test]
    fn nothing_is_deleted_blindly() {
        let delete = |headers: &[(&'static str, &str)]| {
            let there = "\"a\"".parse().expect("a tag");
            deletes(&sent(headers), &there).map_err(|error| error.code)
        };
        assert_eq!(delete(&[("if-match", "\"b\", \"a\"")]), Ok(()));
        for refused in ["\"b\"", "W/\"a\"", "*"] {
            assert_eq!(delete(&[("if-match", refused)]), Err(ErrorCode::TargetChanged));
        }
        assert_eq!(delete(&[]), Err(ErrorCode::TargetChanged));
        assert_eq!(delete(&[("if-none-match", "*")]), Err(ErrorCode::TargetChanged));
    }
}
