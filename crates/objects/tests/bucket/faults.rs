//! A store that fails, stalls, breaks off, or goes away and comes back.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use components::{Fault, FaultyProxy, S3, eventually};
use objects::{ObjectError, Operation, Outcome, Precondition};

use crate::{Opened, bytes};

/// The longest that a request of these tests may take: its time and that of its repetitions, and a slow machine.
const BOUND: Duration = Duration::from_secs(4);
/// What is done at once.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Requests fail in time and as they should, then at once; and go through again soon after the store is well.
#[track_caller]
fn check_fault(fault: Fault, said: &str) {
    let Some(s3) = S3::start() else { return };
    let proxy = FaultyProxy::before(s3.port());
    let opened = Opened::by(&s3, proxy.port());
    let bucket = &opened.bucket;
    bucket.put("x", bytes(200_000, 2).into(), &Precondition::None).expect("is written");
    proxy.set(fault);
    let begun = Instant::now();
    let failed = bucket.get("x").map(drop).expect_err("it fails");
    assert!(
        matches!(failed, ObjectError::Unavailable { .. }) && failed.to_string().contains(said),
        "{failed}"
    );
    assert!(begun.elapsed() < BOUND && failed.retry_after().is_some(), "{:?}", begun.elapsed());

    let suspended = eventually("it is asked on and on", || match bucket.get("x") {
        Err(error @ ObjectError::Suspended { .. }) => Some(error),
        _ => None,
    });
    let (connections, begun) = (proxy.connections(), Instant::now());
    let again = bucket.put("y", b"y".as_slice().into(), &Precondition::None).expect_err("is not asked");
    assert!(matches!(again, ObjectError::Suspended { .. }) && begun.elapsed() < AT_ONCE, "{again}");
    assert_eq!(proxy.connections(), connections, "the store is left alone");
    assert!(suspended.retry_after() == Some(Duration::from_millis(500)), "{suspended}");
    assert!(bucket.counts().requests(Operation::Put, Outcome::Suspended) >= 1);

    proxy.set(Fault::None);
    eventually("it does not come back", || {
        sleep(Duration::from_millis(50));
        bucket.get("x").ok().filter(|received| received.bytes == bytes(200_000, 2))
    });
    for _ in 0..10 {
        bucket.head("x").expect("it is well again");
    }
}

#[test]
fn errors_of_the_store() {
    check_fault(Fault::Status(503), "503");
}

#[test]
fn silence() {
    check_fault(Fault::Stall, "no answer within 1 s");
}

/// Who comes after somebody who waited in vain is told soon.
#[test]
fn silence_is_waited_for_once() {
    let Some(s3) = S3::start() else { return };
    let proxy = FaultyProxy::before(s3.port());
    let opened = Opened::by(&s3, proxy.port());
    let bucket = &opened.bucket;
    // What may take long: a byte of it a microsecond.
    let large = 4 << 20;
    proxy.set(Fault::Stall);
    let take = || {
        let begun = Instant::now();
        let failed = bucket.put("x", bytes(large, 4).into(), &Precondition::None).expect_err("it fails");
        assert!(matches!(failed, ObjectError::Unavailable { .. }), "{failed}");
        begun.elapsed()
    };
    let (first, second) = (take(), take());
    assert!(first > BOUND && second < BOUND, "{first:?}, {second:?}");
    proxy.set(Fault::None);
    bucket.put("x", bytes(large, 4).into(), &Precondition::None).expect("it is asked, and says so");
}

#[test]
fn closed_connections() {
    check_fault(Fault::Refuse, "");
}

#[test]
fn answers_that_break_off() {
    check_fault(Fault::Truncate(20_000), "");
}

/// The rest is read where it broke off.
#[test]
fn answers_that_break_off_once_or_twice() {
    let Some(s3) = S3::start() else { return };
    let proxy = FaultyProxy::before(s3.port());
    let opened = Opened::by(&s3, proxy.port());
    opened.bucket.put("x", bytes(200_000, 2).into(), &Precondition::None).expect("is written");
    proxy.set(Fault::Truncate(80_000));
    let received = opened.bucket.get("x").expect("is read");
    assert!(received.bytes == bytes(200_000, 2), "{} bytes", received.bytes.len());
}

#[test]
fn a_server_that_is_not_there() {
    let Some(mut s3) = S3::start() else { return };
    let opened = Opened::of(&s3);
    opened.bucket.put("x", b"x".as_slice().into(), &Precondition::None).expect("is written");
    s3.stop();
    let failed = opened.bucket.get("x").expect_err("it fails");
    assert!(failed.to_string().contains("Connection refused"), "{failed}");
    s3.resume();
    eventually("it does not come back", || opened.bucket.get("x").ok());
}

/// The write happened; the writer is not told so, or that somebody else was faster, and never that it went well.
#[test]
fn a_write_whose_answer_is_lost() {
    let Some(s3) = S3::start() else { return };
    let proxy = FaultyProxy::before(s3.port());
    let opened = Opened::by(&s3, proxy.port());
    let bucket = &opened.bucket;
    proxy.set(Fault::LoseAnswers);
    let lost = bucket.put("x", b"x".as_slice().into(), &Precondition::Absent).expect_err("is lost");
    assert!(matches!(lost, ObjectError::Unavailable { .. } | ObjectError::Changed { .. }), "{lost}");
    proxy.set(Fault::None);
    let received = eventually("it does not come back", || bucket.get("x").ok());
    assert_eq!(&*received.bytes, b"x");
}

/// A large object whose parts no longer get through is not there at all.
#[test]
fn an_upload_that_breaks_off() {
    let Some(s3) = S3::start() else { return };
    let proxy = FaultyProxy::before(s3.port());
    let opened = Opened::by(&s3, proxy.port());
    let content = bytes(20 << 20, 3);
    let mut from = Cutting { content: &content, proxy: &proxy };
    let failed = opened.bucket.put_from("x", &mut from, &Precondition::None).expect_err("it fails");
    assert!(matches!(failed, ObjectError::Unavailable { .. }), "{failed}");
    proxy.set(Fault::None);
    let found = eventually("it does not come back", || match opened.bucket.head("x") {
        Err(ObjectError::NotFound { .. }) => Some(false),
        Ok(_) => Some(true),
        Err(_) => None,
    });
    assert!(!found, "a part of it became an object");
    opened.bucket.put_from("x", &mut content.as_slice(), &Precondition::None).expect("is written");
}

/// A reader after whose first part the store fails.
struct Cutting<'a> {
    content: &'a [u8],
    proxy: &'a FaultyProxy,
}

impl std::io::Read for Cutting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let before = self.content.len();
        let read = self.content.read(buffer)?;
        let middle = 10 << 20;
        if before > middle && self.content.len() <= middle {
            self.proxy.set(Fault::Status(500));
        }
        Ok(read)
    }
}
