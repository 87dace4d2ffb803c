//! What processes agree upon: leases, secrets, calls a minute.

use forks::Store;

use crate::Place;

#[test]
fn a_lease_is_had_by_one_until_it_ends() {
    let place = Place::new();
    let other = place.opened_again();
    assert!(place.store.lease("clean", "a", 1_000, 0).unwrap());
    assert!(!other.lease("clean", "b", 1_000, 999).unwrap());
    assert!(other.lease("another", "b", 1_000, 999).unwrap(), "each name has a lease of its own");
    assert!(place.store.lease("clean", "a", 1_000, 999).unwrap(), "whoever has it may have more of it");
    assert!(!other.lease("clean", "b", 1_000, 1_998).unwrap());
    assert!(other.lease("clean", "b", 1_000, 1_999).unwrap());
    assert!(!place.store.lease("clean", "a", 1_000, 2_000).unwrap());
}

#[test]
fn the_time_is_that_of_who_asks() {
    assert_eq!(Place::new().store.time(7).unwrap(), 7);
}

#[test]
fn one_of_many_gets_a_lease() {
    let place = Place::new();
    let got = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..8)
            .map(|taker| {
                let store = place.opened_again();
                scope.spawn(move || store.lease("clean", &taker.to_string(), 1_000, 0).unwrap())
            })
            .collect();
        takers.into_iter().map(|taker| u32::from(taker.join().unwrap())).sum::<u32>()
    });
    assert_eq!(got, 1);
}

#[test]
fn the_first_secret_stays() {
    let place = Place::new();
    let other = place.opened_again();
    assert_eq!(place.store.shared_secret("links", &[0, 1, 255]).unwrap(), [0, 1, 255]);
    assert_eq!(other.shared_secret("links", b"another").unwrap(), [0, 1, 255]);
    assert_eq!(other.shared_secret("others", b"another").unwrap(), b"another");
}

#[test]
fn all_processes_together_take_what_a_caller_may() {
    let place = Place::new();
    let other = place.opened_again();
    // Six a minute: one in ten seconds.
    let take = |store: &dyn Store, wanted, now| {
        let permits = store.take_permits("ada", wanted, 6, now).unwrap();
        (permits.granted, permits.wait)
    };
    assert_eq!(take(&place.store, 4, 0), (4, 0));
    assert_eq!(take(&other, 4, 0), (2, 0));
    assert_eq!(take(&place.store, 1, 0), (0, 10_000));
    assert_eq!(take(&other, 4, 9_000), (0, 1_000));
    assert_eq!(other.take_permits("bob", 4, 6, 9_000).unwrap().granted, 4);
    assert_eq!(take(&other, 4, 10_000), (1, 0));
    place.store.expire(100_000).unwrap();
    assert_eq!(take(&place.store, 9, 130_000), (6, 0));
    // As many as there are, however many ask.
    let taken: u32 = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..8)
            .map(|_| {
                let store = place.opened_again();
                scope.spawn(move || {
                    (0..5).map(|_| store.take_permits("eve", 3, 50, 0).unwrap().granted).sum::<u32>()
                })
            })
            .collect();
        takers.into_iter().map(|taker| taker.join().unwrap()).sum()
    });
    assert_eq!(taken, 50);
}
