//! Paths that try to leave, and those that somebody may not see: they are not there.

use std::process::Command;

use crate::{
    program::{Place, Server},
    wire::{ask, put, small_workbook},
};

/// Paths that name nothing which may be named.
const TRICKS: [&str; 22] = [
    "/files/../secret.xlsx",
    "/files/..%2fsecret.xlsx",
    "/files/%2e%2e/secret.xlsx",
    "/files/%2e%2e%2fsecret.xlsx",
    "/files/a/../../secret.xlsx",
    "/files/%2Fetc%2Fpasswd.xlsx",
    "/files//etc/passwd.xlsx",
    "/files/..%5csecret.xlsx",
    "/files/a%5C..%5C..%5Csecret.xlsx",
    "/files/secret.xlsx%00.csv",
    "/files/%00",
    "/files/link/secret.xlsx",
    "/files/link.xlsx",
    "/files/%ff%fe.xlsx",
    "/files/%c0%ae%c0%ae/secret.xlsx",
    "/files/a%0d%0aX-Injected:%201.xlsx",
    "/files/.hidden.xlsx",
    "/files/~$lock.xlsx",
    "/files/secret",
    "/files/keys.toml",
    "/files/pipe.xlsx",
    "/files/%252e%252e/secret.xlsx",
];

#[test]
fn no_path_leads_out() {
    let place = Place::new();
    let outside = place.workspace.parent().expect("a folder").to_owned();
    let bytes = small_workbook(&place, "secret");
    std::fs::write(outside.join("secret.xlsx"), &bytes).expect("written");
    std::os::unix::fs::symlink(&outside, place.file("link")).expect("a link");
    std::os::unix::fs::symlink(outside.join("secret.xlsx"), place.file("link.xlsx")).expect("a link");
    let made = Command::new("mkfifo").arg(place.file("pipe.xlsx")).status().expect("mkfifo runs");
    assert!(made.success());
    std::fs::create_dir(place.file("a")).expect("a folder");
    std::fs::write(place.file(".hidden.xlsx"), &bytes).expect("written");
    std::fs::write(place.file("keys.toml"), &bytes).expect("written");
    let server = place.serve(&["--allow-overwrite=true"]);
    let before = names_below(&outside);
    let long = format!("/files/{}.xlsx", "x".repeat(300));
    let very_long = format!("/files/{}x.xlsx", "long/".repeat(2_000));
    for target in TRICKS.into_iter().chain([long.as_str(), very_long.as_str()]) {
        for method in ["GET", "HEAD"] {
            let reply = ask(&server, method, target, &[]);
            assert!(matches!(reply.status, 400 | 404), "{method} {target}: {reply:?}");
            assert!(!reply.head.contains("x-injected"), "{}", reply.head);
        }
        let reply = put(&server, target, &bytes, &[]);
        assert!(matches!(reply.status, 400 | 404 | 428), "PUT {target}: {reply:?}");
        let reply = ask(&server, "DELETE", target, &[("If-Match", "\"x\"")]);
        assert!(matches!(reply.status, 400 | 404 | 412), "DELETE {target}: {reply:?}");
    }
    assert_eq!(names_below(&outside), before);
    assert_eq!(std::fs::read(outside.join("secret.xlsx")).expect("read"), bytes);
    server.end();
}

#[test]
fn names_that_look_alike_are_different_files() {
    let place = Place::new();
    let server = place.serve(&[]);
    let bytes = small_workbook(&place, "composed");
    put(&server, "/files/caf%C3%A9.xlsx", &bytes, &[]).check(201);
    ask(&server, "GET", "/files/cafe%CC%81.xlsx", &[]).check(404);
    put(&server, "/files/cafe%CC%81.xlsx", &bytes, &[]).check(201);
    assert_eq!(place.names().len(), 2);
    server.end();
}

#[test]
fn what_is_out_of_sight_is_not_there() {
    let place = Place::new();
    for folder in ["finance", "sales"] {
        std::fs::create_dir(place.file(folder)).expect("a folder");
        std::fs::write(place.file(&format!("{folder}/plan.csv")), "a,b\n").expect("written");
    }
    let viewer = key(&place, "viewer", "viewer", "finance");
    let editor = key(&place, "editor", "editor", "finance");
    let server = place.serve(&["--allow-overwrite=true"]);
    assert_eq!(ask(&server, "GET", "/files/finance/plan.csv", &[]).check(401).code(), "unauthorized");
    let sent = |key: &str| format!("Bearer {key}");
    let (viewer, editor) = (sent(&viewer), sent(&editor));
    let viewer = [("Authorization", viewer.as_str())];
    let editor = [("Authorization", editor.as_str())];
    let there = ask(&server, "GET", "/files/finance/plan.csv", &viewer).check(200);
    let tag = there.header("etag").expect("a tag");
    assert_eq!(put(&server, "/files/finance/new.csv", b"a,b\n", &viewer).check(403).code(), "forbidden");
    let delete = [viewer[0], ("If-Match", tag)];
    assert_eq!(ask(&server, "DELETE", "/files/finance/plan.csv", &delete).check(403).code(), "forbidden");
    put(&server, "/files/finance/new.csv", b"a,b\n", &editor).check(201);
    // As if there were none, letter by letter.
    for headers in [&viewer, &editor] {
        let hidden = ask(&server, "GET", "/files/sales/plan.csv", headers).check(404);
        let none = ask(&server, "GET", "/files/tales/plan.csv", headers).check(404);
        let told =
            |reply: &crate::wire::Reply| String::from_utf8_lossy(&reply.body).replace("tales", "sales");
        assert_eq!(told(&hidden), told(&none));
    }
    put(&server, "/files/sales/new.csv", b"a,b\n", &editor).check(404);
    assert_eq!(std::fs::read_dir(place.file("sales")).expect("a folder").count(), 1);
    check_doors(&server, &editor);
    server.end();
}

#[track_caller]
fn check_doors(server: &Server, editor: &[(&str, &str)]) {
    let from = |name: &'static str, value: &'static str| [editor, &[(name, value)]].concat();
    let target = "/files/finance/plan.csv";
    ask(server, "GET", target, &from("Origin", "http://localhost:3000")).check(200);
    let page = ask(server, "GET", target, &from("Origin", "https://evil.example.org")).check(403);
    assert_eq!(page.code(), "forbidden");
    ask(server, "GET", target, &from("Host", "evil.example.org")).check(403);
    ask(server, "GET", target, &from("Host", "localhost")).check(200);
}

/// Makes a key as an operator does.
fn key(place: &Place, id: &str, role: &str, path: &str) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
        .args(["keys", "create", id, "--role", role, "--path", path, "--workspace"])
        .arg(&place.workspace)
        .arg("--state-dir")
        .arg(&place.state)
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("text").trim().to_owned()
}

fn names_below(folder: &std::path::Path) -> Vec<String> {
    let found =
        Command::new("find").arg(folder).args(["-not", "-path", "*/state*"]).output().expect("find runs");
    let mut names: Vec<String> = String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned).collect();
    names.sort();
    names
}
