//! Files that are replaced and deleted, by those who know what goes.

use std::sync::Barrier;

use serde_json::json;

use crate::{
    program::Place,
    wire::{Reply, ask, put, small_workbook},
};

#[test]
fn a_file_goes_only_by_its_tag_and_its_content_is_kept() {
    let place = Place::new();
    let server = place.serve(&["--allow-overwrite=true"]);
    let (first, second) = (small_workbook(&place, "first"), small_workbook(&place, "second"));
    let tag = put(&server, "/files/a.xlsx", &first, &[("If-None-Match", "*")]).check(201);
    let tag = tag.header("etag").expect("a tag").to_owned();
    assert_eq!(put(&server, "/files/a.xlsx", &second, &[]).check(428).code(), "already_exists");
    let refused = put(&server, "/files/a.xlsx", &second, &[("If-None-Match", "*")]).check(412);
    assert_eq!(refused.code(), "already_exists");
    for wrong in ["\"other\"", "W/\"other\""] {
        let refused = put(&server, "/files/a.xlsx", &second, &[("If-Match", wrong)]).check(412);
        assert_eq!(refused.code(), "target_changed");
    }
    let replaced = put(&server, "/files/a.xlsx", &second, &[("If-Match", &tag)]).check(200);
    let version = replaced.json()["previous_version"].as_u64().expect("a version");
    let new = replaced.header("etag").expect("a tag").to_owned();
    assert_ne!(new, tag);
    assert_eq!(ask(&server, "HEAD", "/files/a.xlsx", &[]).header("etag"), Some(new.as_str()));
    assert_eq!(
        put(&server, "/files/a.xlsx", &first, &[("If-Match", &tag)]).check(412).code(),
        "target_changed"
    );
    let versions = server.call("list_forks", &json!({ "versions_of": "a.xlsx" })).expect("versions");
    assert_eq!(
        (&versions["versions"][0]["version"], &versions["versions"][0]["by"]),
        (&json!(version), &json!("upload"))
    );
    let fork =
        server.call("create_fork", &json!({ "workbook": "a.xlsx", "version": version })).expect("a fork");
    let fork = fork["fork"].as_str().expect("an id");
    let kept = ask(&server, "GET", &format!("/files/{fork}?format=csv"), &[]).check(200);
    assert_eq!(kept.body, b"first\r\n");
    let said = |reply: &Reply| reply.json()["error"].to_string();
    for (status, headers) in [(428, vec![]), (412, vec![("If-None-Match", "*")])] {
        let refused = ask(&server, "DELETE", "/files/a.xlsx", &headers).check(status);
        assert_eq!(refused.code(), "target_changed");
        assert!(said(&refused).contains("a deletion has to say which content goes"), "{refused:?}");
        assert!(!said(&refused).contains("another path"), "{refused:?}");
    }
    // True of whatever is there: nobody who says no more than that knows what goes.
    let any = [("If-Match", "*")];
    for (refused, done) in [
        (ask(&server, "DELETE", "/files/a.xlsx", &any), "nothing is deleted blindly"),
        (put(&server, "/files/a.xlsx", &first, &any), "nothing is replaced blindly"),
    ] {
        let refused = refused.check(412);
        assert_eq!(refused.code(), "target_changed");
        assert!(said(&refused).contains(done) && said(&refused).contains("ETag"), "{refused:?}");
    }
    assert_eq!(put(&server, "/files/new.xlsx", &first, &any).check(412).code(), "target_changed");
    assert_eq!(
        ask(&server, "DELETE", "/files/a.xlsx", &[("If-Match", &tag)]).check(412).code(),
        "target_changed"
    );
    ask(&server, "DELETE", "/files/a.xlsx", &[("If-Match", &new)]).check(200);
    ask(&server, "GET", "/files/a.xlsx", &[]).check(404);
    ask(&server, "DELETE", "/files/a.xlsx", &[("If-Match", &new)]).check(404);
    let versions = server.call("list_forks", &json!({ "versions_of": "a.xlsx" })).expect("versions");
    assert_eq!(versions["versions"][0]["by"], "deletion");
    assert_eq!(place.names(), [""; 0]);
    server.end();
}

/// What curl sends when it is to go on where an upload ended (`-C`): a part, which is no workbook to replace one by.
#[test]
fn a_part_of_a_file_is_not_stored_as_the_whole() {
    let place = Place::new();
    let server = place.serve(&["--allow-overwrite=true"]);
    let rows = b"region,amount\nnorth,1\nsouth,2\n";
    let stored = put(&server, "/files/a.csv", rows, &[]).check(201);
    let tag = stored.header("etag").expect("a tag");
    for (target, headers) in [
        ("/files/b.csv", vec![("Content-Range", "bytes 14-29/30")]),
        ("/files/a.csv", vec![("Content-Range", "bytes 14-29/30"), ("If-Match", tag)]),
        ("/files/b.csv", vec![("Content-Range", "bytes 14-29/*"), ("Expect", "100-continue")]),
    ] {
        let refused = put(&server, target, &rows[14..], &headers).check(400);
        assert_eq!(refused.code(), "invalid_argument");
        assert_eq!(refused.json()["error"]["where"], "Content-Range");
    }
    assert_eq!(place.names(), ["a.csv"]);
    assert_eq!(ask(&server, "GET", "/files/a.csv", &[]).check(200).body, rows);
    server.end();
}

#[test]
fn a_server_that_replaces_nothing_says_so() {
    let place = Place::new();
    let server = place.serve(&[]);
    let bytes = small_workbook(&place, "x");
    let stored = put(&server, "/files/a.xlsx", &bytes, &[]).check(201);
    let tag = stored.header("etag").expect("a tag");
    for refused in [
        put(&server, "/files/a.xlsx", &bytes, &[("If-Match", tag)]),
        ask(&server, "DELETE", "/files/a.xlsx", &[("If-Match", tag)]),
    ] {
        assert_eq!(refused.check(403).code(), "overwrite_not_allowed");
    }
    server.end();
}

#[test]
fn of_those_who_send_at_the_same_time_one_wins() {
    const SENDERS: usize = 8;
    let place = Place::new();
    // Two servers over one folder and one state.
    let servers = [place.serve(&["--allow-overwrite=true"]), place.serve(&["--allow-overwrite=true"])];
    let mut tag: Option<String> = None;
    for round in 0..6 {
        let barrier = Barrier::new(SENDERS);
        let replies: Vec<_> = std::thread::scope(|scope| {
            let sender = |sender: usize| {
                let bytes = small_workbook_of(&place, round, sender);
                let (barrier, server, tag) = (&barrier, &servers[sender % 2], tag.clone());
                scope.spawn(move || {
                    barrier.wait();
                    match &tag {
                        None => put(server, "/files/a.xlsx", &bytes, &[("If-None-Match", "*")]),
                        Some(tag) => put(server, "/files/a.xlsx", &bytes, &[("If-Match", tag.as_str())]),
                    }
                })
            };
            let senders: Vec<_> = (0..SENDERS).map(sender).collect();
            senders.into_iter().map(|sender| sender.join().expect("no panic")).collect()
        });
        let won: Vec<_> = replies.iter().filter(|reply| matches!(reply.status, 200 | 201)).collect();
        assert_eq!(won.len(), 1, "round {round}: {replies:?}");
        assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 201 | 412)), "{replies:?}");
        let there = ask(&servers[0], "GET", "/files/a.xlsx", &[]).check(200);
        assert_eq!(there.header("etag"), won[0].header("etag"));
        let digest = won[0].json()["digest"].as_str().expect("a digest").to_owned();
        assert_eq!(sha256(&there.body), digest);
        tag = there.header("etag").map(str::to_owned);
    }
    assert_eq!(place.names(), ["a.xlsx"]);
    for server in servers {
        server.end();
    }
}

fn small_workbook_of(place: &Place, round: usize, sender: usize) -> Vec<u8> {
    small_workbook(place, &format!("round {round}, sender {sender}"))
}

/// The digest of bytes, as coreutils tells it.
fn sha256(bytes: &[u8]) -> String {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sha256sum runs");
    child.stdin.take().expect("a pipe").write_all(bytes).expect("written");
    let told = child.wait_with_output().expect("it ends").stdout;
    String::from_utf8_lossy(&told).split(' ').next().expect("a digest").to_owned()
}
