//! Disks that are full or read-only, files that are damaged, too new, gone or replaced: each is said, and nothing is lost.
//!
//! The disks are real: small file systems of their own, mounted where only the child process that uses them sees them.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use forks::{
    Appended, Base, Blobs, Digest, ForkId, Limits, NewEntry, NewFork, Seq, SqliteStore, Store, StoreError,
};

fn id() -> ForkId {
    "fork-0123456789".parse().unwrap()
}

fn create(store: &SqliteStore) {
    let base = Base { digest: Digest::of(b""), size: 0, file_name: "a.xlsx".to_owned() };
    let fork = NewFork { id: id(), owner: "ada".to_owned(), base, origin: None, label: None, ttl: 1_000 };
    store.create_fork(&fork, &Limits { forks: 9, forks_per_owner: 9, base_bytes: 9 }, 0).unwrap();
}

fn append(store: &SqliteStore, expected: u64, payload: &str) -> Result<u64, StoreError> {
    let entry = NewEntry { payload, summary: "an edit", actor: "ada", applies: None };
    match store.append(&id(), Seq::new(expected), &entry, None, 0)? {
        Appended::Added { seq, .. } => Ok(seq.get()),
        Appended::Repeated(repeated) => panic!("no key was given: {repeated:?}"),
    }
}

/// What opening the store says, and that it leaves the file as it was.
fn refusal_to_open(database: &Path) -> StoreError {
    let before = fs::read(database).unwrap();
    let refused = SqliteStore::open(database).and_then(|store| store.check()).unwrap_err();
    assert!(fs::read(database).unwrap() == before, "a file that is not understood is not touched");
    assert!(refused.to_string().contains(&database.display().to_string()), "{refused}");
    refused
}

#[test]
fn a_file_that_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("forks.sqlite");
    fs::write(&database, "PK\u{3}\u{4} a workbook, and no database at all".repeat(100)).unwrap();
    let refused = refusal_to_open(&database);
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused}");
}

#[test]
fn a_database_of_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("forks.sqlite");
    rusqlite::Connection::open(&database).unwrap().execute_batch("CREATE TABLE forks (x)").unwrap();
    let refused = SqliteStore::open(&database).err().unwrap();
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused}");
}

#[test]
fn a_database_of_a_newer_version() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("forks.sqlite");
    create(&SqliteStore::open(&database).unwrap());
    let connection = || rusqlite::Connection::open(&database).unwrap();
    let set = |version: i64| connection().pragma_update(None, "user_version", version).unwrap();
    let newest: i64 = connection().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let newer = newest + 3;
    set(newer);
    assert_eq!(
        refusal_to_open(&database).to_string(),
        format!(
            "{} has the format {newer}, and this program knows formats up to {newest}; use the newer program that wrote it",
            database.display()
        )
    );
    set(-7);
    assert!(matches!(refusal_to_open(&database), StoreError::Corrupt { .. }));
    set(newest);
    SqliteStore::open(&database).unwrap().fork(&id()).unwrap();
}

/// A store with a log that was closed, and what its file holds.
fn closed_store(folder: &Path) -> (PathBuf, Vec<u8>) {
    let database = folder.join("forks.sqlite");
    let store = SqliteStore::open(&database).unwrap();
    create(&store);
    for seq in 0..200 {
        append(&store, seq, &format!("{seq:500}")).unwrap();
    }
    drop(store);
    let bytes = fs::read(&database).unwrap();
    (database, bytes)
}

#[test]
fn a_damaged_page_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (database, bytes) = closed_store(folder.path());
    let mut noticed = 0;
    let pages = bytes.len() / 4096;
    for page in 0..pages {
        let mut damaged = bytes.clone();
        damaged[page * 4096..][..64].fill(0xA5);
        fs::write(&database, &damaged).unwrap();
        let checked = SqliteStore::open(&database).and_then(|store| {
            let used = store.path(&id(), Seq::BASE, Seq::new(200)).map(|_| ());
            // Whatever comes across the damage says so, and never panics.
            assert!(matches!(used, Ok(()) | Err(StoreError::Corrupt { .. } | StoreError::NotFound { .. })));
            store.check()
        });
        match checked {
            Ok(()) => {}
            Err(StoreError::Corrupt { .. }) => noticed += 1,
            Err(error) => panic!("page {page}: {error}"),
        }
    }
    // A page of nothing but the rest of a long payload has no structure of its own to damage.
    assert!(noticed * 10 >= pages * 9, "{noticed} of {pages}");
}

#[test]
fn a_database_that_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (database, bytes) = closed_store(folder.path());
    for left in [bytes.len() / 2, 5_000, 50] {
        fs::write(&database, &bytes[..left]).unwrap();
        let refused = refusal_to_open(&database);
        assert!(matches!(refused, StoreError::Corrupt { .. }), "{left} bytes left: {refused}");
    }
}

#[cfg(unix)]
#[test]
fn a_state_directory_that_is_lost_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (state, elsewhere) = (folder.path().join("state"), folder.path().join("elsewhere"));
    let database = state.join("forks.sqlite");
    let store = SqliteStore::open(&database).unwrap();
    create(&store);
    append(&store, 0, "a").unwrap();

    fs::rename(&state, &elsewhere).unwrap();
    for refused in [append(&store, 1, "b").unwrap_err(), store.fork(&id()).unwrap_err()] {
        let said = refused.to_string();
        assert!(matches!(refused, StoreError::Unavailable { .. }), "{said}");
        assert!(said.contains("put the state directory back"), "{said}");
    }
    assert!(!state.exists(), "nothing is made in its place");

    let other = SqliteStore::open(&database).unwrap();
    let said = append(&store, 1, "b").unwrap_err().to_string();
    assert!(said.contains("another file is in its place"), "{said}");

    drop(other);
    fs::remove_dir_all(&state).unwrap();
    fs::rename(&elsewhere, &state).unwrap();
    assert_eq!(append(&store, 1, "b").unwrap(), 2, "put back, it goes on");
}

#[test]
fn a_place_where_no_folder_can_be() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let below = folder.path().join("file/state");
    assert!(matches!(SqliteStore::open(&below.join("forks.sqlite")), Err(StoreError::Unavailable { .. })));
    assert!(matches!(Blobs::open(&below), Err(StoreError::Unavailable { .. })));
}

const DISK: &str = "FORKS_TEST_DISK";

/// Runs the test of that name in a process of its own, which sees a disk of that size.
fn on_small_disk(test: &str, size: &str) {
    let disk = tempfile::tempdir().unwrap();
    let script = format!("mount -t tmpfs -o size={size} tmpfs \"$0\" || exit 77; exec \"$@\"");
    let ran = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &script])
        .arg(disk.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(DISK, disk.path())
        .output();
    match ran {
        Ok(ran) if ran.status.success() => print!("{}", String::from_utf8_lossy(&ran.stdout)),
        // `unshare` fails with 1, the script with 77 when it may not mount.
        Ok(ran) if !matches!(ran.status.code(), Some(1 | 77)) => {
            panic!("{test}: {}\n{}", ran.status, String::from_utf8_lossy(&ran.stderr))
        }
        other => eprintln!("SKIPPED {test}: no disk can be mounted here: {other:?}"),
    }
}

fn disk() -> Option<PathBuf> {
    std::env::var_os(DISK).map(PathBuf::from)
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    on_small_disk("full_disk", "3m");
}

/// The process on the small disk. Without one it does nothing.
#[test]
fn full_disk() {
    let Some(disk) = disk() else { return };
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![1; 500_000]).unwrap();
    let database = disk.join("state/forks.sqlite");
    let store = SqliteStore::open(&database).unwrap();
    let blobs = Blobs::open(&disk.join("state/blobs")).unwrap();
    create(&store);

    let mut kept = 0;
    let refused = loop {
        match append(&store, kept, &"x".repeat(40_000)) {
            Ok(seq) => kept = seq,
            Err(refused) => break refused,
        }
    };
    let said = refused.to_string();
    assert!(matches!(refused, StoreError::Full { .. }), "{said}");
    assert!(said.contains("is full; nothing was changed: free some space"), "{said}");
    assert!(kept > 5, "{kept}");

    let full = blobs.put(&vec![2; 1_000_000], 0).unwrap_err();
    assert!(matches!(full, StoreError::Full { .. }), "{full}");
    let left = fs::read_dir(disk.join("state/blobs")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| name != ".lock").collect::<Vec<_>>(), [""; 0]);

    let all = |store: &SqliteStore| store.path(&id(), Seq::BASE, Seq::new(kept)).unwrap().len() as u64;
    assert_eq!((store.fork(&id()).unwrap().head.get(), all(&store)), (kept, kept));
    // Another process can still read it.
    assert_eq!(all(&SqliteStore::open(&database).unwrap()), kept);

    fs::remove_file(ballast).unwrap();
    assert_eq!(append(&store, kept, "there is room again").unwrap(), kept + 1);
    store.check().unwrap();
    println!("{kept} entries were kept when the disk was full");
}

#[test]
fn a_full_disk_refuses_to_begin() {
    on_small_disk("nothing_fits", "64k");
}

/// The process on the small disk. Without one it does nothing.
#[test]
fn nothing_fits() {
    let Some(disk) = disk() else { return };
    let _ = fs::write(disk.join("ballast"), vec![1; 64 << 10]);
    let refused = SqliteStore::open(&disk.join("forks.sqlite")).err().unwrap();
    assert!(matches!(refused, StoreError::Full { .. }), "{refused:?}");
}

#[test]
fn a_read_only_disk_is_said() {
    on_small_disk("read_only_disk", "3m");
}

/// The process on the small disk. Without one it does nothing.
#[test]
fn read_only_disk() {
    let Some(disk) = disk() else { return };
    let database = disk.join("forks.sqlite");
    let store = SqliteStore::open(&database).unwrap();
    create(&store);
    drop(store);
    let blobs = Blobs::open(&disk.join("blobs")).unwrap();
    let digest = blobs.put(b"abc", 0).unwrap();
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&disk).status().unwrap();
    assert!(remounted.success());

    let refused = SqliteStore::open(&database).err().unwrap();
    let said = refused.to_string();
    assert!(matches!(refused, StoreError::ReadOnly { .. }), "{said}");
    assert!(said.contains("give this program write access"), "{said}");
    let refused = SqliteStore::open(&disk.join("new/forks.sqlite")).err().unwrap();
    assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused}");
    let refused = blobs.put(b"new", 0).unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused}");
    assert_eq!(&blobs.read(&digest, 0).unwrap()[..], b"abc", "what is there can be read");
}
