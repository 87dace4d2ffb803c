//! Processes that are killed while they write: nothing is lost, and nothing is left half done (DURABLE).

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use forks::{Appended, Base, Digest, ForkId, Limits, NewEntry, NewFork, Seq, SqliteStore, Store, StoreError};

fn id(number: u32) -> ForkId {
    format!("fork-{number:010}").parse().unwrap()
}

const ROOM: Limits = Limits { forks: 100, forks_per_owner: 100, base_bytes: 100 };

fn create(store: &SqliteStore, number: u32) -> Result<ForkId, StoreError> {
    let base = Base { digest: Digest::of(b""), size: 0, file_name: "a.xlsx".to_owned() };
    let owner = "ada".to_owned();
    let fork = NewFork { id: id(number), owner, base, origin: None, label: None, ttl: 1_000 };
    store.create_fork(&fork, &ROOM, 0).map(|fork| fork.id)
}

/// Appends, looking again at where the head is for as long as others are faster. Gives the number, and how often that was.
fn append_with_retries(store: &SqliteStore, fork: &ForkId, payload: &str) -> (Seq, u32) {
    let entry = NewEntry { payload, summary: payload, actor: "ada", applies: None };
    let mut expected = store.fork(fork).unwrap().head;
    for conflicts in 0.. {
        match store.append(fork, expected, &entry, None, 0) {
            Ok(Appended::Added { seq, .. }) => return (seq, conflicts),
            Err(StoreError::Conflict { actual, since, .. }) => {
                assert!(!since.is_empty(), "somebody was faster, so there is something new");
                expected = actual;
            }
            other => panic!("{other:?}"),
        }
    }
    unreachable!("the loop ends by returning");
}

const WRITE_TO: &str = "FORKS_TEST_WRITE_TO";

/// What a process does that is killed while it writes: it says each number after it was acknowledged. Without the variable
/// it is no such process.
#[test]
fn write_until_killed() {
    let Some(database) = std::env::var_os(WRITE_TO) else { return };
    let store = SqliteStore::open(&PathBuf::from(database)).unwrap();
    loop {
        let (seq, _) = append_with_retries(&store, &id(1), &"x".repeat(3_000));
        eprintln!("acknowledged {seq}");
    }
}

/// Starts a process that writes, kills it after so many entries, and gives the last that it was told is kept.
fn last_acknowledged(database: &Path, entries: usize) -> u64 {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "write_until_killed", "--nocapture"])
        .env(WRITE_TO, database)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(writer.stderr.take().unwrap()).lines().map_while(Result::ok);
    let number = |line: String| line.strip_prefix("acknowledged ").map(|number| number.parse().unwrap());
    let last: Option<u64> = said.by_ref().filter_map(number).take(entries).last();
    writer.kill().unwrap();
    writer.wait().unwrap();
    // What it still said until it died was acknowledged, too.
    said.filter_map(number).last().or(last).unwrap()
}

#[test]
fn acknowledged_entries_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("forks.sqlite");
    let fork = create(&SqliteStore::open(&database).unwrap(), 1).unwrap();
    let mut acknowledged = 0;
    for round in 0..12 {
        let last = last_acknowledged(&database, 3 + round * 7);
        assert!(last > acknowledged);
        acknowledged = last;

        let store = SqliteStore::open(&database).unwrap();
        store.check().unwrap();
        let head = store.fork(&fork).unwrap().head;
        // One more may be kept whose acknowledgement the process did not live to say.
        assert!((last..=last + 1).contains(&head.get()), "{last} was acknowledged, {head} is kept");
        let path = store.path(&fork, Seq::BASE, head).unwrap();
        assert_eq!(path.len() as u64, head.get());
        assert!(path.iter().all(|entry| entry.payload.len() == 3_000));
    }
    println!("{acknowledged} entries were acknowledged by processes that were killed");
}
