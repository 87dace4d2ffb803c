//! Content-addressed bytes: kept whole or not at all, never handed out damaged, swept when nothing needs them.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use forks::{
    Base, Blobs, Digest, Limits, NewFork, SavedVersion, Seq, SqliteStore, Store, StoreError, Swept,
    sweep_blobs,
};

fn place() -> (tempfile::TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(&folder.path().join("state/blobs")).unwrap();
    (folder, blobs)
}

/// Where a blob is.
fn file(folder: &tempfile::TempDir, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    folder.path().join("state/blobs").join(&name[..2]).join(name)
}

/// All files, as paths below the folder.
fn files(folder: &tempfile::TempDir) -> Vec<String> {
    let root = folder.path().join("state/blobs");
    let mut open = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                files.push(entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files.retain(|name| name != ".lock");
    files.sort();
    files
}

/// The bytes of a blob, in pieces.
fn copied(blobs: &Blobs, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    let size = blobs.copy(digest, 5, |piece| {
        bytes.extend_from_slice(piece);
        Ok::<(), StoreError>(())
    })?;
    assert_eq!(size, bytes.len() as u64);
    Ok(bytes)
}

#[test]
fn only_what_a_name_says_is_kept_and_copied() {
    let (folder, blobs) = place();
    let digest = Digest::of(b"abc");
    assert_eq!(blobs.put_known_from(&digest, &mut &b"abd"[..], 5).unwrap(), None);
    assert_eq!(files(&folder), Vec::<String>::new());
    assert!(matches!(copied(&blobs, &digest), Err(StoreError::NotFound { what: "blob", .. })));
    assert_eq!(blobs.put_known_from(&digest, &mut &b"abc"[..], 5).unwrap(), Some(3));
    assert_eq!(copied(&blobs, &digest).unwrap(), b"abc");
    fs::write(file(&folder, &digest), b"abd").unwrap();
    assert!(matches!(copied(&blobs, &digest), Err(StoreError::CorruptBlob { .. })));
    let refused = blobs.copy(&digest, 5, |_| Err(StoreError::Source("full".to_owned()))).unwrap_err();
    assert!(matches!(refused, StoreError::Source(_)), "{refused}");
}

#[test]
fn bytes_come_back_under_their_digest() {
    let (folder, blobs) = place();
    for bytes in [&b""[..], b"abc", &vec![7; 200_000]] {
        let digest = blobs.put(bytes, 5).unwrap();
        assert_eq!(digest, Digest::of(bytes));
        assert_eq!(&blobs.read(&digest, 5).unwrap()[..], bytes);
        assert_eq!(blobs.put_from(&mut &*bytes, 5).unwrap(), (digest, bytes.len() as u64));
        assert_eq!(copied(&blobs, &digest).unwrap(), bytes);
    }
    let abc = Digest::of(b"abc").to_string();
    assert!(files(&folder).contains(&format!("ba/{abc}")));
    assert_eq!(files(&folder).len(), 3);
}

#[test]
fn what_is_not_there() {
    let (_folder, blobs) = place();
    let digest = Digest::of(b"abc");
    assert!(matches!(blobs.read(&digest, 5), Err(StoreError::NotFound { what: "blob", .. })));
}

#[test]
fn a_damaged_blob_is_not_handed_out() {
    let (folder, blobs) = place();
    let digest = blobs.put(b"abc", 5).unwrap();
    let file = file(&folder, &digest);
    for damage in [&b"abd"[..], b"ab", b"", b"abcd"] {
        fs::write(&file, damage).unwrap();
        let refused = blobs.read(&digest, 5).unwrap_err();
        assert!(matches!(&refused, StoreError::CorruptBlob { actual, .. } if *actual == Digest::of(damage)));
        assert!(refused.to_string().contains(&file.display().to_string()), "{refused}");
    }
}

#[test]
fn putting_again_mends_a_blob_that_was_cut_off() {
    let (folder, blobs) = place();
    let digest = blobs.put(b"abc", 5).unwrap();
    fs::write(file(&folder, &digest), b"a").unwrap();
    blobs.put(b"abc", 6).unwrap();
    assert_eq!(&blobs.read(&digest, 5).unwrap()[..], b"abc");
}

#[test]
fn a_source_that_fails_leaves_nothing() {
    struct Broken(u32);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 < 3 { Ok(buffer.len()) } else { Err(io::Error::other("the cable was pulled")) }
        }
    }
    let (folder, blobs) = place();
    let refused = blobs.put_from(&mut Broken(0), 5).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the bytes to keep cannot be read: the cable was pulled; see that their source is complete, then repeat the call"
    );
    assert_eq!(files(&folder), [""; 0]);
}

const CRASH_IN: &str = "FORKS_TEST_CRASH_IN";

/// What a process does that is killed while it writes a blob. Without the variable it is no such process.
#[test]
fn crash_while_writing() {
    struct Crash(u32);
    impl Read for Crash {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 == 3 {
                std::process::abort();
            }
            Ok(buffer.len())
        }
    }
    if let Some(folder) = std::env::var_os(CRASH_IN) {
        let blobs = Blobs::open(&PathBuf::from(folder)).unwrap();
        blobs.put_from(&mut Crash(0), 5).unwrap();
    }
}

#[test]
fn a_crash_leaves_a_temporary_file_and_no_blob() {
    let (folder, blobs) = place();
    let crashed = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash_while_writing"])
        .env(CRASH_IN, folder.path().join("state/blobs"))
        .output()
        .unwrap();
    assert!(!crashed.status.success());
    let left = files(&folder);
    assert!(matches!(&left[..], [only] if only.starts_with(".tmp-")), "{left:?}");

    let swept = blobs.sweep(&HashSet::new(), 0, &|| 0, 1_000).unwrap();
    assert_eq!(swept, Swept { blobs: 0, temporary: 1, bytes: 2 << 16 });
    assert_eq!(files(&folder), [""; 0]);
}

#[test]
fn a_sweep_spares_what_is_needed_and_what_is_new() {
    let (folder, blobs) = place();
    let needed = blobs.put(b"needed", 1_000).unwrap();
    let old = blobs.put(b"old", 1_000).unwrap();
    let renewed = blobs.put(b"renewed", 1_000).unwrap();
    blobs.put(b"renewed", 5_000).unwrap();
    let new = blobs.put(b"new", 4_000).unwrap();
    let stranger = folder.path().join("state/blobs/ab");
    fs::create_dir_all(&stranger).unwrap();
    fs::write(stranger.join("notes.txt"), "not ours").unwrap();

    let swept = blobs.sweep(&[needed].into(), 5_000, &|| 5_000, 1_000).unwrap();
    assert_eq!(swept, Swept { blobs: 1, temporary: 0, bytes: 3 });
    let kept = [needed, old, renewed, new].map(|digest| blobs.read(&digest, 5_000).is_ok());
    assert_eq!(kept, [true, false, true, true]);
    assert!(stranger.join("notes.txt").exists());
}

#[test]
fn forks_and_versions_keep_their_blobs() {
    let (folder, blobs) = place();
    let store = SqliteStore::open(&folder.path().join("state/forks.sqlite")).unwrap();
    let base = blobs.put(b"base", 0).unwrap();
    let version = blobs.put(b"version", 0).unwrap();
    blobs.put(b"orphan", 0).unwrap();
    let id: forks::ForkId = "fork-0123456789".parse().unwrap();
    let fork = NewFork {
        id: id.clone(),
        owner: "ada".to_owned(),
        base: Base { digest: base, size: 4, file_name: "a.xlsx".to_owned() },
        origin: None,
        label: None,
        ttl: 1_000,
    };
    store.create_fork(&fork, &Limits { forks: 9, forks_per_owner: 9, base_bytes: 999 }, 0).unwrap();
    let saved = SavedVersion {
        path: "a.xlsx".to_owned(),
        digest: version,
        size: 7,
        saved_at: 0,
        fork: Some(id.clone()),
        seq: Seq::BASE,
        became: None,
    };
    store.add_version(&saved).unwrap();

    let sweep = || sweep_blobs(&store, &blobs, &|| 9_000, 1_000).unwrap().blobs;
    assert_eq!(sweep(), 1, "the orphan");
    store.discard(&id).unwrap();
    assert_eq!(sweep(), 1, "the base of the fork");
    store.prune_versions(0).unwrap();
    assert_eq!(sweep(), 1, "the version");
    assert_eq!(files(&folder), [""; 0]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_look() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, blobs) = place();
    let digest = blobs.put(b"abc", 5).unwrap();
    let database = folder.path().join("state/forks.sqlite");
    let store = SqliteStore::open(&database).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path().join("state")), 0o700);
    assert_eq!(mode(file(&folder, &digest).parent().unwrap()), 0o700);
    assert_eq!(mode(&file(&folder, &digest)), 0o600);
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&folder.path().join(format!("state/forks.sqlite{suffix}"))), 0o600, "{suffix}");
    }
    drop(store);
}

#[test]
fn what_a_put_found_there_is_there_although_others_sweep() {
    let (_folder, blobs) = place();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sweeper = scope.spawn(|| {
            let mut swept = 0;
            while !done.load(Ordering::Relaxed) {
                swept += blobs.sweep(&HashSet::new(), 1_000, &|| 1_000, 0).unwrap().blobs;
            }
            swept
        });
        let writers = [1_u32, 2, 3].map(|writer| {
            let blobs = &blobs;
            scope.spawn(move || {
                for round in 0..100_u32 {
                    let bytes = [writer.to_le_bytes(), round.to_le_bytes()].concat();
                    // Old enough to be swept, then put again by someone who needs it.
                    blobs.put(&bytes, 0).unwrap();
                    let digest = blobs.put(&bytes, 2_000).unwrap();
                    assert_eq!(&blobs.read(&digest, 5).unwrap()[..], bytes, "writer {writer}, round {round}");
                }
            })
        });
        let written = writers.map(std::thread::ScopedJoinHandle::join);
        // Also when a writer failed: the sweeper would go on forever.
        done.store(true, Ordering::Relaxed);
        println!("{} blobs were swept in between", sweeper.join().unwrap());
        for writer in written {
            writer.unwrap();
        }
    });
}
