//! What an upload is, and what a program of the operator's says of it.

use std::{
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use crate::{
    program::Place,
    wire::{put, reply, small_workbook, start},
};

/// A program that reads the file it is given and ends as the text in it says.
const SCANNER: &str = "#!/bin/sh
[ \"$1\" = --quiet ] || exit 9
[ -r \"$2\" ] || exit 8
case \"$(cat \"$2\")\" in
    *EICAR*) exit 1;;
    *STRANGE*) echo 'database is 4711 days old' >&2; echo more >&2; exit 2;;
    *KILLED*) kill -9 $$;;
    *SLOW*) sleep 60;;
esac
";

#[test]
fn a_scanner_decides_upon_uploads() {
    let place = Place::new();
    let program = place.temporary.join("scan.sh");
    std::fs::write(&program, SCANNER).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("set");
    let command = format!("{} --quiet", program.display());
    let server = place.serve(&["--scan-command", &command, "--scan-timeout-ms", "1500"]);
    let send = |content: &str| put(&server, "/files/a.csv", content.as_bytes(), &[]);
    assert_eq!(send("a,EICAR\n").check(422).code(), "content_refused");
    let strange = send("a,STRANGE\n").check(503);
    assert!(strange.header("retry-after").is_some());
    assert_eq!(strange.code(), "scanner_unavailable");
    let begun = Instant::now();
    assert_eq!(send("a,SLOW\n").check(503).code(), "scanner_unavailable");
    assert!((1..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(send("a,KILLED\n").check(503).code(), "scanner_unavailable");
    assert_eq!(place.names(), [""; 0]);
    send("a,fine\n").check(201);
    let log = server.end();
    for told in [
        "it ended with the code 2, and said: database is 4711 days old",
        "it did not end within 1.5 s",
        "it was killed by the signal 9",
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
    assert!(!log.contains("more"), "{log}");
    let server = place.serve(&["--scan-command", "/nonexistent/scanner"]);
    assert!(
        server.log().contains("scan_command: there is no program /nonexistent/scanner"),
        "{}",
        server.log()
    );
    let reply = put(&server, "/files/b.csv", b"a,fine\n", &[]);
    assert_eq!(reply.check(503).code(), "scanner_unavailable");
    assert_eq!(place.names(), ["a.csv"]);
    let log = server.end();
    assert!(log.contains("uploads did not say") && log.contains("\"there is no program"), "{log}");
}

#[test]
fn who_is_cut_off_is_told_to_send_it_again() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut stream = start(&server.client().address, "PUT", "/files/a.csv", &[("Content-Length", "1000")]);
    stream.write_all(b"a,b\n1,2\n").expect("sent");
    stream.shutdown(std::net::Shutdown::Write).expect("cut off");
    let cut = reply(&mut stream).check(400);
    assert_eq!(cut.code(), "cancelled");
    assert_eq!(place.names(), [""; 0]);
    server.end();
}

#[test]
fn an_upload_is_what_its_name_says() {
    let place = Place::new();
    let bytes = small_workbook(&place, "x");
    let server = place.serve(&[]);
    for (target, content, code) in [
        ("/files/a.csv", bytes.as_slice(), "content_refused"),
        ("/files/a.xlsm", bytes.as_slice(), "content_refused"),
        ("/files/a.xls", bytes.as_slice(), "content_refused"),
        ("/files/a.xlsx", b"a,b\n1,2\n".as_slice(), "content_refused"),
        ("/files/a.xlsx", b"".as_slice(), "content_refused"),
        ("/files/a.xlsx", b"PK\x03\x04 and no more".as_slice(), "damaged_file"),
        ("/files/a.xlsx", &bytes[..bytes.len() / 2], "damaged_file"),
    ] {
        assert_eq!(put(&server, target, content, &[]).check(422).code(), code, "{target}");
    }
    assert_eq!(put(&server, "/files/a.exe", &bytes, &[]).check(400).code(), "invalid_argument");
    assert_eq!(put(&server, "/files/none/a.xlsx", &bytes, &[]).check(404).code(), "not_found");
    assert_eq!(place.names(), [""; 0]);
    server.end();
    let server = place.serve(&["--upload-check", "signature"]);
    put(&server, "/files/a.xlsx", b"PK\x03\x04 and no more", &[]).check(201);
    server.end();
    // Time for nothing to be left.
    std::thread::sleep(Duration::from_millis(1));
    assert_eq!(place.names(), ["a.xlsx"]);
}
