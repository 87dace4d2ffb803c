//! Keys that no store takes, and those that other tools wrote and we cannot ask for.

use components::{Fault, FaultyProxy, S3};
use serde_json::{Value, json};

use crate::{
    PREFIX, place, place_by,
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
            let error =
                server.call("describe_workbook", &json!({ "workbook": "b.xlsx" })).expect_err("refused");
            assert_eq!(error["code"], "file_unreadable", "{status}: {error}");
            let said = error.to_string();
            assert!(
                error["retry_after_seconds"].is_null() && !said.contains("in a moment"),
                "{status}: {error}"
            );
        }
        proxy.set(Fault::None);
        check_reads(&server);
    }
}

#[track_caller]
fn check_listed(server: &Server, paths: &[&str]) -> Value {
    let listed = server.call("list_workbooks", &json!({})).expect("listed");
    let told: Vec<&str> = listed["workbooks"].as_array().expect("workbooks").iter().map(path_of).collect();
    assert_eq!(told, paths);
    listed
}

fn path_of(workbook: &Value) -> &str {
    workbook["path"].as_str().expect("a path")
}

/// Keys that other tools wrote are left out where no request could name them; everything else is told.
#[test]
fn odd_keys_of_others_are_left_out_of_listings() {
    let Some(s3) = S3::start_moto() else { return };
    let prefix = PREFIX.replace(' ', "%20");
    let server = place(&s3).serve(&["--workspace-listing-ms", "0"]);
    for key in ["a.csv", "b/c.csv", "z%20%26%20%C3%A9.csv"] {
        s3.put_as_others(&format!("{prefix}/{key}"), "x\n1\n");
    }
    let all = ["a.csv", "b/c.csv", "z & é.csv"];
    check_listed(&server, &all);
    assert!(!server.log().contains("left out"), "{}", server.log());
    for odd in ["a%09b.csv", "a%01.csv", "b%7Fc.csv", "a//b.csv", "b/%09/x.csv", "a%5Cb.csv"] {
        s3.put_as_others(&format!("{prefix}/{odd}"), "x\n1\n");
        check_listed(&server, &all);
    }
    let listed = check_listed(&server, &all);
    let read = json!({ "workbook": listed["workbooks"][1]["id"], "ranges": ["A2"] });
    assert_eq!(values(server.call("read_range", &read))[0][0], 1);
    let log = server.log();
    assert!(log.contains("left out of a listing") && !log.contains("b.csv"), "{log}");
    assert!(log.contains("left_out\":5") || log.contains("left_out=5"), "{log}");
}

#[test]
fn keys_with_line_breaks_are_left_out_by_another_store() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "one");
    for odd in ["a\nb.xlsx", "b\t.xlsx", "c\u{1}.xlsx"] {
        write_workbook(&s3, odd, "odd");
    }
    let place = place(&s3);
    let server = place.serve(&[]);
    check_listed(&server, &["a.xlsx"]);
    check_reads(&server);
}

/// What URLs of files cannot name is not named elsewhere.
#[test]
fn names_with_backslashes_are_no_workbooks() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "one");
    write_workbook(&s3, "a\\b.xlsx", "odd");
    let place = place(&s3);
    let server = place.serve(&["--allow-overwrite"]);
    check_listed(&server, &["a.xlsx"]);
    for tool in ["describe_workbook", "transfer_url"] {
        let error = server.call(tool, &json!({ "workbook": "a\\b.xlsx" })).expect_err("no name of ours");
        assert_eq!(error["code"], "workbook_not_found", "{error}");
    }
    let (status, _) = server.client().get("/files/a%5Cb.xlsx");
    assert_eq!(status, 400);
}
