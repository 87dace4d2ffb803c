//! Files that come and go.

use std::io::{Read as _, Write as _};

use serde_json::json;

use crate::{
    program::{Place, fork_of, set, values},
    wire::{ask, curl, large_workbook, put, small_workbook, start, url},
};

#[test]
fn curl_sends_a_large_workbook_fetches_it_and_goes_on_where_it_stopped() {
    let place = Place::new();
    let server = place.serve(&[]);
    let sent = large_workbook(&place, 30 << 20);
    let (outgoing, incoming) = (place.temporary.join("out.xlsx"), place.temporary.join("in.xlsx"));
    std::fs::write(&outgoing, &sent).expect("written");
    let there = url(&server, "/files/plan.xlsx");
    let (outgoing, into) = (outgoing.to_str().expect("text"), incoming.to_str().expect("text"));
    let told = curl(&["--upload-file", outgoing, "--write-out", "%{http_code}", &there]);
    assert!(told.ends_with("201"), "{told}");
    assert_eq!(place.names(), ["plan.xlsx"]);
    curl(&["--output", into, &there]);
    assert!(std::fs::read(&incoming).expect("read") == sent);
    // What a connection that broke left of it.
    std::fs::write(&incoming, &sent[..10_000_000]).expect("written");
    let told = curl(&["--continue-at", "-", "--output", into, "--write-out", "%{http_code}", &there]);
    assert_eq!(told, "206");
    assert!(std::fs::read(&incoming).expect("read") == sent);
    // It is a workbook like any other.
    let read = server.call("read_range", &json!({ "workbook": "plan.xlsx", "ranges": ["Data!A1"] }));
    assert_eq!(values(read), [["first"]]);
    server.end();
}

#[test]
fn answers_say_what_they_hold() {
    let place = Place::new();
    let server = place.serve(&[]);
    std::fs::create_dir(place.file("2026")).expect("a folder");
    let sent = small_workbook(&place, "x");
    let stored = put(&server, "/files/2026/%C3%9Cber%20%231.xlsx", &sent, &[]).check(201);
    let told = stored.json();
    assert_eq!(
        (told["path"].as_str(), told["bytes"].as_u64()),
        (Some("2026/Über #1.xlsx"), Some(sent.len() as u64))
    );
    let tag = stored.header("etag").expect("a tag").to_owned();
    let target = "/files/2026/%C3%9Cber%20%231.xlsx";
    let whole = ask(&server, "GET", target, &[]).check(200);
    assert!(whole.body == sent);
    let length = sent.len().to_string();
    for (name, value) in [
        ("etag", tag.as_str()),
        ("content-length", length.as_str()),
        ("accept-ranges", "bytes"),
        ("content-type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (
            "content-disposition",
            "attachment; filename=\"_ber #1.xlsx\"; filename*=utf-8''%c3%9cber%20#1.xlsx",
        ),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-cache"),
    ] {
        assert_eq!(whole.header(name), Some(value), "{name}: {}", whole.head);
    }
    assert!(whole.header("last-modified").is_some());
    let head = ask(&server, "HEAD", target, &[]).check(200);
    assert!(head.body.is_empty());
    assert_eq!(
        (head.header("content-length"), head.header("etag")),
        (Some(length.as_str()), Some(tag.as_str()))
    );
    ask(&server, "GET", target, &[("If-None-Match", &tag)]).check(304);
    let part = ask(&server, "GET", target, &[("Range", "bytes=2-4")]).check(206);
    assert_eq!(part.body, sent[2..5]);
    assert_eq!(part.header("content-range"), Some(format!("bytes 2-4/{length}").as_str()));
    let none = ask(&server, "GET", target, &[("Range", "bytes=99999999-")]).check(416);
    assert_eq!(none.header("content-range"), Some(format!("bytes */{length}").as_str()));
    let other = ask(&server, "GET", target, &[("Range", "bytes=2-4"), ("If-Range", "\"other\"")]).check(200);
    assert!(other.body == sent);
    assert_eq!(ask(&server, "POST", target, &[]).check(405).header("allow"), Some("get, head, put, delete"));
    assert_eq!(ask(&server, "GET", "/files/", &[]).check(404).code(), "not_found");
    server.end();
}

#[test]
fn who_expects_a_word_before_sending_gets_it_or_the_refusal() {
    let place = Place::new();
    let server = place.serve(&[]);
    let sent = small_workbook(&place, "x");
    let length = sent.len().to_string();
    let headers = [("Content-Length", length.as_str()), ("Expect", "100-continue")];
    let mut stream = start(&server.client().address, "PUT", "/files/a.xlsx", &headers);
    let mut told = [0; 25];
    stream.read_exact(&mut told).expect("a word");
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&sent).expect("sent");
    crate::wire::reply(&mut stream).check(201);
    // There is one now: that is said before anything is sent.
    let mut stream = start(&server.client().address, "PUT", "/files/a.xlsx", &headers);
    assert_eq!(crate::wire::reply(&mut stream).check(428).code(), "already_exists");
    server.end();
}

#[test]
fn a_fork_comes_as_a_workbook_or_as_text() {
    let place = Place::new();
    let server = place.serve(&[]);
    place.write_workbook("plan.xlsx");
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "plan.xlsx" })));
    server.call("edit_cells", &set(&fork, "Data!A1", "second")).expect("edited");
    let whole = ask(&server, "GET", &format!("/files/{fork}"), &[]).check(200);
    assert_eq!(
        whole.header("content-disposition"),
        Some("attachment; filename=\"plan.xlsx\"; filename*=utf-8''plan.xlsx")
    );
    put(&server, "/files/copy.xlsx", &whole.body, &[]).check(201);
    let read = server.call("read_range", &json!({ "workbook": "copy.xlsx", "ranges": ["Data!A1"] }));
    assert_eq!(values(read), [["second"]]);
    let text = |target: &str| {
        let told = ask(&server, "GET", target, &[]).check(200);
        (String::from_utf8(told.body.clone()).expect("text"), told.header("content-type").map(str::to_owned))
    };
    let csv = Some("text/csv".to_owned());
    assert_eq!(text(&format!("/files/{fork}?format=csv")), ("second\r\n".to_owned(), csv.clone()));
    assert_eq!(
        text(&format!("/files/{fork}@base?format=csv&range=Data%21A1")),
        ("first\r\n".to_owned(), csv)
    );
    let (json, kind) = text("/files/plan.xlsx?format=json");
    assert_eq!((json.contains("first"), kind.as_deref()), (true, Some("application/json")));
    assert_eq!(ask(&server, "GET", "/files/fork-aaaaaaaaaaaaaaaa", &[]).check(404).code(), "fork_not_found");
    assert_eq!(ask(&server, "GET", "/files/plan.xlsx?format=exe", &[]).check(400).code(), "invalid_argument");
    server.end();
}
