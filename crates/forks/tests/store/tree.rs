//! The log against a model of it: whatever is done, the live state is what replaying the path gives (REPLAY).

use forks::{Appended, ForkId, Move, Seq, Store, StoreError};
use proptest::prelude::*;

use crate::{Place, entry};

/// A step that a client takes. States are given as a part of all that there are by then.
#[derive(Debug, Clone)]
enum Step {
    Append,
    AppendTo(f64),
    Undo(u64),
    Redo(u64),
    Restore(f64),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Append),
        1 => (0.0..1.0).prop_map(Step::AppendTo),
        3 => (0_u64..5).prop_map(Step::Undo),
        2 => (0_u64..5).prop_map(Step::Redo),
        2 => (0.0..1.2).prop_map(Step::Restore),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..40)
}

/// The tree as its parents: entry `seq` is a child of `parents[seq - 1]`.
#[derive(Default)]
struct Model {
    parents: Vec<u64>,
    head: u64,
}

impl Model {
    fn undone(&self, steps: u64) -> Option<u64> {
        (0..steps).try_fold(self.head, |seq, _| self.parents.get((seq as usize).checked_sub(1)?).copied())
    }

    fn redone(&self, steps: u64) -> Option<u64> {
        (0..steps).try_fold(self.head, |seq, _| {
            let newest = self.parents.iter().rposition(|parent| *parent == seq)?;
            Some(newest as u64 + 1)
        })
    }

    /// The entries from the base to a state.
    fn line(&self, to: u64) -> Vec<u64> {
        let mut line = Vec::new();
        let mut seq = to;
        while seq > 0 {
            line.push(seq);
            seq = self.parents[seq as usize - 1];
        }
        line.reverse();
        line
    }
}

fn append(store: &dyn Store, fork: &ForkId, expected: u64, payload: &str) -> Result<Appended, StoreError> {
    store.append(fork, Seq::new(expected), &entry(payload), None, 0)
}

fn check(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut place = Place::new();
    let id = place.fork(1).id;

    let mut model = Model::default();
    for step in steps {
        let count = model.parents.len() as u64;
        let state = |part: f64| (part * (count + 1) as f64) as u64;
        let head = Seq::new(model.head);
        match *step {
            Step::Append => {
                let seq = count + 1;
                let appended = append(&place.store, &id, model.head, &seq.to_string()).unwrap();
                prop_assert_eq!(appended, Appended::Added { seq: Seq::new(seq), answer: None });
                model.parents.push(model.head);
                model.head = seq;
            }
            Step::AppendTo(part) if state(part) != model.head => {
                let stale = state(part);
                let Err(StoreError::Conflict { since, left_out, actual, .. }) =
                    append(&place.store, &id, stale, "x")
                else {
                    return Err(TestCaseError::fail("a stale writer was let in"));
                };
                let known = model.line(stale);
                let missed: Vec<u64> =
                    model.line(model.head).into_iter().filter(|seq| !known.contains(seq)).collect();
                let told: Vec<u64> = since.iter().map(|entry| entry.seq.get()).collect();
                prop_assert_eq!(actual, head);
                prop_assert_eq!(left_out as usize + told.len(), missed.len());
                prop_assert_eq!(&told[..], &missed[left_out as usize..]);
                prop_assert!(told.len() <= 20);
            }
            Step::AppendTo(_) => {}
            Step::Undo(steps) => {
                check_move(&place.store, &id, &mut model, Move::Undo(steps), Model::undone, steps)?;
            }
            Step::Redo(steps) => {
                check_move(&place.store, &id, &mut model, Move::Redo(steps), Model::redone, steps)?;
            }
            Step::Restore(part) => {
                let to = state(part);
                let exists = |model: &Model, to: u64| (to <= model.parents.len() as u64).then_some(to);
                check_move(&place.store, &id, &mut model, Move::To(Seq::new(to)), exists, to)?;
            }
            Step::Reopen => {
                place.store = place.opened_again();
            }
        }
        prop_assert_eq!(place.store.fork(&id).unwrap().head.get(), model.head);
    }

    for to in 0..=model.parents.len() as u64 {
        let line = model.line(to);
        let stored: Vec<u64> = place
            .store
            .path(&id, Seq::BASE, Seq::new(to))
            .unwrap()
            .iter()
            .map(|entry| entry.payload.parse().unwrap())
            .collect();
        prop_assert_eq!(&stored, &line, "every state can be come back to");
        for from in 0..=to {
            let continues = from == 0 || line.contains(&from);
            let path = place.store.path(&id, Seq::new(from), Seq::new(to));
            match path {
                Ok(entries) => {
                    let after = line.iter().filter(|seq| **seq > from).count();
                    prop_assert!(continues);
                    prop_assert_eq!(entries.len(), after);
                }
                Err(error) => {
                    let is_said = matches!(error, StoreError::NotAnAncestor { .. });
                    prop_assert!(!continues && is_said);
                }
            }
        }
    }
    place.store.check().unwrap();
    Ok(())
}

/// Moves the head in both, if the model can.
fn check_move(
    store: &dyn Store,
    id: &ForkId,
    model: &mut Model,
    to: Move,
    target: impl Fn(&Model, u64) -> Option<u64>,
    argument: u64,
) -> Result<(), TestCaseError> {
    let moved = store.move_head(id, Seq::new(model.head), to, 0).ok().map(Seq::get);
    let expected = target(model, argument);
    prop_assert_eq!(moved, expected, "{:?} from {}", to, model.head);
    model.head = expected.unwrap_or(model.head);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(Place::CASES) })]

    #[test]
    fn the_log_behaves_like_its_model(steps in steps()) {
        check(&steps)?;
    }
}
