//! Blobs and pictures in a bucket of a real server: the program that has never seen them, and the bucket that goes away.

#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use components::{Fault, FaultyProxy, Postgres, S3, eventually, http};
use program::{Client, Place, Server, code, fork_of, set, values};
use serde_json::{Value, json};

/// What is done at once, on a slow machine.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A server whose blobs are in the bucket, by the port of it or of a proxy before it.
fn serve(place: &Place, s3: &S3, port: u16) -> Server {
    serve_with(place, s3, port, &[])
}

fn serve_with(place: &Place, s3: &S3, port: u16, flags: &[&str]) -> Server {
    let file = place.temporary.join("store.toml");
    let settings = s3.settings_by(port).into_iter().map(|(name, value)| format!("{name} = \"{value}\"\n"));
    fs::write(&file, settings.collect::<String>()).expect("written");
    let url = format!("{}/team", s3.url());
    let file = file.to_str().expect("text");
    let bucket = ["--blob-url", &url, "--object-store-file", file, "--object-store-timeout-ms", "1000"];
    let all = [&bucket[..], &["--allow-overwrite", "--metrics-bind", "127.0.0.1:0"], flags].concat();
    place.serve(&all)
}

fn b2(server: &Server, workbook: &str) -> Value {
    let read = values(server.call("read_range", &json!({ "workbook": workbook, "ranges": ["Data!B2"] })));
    read.into_iter().flatten().next().unwrap_or_default()
}

/// A number that the server tells of itself.
fn metric(metrics: &Client, line: &str) -> f64 {
    let (_, _, page) = http("GET", &metrics.address, "/metrics", "", "");
    let found = page.lines().find_map(|told| told.strip_prefix(line)?.strip_prefix(' '));
    found.map_or(0.0, |value| value.parse().expect("a number"))
}

fn reads(metrics: &Client, copy: &str) -> f64 {
    metric(metrics, &format!("spreadsheet_mcp_blob_reads_total{{copy=\"{copy}\"}}"))
}

#[test]
fn a_server_that_has_never_seen_a_fork_reads_it_from_the_bucket() {
    let Some(s3) = S3::start() else { return };
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let server = serve(&place, &s3, s3.port());
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    server.call("edit_cells", &set(&fork, "B2", 42)).expect("edited");
    assert_eq!(s3.eventually_has(1).len(), 1);
    assert!(!place.state.join("blobs").exists(), "blobs are in the bucket alone");
    drop(server);

    let server = serve(&place, &s3, s3.port());
    assert_eq!(b2(&server, &fork), 42);
    assert_eq!((reads(&server.metrics(), "hit"), reads(&server.metrics(), "miss")), (1.0, 0.0));
    drop(server);

    fs::remove_dir_all(place.state.join("blob-copies")).expect("it goes");
    let server = serve(&place, &s3, s3.port());
    assert_eq!(b2(&server, &fork), 42);
    assert_eq!((reads(&server.metrics(), "hit"), reads(&server.metrics(), "miss")), (0.0, 1.0));
    // What a save replaces is kept there as well.
    let original = fs::read(place.file("book.xlsx")).expect("read");
    let saved = server.call("save_fork", &json!({ "fork": fork, "overwrite": true })).expect("saved");
    let version = json!({ "workbook": "book.xlsx", "version": saved["previous_version"] });
    let old = fork_of(server.call("create_fork", &version));
    server.call("save_fork", &json!({ "fork": old, "path": "old.xlsx" })).expect("saved");
    assert!(fs::read(place.file("old.xlsx")).expect("read") == original, "it came back byte for byte");
}

#[test]
fn servers_with_one_database_and_one_bucket_have_the_same_forks() {
    let Some(s3) = S3::start() else { return };
    let postgres = Postgres::shared();
    let database = postgres.url(&postgres.new_database());
    let state = ["--state-url", database.as_str()];
    let migrated = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp")).arg("migrate").args(state).output();
    let migrated = migrated.expect("it runs");
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let places = [Place::new(), Place::new()];
    places[0].write_long_workbook("book.xlsx", 20_000);
    let [one, other] = places.each_ref().map(|place| serve_with(place, &s3, s3.port(), &state));
    let fork = fork_of(one.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    one.call("edit_cells", &set(&fork, "B2", 42)).expect("edited");

    let begun = Instant::now();
    assert_eq!(b2(&other, &fork), 42);
    println!("the first read of a fork on a server that had never seen it took {:?}", begun.elapsed());
    assert_eq!((reads(&other.metrics(), "hit"), reads(&other.metrics(), "miss")), (0.0, 1.0));
    other.call("edit_cells", &set(&fork, "B2", 43)).expect("edited");
    assert_eq!(b2(&one, &fork), 43);
    assert_eq!(reads(&other.metrics(), "miss"), 1.0, "it is in memory");
}

#[test]
fn without_the_bucket_what_is_here_goes_on_and_the_rest_fails_at_once() {
    let Some(s3) = S3::start() else { return };
    let proxy = FaultyProxy::before(s3.port());
    let place = Place::new();
    place.write_workbook("book.xlsx");
    place.write_long_workbook("other.xlsx", 10);
    let server = serve(&place, &s3, proxy.port());
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    for (round, fault) in [Fault::Stall, Fault::Status(500), Fault::Refuse].into_iter().enumerate() {
        let value = 42 + round;
        proxy.set(fault);
        let create = || server.call("create_fork", &json!({ "workbook": "other.xlsx" }));
        let refused = eventually("the bucket is asked on and on", || {
            let begun = Instant::now();
            let refused = create().expect_err("no bucket");
            assert_eq!(refused["code"], "state_unavailable");
            assert!(refused["retry_after_seconds"].as_u64().is_some_and(|wait| wait > 0), "{refused}");
            (begun.elapsed() < AT_ONCE && refused["message"].as_str()?.contains("not asked again"))
                .then_some(refused)
        });
        assert!(refused["hint"].as_str().is_some_and(|hint| hint.contains("repeat")), "{refused}");
        // Edits need no bucket, nor does reading what is in memory or on the disk.
        server.call("edit_cells", &set(&fork, "B2", value)).expect("edited");
        assert_eq!(b2(&server, &fork), value);
        let before = fs::read(place.file("book.xlsx")).expect("read");
        let save = json!({ "fork": fork, "overwrite": true });
        assert_eq!(code(server.call("save_fork", &save)), "state_unavailable");
        assert!(fs::read(place.file("book.xlsx")).expect("read") == before, "nothing was replaced");
        let (status, health) = eventually("the health does not tell", || {
            let (status, health) = server.client().get("/health/ready");
            health["checks"]["blobs"].as_str()?.contains("does not answer").then_some((status, health))
        });
        assert_eq!(status, 200, "other calls are answered: {health}");

        proxy.set(Fault::None);
        eventually("it does not come back", || create().ok());
        server.call("save_fork", &save).expect("saved");
        assert_eq!(b2(&server, "book.xlsx"), value);
    }
    let suspended =
        "spreadsheet_mcp_bucket_requests_total{bucket=\"blobs\",operation=\"list\",outcome=\"suspended\"}";
    assert!(metric(&server.metrics(), suspended) > 0.0);
    eventually("the health does not tell", || {
        (server.client().get("/health/ready").1["checks"]["blobs"] == "the bucket answers").then_some(())
    });
}

#[test]
fn a_picture_that_one_server_took_is_read_from_another_one() {
    let Some(s3) = S3::start() else { return };
    let places = [Place::new(), Place::new()];
    let [one, other] = places.each_ref().map(|place| {
        place.write_workbook("book.xlsx");
        serve(place, &s3, s3.port())
    });
    let taken = one.call("screenshot_sheet", &json!({ "workbook": "book.xlsx", "renderer": "native" }));
    let taken = taken.expect("a picture");
    assert!(taken.get("file").is_none(), "{taken}");
    let request =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": taken["uri"] } });
    let headers = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
                   MCP-Protocol-Version: 2025-11-25\r\n";
    let address = other.client().address;
    let (status, _, body) = http("POST", &address, "/mcp", headers, &request.to_string());
    assert!(status == 200 && body.contains("\"image/png\""), "{status} {body}");
    let kept = fs::read(s3.eventually_has(1).remove(0)).expect("read");
    assert!(kept.starts_with(b"\x89PNG"));
}

#[test]
fn a_single_call_takes_credentials_of_the_environment() {
    let Some(s3) = S3::start() else { return };
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let mut call = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"));
    call.args(["call", "create_fork", "{\"workbook\": \"book.xlsx\"}", "--workspace"]).arg(&place.workspace);
    call.args(["--blob-url", &s3.url(), "--state-dir"]).arg(&place.state);
    s3.tell(&mut call);
    let ran = call.output().expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(s3.eventually_has(1).len(), 1);
}
