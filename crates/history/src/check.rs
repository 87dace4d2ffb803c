//! The checks: of the log, of what clients were told of their edits, and of the order of everything.

use std::collections::HashMap;

use crate::{
    Anomaly, Call, Entry, Outcome, Seq, What,
    content::{Content, States},
};

/// Everything about a fork that has no explanation. `log` leads from the base to the head, when all calls had ended.
pub fn check(log: &[Entry], calls: &[Call]) -> Vec<Anomaly> {
    let mut anomalies = Vec::new();
    check_line(log, &mut anomalies);
    let entries = entries_by_mark(log, &mut anomalies);
    check_asked(log, calls, &mut anomalies);
    check_told(&entries, calls, &mut anomalies);
    let placed = placed(log, &entries, calls, &mut anomalies);
    check_order(&placed, &mut anomalies);
    anomalies
}

/// The log is a line.
fn check_line(log: &[Entry], anomalies: &mut Vec<Anomaly>) {
    let mut before = 0;
    for entry in log {
        if entry.parent != before || entry.seq <= before {
            anomalies.push(Anomaly::BrokenLog { seq: entry.seq, parent: entry.parent, before });
        }
        before = entry.seq;
    }
}

type Entries<'a> = HashMap<&'a str, &'a Entry>;

/// Nothing was applied twice.
fn entries_by_mark<'a>(log: &'a [Entry], anomalies: &mut Vec<Anomaly>) -> Entries<'a> {
    let mut entries = Entries::new();
    for entry in log {
        let Some(mark) = &entry.mark else { continue };
        let first = *entries.entry(mark).or_insert(entry);
        if first.seq != entry.seq {
            anomalies.push(Anomaly::Duplicated { mark: mark.clone(), first: first.seq, second: entry.seq });
        }
    }
    entries
}

/// Every entry was asked for.
fn check_asked(log: &[Entry], calls: &[Call], anomalies: &mut Vec<Anomaly>) {
    let mut marks = std::collections::HashSet::new();
    let mut computations = 0_usize;
    for call in calls {
        match &call.what {
            What::Edit { mark, .. } => {
                marks.insert(mark.as_str());
            }
            What::Compute(_) => computations += 1,
            What::Read { .. } | What::Past { .. } => {}
        }
    }
    for entry in log {
        let is_asked = match &entry.mark {
            Some(mark) => marks.contains(mark.as_str()),
            None => match computations.checked_sub(1) {
                Some(left) => {
                    computations = left;
                    true
                }
                None => false,
            },
        };
        if !is_asked {
            anomalies.push(Anomaly::Phantom { seq: entry.seq, mark: entry.mark.clone() });
        }
    }
}

/// What was acknowledged is there, where its client was told, on what it expected; what was refused is not.
fn check_told(entries: &Entries<'_>, calls: &[Call], anomalies: &mut Vec<Anomaly>) {
    for call in calls {
        let What::Edit { mark, expected, outcome } = &call.what else { continue };
        let entry = entries.get(mark.as_str());
        if let (Some(entry), Some(expected)) = (entry, *expected)
            && entry.parent != expected
        {
            anomalies.push(Anomaly::WrongParent { mark: mark.clone(), expected, parent: entry.parent });
        }
        match (outcome, entry) {
            (Outcome::Done(answers), entry) => {
                let Some(first) = answers.first() else { continue };
                match entry {
                    None => anomalies.push(Anomaly::Lost { mark: mark.clone(), seq: first.seq }),
                    Some(entry) if entry.seq != first.seq => anomalies.push(Anomaly::Misplaced {
                        mark: mark.clone(),
                        told: first.seq,
                        found: entry.seq,
                    }),
                    Some(_) => {}
                }
                if let Some(other) = answers.iter().find(|answer| *answer != first) {
                    anomalies.push(Anomaly::UnlikeAnswers {
                        mark: mark.clone(),
                        first: first.text.clone(),
                        second: other.text.clone(),
                    });
                }
            }
            (Outcome::Refused, Some(entry)) => {
                anomalies.push(Anomaly::RefusedAndApplied { mark: mark.clone(), seq: entry.seq });
            }
            (Outcome::Refused, None) | (Outcome::Unknown, _) => {}
        }
    }
}

/// A call with the states that it may have happened at.
struct Placed<'a> {
    call: &'a Call,
    states: States,
    /// Whether it made the state that it happened at.
    is_edit: bool,
    /// Whether its client saw it end: what nobody heard of may have happened at any later time.
    has_ended: bool,
}

impl Placed<'_> {
    fn name(&self) -> String {
        let Call { client, span, what } = self.call;
        let what = match what {
            What::Edit { mark, .. } => format!("edit {mark}"),
            What::Compute(_) => "calculation".to_owned(),
            What::Read { .. } | What::Past { .. } => "read".to_owned(),
        };
        format!("the {what} of client {client} ({}..{} ns)", span.begun, span.ended)
    }
}

/// Where calls may be; those that say nothing are left out.
fn placed<'a>(
    log: &[Entry],
    entries: &Entries<'_>,
    calls: &'a [Call],
    anomalies: &mut Vec<Anomaly>,
) -> Vec<Placed<'a>> {
    let content = Content::of(log);
    let is_known = |head: Seq| head == 0 || log.binary_search_by_key(&head, |entry| entry.seq).is_ok();
    let mut placed = Vec::with_capacity(calls.len());
    for call in calls {
        let mut it = Placed { call, states: States::ALL, is_edit: false, has_ended: true };
        match &call.what {
            What::Edit { mark, outcome, .. } => {
                let Some(entry) = entries.get(mark.as_str()) else { continue };
                it.states = States::only(entry.seq);
                it.is_edit = true;
                it.has_ended = matches!(outcome, Outcome::Done(_));
            }
            What::Compute(None) => continue,
            What::Compute(Some(head)) => it.states = States::only(*head),
            What::Read { head, cells } => {
                it.states = head.map_or(States::ALL, States::only);
                it.states = it.states.and(seen(&it, &content, cells, anomalies));
            }
            What::Past { seq, cells } => {
                let States { from, to } = seen(&it, &content, cells, anomalies);
                if !(from..=to).contains(seq) {
                    anomalies.push(Anomaly::WrongState { read: it.name(), seq: *seq, from, to });
                }
                continue;
            }
        }
        let told = match &call.what {
            What::Compute(head) | What::Read { head, .. } => *head,
            What::Edit { .. } | What::Past { .. } => None,
        };
        if let Some(head) = told.filter(|head| !is_known(*head)) {
            anomalies.push(Anomaly::UnknownHead { call: it.name(), head });
        } else if it.states.is_empty() {
            anomalies.push(Anomaly::Torn { read: it.name(), from: it.states.from, to: it.states.to });
        } else {
            placed.push(it);
        }
    }
    placed
}

/// The states that have these cells.
fn seen(
    it: &Placed<'_>,
    content: &Content<'_>,
    cells: &[(String, Option<String>)],
    anomalies: &mut Vec<Anomaly>,
) -> States {
    let mut states = States::ALL;
    for (cell, mark) in cells {
        match content.states(cell, mark.as_deref()) {
            Some(held) => states = states.and(held),
            None => anomalies.push(Anomaly::Invented {
                read: it.name(),
                cell: cell.clone(),
                mark: mark.clone().unwrap_or_default(),
            }),
        }
    }
    states
}

/// Gives every call the earliest place that what had ended before leaves it.
fn check_order(placed: &[Placed<'_>], anomalies: &mut Vec<Anomaly>) {
    // Who begins in the moment in which another one ends is at the same time with it: begins come first.
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * placed.len());
    for (index, it) in placed.iter().enumerate() {
        events.push((it.call.span.begun, false, index));
        if it.has_ended {
            events.push((it.call.span.ended, true, index));
        }
    }
    events.sort_unstable();
    let mut places: Vec<Seq> = placed.iter().map(|it| it.states.from).collect();
    // The newest state that calls prove which have ended, and the call that does.
    let mut floor: Option<(Seq, usize)> = None;
    for (_, is_end, index) in events {
        if is_end {
            if floor.is_none_or(|(seq, _)| places[index] > seq) {
                floor = Some((places[index], index));
            }
            continue;
        }
        let Some((seq, by)) = floor else { continue };
        let it = &placed[index];
        let earliest = if it.is_edit { seq + 1 } else { seq };
        if earliest > it.states.to {
            let (name, earlier) = (it.name(), placed[by].name());
            anomalies.push(match it.is_edit {
                true => Anomaly::Reordered { later: name, seq: it.states.to, earlier, floor: seq },
                false => Anomaly::Stale { read: name, newest: it.states.to, earlier, floor: seq },
            });
        } else {
            places[index] = places[index].max(earliest);
        }
    }
}

#[cfg(test)]
mod tests;
