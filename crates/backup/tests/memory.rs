//! How much memory a backup takes and its way back: a blob passes through in pieces. In a process of its own, whose peak is
//! looked at.

use std::{
    fs,
    io::{self, Read},
};

use backup::{Depth, Identities, Recipients, Repository, Seal, State, create, restore, verify};
use chrono::Utc;
use forks::{Base, Blobs, Limits, NewFork, SqliteStore, Store};

/// Bytes of the blob.
const SIZE: u64 = 96 << 20;
/// Bytes that the process may take at its peak: its code, a database, and pieces.
const MOST: u64 = 48 << 20;

fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("is told");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("is told");
    let kibibytes: u64 = line.split_whitespace().nth(1).and_then(|told| told.parse().ok()).expect("a number");
    kibibytes << 10
}

#[test]
fn a_blob_is_never_in_memory_as_a_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = |name: &str| {
        let state = folder.path().join(name);
        let store = SqliteStore::open(&state.join("forks.sqlite")).expect("opens");
        (store, Blobs::open(&state.join("blobs")).expect("opens"))
    };
    let (store, blobs) = opened("state");
    let mut source = io::repeat(b'x').take(SIZE);
    let (digest, size) = blobs.put_from(&mut source, 1).expect("is put");
    let base = Base { digest, size, file_name: "large.xlsx".to_owned() };
    let id = "fork-large00000000".parse().expect("an id");
    let fork = NewFork { id, owner: "ada".to_owned(), base, origin: None, label: None, ttl: 1_000_000 };
    let limits = Limits { forks: 1, forks_per_owner: 1, base_bytes: SIZE };
    store.create_fork(&fork, &limits, 5).expect("is made");

    let (secret, public) = Identities::generate();
    let seal = Seal::To(Recipients::parse(&public).expect("a recipient"));
    let identities = Identities::parse(&secret).expect("an identity");
    let repository = Repository::Folder(folder.path().join("backups"));
    let go_on = || Ok(());
    let state = |store, blobs| State { store, blobs, audit: None, keys: None };
    let made = create(state(&store, &blobs), &repository, &seal, Utc::now(), 7, &go_on).expect("is made");
    assert!(made.written > SIZE, "{}", made.written);
    let after_create = peak();
    let found = verify(&repository, &made.manifest, &Depth::Content(identities.clone())).expect("is read");
    assert_eq!(found.damaged, []);
    let after_verify = peak();
    let (store, blobs) = opened("other");
    let done = restore(&repository, &made.manifest, &identities, state(&store, &blobs), Utc::now(), &go_on);
    assert_eq!(done.expect("restored").blob_bytes, SIZE);
    let peaks = [after_create, after_verify, peak()];
    assert!(peaks.iter().all(|peak| *peak <= MOST), "create, verify, restore: {peaks:?} bytes");
}
