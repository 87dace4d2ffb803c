//! How long the store's operations take on the disk of a folder, and in a PostgreSQL database whose tables were made:
//! `latency FOLDER [URL]`. The folder must not exist.

#![allow(clippy::unwrap_used, reason = "a measurement stops at the first failure")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use forks::{
    Base, Blobs, CheckpointName, Clock, Digest, ForkId, Limits, NewEntry, NewFork, PostgresOptions,
    PostgresStore, Seq, SqliteStore, Store,
};

const ROOM: Limits = Limits { forks: u64::MAX, forks_per_owner: u64::MAX, base_bytes: u64::MAX };

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("usage: latency FOLDER [URL]"));
    assert!(!folder.exists(), "{} exists already", folder.display());
    let database = folder.join("forks.sqlite");
    let store = report("open a new store", 1, |_| SqliteStore::open(&database).unwrap());

    let blobs = Blobs::open(&folder.join("blobs")).unwrap();
    let base: Vec<u8> = (0..30_000_000_u32).map(|byte| (byte % 251) as u8).collect();
    let digest = report("put a blob of 30 MB", 1, |_| blobs.put(&base, 1).unwrap());
    report("put it again", 5, |_| blobs.put(&base, 1).unwrap());
    report("read it", 5, |_| blobs.read(&digest, 0).unwrap());

    measure(&store, digest);
    drop(store);
    report("open a store of 50 MB", 5, |_| SqliteStore::open(&database).unwrap());
    report("check a store of 50 MB", 5, |_| SqliteStore::open(&database).unwrap().check().unwrap());

    if let Some(url) = std::env::args().nth(2) {
        println!("in PostgreSQL:");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = PostgresOptions {
            connections: 2,
            patience: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            password: Box::new(|| Ok(None)),
            random: Box::new(|| {
                static CALLS: AtomicU64 = AtomicU64::new(0);
                u128::from(CALLS.fetch_add(1, Ordering::Relaxed)).to_le_bytes()
            }),
            clock: Clock::Database,
        };
        let store = PostgresStore::new(&url.parse().unwrap(), options, runtime.handle().clone()).unwrap();
        measure(&store, digest);
    }
}

/// What calls do with a store that is empty.
fn measure(store: &dyn Store, digest: Digest) {
    report("create a fork", 200, |number| {
        store.create_fork(&new_fork(number, digest), &ROOM, 1).unwrap();
    });
    let fork = id(0);
    report("create a checkpoint", 200, |number| {
        let name: CheckpointName = number.to_string().parse().unwrap();
        store.create_checkpoint(&fork, &name, 1).unwrap();
    });
    let payload = "x".repeat(1_000);
    let entry = NewEntry { payload: &payload, summary: "set B2", actor: "ada", applies: None };
    let appends = 2_000;
    report("append an entry of 1 kB", appends, |number| {
        store.append(&fork, Seq::new(u64::from(number)), &entry, None, 1).unwrap();
    });
    let head = Seq::new(u64::from(appends));
    report("look a fork up", 200, |_| store.fork(&fork).unwrap());
    report("read a path of 2,000 entries", 20, |_| store.path(&fork, Seq::BASE, head).unwrap());
    report("read its history", 20, |_| store.history(&fork, head, u32::MAX).unwrap());
    report("tell a writer of 2,000 missed entries", 20, |_| {
        store.append(&fork, Seq::BASE, &entry, None, 1).unwrap_err()
    });
    report("discard a fork", 100, |number| store.discard(&id(number + 1)).unwrap());

    let large = "x".repeat(1_000_000);
    let entry = NewEntry { payload: &large, ..entry };
    report("append an entry of 1 MB", 50, |number| {
        store.append(&fork, Seq::new(head.get() + u64::from(number)), &entry, None, 1).unwrap();
    });
}

fn id(number: u32) -> ForkId {
    format!("fork-{number:010}").parse().unwrap()
}

fn new_fork(number: u32, digest: Digest) -> NewFork {
    NewFork {
        id: id(number),
        owner: "ada".to_owned(),
        base: Base { digest, size: 30_000_000, file_name: "book.xlsx".to_owned() },
        origin: None,
        label: None,
        ttl: 3_600_000,
    }
}

/// Runs `operation` so often, and says how long it takes in the middle and at worst.
fn report<T>(what: &str, times: u32, mut operation: impl FnMut(u32) -> T) -> T {
    let mut spans = Vec::new();
    let mut last = None;
    for number in 0..times {
        let start = Instant::now();
        let value = operation(number);
        spans.push(start.elapsed());
        last = Some(value);
    }
    spans.sort();
    let ms = |span: Duration| span.as_secs_f64() * 1_000.0;
    let (median, p99, worst) =
        (spans[spans.len() / 2], spans[spans.len() * 99 / 100], spans[spans.len() - 1]);
    println!("{what:38} {:9.3} ms   p99 {:9.3}   worst {:9.3}", ms(median), ms(p99), ms(worst));
    last.expect("it ran at least once")
}
