//! What workspace files held before they were replaced.

use forks::{Digest, NotedVersion, SavedVersion, Seq, Store, StoreError};

use crate::{Place, id};

fn add(store: &dyn Store, path: &str, content: &str) -> u64 {
    note(store, path, content, 1).kept.number
}

/// What a fork notes before it replaces a file that holds `content`.
fn note(store: &dyn Store, path: &str, content: &str, fork: u32) -> NotedVersion {
    let version = SavedVersion {
        path: path.to_owned(),
        digest: Digest::of(content.as_bytes()),
        size: content.len() as u64,
        saved_at: 5,
        fork: Some(id(fork)),
        seq: Seq::new(3),
        became: None,
    };
    store.add_version(&version).unwrap()
}

/// The sizes of a file's versions: enough to tell them apart here.
fn sizes(store: &dyn Store, path: &str) -> Vec<u64> {
    store.versions(path).unwrap().into_iter().map(|version| version.saved.size).collect()
}

#[test]
fn a_version_that_no_fork_was_saved_over_names_none() {
    let place = Place::new();
    add(&place.store, "a.xlsx", "1");
    let saved = place.store.versions("a.xlsx").unwrap().remove(0).saved;
    let uploaded = SavedVersion { digest: Digest::of(b"22"), fork: None, seq: Seq::BASE, ..saved };
    let number = place.store.add_version(&uploaded).unwrap().kept.number;
    assert_eq!(place.opened_again().version("a.xlsx", number).unwrap().saved, uploaded);
}

#[test]
fn versions_are_listed_newest_first_and_outlive_their_fork() {
    let place = Place::new();
    let fork = place.fork(1).id;
    add(&place.store, "a.xlsx", "1");
    add(&place.store, "b.xlsx", "four");
    add(&place.store, "a.xlsx", "22");
    place.store.discard(&fork).unwrap();
    assert_eq!(sizes(&place.store, "a.xlsx"), [2, 1]);
    assert_eq!(sizes(&place.opened_again(), "b.xlsx"), [4]);
    assert_eq!(sizes(&place.store, "c.xlsx"), Vec::<u64>::new());
    let newest = place.store.versions("a.xlsx").unwrap().remove(0).saved;
    assert_eq!((newest.digest, newest.fork, newest.seq), (Digest::of(b"22"), Some(fork), Seq::new(3)));
}

#[test]
fn the_newest_of_each_file_are_kept() {
    let place = Place::new();
    for content in ["1", "22", "333"] {
        add(&place.store, "a.xlsx", content);
    }
    add(&place.store, "b.xlsx", "four");
    assert_eq!(place.store.prune_versions(2).unwrap(), 1);
    assert_eq!((sizes(&place.store, "a.xlsx"), sizes(&place.store, "b.xlsx")), (vec![3, 2], vec![4]));
    assert_eq!(place.store.prune_versions(2).unwrap(), 0);
    let kept = [Digest::of(b"333"), Digest::of(b"22"), Digest::of(b"four")];
    assert_eq!(place.store.referenced_blobs().unwrap(), kept.into());
}

#[test]
fn a_version_is_found_by_its_number() {
    let place = Place::new();
    let (first, other) = (add(&place.store, "a.xlsx", "1"), add(&place.store, "b.xlsx", "four"));
    let second = add(&place.store, "a.xlsx", "22");
    let found = place.store.version("a.xlsx", first).unwrap();
    assert_eq!((found.number, found.saved.digest), (first, Digest::of(b"1")));
    let listed: Vec<u64> = place.store.versions("a.xlsx").unwrap().iter().map(|it| it.number).collect();
    assert_eq!(listed, [second, first]);
    for missing in [other, 99] {
        let error = place.store.version("a.xlsx", missing).unwrap_err();
        assert!(matches!(error, StoreError::NotFound { what: "version", .. }), "{error}");
    }
}

#[test]
fn what_is_noted_twice_in_a_row_is_one_version() {
    let place = Place::new();
    for content in ["1", "22", "22", "1"] {
        add(&place.store, "a.xlsx", content);
    }
    assert_eq!(sizes(&place.store, "a.xlsx"), [1, 2, 1]);
}

/// What is kept of `a.xlsx`, oldest first: its number, its length and the fork that was saved over it.
fn told(store: &dyn Store) -> Vec<(u64, u64, String)> {
    let versions = store.versions("a.xlsx").unwrap().into_iter().rev();
    versions.map(|it| (it.number, it.saved.size, it.saved.fork.unwrap().to_string())).collect()
}

#[test]
fn of_several_that_replace_the_same_bytes_the_version_of_the_one_that_did_stays() {
    for winner in 0..3 {
        let place = Place::new();
        let store = &place.store;
        let noted = [1, 2, 3].map(|fork| note(store, "a.xlsx", "1", fork));
        store.confirm_version(&noted[winner]).unwrap();
        // The others lose, before and after the next one saves over it.
        let mut losers =
            noted.iter().enumerate().filter(|(index, _)| *index != winner).map(|(_, noted)| noted);
        store.withdraw_version(losers.next().unwrap()).unwrap();
        let late = note(store, "a.xlsx", "1", 4);
        let next = note(store, "a.xlsx", "22", 5);
        store.withdraw_version(&late).unwrap();
        store.withdraw_version(losers.next().unwrap()).unwrap();
        let number = noted[winner].kept.number;
        let expected =
            [(number, 1, id(winner as u32 + 1).to_string()), (next.kept.number, 2, id(5).to_string())];
        assert_eq!(told(store), expected);
    }
}

#[test]
fn who_loses_after_others_saved_twice_leaves_no_version() {
    let place = Place::new();
    let store = &place.store;
    let (first, second) = (add(store, "a.xlsx", "1"), add(store, "a.xlsx", "22"));
    let lost = note(store, "a.xlsx", "1", 2);
    store.withdraw_version(&lost).unwrap();
    store.withdraw_version(&lost).unwrap();
    assert_eq!(told(store).iter().map(|it| it.0).collect::<Vec<_>>(), [first, second]);
    // Somebody else may be told of it.
    let lost = note(store, "a.xlsx", "1", 2);
    let also = note(store, "a.xlsx", "1", 3);
    store.withdraw_version(&lost).unwrap();
    assert_eq!(store.version("a.xlsx", also.kept.number).unwrap().saved.digest, Digest::of(b"1"));
    // What is kept nowhere else stays.
    store.withdraw_version(&note(store, "a.xlsx", "333", 2)).unwrap();
    assert_eq!(sizes(store, "a.xlsx"), [3, 1, 2, 1]);
}

#[test]
fn the_number_that_several_are_told_at_once_is_there() {
    const SAVERS: u32 = 6;
    let place = Place::new();
    let stores: Vec<_> = (0..SAVERS).map(|_| place.opened_again()).collect();
    for round in 0..20_usize {
        let content = "x".repeat(round + 1);
        let winner = std::thread::scope(|scope| {
            let savers: Vec<_> = stores
                .iter()
                .zip(1..)
                .map(|(store, fork)| {
                    let content = &content;
                    scope.spawn(move || {
                        let noted = note(store, "a.xlsx", content, fork);
                        if fork as usize % SAVERS as usize == round % SAVERS as usize {
                            store.confirm_version(&noted).unwrap();
                            return Some((noted.kept.number, fork));
                        }
                        store.withdraw_version(&noted).unwrap();
                        None
                    })
                })
                .collect();
            savers.into_iter().filter_map(|saver| saver.join().unwrap()).next().unwrap()
        });
        let kept = place.store.version("a.xlsx", winner.0).unwrap().saved;
        assert_eq!((kept.size, kept.fork), (content.len() as u64, Some(id(winner.1))));
        assert_eq!(place.store.versions("a.xlsx").unwrap().len(), round + 1);
    }
}
