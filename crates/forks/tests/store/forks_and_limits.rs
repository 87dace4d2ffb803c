//! Making, listing, using, dropping forks; how many there may be.

use forks::{Digest, Fork, ForkQuery, Limits, NewFork, Seq, Store, StoreError};

use crate::{HOUR, Place, ROOM, append, id, new_fork, refusal};

#[test]
fn a_fork_starts_at_its_base() {
    let place = Place::new();
    let made = place.store.create_fork(&new_fork(1), &ROOM, 5).unwrap();
    let NewFork { id, owner, base, origin, label, ttl } = new_fork(1);
    let expected =
        Fork { id, owner, base, origin, label, created: 5, last_used: 5, expires: 5 + ttl, head: Seq::BASE };
    assert_eq!(made, expected);
    assert_eq!(place.store.fork(&made.id).unwrap(), expected);
    assert_eq!(place.opened_again().fork(&made.id).unwrap(), expected);
}

#[test]
fn a_fork_can_be_made_from_blank() {
    let place = Place::new();
    let blank = NewFork { origin: None, label: Some("plan".to_owned()), ..new_fork(1) };
    let made = place.store.create_fork(&blank, &ROOM, 0).unwrap();
    assert_eq!((made.origin, made.label.as_deref()), (None, Some("plan")));
}

#[test]
fn an_id_is_taken_once() {
    let place = Place::new();
    place.fork(1);
    let again = place.store.create_fork(&new_fork(1), &ROOM, 0);
    assert!(matches!(again, Err(StoreError::Exists { what: "fork", .. })));
}

/// The refusal of the second fork under these limits, or nothing.
fn check_second(limits: Limits, second: &NewFork, expected: &str) {
    let place = Place::new();
    place.store.create_fork(&new_fork(1), &limits, 0).unwrap();
    let said = place.store.create_fork(second, &limits, 0).err().map(|error| error.to_string());
    assert_eq!(said.unwrap_or_default(), expected);
}

#[test]
fn limits_name_the_option_that_raises_them() {
    let bob = NewFork { owner: "bob".to_owned(), ..new_fork(2) };
    let one = Limits { forks: 1, ..ROOM };
    let one_each = Limits { forks_per_owner: 1, ..ROOM };
    let bytes = |base_bytes| Limits { base_bytes, ..ROOM };
    check_second(
        one,
        &bob,
        "the number of forks would exceed the limit of 1; discard forks that are done with, or raise SPREADSHEET_MCP_MAX_FORKS",
    );
    check_second(
        one_each,
        &new_fork(2),
        "the number of your forks would exceed the limit of 1; discard forks that are done with, or raise SPREADSHEET_MCP_MAX_FORKS_PER_OWNER",
    );
    check_second(one_each, &bob, "");
    check_second(
        bytes(1_999),
        &bob,
        "the bytes of the files under all forks would exceed the limit of 1999; discard forks that are done with, or raise SPREADSHEET_MCP_MAX_FORK_BYTES",
    );
    check_second(bytes(2_000), &bob, "");
    check_second(bytes(1_000), &NewFork { base: new_fork(1).base, ..bob }, "");
}

#[test]
fn discarding_makes_room() {
    let place = Place::new();
    let limits = Limits { forks: 1, ..ROOM };
    place.store.create_fork(&new_fork(1), &limits, 0).unwrap();
    assert!(place.store.create_fork(&new_fork(2), &limits, 0).is_err());
    place.store.discard(&id(1)).unwrap();
    place.store.create_fork(&new_fork(2), &limits, 0).unwrap();
    assert!(refusal(place.store.fork(&id(1))).contains("there is no fork"));
    assert!(refusal(place.store.discard(&id(1))).contains("there is no fork"));
}

#[test]
fn a_discarded_fork_takes_its_log_along() {
    let place = Place::new();
    let fork = place.fork(1).id;
    append(&place.store, &fork, 0, "a").unwrap();
    place.store.discard(&fork).unwrap();
    place.fork(1);
    assert!(place.store.path(&fork, Seq::BASE, Seq::new(1)).is_err());
    assert_eq!(append(&place.store, &fork, 0, "b").unwrap(), 1);
}

#[test]
fn forks_are_listed_by_use_in_pages() {
    let place = Place::new();
    for (number, owner, now) in
        [(1, "ada", 10), (2, "bob", 30), (4, "ada", 20), (3, "ada", 20), (5, "ada", 20)]
    {
        let fork = NewFork { owner: owner.to_owned(), ..new_fork(number) };
        place.store.create_fork(&fork, &ROOM, now).unwrap();
    }
    let pages = |owner: Option<&str>, limit: u32| {
        let mut pages = Vec::new();
        let mut last: Option<Fork> = None;
        loop {
            let after = last.as_ref().map(|fork| (fork.last_used, &fork.id));
            let page = place.store.forks(&ForkQuery { owner, after, limit }).unwrap();
            let ids: String = page.iter().map(|fork| &fork.id.as_str()[14..]).collect();
            let Some(end) = page.into_iter().last() else { return pages.join("|") };
            pages.push(ids);
            last = Some(end);
        }
    };
    assert_eq!(pages(None, 10), "23451");
    assert_eq!(pages(None, 2), "23|45|1");
    assert_eq!(pages(Some("ada"), 3), "345|1");
    assert_eq!(pages(Some("eve"), 3), "");
}

#[test]
fn using_a_fork_puts_off_its_end() {
    let place = Place::new();
    let fork = place.fork(1).id;
    let used = || {
        let fork = place.store.fork(&fork).unwrap();
        (fork.last_used, fork.expires)
    };
    place.store.touch(&fork, 59_999).unwrap();
    assert_eq!(used(), (0, HOUR), "within a minute, a use costs no write");
    place.store.touch(&fork, 60_000).unwrap();
    assert_eq!(used(), (60_000, 60_000 + HOUR));
    place.store.append(&fork, Seq::BASE, &crate::entry("a"), None, 60_001).unwrap();
    assert_eq!(used(), (60_001, 60_001 + HOUR));
    place.store.append(&fork, Seq::new(1), &crate::entry("b"), None, 7).unwrap();
    assert_eq!(used(), (60_001, 60_001 + HOUR), "another machine's clock does not turn it back");
    assert!(refusal(place.store.touch(&id(2), 0)).contains("there is no fork"));
}

#[test]
fn forks_expire_by_their_last_use() {
    let place = Place::new();
    place.fork(1);
    place.fork(2);
    place.store.create_fork(&NewFork { ttl: i64::MAX, ..new_fork(3) }, &ROOM, 1_000).unwrap();
    place.store.touch(&id(2), HOUR - 1).unwrap();
    assert_eq!(place.store.expire(HOUR - 1).unwrap(), []);
    assert_eq!(place.store.expire(HOUR).unwrap(), [id(1)]);
    assert_eq!(place.store.expire(HOUR).unwrap(), []);
    assert_eq!(place.store.expire(i64::MAX - 1).unwrap(), [id(2)], "a time to live without end has none");
    assert_eq!(place.store.referenced_blobs().unwrap(), [Digest::of(&3u32.to_le_bytes())].into());
}
