//! URLs that are signed: for one request, for a while, for whoever has them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    program::{Place, Server, fork_of, set},
    wire::{ask, put, small_workbook},
};

/// The method and the target of a URL that `transfer_url` gives.
fn url_of(server: &Server, arguments: &Value) -> (String, String) {
    let told = server.call("transfer_url", arguments).expect("a URL");
    let url = told["url"].as_str().expect("a URL");
    let target = url.split_once(&server.client().address).expect("of this server").1;
    (told["method"].as_str().expect("a method").to_owned(), target.to_owned())
}

#[test]
fn a_signed_url_is_for_one_request() {
    let place = Place::new();
    let server = place.serve(&["--allow-overwrite=true", "--log", "debug"]);
    place.write_workbook("plan.xlsx");
    place.write_workbook("other.xlsx");
    let (method, target) = url_of(&server, &json!({ "workbook": "plan.xlsx" }));
    assert_eq!(method, "GET");
    let plan = std::fs::read(place.file("plan.xlsx")).expect("read");
    assert!(ask(&server, "GET", &target, &[]).check(200).body == plan);
    ask(&server, "HEAD", &target, &[]).check(200);
    ask(&server, "GET", &target, &[("Range", "bytes=0-9")]).check(206);
    let (path, grant) = target.split_once("?grant=").expect("a grant");
    // For nothing else: not another file, method or export, and not with a letter changed.
    let mut wrong = vec![
        ("GET", format!("/files/other.xlsx?grant={grant}")),
        ("GET", format!("{path}?format=csv&grant={grant}")),
        ("PUT", target.clone()),
        ("DELETE", target.clone()),
        ("GET", format!("{path}?grant=")),
        ("GET", format!("{path}?grant={grant}x")),
    ];
    for part in 0..3 {
        let mut parts: Vec<String> = grant.split('.').map(str::to_owned).collect();
        let last = parts[part].pop().expect("a letter");
        parts[part].push(if last == 'A' { 'B' } else { 'A' });
        wrong.push(("GET", format!("{path}?grant={}", parts.join("."))));
    }
    for (method, target) in wrong {
        let refused = ask(&server, method, &target, &[("If-Match", "\"x\"")]).check(403);
        assert_eq!(refused.code(), "url_invalid", "{method} {target}");
    }
    let log = server.end();
    let mac = grant.rsplit('.').next().expect("a part");
    assert!(log.contains("file") && !log.contains(mac), "{log}");
}

#[test]
fn a_signed_url_ends() {
    let place = Place::new();
    let server = place.serve(&["--url-ttl", "1"]);
    place.write_workbook("plan.xlsx");
    let (_, target) = url_of(&server, &json!({ "workbook": "plan.xlsx" }));
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(ask(&server, "GET", &target, &[]).check(410).code(), "url_expired");
    server.end();
}

#[test]
fn a_signed_url_is_of_the_state_that_a_fork_had() {
    let place = Place::new();
    // Any replica takes what another one signed.
    let (server, other) = (place.serve(&[]), place.serve(&[]));
    place.write_workbook("plan.xlsx");
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "plan.xlsx" })));
    server.call("edit_cells", &set(&fork, "Data!A1", "second")).expect("edited");
    let arguments = json!({ "workbook": fork, "format": "csv", "range": "Data!A1" });
    let (_, target) = url_of(&server, &arguments);
    server.call("edit_cells", &set(&fork, "Data!A1", "third")).expect("edited");
    for server in [&server, &other] {
        assert_eq!(ask(server, "GET", &target, &[]).check(200).body, b"second\r\n");
    }
    let picture = server
        .call("screenshot_sheet", &json!({ "workbook": "plan.xlsx", "renderer": "native" }))
        .expect("a picture");
    let uri = find_text(&picture, "screenshot://").expect("a URI");
    let (_, target) = url_of(&server, &json!({ "workbook": uri }));
    assert!(ask(&server, "GET", &target, &[]).check(200).body.starts_with(b"\x89PNG"));
    server.end();
    other.end();
}

#[test]
fn an_upload_url_is_for_its_path() {
    let place = Place::new();
    let server = place.serve(&["--allow-overwrite=true"]);
    let (first, second) = (small_workbook(&place, "first"), small_workbook(&place, "second"));
    let upload = json!({ "workbook": "new.xlsx", "upload": true });
    let (method, target) = url_of(&server, &upload);
    assert_eq!(method, "PUT");
    ask(&server, "GET", &target, &[]).check(403);
    put(&server, &target, &first, &[]).check(201);
    put(&server, &target, &second, &[]).check(428);
    // It was for a new file, whatever else its bearer knows.
    let tag =
        ask(&server, "HEAD", "/files/new.xlsx", &[]).check(200).header("etag").expect("a tag").to_owned();
    let refused = put(&server, &target, &second, &[("If-Match", &tag)]).check(412);
    assert_eq!(refused.code(), "already_exists");
    assert!(ask(&server, "GET", "/files/new.xlsx", &[]).check(200).body == first);
    let told = server.call("transfer_url", &upload).expect("a URL");
    assert_eq!(told["if_match"], json!(tag));
    let (_, target) = url_of(&server, &upload);
    put(&server, &target, &second, &[("If-Match", &tag)]).check(200);
    let refused = server.call("transfer_url", &json!({ "workbook": "../x.xlsx", "upload": true }));
    assert_eq!(crate::program::code(refused), "outside_workspace");
    let begun = Instant::now();
    let refused = server.call("transfer_url", &json!({ "workbook": "none.xlsx" }));
    assert_eq!(crate::program::code(refused), "workbook_not_found");
    assert!(begun.elapsed() < Duration::from_secs(10));
    server.end();
}

fn find_text(told: &Value, beginning: &str) -> Option<String> {
    match told {
        Value::String(text) => text.starts_with(beginning).then(|| text.clone()),
        Value::Array(items) => items.iter().find_map(|item| find_text(item, beginning)),
        Value::Object(fields) => fields.values().find_map(|item| find_text(item, beginning)),
        _ => None,
    }
}
