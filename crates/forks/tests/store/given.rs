//! What the tests of all stores begin with.

use forks::{
    Appended, Base, Digest, ForkId, Limits, Millis, NewEntry, NewFork, Origin, Seq, Store, StoreError,
};

/// Far more than any test needs.
pub(crate) const ROOM: Limits = Limits { forks: 1_000, forks_per_owner: 1_000, base_bytes: 1 << 40 };

pub(crate) const HOUR: Millis = 3_600_000;

pub(crate) fn id(number: u32) -> ForkId {
    format!("fork-{number:010}").parse().unwrap()
}

pub(crate) fn new_fork(number: u32) -> NewFork {
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

pub(crate) fn entry(payload: &str) -> NewEntry<'_> {
    NewEntry { payload, summary: payload, actor: "ada", applies: None }
}

/// Appends, and gives the number of the new entry.
pub(crate) fn append(
    store: &dyn Store,
    fork: &ForkId,
    expected: u64,
    payload: &str,
) -> Result<u64, StoreError> {
    match store.append(fork, Seq::new(expected), &entry(payload), None, 1)? {
        Appended::Added { seq, answer: None } => Ok(seq.get()),
        other => panic!("no key was given, and the answer is {other:?}"),
    }
}

/// The payloads that lead to a state.
pub(crate) fn line(store: &dyn Store, fork: &ForkId, to: u64) -> String {
    let entries = store.path(fork, Seq::BASE, Seq::new(to)).unwrap();
    entries.into_iter().map(|entry| entry.payload).collect::<Vec<_>>().join(" ")
}

/// What was refused, in words.
pub(crate) fn refusal<T>(result: Result<T, StoreError>) -> String {
    result.err().expect("a refusal").to_string()
}
