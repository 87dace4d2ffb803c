//! Several threads, stores and processes over one database: nothing is lost, and nothing is left half done (DURABLE).

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use forks::{
    Appended, Base, Digest, ForkId, Limits, Move, NewEntry, NewFork, Seq, SqliteStore, Store, StoreError,
};

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

#[test]
fn no_entry_is_lost_when_all_write_to_one_fork() {
    const WRITERS: u32 = 8;
    const EACH: u32 = 40;
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("forks.sqlite");
    let stores = [SqliteStore::open(&database).unwrap(), SqliteStore::open(&database).unwrap()];
    let fork = create(&stores[0], 1).unwrap();

    let conflicts: u32 = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (store, fork) = (&stores[writer as usize % 2], &fork);
                scope.spawn(move || {
                    let append = |round| append_with_retries(store, fork, &format!("{writer}.{round}")).1;
                    (0..EACH).map(append).sum::<u32>()
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    println!("{WRITERS} writers met {conflicts} conflicts");

    let total = u64::from(WRITERS * EACH);
    let head = stores[1].fork(&fork).unwrap().head;
    assert_eq!(head, Seq::new(total));
    let path = stores[0].path(&fork, Seq::BASE, head).unwrap();
    let payloads: HashSet<String> = path.into_iter().map(|entry| entry.payload).collect();
    let expected: HashSet<String> =
        (0..WRITERS).flat_map(|writer| (0..EACH).map(move |round| format!("{writer}.{round}"))).collect();
    assert_eq!(payloads, expected);
}

#[test]
fn writers_of_different_forks_meet_no_conflict() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("forks.sqlite")).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let store = &store;
            scope.spawn(move || {
                let fork = create(store, writer).unwrap();
                for round in 0..40 {
                    let (seq, conflicts) = append_with_retries(store, &fork, "x");
                    assert_eq!((seq.get(), conflicts), (round + 1, 0));
                }
            });
        }
    });
}

#[test]
fn a_limit_holds_when_all_create_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("forks.sqlite");
    let made = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..12)
            .map(|maker| {
                let database = &database;
                scope.spawn(move || {
                    // Several make the database at the same time, too.
                    let store = SqliteStore::open(database).unwrap();
                    let base = Base { digest: Digest::of(b""), size: 0, file_name: "a.xlsx".to_owned() };
                    let owner = "ada".to_owned();
                    let fork = NewFork { id: id(maker), owner, base, origin: None, label: None, ttl: 1_000 };
                    match store.create_fork(&fork, &Limits { forks: 5, ..ROOM }, 0) {
                        Ok(_) => 1,
                        Err(StoreError::LimitReached { limit: 5, .. }) => 0,
                        Err(error) => panic!("{error}"),
                    }
                })
            })
            .collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).sum::<u32>()
    });
    assert_eq!(made, 5);
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

#[test]
fn readers_see_whole_states_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("forks.sqlite");
    let store = SqliteStore::open(&database).unwrap();
    let fork = create(&store, 1).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..100_u64 {
                let (seq, _) = append_with_retries(&store, &fork, "x");
                if round % 10 == 9 {
                    store.move_head(&fork, seq, Move::Undo(3), 0).unwrap();
                }
            }
        });
        for _ in 0..3 {
            scope.spawn(|| {
                let store = SqliteStore::open(&database).unwrap();
                for _ in 0..200 {
                    let head = store.fork(&fork).unwrap().head;
                    let path = store.path(&fork, Seq::BASE, head).unwrap();
                    assert_eq!(path.last().map_or(Seq::BASE, |entry| entry.summary.seq), head);
                }
            });
        }
    });
}
