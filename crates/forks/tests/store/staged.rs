//! Changes that were previewed and wait.

use forks::{Appended, NewEntry, Seq, Staged, StagedId, StagedSummary, Store};

use crate::{Place, append, entry, line, refusal};

fn staged_id(number: u32) -> StagedId {
    format!("staged-{number:010}").parse().unwrap()
}

fn change(number: u32, seq: u64, payload: &str) -> Staged {
    let summary = StagedSummary {
        id: staged_id(number),
        seq: Seq::new(seq),
        summary: payload.to_uppercase(),
        created: i64::from(number),
    };
    Staged { summary, payload: payload.to_owned() }
}

#[test]
fn a_staged_change_waits() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    append(store, &fork, 0, "a").unwrap();
    let (first, second) = (change(1, 1, "b"), change(2, 0, "c"));
    store.stage(&fork, &second).unwrap();
    store.stage(&fork, &first).unwrap();
    assert_eq!(store.staged_changes(&fork).unwrap(), [first.summary.clone(), second.summary.clone()]);
    assert_eq!(place.opened_again().staged(&fork, &staged_id(1)).unwrap(), first);

    store.discard_staged(&fork, &staged_id(1)).unwrap();
    assert_eq!(store.staged_changes(&fork).unwrap(), [second.summary]);
    let gone = "there is no staged change staged-0000000001; it may have been discarded or have expired";
    assert_eq!(refusal(store.staged(&fork, &staged_id(1))), gone);
    assert_eq!(refusal(store.discard_staged(&fork, &staged_id(1))), gone);
}

#[test]
fn a_staged_change_is_applied_once() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    store.stage(&fork, &change(1, 0, "b")).unwrap();
    let staged = staged_id(1);
    let apply = |expected: u64| {
        let applied = NewEntry { applies: Some(&staged), ..entry("b") };
        store.append(&fork, Seq::new(expected), &applied, None, 1)
    };
    assert_eq!(apply(0).unwrap(), Appended::Added { seq: Seq::new(1), answer: None });
    assert!(refusal(apply(1)).contains("there is no staged change"));
    assert_eq!(store.fork(&fork).unwrap().head, Seq::new(1));
    assert_eq!(line(store, &fork, 1), "b");
}

#[test]
fn a_refused_application_leaves_the_change_staged() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    store.stage(&fork, &change(1, 0, "b")).unwrap();
    append(store, &fork, 0, "a").unwrap();
    let applied = NewEntry { applies: Some(&staged_id(1)), ..entry("b") };
    assert!(refusal(store.append(&fork, Seq::BASE, &applied, None, 1)).contains("is at 1, not at 0"));
    store.staged(&fork, &staged_id(1)).unwrap();
}

#[test]
fn what_cannot_be_staged() {
    let place = Place::new();
    let (fork, other, store) = (place.fork(1).id, place.fork(2).id, &place.store);
    store.stage(&fork, &change(1, 0, "b")).unwrap();
    assert!(refusal(store.stage(&fork, &change(1, 0, "c"))).contains("there is a staged change"));
    assert!(refusal(store.stage(&fork, &change(2, 5, "c"))).contains("there is no state 5"));
    assert!(refusal(store.staged(&other, &staged_id(1))).contains("there is no staged change"));
    store.discard(&fork).unwrap();
    place.fork(1);
    assert_eq!(store.staged_changes(&fork).unwrap(), [], "dropped with its fork");
}
