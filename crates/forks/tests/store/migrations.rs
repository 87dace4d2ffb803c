//! How a database gets its tables, and what a program says to tables of another release.

use components::Postgres;
use forks::{Migration, PostgresStore, Seq, Store, StoreError};

use crate::database::{migrate, open, options, runtime};
use crate::{ROOM, append, id, line, new_fork};

fn new_database() -> (String, String) {
    let database = Postgres::shared().new_database();
    (Postgres::shared().url(&database), database)
}

fn look(url: &str) -> Migration {
    PostgresStore::migrate(&url.parse().unwrap(), &options(), &runtime(), true).unwrap()
}

#[test]
fn a_store_waits_for_its_tables_and_goes_on_by_itself() {
    let (url, _) = new_database();
    let store = open(&url);
    let error = store.check().unwrap_err();
    assert!(matches!(error, StoreError::NotMigrated { found: 0, known: 3, .. }), "{error}");
    assert!(error.to_string().ends_with("run `spreadsheet-mcp migrate`"), "{error}");
    assert_eq!(look(&url), Migration { from: 0, to: 3 });
    assert_eq!(look(&url), Migration { from: 0, to: 3 }, "looking changes nothing");
    assert_eq!(migrate(&url).unwrap(), Migration { from: 0, to: 3 });
    store.check().unwrap();
    assert_eq!(migrate(&url).unwrap(), Migration { from: 3, to: 3 });
}

#[test]
fn several_may_migrate_at_the_same_time() {
    let (url, _) = new_database();
    let first = std::thread::scope(|scope| {
        let migrating: Vec<_> = (0..6).map(|_| scope.spawn(|| migrate(&url).unwrap())).collect();
        let done = migrating.into_iter().map(|one| one.join().unwrap());
        done.filter(|done| done.from == 0).count()
    });
    assert_eq!(first, 1, "one makes the tables, the others find them");
    open(&url).check().unwrap();
}

#[test]
fn the_first_format_is_brought_forward_with_what_it_holds() {
    let (url, database) = new_database();
    let postgres = Postgres::shared();
    postgres.execute(
        &database,
        &format!(
            "CREATE SCHEMA spreadsheet_mcp; SET search_path = spreadsheet_mcp;
             CREATE TABLE format (version bigint NOT NULL, compatible_from bigint NOT NULL);
             INSERT INTO format VALUES (1, 1); {}",
            include_str!("../../src/postgres/schema_1.sql")
        ),
    );
    postgres.execute(
        &database,
        "SET search_path = spreadsheet_mcp;
         SELECT create_fork('fork-0000000001', 'ada', repeat('a', 64), 10, 'a.xlsx', NULL, NULL, NULL, 1000, 0, 'n', 9, 9, 99);
         SELECT append_entry('fork-0000000001', 0, 'm', 'ada', 'set B2', 'kept', NULL, 0, NULL, NULL, NULL, 1)",
    );
    let store = open(&url);
    assert!(matches!(store.check(), Err(StoreError::NotMigrated { found: 1, known: 3, .. })));
    assert_eq!(migrate(&url).unwrap(), Migration { from: 1, to: 3 });
    assert_eq!(line(&store, &id(1), 1), "kept");
    assert_eq!(append(&store, &id(1), 1, "more").unwrap(), 2);
    assert!(store.lease("clean", "a", 1_000, 0).unwrap());
}

#[test]
fn tables_of_the_next_release_are_used_while_they_are_compatible() {
    let (url, database) = new_database();
    migrate(&url).unwrap();
    let set = |version: i64, compatible_from: i64| {
        let sql = format!(
            "UPDATE spreadsheet_mcp.format SET version = {version}, compatible_from = {compatible_from}"
        );
        Postgres::shared().execute(&database, &sql);
    };
    set(4, 3);
    let store = open(&url);
    store.create_fork(&new_fork(1), &ROOM, 0).unwrap();
    assert_eq!(migrate(&url).unwrap(), Migration { from: 4, to: 4 }, "a newer format is not touched");
    set(5, 4);
    let error = open(&url).check().unwrap_err();
    assert!(matches!(error, StoreError::NewerVersion { found: 5, known: 3, .. }), "{error}");
    assert_eq!(store.fork(&id(1)).unwrap().head, Seq::BASE);
}

#[test]
fn the_time_of_the_database_counts_where_it_is_asked_for() {
    let (url, _) = new_database();
    migrate(&url).unwrap();
    let options = forks::PostgresOptions { clock: forks::Clock::Database, ..options() };
    let store = crate::database::open_with(&url, options);
    let fork = store.create_fork(&new_fork(1), &ROOM, 0).unwrap();
    let year_2026 = 1_767_225_600_000;
    assert!(fork.created > year_2026, "the callers' time is not taken");
    assert_eq!(fork.expires - fork.last_used, crate::HOUR);
    assert_eq!(store.expire(i64::MAX).unwrap(), [], "a clock that is ahead drops nothing");
    assert!(store.lease("clean", "a", 60_000, 0).unwrap());
    assert!(!store.lease("clean", "b", 60_000, i64::MAX).unwrap());
    let times = [0, i64::MAX].map(|now| store.time(now).unwrap());
    assert!(times.iter().all(|time| (year_2026..2 * year_2026).contains(time)), "{times:?}");
}
