//! The store's rules, each by an example, over real databases.

#![allow(clippy::unwrap_used, reason = "tests")]

mod checkpoints;
mod forks_and_limits;
mod log;
mod shared;
mod staged;
mod versions;

use std::path::PathBuf;

use forks::{
    Appended, Base, Digest, Fork, ForkId, Limits, Millis, NewEntry, NewFork, Origin, Seq, SqliteStore, Store,
    StoreError,
};

/// Far more than any test needs.
const ROOM: Limits = Limits { forks: 1_000, forks_per_owner: 1_000, base_bytes: 1 << 40 };

const HOUR: Millis = 3_600_000;

/// A store in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
    store: SqliteStore,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("state/forks.sqlite")).unwrap();
        Place { folder, store }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("state/forks.sqlite")
    }

    /// The same database, as another process would have it.
    fn opened_again(&self) -> SqliteStore {
        SqliteStore::open(&self.database()).unwrap()
    }

    fn fork(&self, number: u32) -> Fork {
        self.store.create_fork(&new_fork(number), &ROOM, 0).unwrap()
    }
}

fn id(number: u32) -> ForkId {
    format!("fork-{number:010}").parse().unwrap()
}

fn new_fork(number: u32) -> NewFork {
    NewFork {
        id: id(number),
        owner: "ada".to_owned(),
        base: Base {
            digest: Digest::of(&number.to_le_bytes()),
            size: 1_000,
            file_name: "book.xlsx".to_owned(),
        },
        origin: Some(Origin { path: "books/book.xlsx".to_owned(), digest: Digest::of(b"book") }),
        label: None,
        ttl: HOUR,
    }
}

fn entry(payload: &str) -> NewEntry<'_> {
    NewEntry { payload, summary: payload, actor: "ada", applies: None }
}

/// Appends, and gives the number of the new entry.
fn append(store: &dyn Store, fork: &ForkId, expected: u64, payload: &str) -> Result<u64, StoreError> {
    match store.append(fork, Seq::new(expected), &entry(payload), None, 1)? {
        Appended::Added { seq, answer: None } => Ok(seq.get()),
        other => panic!("no key was given, and the answer is {other:?}"),
    }
}

/// The payloads that lead to a state.
fn line(store: &dyn Store, fork: &ForkId, to: u64) -> String {
    let entries = store.path(fork, Seq::BASE, Seq::new(to)).unwrap();
    entries.into_iter().map(|entry| entry.payload).collect::<Vec<_>>().join(" ")
}

/// What was refused, in words.
fn refusal<T>(result: Result<T, StoreError>) -> String {
    result.err().expect("a refusal").to_string()
}
