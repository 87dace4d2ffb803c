//! Named states.

use forks::{CheckpointName, Move, Seq, Store};

use crate::{Place, append, id, line, refusal};

fn name(text: &str) -> CheckpointName {
    text.parse().unwrap()
}

#[test]
fn a_checkpoint_is_come_back_to() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    append(store, &fork, 0, "a").unwrap();
    let made = store.create_checkpoint(&fork, &name("good"), 7).unwrap();
    assert_eq!((made.seq, made.created), (Seq::new(1), 7));
    append(store, &fork, 1, "b").unwrap();
    store.move_head(&fork, Seq::new(2), Move::To(Seq::BASE), 8).unwrap();
    append(store, &fork, 0, "c").unwrap();

    let found = store.checkpoint(&fork, &name("good")).unwrap();
    assert_eq!(found, made);
    let head = store.move_head(&fork, Seq::new(3), Move::To(found.seq), 9).unwrap();
    assert_eq!(line(store, &fork, head.get()), "a");
}

#[test]
fn names_are_unique_within_a_fork() {
    let place = Place::new();
    let (first, second, store) = (place.fork(1).id, place.fork(2).id, &place.store);
    store.create_checkpoint(&first, &name("good"), 1).unwrap();
    store.create_checkpoint(&second, &name("good"), 1).unwrap();
    assert_eq!(
        refusal(store.create_checkpoint(&first, &name("good"), 2)),
        "there is a checkpoint good already; choose another name, or delete that one first"
    );
    store.delete_checkpoint(&first, &name("good")).unwrap();
    store.create_checkpoint(&first, &name("good"), 3).unwrap();
}

#[test]
fn checkpoints_are_listed_in_the_order_they_were_made() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    for (text, now) in [("z", 1), ("a", 2), ("m", 2)] {
        store.create_checkpoint(&fork, &name(text), now).unwrap();
    }
    let names: Vec<String> =
        store.checkpoints(&fork).unwrap().into_iter().map(|checkpoint| checkpoint.name.to_string()).collect();
    assert_eq!(names, ["z", "a", "m"]);
}

#[test]
fn what_is_not_there() {
    let place = Place::new();
    let (fork, store) = (place.fork(1).id, &place.store);
    let gone = "there is no checkpoint good; it may have been discarded or have expired";
    assert_eq!(refusal(store.checkpoint(&fork, &name("good"))), gone);
    assert_eq!(refusal(store.delete_checkpoint(&fork, &name("good"))), gone);
    assert!(refusal(store.create_checkpoint(&id(9), &name("good"), 1)).contains("there is no fork"));
    assert!(refusal(store.checkpoints(&id(9))).contains("there is no fork"));
}
