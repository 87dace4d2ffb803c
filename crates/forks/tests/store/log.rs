//! Appending, conflicts, keys, moving the head.

use forks::{Appended, Digest, Idempotency, IdempotencyKey, Move, Seq, Store, StoreError};

use crate::{Place, append, entry, id, line, refusal};

#[test]
fn entries_are_numbered_and_the_head_follows() {
    let place = Place::new();
    let fork = place.fork(1).id;
    assert_eq!(append(&place.store, &fork, 0, "a").unwrap(), 1);
    assert_eq!(append(&place.store, &fork, 1, "b").unwrap(), 2);
    assert_eq!(place.store.fork(&fork).unwrap().head, Seq::new(2));
    assert_eq!(line(&place.store, &fork, 2), "a b");
    assert_eq!(line(&place.store, &fork, 1), "a");
    assert_eq!(line(&place.store, &fork, 0), "");
}

#[test]
fn what_was_appended_is_there_after_reopening() {
    let place = Place::new();
    let fork = place.fork(1);
    append(&place.store, &fork.id, 0, "{\"set\":\"ä\"}").unwrap();
    let store = place.opened_again();
    drop(place.store);
    assert_eq!(line(&store, &fork.id, 1), "{\"set\":\"ä\"}");
    let reopened = store.fork(&fork.id).unwrap();
    assert_eq!((reopened.head, reopened.base, reopened.origin), (Seq::new(1), fork.base, fork.origin));
}

#[test]
fn a_stale_writer_is_told_what_it_missed() {
    let place = Place::new();
    let fork = place.fork(1).id;
    append(&place.store, &fork, 0, "a").unwrap();
    append(&place.store, &fork, 1, "b").unwrap();
    append(&place.store, &fork, 2, "c").unwrap();
    let refused = append(&place.store, &fork, 1, "x").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "fork-0000000001 is at 3, not at 1; look at what changed since, then repeat the call with 3"
    );
    assert_eq!(missed(refused), ("b c".to_owned(), 0));
    assert_eq!(line(&place.store, &fork, 3), "a b c", "a refused entry leaves nothing behind");
}

/// The summaries that a conflict tells, and how many it leaves out.
fn missed(refused: StoreError) -> (String, u64) {
    let StoreError::Conflict { since, left_out, .. } = refused else {
        panic!("not a conflict: {refused:?}");
    };
    (since.into_iter().map(|entry| entry.summary).collect::<Vec<_>>().join(" "), left_out)
}

#[test]
fn a_conflict_knows_branches_and_is_bounded() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    append(store, &fork, 0, "a").unwrap();
    append(store, &fork, 1, "b").unwrap();
    store.move_head(&fork, Seq::new(2), Move::Undo(1), 1).unwrap();
    append(store, &fork, 1, "c").unwrap();
    let stale_branch = append(store, &fork, 2, "x").unwrap_err();
    assert_eq!(missed(stale_branch), ("c".to_owned(), 0), "from where the two lines parted");

    store.move_head(&fork, Seq::new(3), Move::To(Seq::BASE), 1).unwrap();
    let undone = append(store, &fork, 3, "x").unwrap_err();
    assert_eq!(missed(undone), (String::new(), 0), "after an undo there is nothing new");
    let unknown = append(store, &fork, u64::MAX, "x").unwrap_err();
    assert_eq!(missed(unknown), (String::new(), 0));

    let first = append(store, &fork, 0, "1").unwrap();
    for number in 1..25 {
        append(store, &fork, first + number - 1, &(number + 1).to_string()).unwrap();
    }
    let (since, left_out) = missed(append(store, &fork, 0, "x").unwrap_err());
    let newest: Vec<String> = (6..=25).map(|number| number.to_string()).collect();
    assert_eq!((since, left_out), (newest.join(" "), 5));
}

#[test]
fn undo_redo_and_restore_delete_nothing() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    for (expected, payload) in ["a", "b", "c"].into_iter().enumerate() {
        append(store, &fork, expected as u64, payload).unwrap();
    }
    let go = |from: u64, to: Move| store.move_head(&fork, Seq::new(from), to, 1).map(Seq::get);
    assert_eq!(go(3, Move::Undo(2)).unwrap(), 1);
    assert_eq!(go(1, Move::Redo(1)).unwrap(), 2);
    assert_eq!(append(store, &fork, 2, "d").unwrap(), 4, "numbers are never used again");
    assert_eq!(line(store, &fork, 4), "a b d");
    assert_eq!(go(4, Move::To(Seq::new(3))).unwrap(), 3, "the other branch is still there");
    assert_eq!(line(store, &fork, 3), "a b c");
    assert_eq!(go(3, Move::Undo(3)).unwrap(), 0);
    assert_eq!(go(0, Move::Redo(3)).unwrap(), 4, "the newest branch is redone");
    assert_eq!(go(4, Move::Undo(0)).unwrap(), 4);
}

#[test]
fn moves_that_cannot_be() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    append(store, &fork, 0, "a").unwrap();
    let go = |from: u64, to: Move| refusal(store.move_head(&fork, Seq::new(from), to, 1));
    assert_eq!(
        go(1, Move::Undo(u64::MAX)),
        format!("fork-0000000001 has no {} steps to undo; ask for at most 1", u64::MAX)
    );
    assert!(go(1, Move::Redo(1)).contains("has no 1 steps to redo; ask for at most 0"));
    assert!(go(0, Move::Undo(1)).contains("is at 1, not at 0"));
    assert!(go(1, Move::To(Seq::new(2))).contains("there is no state 2 of fork-0000000001"));
    assert_eq!(store.fork(&fork).unwrap().head, Seq::new(1));
}

#[test]
fn states_continue_states() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    append(store, &fork, 0, "a").unwrap();
    append(store, &fork, 1, "b").unwrap();
    store.move_head(&fork, Seq::new(2), Move::Undo(1), 1).unwrap();
    append(store, &fork, 1, "c").unwrap();
    let between = |from: u64, to: u64| {
        store
            .path(&fork, Seq::new(from), Seq::new(to))
            .map(|entries| entries.iter().map(|entry| entry.payload.as_str()).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(between(1, 3).unwrap(), "c");
    assert_eq!(between(3, 3).unwrap(), "");
    assert!(matches!(between(2, 3), Err(StoreError::NotAnAncestor { .. })), "another branch");
    assert!(matches!(between(3, 1), Err(StoreError::NotAnAncestor { .. })), "backwards");
    assert!(matches!(between(0, 9), Err(StoreError::NotFound { what: "state", .. })));

    let history = |to: u64, limit| {
        let entries = store.history(&fork, Seq::new(to), limit).unwrap();
        entries.iter().map(|entry| entry.summary.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(history(3, 10), "c a");
    assert_eq!(history(3, 1), "c");
    assert_eq!(history(0, 10), "");
}

#[test]
fn a_call_sent_again_is_applied_once() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    let key: IdempotencyKey = "call-1".parse().unwrap();
    let send = |expected: u64, request: &str| {
        let answer = |seq: Seq| format!("{{\"seq\":{seq}}}");
        let call = Idempotency { key: &key, request: Digest::of(request.as_bytes()), answer: &answer };
        store.append(&fork, Seq::new(expected), &entry(request), Some(&call), 1)
    };
    let recall = |request: &str| store.recall(&fork, &key, &Digest::of(request.as_bytes()));

    assert_eq!(recall("a").unwrap(), None);
    let first = send(0, "a").unwrap();
    assert_eq!(first, Appended::Added { seq: Seq::new(1), answer: Some("{\"seq\":1}".to_owned()) });
    append(store, &fork, 1, "b").unwrap();

    let Appended::Repeated(repeated) = send(0, "a").unwrap() else { panic!("applied twice") };
    assert_eq!((repeated.seq, repeated.answer.as_str()), (Seq::new(1), "{\"seq\":1}"));
    assert_eq!(recall("a").unwrap(), Some(repeated));
    assert_eq!(store.fork(&fork).unwrap().head, Seq::new(2));

    let mismatch = "the idempotency key call-1 was used for another call on fork-0000000001; use a new key for each call";
    assert_eq!(refusal(send(2, "c")), mismatch);
    assert_eq!(refusal(recall("c")), mismatch);
}

#[test]
fn a_refused_call_does_not_use_up_its_key() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    append(store, &fork, 0, "a").unwrap();
    let key: IdempotencyKey = "call-1".parse().unwrap();
    let answer = |seq: Seq| seq.to_string();
    let call = Idempotency { key: &key, request: Digest::of(b"x"), answer: &answer };
    assert!(store.append(&fork, Seq::BASE, &entry("x"), Some(&call), 1).is_err());
    let retried = store.append(&fork, Seq::new(1), &entry("x"), Some(&call), 1).unwrap();
    assert_eq!(retried, Appended::Added { seq: Seq::new(2), answer: Some("2".to_owned()) });
}

#[test]
fn keys_live_as_long_as_their_fork() {
    let place = Place::new();
    let (first, second, store) = (place.fork(1).id, place.fork(2).id, &place.store);
    let key: IdempotencyKey = "call-1".parse().unwrap();
    let answer = |seq: Seq| seq.to_string();
    let call = Idempotency { key: &key, request: Digest::of(b"x"), answer: &answer };
    for fork in [&first, &second] {
        let appended = store.append(fork, Seq::BASE, &entry("x"), Some(&call), 1).unwrap();
        assert!(matches!(appended, Appended::Added { .. }), "a key belongs to one fork");
    }
    store.discard(&first).unwrap();
    assert!(refusal(store.recall(&first, &key, &Digest::of(b"x"))).contains("there is no fork"));
    place.fork(1);
    assert_eq!(store.recall(&first, &key, &Digest::of(b"x")).unwrap(), None);
}

#[test]
fn nothing_is_appended_to_a_fork_that_is_not_there() {
    let place = Place::new();
    assert_eq!(
        refusal(append(&place.store, &id(7), 0, "a")),
        "there is no fork fork-0000000007; it may have been discarded or have expired"
    );
}
