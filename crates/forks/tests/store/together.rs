//! Several threads and stores over one database: nothing is lost, and readers see whole states.

use std::collections::HashSet;

use forks::{Appended, ForkId, Limits, Move, Seq, Store, StoreError};

use crate::{Place, ROOM, entry, new_fork};

/// Appends, looking again at where the head is for as long as others are faster. Gives the number, and how often that was.
fn append_with_retries(store: &dyn Store, fork: &ForkId, payload: &str) -> (Seq, u32) {
    let entry = entry(payload);
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
    let place = Place::new();
    let stores = [place.opened_again(), place.opened_again()];
    let fork = place.fork(1).id;

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
    let place = Place::new();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let place = &place;
            scope.spawn(move || {
                let (store, fork) = (&place.store, place.fork(writer).id);
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
    let place = Place::new();
    let made = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..12)
            .map(|maker| {
                let place = &place;
                scope.spawn(move || {
                    // Several open the database at the same time, too.
                    let store = place.opened_again();
                    match store.create_fork(&new_fork(maker), &Limits { forks: 5, ..ROOM }, 0) {
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

#[test]
fn readers_see_whole_states_while_others_write() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..100_u64 {
                let (seq, _) = append_with_retries(store, &fork, "x");
                if round % 10 == 9 {
                    store.move_head(&fork, seq, Move::Undo(3), 0).unwrap();
                }
            }
        });
        for _ in 0..3 {
            scope.spawn(|| {
                let store = place.opened_again();
                for _ in 0..200 {
                    let head = store.fork(&fork).unwrap().head;
                    let path = store.path(&fork, Seq::BASE, head).unwrap();
                    assert_eq!(path.last().map_or(Seq::BASE, |entry| entry.summary.seq), head);
                }
            });
        }
    });
}
