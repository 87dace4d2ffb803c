//! The store's rules over real PostgreSQL: the same examples as over SQLite.

#![allow(clippy::unwrap_used, reason = "tests")]

mod access;
mod checkpoints;
mod database;
mod forks_and_limits;
mod given;
mod log;
mod migrations;
mod outages;
mod rows;
mod shared;
mod staged;
mod together;
mod tree;
mod versions;

use components::Postgres;
use forks::{Fork, PostgresStore, Store};

use given::{HOUR, ROOM, append, entry, id, line, new_fork, refusal};

/// A store in a database of its own.
struct Place {
    url: String,
    store: PostgresStore,
}

impl Place {
    /// How many random sequences of calls are tried.
    const CASES: u32 = 24;

    fn new() -> Place {
        let postgres = Postgres::shared();
        let url = postgres.url(&postgres.new_database());
        database::migrate(&url).unwrap();
        Place { store: database::open(&url), url }
    }

    /// The same database, as another process would have it.
    fn opened_again(&self) -> PostgresStore {
        database::open(&self.url)
    }

    fn fork(&self, number: u32) -> Fork {
        self.store.create_fork(&new_fork(number), &ROOM, 0).unwrap()
    }
}
