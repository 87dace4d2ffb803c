//! Blobs in a bucket of a real server: shared, copied, verified, swept, and what goes on without it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::time::Duration;

use components::{S3, eventually};
use forks::{BlobCounts, Blobs, Digest, Millis, StoreError, Swept};
use objects::{Bucket, Operation, Options, Outcome, Settings};
use tokio::runtime::Runtime;

const HOUR: Millis = 3_600_000;
/// More than what copies may take, and than a part of an upload.
const LARGE: usize = 9 << 20;

/// A replica: its own copies, and the bucket that it shares with others.
struct Replica {
    blobs: Blobs,
    bucket: Bucket,
    copies: tempfile::TempDir,
    _runtime: Runtime,
}

impl Replica {
    fn of(s3: &S3) -> Replica {
        // What was installed before does as well.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let options = Options {
            timeout: Duration::from_secs(2),
            pause: Duration::from_millis(200),
            settings: Settings::new(s3.settings()).unwrap(),
            ..Options::default()
        };
        let url = format!("{}/team", s3.url()).parse().unwrap();
        let bucket = Bucket::open(&url, &options, runtime.handle().clone()).unwrap();
        let copies = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_bucket(bucket.clone(), copies.path(), 1 << 20).unwrap();
        Replica { blobs, bucket, copies, _runtime: runtime }
    }

    fn puts(&self) -> u64 {
        self.bucket.counts().requests(Operation::Put, Outcome::Ok)
    }

    fn counts(&self) -> BlobCounts {
        self.blobs.counts().unwrap()
    }

    fn forget_copies(&self) {
        for shard in fs::read_dir(self.copies.path()).unwrap().flatten() {
            if shard.file_type().unwrap().is_dir() {
                fs::remove_dir_all(shard.path()).unwrap();
            }
        }
    }

    /// The bytes of a blob, in pieces.
    fn copied(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let each = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok::<(), StoreError>(())
        };
        self.blobs.copy(digest, 5 * HOUR, each)?;
        Ok(bytes)
    }

    fn reads(&self, digest: &Digest) -> bool {
        self.forget_copies();
        self.blobs.read(digest, 0).is_ok()
    }
}

#[test]
fn what_one_replica_put_another_one_reads() {
    let Some(mut s3) = S3::start() else { return };
    let (one, other, third) = (Replica::of(&s3), Replica::of(&s3), Replica::of(&s3));
    let large = vec![7; LARGE];
    for bytes in [&b""[..], b"abc", &large] {
        let digest = one.blobs.put(bytes, 5 * HOUR).unwrap();
        assert_eq!(digest, Digest::of(bytes));
        assert_eq!(&*other.blobs.read(&digest, 5 * HOUR).unwrap(), bytes);
        assert_eq!(third.copied(&digest).unwrap(), bytes);
        assert_eq!(third.copied(&digest).unwrap(), bytes);
        assert_eq!(one.blobs.put_from(&mut &*bytes, 6 * HOUR).unwrap(), (digest, bytes.len() as u64));
    }
    assert_eq!((one.puts(), s3.eventually_has(3).len()), (3, 3));
    let name = Digest::of(b"abc").to_string();
    assert!(s3.folder().join(format!("team/blobs/ba/{name}/5")).is_file());
    let nowhere = other.blobs.read(&Digest::of(b"abcd"), 0);
    assert!(matches!(nowhere, Err(StoreError::NotFound { what: "blob", .. })));

    assert_eq!(other.counts(), BlobCounts { hits: 0, misses: 4 });
    // There is no room for a copy of the large one.
    assert_eq!(third.counts(), BlobCounts { hits: 2, misses: 4 });
    s3.stop();
    assert_eq!(&*other.blobs.read(&Digest::of(b"abc"), 0).unwrap(), b"abc");
    assert_eq!(other.counts(), BlobCounts { hits: 1, misses: 4 });
    for failed in [
        other.blobs.read(&Digest::of(&large), 0).map(drop),
        other.blobs.put(b"new", 0).map(drop),
        other.blobs.put_from(&mut &b"new"[..], 0).map(drop),
    ] {
        let failed = failed.unwrap_err();
        assert!(matches!(failed, StoreError::Bucket(_)) && failed.retry_after().is_some(), "{failed}");
    }
    s3.resume();
    eventually("it does not come back", || other.blobs.read(&Digest::of(&large), 0).ok());
}

#[test]
fn damaged_objects_are_not_handed_out_and_are_mended_by_another_put() {
    let Some(s3) = S3::start() else { return };
    let replica = Replica::of(&s3);
    let digest = replica.blobs.put(b"abc", 0).unwrap();
    let file = s3.eventually_has(1).remove(0);
    for damage in [&b"abd"[..], b"ab", b"abcd"] {
        fs::write(&file, damage).unwrap();
        replica.forget_copies();
        let refused = replica.copied(&digest).unwrap_err();
        assert!(matches!(refused, StoreError::CorruptBlob { .. }), "{refused}");
        let refused = replica.blobs.read(&digest, 0).unwrap_err();
        assert!(matches!(&refused, StoreError::CorruptBlob { actual, .. } if *actual == Digest::of(damage)));
        assert!(refused.to_string().contains(&format!("s3://books/team/blobs/ba/{digest}/0")), "{refused}");
    }
    // It has another length, and is believed no more.
    replica.blobs.put(b"abc", HOUR).unwrap();
    assert!(replica.reads(&digest));
    fs::write(s3.eventually_has(2).pop().unwrap(), b"abx").unwrap();
    fs::write(&file, b"abc").unwrap();
    assert!(replica.reads(&digest), "an older object is whole");
}

#[test]
fn a_source_that_fails_leaves_nothing() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += buffer.len();
            if self.0 < LARGE { Ok(buffer.len()) } else { Err(io::Error::other("the cable was pulled")) }
        }
    }
    let Some(s3) = S3::start() else { return };
    let replica = Replica::of(&s3);
    let refused = replica.blobs.put_from(&mut Broken(0), 5).unwrap_err();
    assert!(refused.to_string().contains("the cable was pulled"), "{refused}");
    s3.eventually_has(0);
    let left: Vec<_> = fs::read_dir(replica.copies.path()).unwrap().flatten().collect();
    assert!(left.iter().all(|entry| entry.file_name() == ".lock"), "{left:?}");
}

#[test]
fn a_sweep_spares_what_is_needed_and_what_is_new() {
    let Some(s3) = S3::start() else { return };
    let replica = Replica::of(&s3);
    let blobs = &replica.blobs;
    let needed = blobs.put(b"needed", HOUR).unwrap();
    blobs.put(b"needed", 20 * HOUR).unwrap();
    let old = blobs.put(b"old", HOUR).unwrap();
    let again = blobs.put(b"again", HOUR).unwrap();
    blobs.put(b"again", 14 * HOUR).unwrap();
    let new = blobs.put(b"new", 26 * HOUR).unwrap();
    let stranger = s3.folder().join("team/blobs/notes.txt");
    fs::write(&stranger, "not ours").unwrap();
    s3.eventually_has(7);

    let sweep = |hour: Millis| blobs.sweep(&[needed].into(), hour * HOUR, &|| hour * HOUR, 0).unwrap();
    assert_eq!(sweep(25), Swept::default());
    assert_eq!(sweep(26), Swept { blobs: 2, temporary: 0, bytes: 3 + 5 });
    assert_eq!([needed, old, again, new].map(|digest| replica.reads(&digest)), [true, false, true, true]);
    assert_eq!(
        sweep(46),
        Swept { blobs: 2, temporary: 0, bytes: 5 },
        "an older object of what is needed goes, too"
    );
    assert_eq!(sweep(100).blobs, 1);
    assert_eq!([needed, again, new].map(|digest| replica.reads(&digest)), [true, false, false]);
    assert!(stranger.exists());
    // Who swept for too long does not know any more what is needed.
    blobs.put(b"again", 0).unwrap();
    assert_eq!(blobs.sweep(&HashSet::new(), 100 * HOUR, &|| 107 * HOUR, 0).unwrap(), Swept::default());
}

/// A blob is put, and put again some hours later, when somebody sweeps who knew then of nobody who needs it.
#[test]
fn what_a_put_found_there_is_there_although_others_sweep() {
    let Some(s3) = S3::start() else { return };
    let (replica, sweeper) = (Replica::of(&s3), Replica::of(&s3));
    let mut swept = 0;
    for hours in 0..40 {
        let bytes = format!("after {hours} hours");
        let digest = replica.blobs.put(bytes.as_bytes(), 0).unwrap();
        replica.blobs.put(bytes.as_bytes(), hours * HOUR).unwrap();
        for begun in hours - 6..=hours {
            let clock = || hours * HOUR;
            swept += sweeper.blobs.sweep(&HashSet::new(), begun * HOUR, &clock, 0).unwrap().blobs;
        }
        assert!(replica.reads(&digest), "{hours}");
    }
    println!("{swept} objects were swept in between");
    assert!(swept > 0);
}
