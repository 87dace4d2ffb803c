//! A bucket that is not there: at the start, and later.

use std::time::{Duration, Instant};

use components::{Fault, FaultyProxy, S3, eventually};
use serde_json::json;

use crate::{
    place, place_by,
    program::{Server, fork_of, set, values},
    write_workbook,
};

/// What is told of the workspace by the probe of readiness, if that is why it fails.
fn not_ready(server: &Server) -> Option<String> {
    let (status, body) = server.client().get("/health/ready");
    let said = body["checks"]["workspace"].as_str().expect("the workspace").to_owned();
    (status == 503).then_some(said)
}

#[track_caller]
fn check_away(server: &Server, tool: &str, arguments: &serde_json::Value) {
    let begun = Instant::now();
    let error = server.call(tool, arguments).expect_err("the bucket is away");
    assert_eq!(error["code"], "workspace_unavailable", "{error}");
    assert!(error["retry_after_seconds"].is_u64() && error["hint"].is_string(), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_server_starts_without_its_bucket_and_recovers() {
    let Some(mut s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "one");
    s3.stop();
    let place = place(&s3);
    let server = place.serve(&[]);
    let names_bucket = |said: &String| said.starts_with("unreadable: s3://");
    eventually("it is ready, or does not say why not", || not_ready(&server).filter(names_bucket));
    check_away(&server, "list_workbooks", &json!({}));
    check_away(&server, "describe_workbook", &json!({ "workbook": "a.xlsx" }));
    s3.resume();
    eventually("it does not recover", || not_ready(&server).is_none().then_some(()));
    let listed = eventually("it does not answer", || server.call("list_workbooks", &json!({})).ok());
    assert_eq!(listed["total"], 1);
}

/// Who is refused hears that, and what to look at, and not that the store is away: nobody has to wait for it.
#[test]
fn wrong_credentials_are_no_outage() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "one");
    let mut place = place(&s3);
    let secret = place.environment.iter_mut().find(|(name, _)| name == "AWS_SECRET_ACCESS_KEY");
    secret.expect("a secret").1 = "wrong".to_owned();
    let server = place.serve(&["--blob-url", &s3.url()]);
    let said = eventually("it is ready, or not asked yet", || {
        not_ready(&server).filter(|said| said.contains("refuses access"))
    });
    assert!(
        said.contains("; the secret is not that of the key") && !said.contains("does not answer"),
        "{said}"
    );
    let (_, body) = server.client().get("/health/ready");
    let blobs = body["checks"]["blobs"].as_str().expect("blobs").to_owned();
    assert!(blobs.starts_with("the bucket refuses access: 403") && blobs.contains("the secret"), "{blobs}");
    for (tool, arguments) in
        [("list_workbooks", json!({})), ("describe_workbook", json!({ "workbook": "a.xlsx" }))]
    {
        let error = server.call(tool, &arguments).expect_err("refused");
        assert_eq!(error["code"], "file_unreadable", "{error}");
        assert!(
            error["message"].as_str().is_some_and(|said| said.contains("refuses access: 403")),
            "{error}"
        );
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{error}");
        assert!(error["retry_after_seconds"].is_null(), "{error}");
    }
}

/// A bucket that is not there is none that has no files, and nothing to wait for.
#[test]
fn a_bucket_that_does_not_exist_is_told_as_such() {
    // The other server does not say what it is that is not there.
    let Some(s3) = S3::start_moto() else { return };
    let mut place = place(&s3);
    place.workspace = "s3://nobucket".into();
    let server = place.serve(&["--blob-url", "s3://noblobs"]);
    let said = eventually("it is ready, or not asked yet", || {
        not_ready(&server).filter(|said| said.contains("there is no bucket nobucket"))
    });
    assert!(!said.contains("in a moment"), "{said}");
    let (_, body) = server.client().get("/health/ready");
    let blobs = body["checks"]["blobs"].as_str().expect("blobs").to_owned();
    assert!(blobs.contains("there is no bucket noblobs"), "{blobs}");
    for (tool, arguments) in
        [("list_workbooks", json!({})), ("describe_workbook", json!({ "workbook": "a.xlsx" }))]
    {
        let error = server.call(tool, &arguments).expect_err("there is no bucket");
        assert_eq!(error["code"], "file_unreadable", "{error}");
        let said = error.to_string();
        assert!(said.contains("there is no bucket nobucket") && !said.contains("in a moment"), "{said}");
        assert!(error["retry_after_seconds"].is_null(), "{error}");
    }
}

/// Nothing can be read without a place for copies: probes are told, and callers hear nothing of the disk's folders.
#[test]
fn copies_that_cannot_be_written_make_it_unready() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "one");
    let place = place(&s3);
    let server = place.serve(&[]);
    eventually("it is not ready", || not_ready(&server).is_none().then_some(()));
    // What is in the way of a folder stops also those who may write everywhere.
    let copies = place.state.join("workspace");
    std::fs::remove_dir_all(&copies).expect("it goes");
    std::fs::write(&copies, "in the way").expect("a file");
    let said = eventually("it is ready", || not_ready(&server));
    assert!(said.contains("copies of objects can't be written"), "{said}");
    let error = server.call("describe_workbook", &json!({ "workbook": "a.xlsx" })).expect_err("no copy");
    assert!(["file_unreadable", "storage_full"].iter().any(|code| error["code"] == *code), "{error}");
    assert!(!error.to_string().contains(place.state.to_str().expect("text")), "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("whoever runs the server")), "{error}");
    std::fs::remove_file(&copies).expect("it goes");
    server.call("describe_workbook", &json!({ "workbook": "a.xlsx" })).expect("read");
}

/// What is in memory is not told while nobody knows whether it is what is there (FRESH). Forks do not need the bucket.
#[test]
fn while_it_is_away_nothing_old_is_told_and_forks_go_on() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "one");
    let proxy = FaultyProxy::before(s3.port());
    let place = place_by(&s3, proxy.port());
    let server = place.serve(&["--allow-overwrite"]);
    let read = json!({ "workbook": "a.xlsx", "ranges": ["Data!A1"] });
    assert_eq!(values(server.call("read_range", &read))[0][0], "one");
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "a.xlsx" })));
    for fault in [Fault::Refuse, Fault::Status(503), Fault::Stall] {
        proxy.set(fault);
        check_away(&server, "read_range", &read);
        server.call("edit_cells", &set(&fork, "Data!A1", "two")).expect("edited");
        let read_fork = json!({ "workbook": fork, "ranges": ["Data!A1"] });
        assert_eq!(values(server.call("read_range", &read_fork))[0][0], "two");
        check_away(&server, "save_fork", &json!({ "fork": fork, "overwrite": true }));
        eventually("it is ready", || not_ready(&server));
        // Once it failed again and again it is left alone, and the answer comes at once.
        eventually("it waits on", || {
            let begun = Instant::now();
            check_away(&server, "read_range", &read);
            (begun.elapsed() < Duration::from_millis(500)).then_some(())
        });
        proxy.set(Fault::None);
        let told = eventually("it does not recover", || server.call("read_range", &read).ok());
        assert_eq!(values(Ok(told))[0][0], "one");
        eventually("it is not ready", || not_ready(&server).is_none().then_some(()));
    }
    server.call("save_fork", &json!({ "fork": fork, "overwrite": true })).expect("saved");
    assert_eq!(values(server.call("read_range", &read))[0][0], "two");
}
