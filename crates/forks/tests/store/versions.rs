//! What workspace files held before they were replaced.

use forks::{Digest, SavedVersion, Seq, Store, StoreError};

use crate::{Place, id};

fn add(store: &dyn Store, path: &str, content: &str) -> u64 {
    let version = SavedVersion {
        path: path.to_owned(),
        digest: Digest::of(content.as_bytes()),
        size: content.len() as u64,
        saved_at: 5,
        fork: Some(id(1)),
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
    let number = place.store.add_version(&uploaded).unwrap();
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
