//! Reading, writing under conditions, listing; against two implementations of the protocol.

use components::S3;
use objects::{Bucket, ObjectError, Operation, Outcome, Precondition, Version};

use crate::Opened;

/// What any server has to do.
fn check_server(s3: &S3) {
    let opened = Opened::of(s3);
    let bucket = &opened.bucket;
    bucket.probe().expect("it answers");
    assert!(matches!(bucket.get("a/b.xlsx"), Err(ObjectError::NotFound { key }) if key == "a/b.xlsx"));
    let put = |bytes: &'static [u8], when: &Precondition| bucket.put("a/b.xlsx", bytes.into(), when);
    let absent = Precondition::Unchanged(Version { etag: Some("\"none\"".to_owned()), version: None });
    assert!(matches!(put(b"0", &absent), Err(ObjectError::Changed { .. })));
    let first = put(b"first", &Precondition::Absent).expect("is written");
    assert!(matches!(put(b"other", &Precondition::Absent), Err(ObjectError::Changed { .. })));
    let second = put(b"second", &Precondition::Unchanged(first.clone())).expect("is written");
    assert_ne!(first, second);
    assert!(matches!(put(b"third", &Precondition::Unchanged(first)), Err(ObjectError::Changed { .. })));

    let head = bucket.head("a/b.xlsx").expect("is there");
    assert_eq!((head.key.as_str(), head.size), ("a/b.xlsx", 6));
    assert_eq!(head.version.etag, second.etag);
    let whole = bucket.get("a/b.xlsx").expect("is read");
    assert_eq!((&*whole.bytes, whole.object.size), (&b"second"[..], 6));
    assert_eq!(whole.object.version.etag, second.etag);
    let part = bucket.get_range("a/b.xlsx", 2..4).expect("is read");
    assert_eq!((&*part.bytes, part.object.size), (&b"co"[..], 6));
    assert_eq!(&*bucket.get_range("a/b.xlsx", 4..99).expect("is read").bytes, b"nd");

    bucket.put("a/Ä b+c&d.csv", b"x".as_slice().into(), &Precondition::None).expect("is written");
    bucket.put("empty", Vec::new().into(), &Precondition::None).expect("is written");
    assert!(bucket.get("empty").expect("is read").bytes.is_empty());

    bucket.delete("a/b.xlsx").expect("it goes");
    bucket.delete("a/b.xlsx").expect("it is gone");
    assert!(matches!(bucket.head("a/b.xlsx"), Err(ObjectError::NotFound { .. })));
    let counts = bucket.counts();
    assert_eq!(counts.requests(Operation::Put, Outcome::Changed), 3);
    assert_eq!(counts.requests(Operation::Put, Outcome::Ok), 4);
    assert_eq!(counts.requests(Operation::Delete, Outcome::Ok), 2);
    assert_eq!((counts.sent(), counts.received()), (5 + 6 + 1, 6 + 2 + 2));
    assert!(!counts.took(Operation::Get).is_zero());
    check_pages(&opened);
    check_notes(bucket);
}

/// A note says whose an object is, and goes with it.
fn check_notes(bucket: &Bucket) {
    let put = |size: usize, when: &Precondition, note: &str| {
        bucket.put_with_note("noted", &mut vec![1; size].as_slice(), when, note)
    };
    put(10, &Precondition::Absent, "mine").expect("is written");
    put(10, &Precondition::Absent, "theirs").expect_err("is there");
    let (object, note) = bucket.note("noted").expect("is there");
    assert_eq!((object.size, note.as_deref()), (10, Some("mine")));
    for when in [Precondition::Unchanged(object.version), Precondition::None] {
        put(9 << 20, &when, "large").expect("is written");
        assert_eq!(bucket.note("noted").expect("is there").1.as_deref(), Some("large"));
        put(1, &Precondition::None, "small").expect("is written");
    }
    bucket.put("noted", b"2".as_slice().into(), &Precondition::None).expect("is written");
    assert_eq!(bucket.note("noted").expect("is there").1, None);
    assert!(matches!(bucket.note("nothing"), Err(ObjectError::NotFound { .. })));
}

/// Pages follow each other without a gap, and hold nothing from beside the prefix.
fn check_pages(opened: &Opened) {
    let bucket = &opened.bucket;
    let names: Vec<String> = (0..25).map(|number| format!("pages/{number:02}/x")).collect();
    for name in names.iter().map(String::as_str).chain(["pages-beside/x"]) {
        bucket.put(name, b"1".as_slice().into(), &Precondition::None).expect("is written");
    }
    let mut listed: Vec<String> = Vec::new();
    loop {
        let page = bucket.list("pages", listed.last().map(String::as_str), 10).expect("a page");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 10);
        listed.extend(page.into_iter().map(|object| object.key));
    }
    assert_eq!(listed, names);
    assert_eq!(bucket.list("nowhere", None, 10).expect("a page"), []);
    let all: Vec<String> =
        bucket.list("", None, 1000).expect("a page").into_iter().map(|object| object.key).collect();
    assert!(all.contains(&"a/Ä b+c&d.csv".to_owned()) && all.contains(&"empty".to_owned()), "{all:?}");
}

#[test]
fn s3s_keeps_the_conditions() {
    let Some(s3) = S3::start() else { return };
    check_server(&s3);
}

#[test]
fn moto_keeps_the_conditions() {
    let Some(s3) = S3::start_moto() else { return };
    check_server(&s3);
}

#[test]
fn wrong_credentials_are_denied() {
    let Some(s3) = S3::start() else { return };
    let mut settings = s3.settings();
    settings.last_mut().expect("the secret").1 = "wrong".to_owned();
    let opened = Opened::with(settings, &s3.url());
    let absent = Precondition::Absent;
    let asked = [
        opened.bucket.get("x").map(drop),
        opened.bucket.list("", None, 10).map(drop),
        opened.bucket.put("x", b"y".to_vec().into(), &absent).map(drop),
    ];
    for denied in asked {
        let denied = denied.expect_err("is denied");
        assert!(matches!(denied, ObjectError::Denied { .. }), "{denied}");
        let said = denied.to_string();
        assert!(denied.retry_after().is_none() && said.contains("SignatureDoesNotMatch"), "{denied}");
        assert!(said.contains("; the secret is not that of the key (aws_secret_access_key"), "{denied}");
        assert!(!said.contains("wrong"), "{denied}");
    }
    let headed = opened.bucket.head("x").expect_err("is denied").to_string();
    assert!(headed.contains("refuses access: 403 Forbidden; check its credentials"), "{headed}");
    let probed = opened.bucket.probe().expect_err("is denied").to_string();
    assert!(probed.contains("403 Forbidden (SignatureDoesNotMatch); the secret is not"), "{probed}");
}

/// A bucket that is not there is told from one without the object, and from a store that fails.
#[test]
fn a_bucket_that_is_not_there_is_told_as_such() {
    let Some(s3) = S3::start_moto() else { return };
    let opened = Opened::with(s3.settings(), "s3://nobucket/below");
    let bucket = &opened.bucket;
    for asked in [bucket.probe(), bucket.get("x").map(drop), bucket.list("", None, 10).map(drop)] {
        let error = asked.expect_err("there is none");
        assert!(matches!(&error, ObjectError::NoBucket { bucket, .. } if bucket == "nobucket"), "{error}");
        assert!(error.retry_after().is_none(), "{error}");
    }
}
