//! The store's rules, each by an example, over real SQLite databases. `postgres.rs` has them over real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "tests")]

mod checkpoints;
mod forks_and_limits;
mod given;
mod log;
mod rows;
mod shared;
mod staged;
mod together;
mod tree;
mod versions;

use forks::{Fork, SqliteStore, Store};

use given::{HOUR, ROOM, append, entry, id, line, new_fork, refusal};

/// A store in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
    store: SqliteStore,
}

impl Place {
    /// How many random sequences of calls are tried.
    const CASES: u32 = 128;

    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("state/forks.sqlite")).unwrap();
        Place { folder, store }
    }

    /// The same database, as another process would have it.
    fn opened_again(&self) -> SqliteStore {
        SqliteStore::open(&self.folder.path().join("state/forks.sqlite")).unwrap()
    }

    fn fork(&self, number: u32) -> Fork {
        self.store.create_fork(&new_fork(number), &ROOM, 0).unwrap()
    }
}

#[test]
fn expiry_gives_room_back() {
    let place = Place::new();
    let fork = place.fork(1).id;
    append(&place.store, &fork, 0, &"x".repeat(4_000_000)).unwrap();
    let pages = || -> u32 {
        let database = rusqlite::Connection::open(place.folder.path().join("state/forks.sqlite")).unwrap();
        database.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap()
    };
    assert!(pages() > 900);
    place.store.discard(&fork).unwrap();
    assert!(pages() > 900);
    place.store.expire(0).unwrap();
    assert!(pages() < 100, "{}", pages());
}
