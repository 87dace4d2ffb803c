//! Objects that travel in parts.

use std::io::{self, Read};

use components::S3;
use objects::{ObjectError, Precondition};

use crate::{Opened, bytes};

/// Three parts, the last one short.
const SIZE: usize = (20 << 20) + 17;

#[test]
fn large_objects_go_up_in_parts_and_come_back() {
    let Some(s3) = S3::start() else { return };
    let opened = Opened::of(&s3);
    let bucket = &opened.bucket;
    let content = bytes(SIZE, 1);
    let put = |when: &Precondition| bucket.put_from("large", &mut content.as_slice(), when);
    let in_parts = put(&Precondition::None).expect("is written");
    assert!(in_parts.etag.as_ref().is_some_and(|etag| etag.contains("-3")), "{in_parts:?}");
    let mut received = Vec::new();
    let object = bucket.get_into("large", &mut received).expect("is read");
    assert!(received == content && object.size == SIZE as u64);
    assert_eq!(object.version.etag, in_parts.etag);
    assert!(bucket.get("large").expect("is read").bytes == content);
    let middle = bucket.get_range("large", 9_000_000..9_000_100).expect("is read");
    assert_eq!(&*middle.bytes, &content[9_000_000..9_000_100]);

    assert!(matches!(put(&Precondition::Absent), Err(ObjectError::Changed { .. })));
    let at_once = put(&Precondition::Unchanged(in_parts.clone())).expect("is written");
    assert_ne!(at_once.etag, in_parts.etag);
    assert!(matches!(put(&Precondition::Unchanged(in_parts)), Err(ObjectError::Changed { .. })));
    assert!(bucket.get("large").expect("is read").bytes == content);
}

/// A part's worth of bytes, and then a broken disk.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.min(buffer.len()) {
            0 => Err(io::Error::other("a broken disk")),
            read => {
                self.0 -= read;
                Ok(read)
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_not_written() {
    let Some(s3) = S3::start() else { return };
    let opened = Opened::of(&s3);
    for size in [100, 9 << 20] {
        let failed = opened.bucket.put_from("x", &mut Broken(size), &Precondition::None);
        let failed = failed.expect_err("it cannot be read");
        assert!(
            matches!(&failed, ObjectError::Source { problem, .. } if problem == "a broken disk"),
            "{failed}"
        );
        assert!(matches!(opened.bucket.head("x"), Err(ObjectError::NotFound { .. })));
    }
    let left = s3.folder().parent().expect("the root").read_dir().expect("its files").flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).filter(|name| name != "books").collect();
    assert!(left.is_empty(), "parts are left: {left:?}");
}
