//! Histories made by hand: one that is right, and one for each way to be wrong.

use super::*;
use crate::{Answer, Span};

/// An entry that continues the one before it and writes its mark to a cell.
fn entry(seq: Seq, mark: &str, cell: &str) -> Entry {
    Entry { seq, parent: seq - 1, mark: Some(mark.to_owned()), cells: vec![cell.to_owned()] }
}

fn call(begun: u64, ended: u64, what: What) -> Call {
    Call { client: 1, span: Span { begun, ended }, what }
}

fn answer(seq: Seq) -> Answer {
    Answer { seq, text: format!("head {seq}") }
}

fn edit(begun: u64, ended: u64, mark: &str, outcome: Outcome) -> Call {
    call(begun, ended, What::Edit { mark: mark.to_owned(), expected: None, outcome })
}

fn done(begun: u64, ended: u64, mark: &str, seq: Seq) -> Call {
    edit(begun, ended, mark, Outcome::Done(vec![answer(seq)]))
}

fn read(begun: u64, ended: u64, cells: &[(&str, &str)]) -> Call {
    let seen =
        |(cell, mark): &(&str, &str)| ((*cell).to_owned(), (!mark.is_empty()).then(|| (*mark).to_owned()));
    call(begun, ended, What::Read { head: None, cells: cells.iter().map(seen).collect() })
}

fn head(begun: u64, ended: u64, head: Seq) -> Call {
    call(begun, ended, What::Read { head: Some(head), cells: Vec::new() })
}

/// Three edits: `a` and `c` of A1, `b` of B1.
fn log() -> Vec<Entry> {
    vec![entry(1, "a", "A1"), entry(2, "b", "B1"), entry(3, "c", "A1")]
}

/// Those who made it, one after the other.
fn makers() -> Vec<Call> {
    vec![done(10, 20, "a", 1), done(30, 40, "b", 2), done(50, 60, "c", 3)]
}

/// What is said of the three edits and of what else happened.
#[track_caller]
fn said(more: &[Call]) -> Vec<String> {
    let calls = [makers(), more.to_vec()].concat();
    check(&log(), &calls).iter().map(ToString::to_string).collect()
}

/// One anomaly, which says that.
#[track_caller]
fn check_said(anomalies: &[Anomaly], expected: &str) {
    let said: Vec<String> = anomalies.iter().map(ToString::to_string).collect();
    assert!(said.len() == 1 && said[0].contains(expected), "{said:#?}");
}

#[test]
fn what_one_copy_shows_is_right() {
    let calls = [
        read(0, 5, &[("A1", ""), ("B1", ""), ("C9", "")]),
        read(21, 29, &[("A1", "a"), ("B1", "")]),
        // At the same time as an edit, a read may see it or not.
        read(31, 35, &[("B1", "")]),
        read(31, 36, &[("B1", "b")]),
        head(61, 70, 3),
        read(61, 70, &[("A1", "c"), ("B1", "b")]),
        call(61, 65, What::Compute(Some(3))),
        edit(61, 65, "d", Outcome::Refused),
        edit(61, 65, "e", Outcome::Unknown),
    ];
    assert_eq!(said(&calls), [""; 0]);
}

#[test]
fn a_lost_edit_is_found() {
    check_said(&check(&log(), &[makers(), vec![done(70, 80, "d", 4)]].concat()), "is lost");
}

#[test]
fn a_duplicated_edit_is_found() {
    let log = [log(), vec![entry(4, "b", "B1")]].concat();
    check_said(&check(&log, &makers()), "applied as 2 and again as 4");
}

#[test]
fn an_edit_that_is_elsewhere_is_found() {
    let calls = [done(10, 20, "a", 1), done(30, 60, "b", 3), done(30, 60, "c", 3)];
    check_said(&check(&log(), &calls), "acknowledged as 3 and is entry 2");
}

#[test]
fn an_entry_that_nobody_asked_for_is_found() {
    check_said(&check(&log(), &makers()[..2]), "nobody asked for entry 3, c");
    let computed = Entry { seq: 4, parent: 3, mark: None, cells: Vec::new() };
    let log = [log(), vec![computed]].concat();
    check_said(&check(&log, &makers()), "nobody asked for entry 4");
    let asked = [makers(), vec![call(61, 70, What::Compute(None))]].concat();
    assert_eq!(check(&log, &asked), []);
}

#[test]
fn a_refused_edit_that_is_applied_is_found() {
    let calls = [&makers()[..2], &[edit(50, 60, "c", Outcome::Refused)]].concat();
    check_said(&check(&log(), &calls), "refused and is entry 3");
}

#[test]
fn an_edit_that_nobody_heard_of_may_be_applied_later() {
    let mut calls = makers();
    calls[0] = edit(1, 2, "a", Outcome::Unknown);
    calls.push(read(3, 5, &[("A1", "")]));
    assert_eq!(check(&log(), &calls), []);
    calls[0] = edit(25, 26, "a", Outcome::Unknown);
    calls.push(read(21, 24, &[("A1", "a")]));
    check_said(&check(&log(), &calls), "the edit a of client 1 (25..26 ns) is entry 1");
}

#[test]
fn another_answer_to_the_same_call_is_found() {
    let mut calls = makers();
    let other = Answer { seq: 2, text: "another".to_owned() };
    calls[1] = edit(30, 40, "b", Outcome::Done(vec![answer(2), answer(2), other]));
    check_said(&check(&log(), &calls), "answered head 2, and when it was repeated another");
}

#[test]
fn an_edit_of_another_state_than_expected_is_found() {
    let mut calls = makers();
    let outcome = Outcome::Done(vec![answer(3)]);
    calls[2] = call(50, 60, What::Edit { mark: "c".to_owned(), expected: Some(1), outcome });
    check_said(&check(&log(), &calls), "was to continue 1 and continues 2");
}

#[test]
fn a_log_that_is_no_line_is_found() {
    let mut log = log();
    log[2].parent = 1;
    check_said(&check(&log, &makers()), "entry 3 continues 1, though 2 was before it");
}

#[test]
fn edits_in_another_order_than_that_of_time_are_found() {
    let calls = [done(30, 40, "a", 1), done(10, 20, "b", 2), done(50, 60, "c", 3)];
    check_said(&check(&log(), &calls), "the edit a of client 1 (30..40 ns) is entry 1, though 2");
}

#[test]
fn a_stale_read_is_found() {
    let said = said(&[read(41, 45, &[("B1", "")])]);
    assert!(said.len() == 1 && said[0].contains("saw state 1 at most, though 2 had been told"), "{said:?}");
}

#[test]
fn a_head_that_goes_back_is_found() {
    // Both are at the same time as the edit, but not as each other.
    let said = said(&[head(51, 53, 3), head(54, 56, 2)]);
    assert!(said.len() == 1 && said[0].contains("saw state 2 at most, though 3 had been told"), "{said:?}");
}

#[test]
fn a_read_of_the_future_is_found() {
    let said = said(&[read(21, 25, &[("B1", "b")])]);
    assert!(said.len() == 1 && said[0].contains("the edit b of client 1 (30..40 ns) is entry 2"), "{said:?}");
}

#[test]
fn a_read_of_two_states_is_found() {
    let said = said(&[read(0, 70, &[("A1", "c"), ("B1", "")])]);
    assert!(
        said.len() == 1 && said[0].contains("a cell of 3 or later with a cell of 1 or earlier"),
        "{said:?}"
    );
}

#[test]
fn a_named_state_with_cells_of_another_is_found() {
    let past = |seq: Seq, mark: &str| {
        let cells = vec![("A1".to_owned(), Some(mark.to_owned()))];
        call(61, 70, What::Past { seq, cells })
    };
    assert_eq!(said(&[past(1, "a"), past(2, "a"), past(3, "c")]), [""; 0]);
    let said = said(&[past(3, "a")]);
    assert!(said.len() == 1 && said[0].contains("of state 3 saw cells of states 1 to 2"), "{said:?}");
}

#[test]
fn what_nobody_wrote_is_found() {
    let elsewhere = said(&[read(61, 70, &[("B1", "a")])]);
    assert!(elsewhere.len() == 1 && elsewhere[0].contains("saw a in B1"), "{elsewhere:?}");
    let unknown = said(&[head(61, 70, 7)]);
    assert!(unknown.len() == 1 && unknown[0].contains("the head 7, which is not in the log"), "{unknown:?}");
}

/// Whether every read can be given a place, found by trying all of them.
fn has_places(log: &[Entry], calls: &[Call]) -> bool {
    let reads: Vec<usize> =
        (0..calls.len()).filter(|index| matches!(calls[*index].what, What::Read { .. })).collect();
    let newest = log.len() as u64;
    let entries = entries_by_mark(log, &mut Vec::new());
    let content = Content::of(log);
    let combinations = (newest + 1).pow(reads.len() as u32);
    (0..combinations).any(|mut combination| {
        let mut places = vec![0; calls.len()];
        for index in &reads {
            places[*index] = combination % (newest + 1);
            combination /= newest + 1;
        }
        for (place, call) in places.iter_mut().zip(calls) {
            match &call.what {
                What::Edit { mark, .. } => *place = entries[mark.as_str()].seq,
                What::Read { cells, .. } => {
                    let fits = |(cell, mark): &(String, Option<String>)| {
                        let states = content.states(cell, mark.as_deref()).expect("it was written");
                        (states.from..=states.to).contains(place)
                    };
                    if !cells.iter().all(fits) {
                        return false;
                    }
                }
                What::Compute(_) | What::Past { .. } => unreachable!("none is made"),
            }
        }
        let is_edit = |index: usize| matches!(calls[index].what, What::Edit { .. });
        let agrees = |first: usize, then: usize| match is_edit(then) {
            true => places[first] < places[then],
            false => places[first] <= places[then],
        };
        let pairs = (0..calls.len()).flat_map(|first| (0..calls.len()).map(move |then| (first, then)));
        let mut after = pairs.filter(|(first, then)| calls[*first].span.ended < calls[*then].span.begun);
        after.all(|(first, then)| agrees(first, then))
    })
}

#[test]
fn it_agrees_with_a_search_of_all_orders() {
    let mut sequence = fixtures::Sequence::new(7);
    let mut found = [0, 0];
    for _ in 0..20_000 {
        let span = |sequence: &mut fixtures::Sequence| {
            let begun = sequence.below(24);
            (begun, begun + sequence.below(10))
        };
        let mut calls = Vec::new();
        for (mark, seq) in [("a", 1), ("b", 2), ("c", 3)] {
            // Mostly in the order of the log: other histories are soon told apart.
            let (begun, ended) = span(&mut sequence);
            calls.push(done(begun / 2 + seq * 4, ended / 2 + seq * 4, mark, seq));
        }
        for _ in 0..3 {
            let (begun, ended) = span(&mut sequence);
            let first = *sequence.pick(&["", "a", "c"]);
            let second = *sequence.pick(&["", "b"]);
            let cells = [("A1", first), ("B1", second)];
            calls.push(read(begun, ended, &cells[..=sequence.below(2) as usize]));
        }
        let has_places = has_places(&log(), &calls);
        found[usize::from(has_places)] += 1;
        assert_eq!(check(&log(), &calls).is_empty(), has_places, "{calls:#?}");
    }
    assert!(found.iter().all(|count| *count > 1_000), "both kinds are made: {found:?}");
}

#[test]
fn a_large_history_takes_moments() {
    let count = 200_000;
    let log: Vec<Entry> = (1..=count).map(|seq| entry(seq, &format!("m{seq}"), "A1")).collect();
    let calls: Vec<Call> =
        (1..=count).map(|seq| done(seq * 10, seq * 10 + 15, &format!("m{seq}"), seq)).collect();
    let start = std::time::Instant::now();
    assert_eq!(check(&log, &calls), []);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
