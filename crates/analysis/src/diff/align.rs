//! Which rows (or columns) of one sheet are which of another: so that a row that comes in is one change, not thousands.
//!
//! Lines are compared by keys. What is equal at both ends goes first; then lines whose key is unique on both sides anchor the
//! rest (Bram Cohen's patience diff); what stands between two anchors is paired in order.

use std::collections::HashMap;

use formula::{Change, Direction, Resize};

/// Lines that come or go: the first one, and how many.
pub type Lines = (u32, u32);

/// How the lines of an old and a new sheet correspond.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alignment {
    /// Lines of the old sheet that are gone.
    pub deleted: Vec<Lines>,
    /// Lines of the new sheet that are new.
    pub inserted: Vec<Lines>,
}

impl Alignment {
    /// Whether every line is where it was.
    pub fn is_identity(&self) -> bool {
        self.deleted.is_empty() && self.inserted.is_empty()
    }

    /// The steps from old to new: what goes from the last on, then what comes from the first on.
    pub fn steps(&self, direction: Direction) -> Vec<Resize> {
        let deleted = self.deleted.iter().rev().map(|(at, count)| (*at, Change::Delete(*count)));
        let inserted = self.inserted.iter().map(|(at, count)| (*at, Change::Insert(*count)));
        deleted.chain(inserted).map(|(at, change)| Resize { direction, at, change, band: None }).collect()
    }

    /// What stands behind the last pair is no line that came or went: cells were written there, or cleared.
    fn of(pairs: &[(u32, u32)]) -> Alignment {
        let mut alignment = Alignment::default();
        let (mut old, mut new) = (0, 0);
        for (next_old, next_new) in pairs.iter().copied() {
            if next_old > old {
                alignment.deleted.push((old, next_old - old));
            }
            if next_new > new {
                alignment.inserted.push((new, next_new - new));
            }
            (old, new) = (next_old + 1, next_new + 1);
        }
        alignment
    }
}

/// Brings the lines of two sheets together by their keys; 0 is the key of an empty line.
pub(super) fn align(old: &[u64], new: &[u64]) -> Alignment {
    let mut pairs = Vec::new();
    let prefix = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = (&old[prefix..], &new[prefix..]);
    let suffix = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(|(a, b)| a == b).count();
    pairs.extend((0..prefix as u32).map(|line| (line, line)));
    let middle = (&old[prefix..old.len() - suffix], &new[prefix..new.len() - suffix]);
    let anchors = anchors(middle.0, middle.1);
    let (mut from_old, mut from_new) = (0, 0);
    for (to_old, to_new) in anchors.into_iter().chain([(middle.0.len(), middle.1.len())]) {
        let gap = (to_old - from_old).min(to_new - from_new);
        // Where a line came or went beside a changed one, the changed one is the first.
        pairs.extend(
            (0..gap).map(|step| ((prefix + from_old + step) as u32, (prefix + from_new + step) as u32)),
        );
        if to_old < middle.0.len() {
            pairs.push(((prefix + to_old) as u32, (prefix + to_new) as u32));
        }
        (from_old, from_new) = (to_old + 1, to_new + 1);
    }
    let (old_end, new_end) = (old.len() - suffix, new.len() - suffix);
    pairs.extend((0..suffix).map(|step| ((old_end + step) as u32, (new_end + step) as u32)));
    Alignment::of(&pairs)
}

/// Pairs of lines whose keys are unique on both sides, in an order that both sides have.
fn anchors(old: &[u64], new: &[u64]) -> Vec<(usize, usize)> {
    // For each key the one line that has it, per side; none once there are two.
    let mut places: HashMap<u64, [Option<Option<usize>>; 2]> = HashMap::new();
    for (side, keys) in [old, new].into_iter().enumerate() {
        for (line, key) in keys.iter().enumerate().filter(|(_, key)| **key != 0) {
            let place = &mut places.entry(*key).or_default()[side];
            *place = Some(if place.is_none() { Some(line) } else { None });
        }
    }
    let unique = |key: &u64| match places.get(key) {
        Some([Some(Some(old)), Some(Some(new))]) => Some((*old, *new)),
        _ => None,
    };
    let pairs: Vec<(usize, usize)> = old.iter().filter_map(unique).collect();
    longest_ascending(&pairs)
}

/// The longest subsequence whose second members ascend (patience sorting).
fn longest_ascending(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut tops: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; pairs.len()];
    for (index, (_, new)) in pairs.iter().enumerate() {
        let pile = tops.partition_point(|top| pairs[*top].1 < *new);
        before[index] = pile.checked_sub(1).map(|pile| tops[pile]);
        match tops.get_mut(pile) {
            Some(top) => *top = index,
            None => tops.push(index),
        }
    }
    let mut chain: Vec<(usize, usize)> = Vec::new();
    let mut next = tops.last().copied();
    while let Some(index) = next {
        chain.push(pairs[index]);
        next = before[index];
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &[u64], new: &[u64], deleted: &[Lines], inserted: &[Lines]) {
        let found = align(old, new);
        assert_eq!((found.deleted.as_slice(), found.inserted.as_slice()), (deleted, inserted));
    }

    #[test]
    fn lines_come_and_go() {
        check(&[1, 2, 3], &[1, 2, 3], &[], &[]);
        check(&[1, 2, 3], &[1, 9, 2, 3], &[], &[(1, 1)]);
        check(&[1, 2, 3, 4], &[1, 4], &[(1, 2)], &[]);
        check(&[1, 2, 3], &[1, 8, 3], &[], &[]);
        check(&[], &[1, 2], &[], &[]);
        check(&[1, 2], &[1, 2, 3], &[], &[]);
        check(&[1, 2, 3, 4, 5, 6], &[1, 7, 2, 3, 5, 6, 8], &[(3, 1)], &[(1, 1)]);
        check(&[5, 5, 5], &[5, 5, 5, 5], &[], &[]);
    }

    #[test]
    fn steps_lead_from_old_to_new() {
        let steps = align(&[1, 2, 3, 4, 5, 6], &[1, 7, 2, 3, 5, 6, 8]).steps(Direction::Row);
        let place = |line: u32| steps.iter().try_fold(line, |line, step| Some(step.moved(line, line)?.0));
        assert_eq!(
            (0..6).map(place).collect::<Vec<_>>(),
            [Some(0), Some(2), Some(3), None, Some(4), Some(5)]
        );
    }
}
