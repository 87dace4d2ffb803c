//! What becomes of changes when the database, or the way to it, fails in the middle: nothing that was acknowledged is lost,
//! nothing is done twice, and what is said to be undone is (DURABLE, HONEST).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use components::{Fault, FaultyProxy, Postgres, PostgresOptions};
use forks::{ForkId, Move, PostgresStore, Seq, Store, StoreError};

use crate::database::{migrate, open, open_with, options};
use crate::{Place, ROOM, append, id, new_fork};

/// A way to the shared cluster that can fail.
fn by_proxy(place: &Place) -> (FaultyProxy, PostgresStore) {
    let port = Postgres::shared().port();
    let proxy = FaultyProxy::before(port);
    let url = place.url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    (proxy, open(&url))
}

/// Runs `work` over connections that end after so many bytes of answers, and are mended a moment later.
fn over_cut_connections<T>(proxy: &FaultyProxy, bytes: u64, work: impl FnOnce() -> T) -> T {
    proxy.set(Fault::Truncate(bytes));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(25));
            proxy.set(Fault::None);
        });
        work()
    })
}

/// How many of a fork's entries have each payload.
fn payloads(store: &dyn Store, fork: &ForkId) -> HashMap<String, u32> {
    let head = store.fork(fork).unwrap().head;
    let mut found = HashMap::new();
    for entry in store.path(fork, Seq::BASE, head).unwrap() {
        *found.entry(entry.payload).or_default() += 1;
    }
    found
}

#[test]
fn answers_that_are_lost_at_any_byte_change_nothing_twice() {
    let place = Place::new();
    let fork = place.fork(1).id;
    let (proxy, store) = by_proxy(&place);
    let (mut applied, mut undone, mut head) = (0, 0, 0);
    for bytes in (0..1_600).step_by(16) {
        let payload = bytes.to_string();
        match over_cut_connections(&proxy, bytes, || append(&store, &fork, head, &payload)) {
            Ok(seq) => {
                head += 1;
                applied += 1;
                assert_eq!(seq, head, "{bytes}");
            }
            // The connection was cut before anything was asked.
            Err(StoreError::Away { .. }) => {
                undone += 1;
                std::thread::sleep(Duration::from_millis(30));
            }
            Err(error) => panic!("{bytes}: {error}"),
        }
        let actual = place.store.fork(&fork).unwrap().head;
        assert_eq!(actual.get(), head, "after {bytes} bytes of answers");
    }
    println!("{applied} were appended, {undone} were not and it was said");
    assert!(applied > 5, "few connections got as far as the entry");
    assert!(payloads(&place.store, &fork).values().all(|count| *count == 1));
}

#[test]
fn moves_checkpoints_and_forks_are_made_once() {
    let place = Place::new();
    let fork = place.fork(1).id;
    for seq in 0..200 {
        append(&place.store, &fork, seq, "x").unwrap();
    }
    let (proxy, store) = by_proxy(&place);
    let away = |error: &StoreError| matches!(error, StoreError::Away { .. });
    let mut head = 200;
    for (number, bytes) in (400..1_600).step_by(40).enumerate() {
        let undo = || store.move_head(&fork, Seq::new(head), Move::Undo(1), 1);
        match over_cut_connections(&proxy, bytes, undo) {
            Ok(moved) => {
                head -= 1;
                assert_eq!(moved.get(), head);
            }
            Err(error) => assert!(away(&error), "{bytes}: {error}"),
        }
        assert_eq!(place.store.fork(&fork).unwrap().head.get(), head, "after {bytes} bytes of answers");

        let name = format!("at {bytes}").parse().unwrap();
        match over_cut_connections(&proxy, bytes, || store.create_checkpoint(&fork, &name, 1)) {
            Ok(made) => assert_eq!(made.seq.get(), head),
            Err(error) => assert!(away(&error), "{bytes}: {error}"),
        }
        let another = new_fork(100 + number as u32);
        match over_cut_connections(&proxy, bytes, || store.create_fork(&another, &ROOM, 1)) {
            Ok(made) => assert_eq!(made.id, another.id),
            Err(error) => assert!(away(&error), "{bytes}: {error}"),
        }
        if store.fork(&another.id).is_ok() {
            match over_cut_connections(&proxy, bytes, || store.discard(&another.id)) {
                Ok(()) => assert!(store.fork(&another.id).is_err()),
                Err(error) => assert!(away(&error), "{bytes}: {error}"),
            }
        }
    }
}

#[test]
fn nobody_who_is_in_doubt_is_told_that_nothing_happened() {
    let place = Place::new();
    let fork = place.fork(1).id;
    let port = Postgres::shared().port();
    let proxy = FaultyProxy::before(port);
    let url = place.url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    let store = open_with(&url, forks::PostgresOptions { patience: Duration::from_secs(1), ..options() });
    // While a lock is held, the answer is waited for; then the way is gone for good.
    append(&store, &fork, 0, "a").unwrap();
    let holding = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            holding.store(true, Ordering::SeqCst);
            let sql = "BEGIN; SELECT FROM spreadsheet_mcp.forks FOR UPDATE; SELECT pg_sleep(0.6); COMMIT";
            Postgres::shared().execute(place.url.rsplit('/').next().unwrap(), sql);
        });
        while !holding.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(200));
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            proxy.set(Fault::Refuse);
        });
        let begun = Instant::now();
        let error = append(&store, &fork, 1, "b").unwrap_err();
        assert!(matches!(error, StoreError::InDoubt { .. }), "{error}");
        assert!(error.to_string().contains("the change may have been made"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    });
    // It came through: the server went on with what it had been asked.
    std::thread::sleep(Duration::from_millis(800));
    let head = place.store.fork(&fork).unwrap().head.get();
    println!("the change in doubt was made: {}", head == 2);
}

#[test]
fn a_server_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice() {
    let mut postgres = Postgres::start(&PostgresOptions::default()).unwrap();
    let url = postgres.url(&postgres.new_database());
    migrate(&url).unwrap();
    let forks: Vec<ForkId> = (0..3).map(id).collect();
    let setup = open(&url);
    for number in 0..3 {
        setup.create_fork(&new_fork(number), &ROOM, 0).unwrap();
    }
    let is_over = AtomicBool::new(false);
    let (mut acknowledged, mut in_doubt, mut refused, mut undone) = (0, 0, 0, Vec::new());
    let told = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let (url, fork, is_over) = (&url, &forks[writer], &is_over);
                scope.spawn(move || {
                    let store = open(url);
                    let mut told = Vec::new();
                    let mut number = 0;
                    let mut head = 0;
                    while !is_over.load(Ordering::SeqCst) {
                        number += 1;
                        let payload = format!("{writer}.{number}");
                        let said = append(&store, fork, head, &payload);
                        match &said {
                            Ok(seq) => head = *seq,
                            Err(StoreError::Conflict { actual, .. }) => head = actual.get(),
                            Err(_) => std::thread::sleep(Duration::from_millis(20)),
                        }
                        told.push((payload, said));
                    }
                    told
                })
            })
            .collect();
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(500));
            postgres.kill();
            std::thread::sleep(Duration::from_millis(300));
            postgres.start_again().unwrap();
        }
        std::thread::sleep(Duration::from_millis(1_500));
        is_over.store(true, Ordering::SeqCst);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });

    let store = open(&url);
    for (fork, told) in forks.iter().zip(&told) {
        let found = payloads(&store, fork);
        assert!(found.values().all(|count| *count == 1), "something was appended twice");
        for (payload, said) in told {
            let is_there = found.contains_key(payload);
            match said {
                Ok(_) => {
                    acknowledged += 1;
                    assert!(is_there, "{payload} was acknowledged, and is lost");
                }
                Err(StoreError::InDoubt { .. }) => in_doubt += 1,
                Err(StoreError::Conflict { .. }) => refused += 1,
                Err(StoreError::Away { .. }) => {
                    undone.push(payload);
                    assert!(!is_there, "{payload} was said not to be there, and is");
                }
                Err(error) => panic!("{payload}: {error}"),
            }
        }
        let last = told.iter().rev().find(|(_, said)| said.is_ok());
        let (last, _) = last.expect("writers go on once the server is back");
        assert!(found.contains_key(last));
    }
    println!(
        "4 crashes: {acknowledged} entries were acknowledged, {} were not made and it was said, {in_doubt} in doubt, \
         {refused} conflicts",
        undone.len()
    );
    assert!(acknowledged > 50 && !undone.is_empty());
}

#[test]
fn a_database_that_is_away_is_said_at_once_and_come_back_to() {
    let mut postgres = Postgres::start(&PostgresOptions::default()).unwrap();
    let url = postgres.url(&postgres.new_database());
    migrate(&url).unwrap();
    let store = open(&url);
    let fork = store.create_fork(&new_fork(1), &ROOM, 0).unwrap().id;
    append(&store, &fork, 0, "a").unwrap();
    postgres.stop();

    let begun = Instant::now();
    for _ in 0..30 {
        let error = append(&store, &fork, 1, "b").unwrap_err();
        assert!(matches!(error, StoreError::Away { .. }), "{error}");
        assert!(error.to_string().starts_with(&url.replace("postgres@", "")), "{error}");
        assert!(store.fork(&fork).is_err());
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let counts = store.connections().unwrap();
    assert!(counts.refusals > 0 && counts.is_left_alone, "{counts:?}");

    postgres.start_again().unwrap();
    let back = Instant::now();
    while let Err(error) = append(&store, &fork, 1, "b") {
        assert!(matches!(error, StoreError::Away { .. }), "{error}");
        assert!(back.elapsed() < Duration::from_secs(10), "it is not come back to: {error}");
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("come back to after {:?}", back.elapsed());
    assert_eq!(store.fork(&fork).unwrap().head.get(), 2);
}

#[test]
fn a_database_that_hangs_is_not_waited_for() {
    let place = Place::new();
    let fork = place.fork(1).id;
    let port = Postgres::shared().port();
    let proxy = FaultyProxy::before(port);
    let url = place.url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    let store = open_with(&url, forks::PostgresOptions { patience: Duration::from_millis(500), ..options() });
    store.fork(&fork).unwrap();
    proxy.set(Fault::Stall);
    let begun = Instant::now();
    let error = store.fork(&fork).unwrap_err();
    assert!(matches!(error, StoreError::Away { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
    proxy.set(Fault::None);
    assert_eq!(append(&store, &fork, 0, "a").unwrap(), 1);
}

#[test]
fn a_server_that_must_not_write_any_more_is_left() {
    let postgres = Postgres::start(&PostgresOptions::default()).unwrap();
    let url = postgres.url(&postgres.new_database());
    migrate(&url).unwrap();
    let store = open(&url);
    let fork = store.create_fork(&new_fork(1), &ROOM, 0).unwrap().id;
    let set = |value| {
        postgres.execute("postgres", &format!("ALTER SYSTEM SET default_transaction_read_only = {value}"));
        postgres.execute("postgres", "SELECT pg_reload_conf()");
        std::thread::sleep(Duration::from_millis(300));
    };
    set("on");
    let error = append(&store, &fork, 0, "a").unwrap_err();
    assert!(matches!(error, StoreError::Away { .. }), "{error}");
    set("off");
    assert_eq!(append(&store, &fork, 0, "a").unwrap(), 1);
}

#[test]
fn another_host_is_taken_when_the_first_is_away() {
    let place = Place::new();
    let fork = place.fork(1).id;
    let port = Postgres::shared().port();
    let hosts = format!("127.0.0.1:{},127.0.0.1:{port}/", components::free_port());
    let store = open(&place.url.replace(&format!("127.0.0.1:{port}/"), &hosts));
    assert_eq!(append(&store, &fork, 0, "a").unwrap(), 1);
}
