//! What transfers may take: bytes, time, places, memory; and what becomes of those on their way when the server goes.

use std::{
    io::{Read as _, Write as _},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use crate::{
    program::{Place, Server},
    wire::{ask, large_workbook, put, reply, small_workbook, start},
};

/// Waits until nothing but these is in the workspace.
#[track_caller]
fn wait_for_names(place: &Place, names: &[&str]) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while place.names() != names {
        assert!(Instant::now() < deadline, "{:?}", place.names());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_sent_or_while() {
    let place = Place::new();
    let server = place.serve(&["--max-file-bytes", "100000"]);
    let mut stream = start(&server.client().address, "PUT", "/files/a.csv", &[("Content-Length", "100001")]);
    assert_eq!(reply(&mut stream).check(413).code(), "limit_exceeded");
    // Nobody says before how much comes.
    let mut stream =
        start(&server.client().address, "PUT", "/files/a.csv", &[("Transfer-Encoding", "chunked")]);
    for _ in 0..20 {
        let piece = format!("2710\r\n{}\r\n", "a,b\n".repeat(2_500));
        stream.write_all(piece.as_bytes()).expect("the server reads on");
    }
    stream.write_all(b"0\r\n\r\n").expect("sent");
    assert_eq!(reply(&mut stream).check(413).code(), "limit_exceeded");
    wait_for_names(&place, &[]);
    server.end();
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let place = Place::new();
    let server = place.serve(&["--transfer-timeout-ms", "1500"]);
    for is_chunked in [false, true] {
        let header = if is_chunked { ("Transfer-Encoding", "chunked") } else { ("Content-Length", "100000") };
        let mut stream = start(&server.client().address, "PUT", "/files/a.csv", &[header]);
        stream.write_all(b"5\r\na,b\n\n\r\n").expect("sent");
        let deadline = Instant::now() + Duration::from_secs(20);
        while place.names().is_empty() {
            assert!(Instant::now() < deadline, "nothing is written");
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(stream);
        wait_for_names(&place, &[]);
    }
    // Who sends too slowly is told so in time.
    let mut stream = start(&server.client().address, "PUT", "/files/a.csv", &[("Content-Length", "100000")]);
    stream.write_all(b"a,b\n").expect("sent");
    let begun = Instant::now();
    assert_eq!(reply(&mut stream).check(408).code(), "timeout");
    assert!((1..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    wait_for_names(&place, &[]);
    server.end();
}

#[test]
fn places_and_calls_of_a_caller_are_bounded() {
    let place = Place::new();
    let server = place.serve(&["--max-concurrent-transfers", "1", "--max-calls-per-minute", "3"]);
    place.write_workbook("plan.xlsx");
    let mut stream = start(&server.client().address, "PUT", "/files/a.csv", &[("Content-Length", "8")]);
    stream.write_all(b"a,b\n").expect("sent");
    while place.names().len() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let busy = ask(&server, "GET", "/files/plan.xlsx", &[]).check(503);
    assert!(busy.header("retry-after").is_some());
    assert_eq!(busy.code(), "busy");
    stream.write_all(b"1,2\n").expect("sent");
    reply(&mut stream).check(201);
    ask(&server, "GET", "/files/plan.xlsx", &[]).check(200);
    let limited = ask(&server, "GET", "/files/plan.xlsx", &[]).check(429);
    assert_eq!((limited.header("retry-after").is_some(), limited.code().as_str()), (true, "rate_limited"));
    server.end();
}

#[test]
fn transfers_on_their_way_are_finished_when_the_server_goes() {
    let place = Place::new();
    let server = place.serve(&["--drain-delay-ms", "300", "--drain-timeout-ms", "30000"]);
    let (large, small) = (large_workbook(&place, 20 << 20), small_workbook(&place, "x"));
    std::fs::write(place.file("large.xlsx"), &large).expect("written");
    let address = server.client().address;
    let length = small.len().to_string();
    let mut up = start(&address, "PUT", "/files/small.xlsx", &[("Content-Length", length.as_str())]);
    up.write_all(&small[..100]).expect("sent");
    let mut down = start(&address, "GET", "/files/large.xlsx", &[]);
    let mut begun = vec![0; 1_000];
    down.read_exact(&mut begun).expect("it comes");
    server.terminate();
    std::thread::sleep(Duration::from_millis(500));
    // Nothing new is taken.
    let refused = ask(&server, "GET", "/files/large.xlsx", &[]);
    assert!(matches!(refused.status, 503 | 0), "{refused:?}");
    up.write_all(&small[100..]).expect("sent");
    reply(&mut up).check(201);
    let mut rest = Vec::new();
    down.read_to_end(&mut rest).expect("the rest");
    begun.extend(rest);
    assert!(begun.ends_with(&large), "{} of {}", begun.len(), large.len());
    let (code, log) = server.ended();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(place.names(), ["large.xlsx", "small.xlsx"]);
}

/// Eight uploads of 100 MB at the same time, one of which is looked at in memory at a time.
#[test]
fn memory_does_not_grow_with_what_is_on_its_way() {
    const UPLOADS: usize = 8;
    const BYTES: usize = 100 << 20;
    const BOUND: u64 = 450 << 20;
    let place = Place::new();
    let large = large_workbook(&place, BYTES);
    let server = place.serve(&[]);
    let (done, mut most) = (AtomicBool::new(false), 0);
    std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..UPLOADS)
            .map(|number| {
                let (server, large) = (&server, &large);
                scope.spawn(move || put(server, &format!("/files/{number}.xlsx"), large, &[]))
            })
            .collect();
        let watch = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(resident(&server));
                std::thread::sleep(Duration::from_millis(5));
            }
            most
        });
        for upload in uploads {
            upload.join().expect("no panic").check(201);
        }
        done.store(true, Ordering::Relaxed);
        most = watch.join().expect("no panic");
    });
    println!("{UPLOADS} uploads of {} MB: {} MB resident at most", BYTES >> 20, most >> 20);
    assert!(most < BOUND, "{} MB", most >> 20);
    for number in 0..UPLOADS {
        assert_eq!(
            std::fs::metadata(place.file(&format!("{number}.xlsx"))).expect("there").len(),
            large.len() as u64
        );
    }
    server.end();
}

/// Bytes of memory that a server has.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}
