//! Keys that no store takes, and those that other tools wrote and we cannot ask for.

use components::{Fault, FaultyProxy, S3};
use serde_json::json;

use crate::{
    place, place_by,
    program::{Server, values},
    write_workbook,
};

#[track_caller]
fn check_reads(server: &Server) {
    let read = json!({ "workbook": "a.xlsx", "ranges": ["Data!A1"] });
    assert_eq!(values(server.call("read_range", &read))[0][0], "one");
}

/// Nobody takes the workspace away from others by a path: stores answer such a key as one that can't be, and that is known
/// before.
#[test]
fn paths_that_are_too_long_for_a_key_are_refused_and_harm_nobody() {
    let Some(s3) = S3::start_moto() else { return };
    let place = place(&s3);
    let server = place.serve(&[]);

    for _ in 0..12 {
        for path in [format!("{}x.xlsx", "a/".repeat(700)), format!("{}x.xlsx", "é/".repeat(340))] {
            let error = server.call("describe_workbook", &json!({ "workbook": path })).expect_err("too long");
            assert_eq!(error["code"], "invalid_argument", "{error}");
            assert!(error["message"].as_str().is_some_and(|said| said.contains("1024 bytes")), "{error}");
            let (status, body) = server.client().get(&format!("/files/{path}"));
            assert_eq!((status, &body["error"]["code"]), (400, &json!("invalid_argument")), "{body}");
        }
        let error = server.call("describe_workbook", &json!({ "workbook": "b.xlsx" })).expect_err("none");
        assert_eq!(error["code"], "workbook_not_found", "{error}");
    }
}

/// What a store says of one request is no failure of the store: it is told as it is, and others are served at once.
#[test]
fn refused_requests_do_not_make_a_store_one_that_is_away() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "one");
    let proxy = FaultyProxy::before(s3.port());
    let place = place_by(&s3, proxy.port());
    let server = place.serve(&[]);
    check_reads(&server);
    for status in [400, 405, 409, 412, 414, 416] {
        proxy.set(Fault::Status(status));
        for _ in 0..8 {
            let error = server.call("describe_workbook", &json!({ "workbook": "b.xlsx" })).expect_err("refused");
            assert_eq!(error["code"], "file_unreadable", "{status}: {error}");
            let said = error.to_string();
            assert!(error["retry_after_seconds"].is_null() && !said.contains("in a moment"), "{status}: {error}");
        }
        proxy.set(Fault::None);
        check_reads(&server);
    }
}
