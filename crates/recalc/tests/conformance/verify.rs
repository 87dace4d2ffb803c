//! Which functions count as verified for an engine.

use std::collections::{BTreeMap, BTreeSet};

use crate::tally::{Count, Tally};

/// Formulas that a function has to be tried in.
const TRIED: usize = 3;
/// One formula in so many may be missed, where many were tried: mostly what nobody writes.
const MISSES: usize = 1000;

/// The functions that an engine got right: tried often enough, and equal wherever they were used alone or with others of them.
pub(crate) fn verified(tally: &Tally) -> BTreeSet<String> {
    let mut good: BTreeSet<String> = tally
        .functions
        .iter()
        .filter(|(_, function)| function.count.tried >= TRIED && function.count.equal > 0)
        .map(|(name, _)| name.clone())
        .collect();
    loop {
        // Formulas of good functions only: what is missed among them is the fault of one.
        let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
        for (names, count) in &tally.formulas {
            if names.iter().all(|name| good.contains(name)) {
                for name in names {
                    let sum = counts.entry(name).or_default();
                    sum.tried += count.tried;
                    sum.equal += count.equal;
                }
            }
        }
        let is_bad =
            |count: &Count| (count.tried - count.equal) * MISSES > count.tried || count.tried < TRIED;
        let share = |count: &Count| count.equal as f64 / count.tried.max(1) as f64;
        let worst = counts
            .iter()
            .filter(|(_, count)| is_bad(count))
            .min_by(|(_, one), (_, other)| share(one).total_cmp(&share(other)))
            .map(|(name, _)| (*name).to_owned());
        let unseen = good.iter().find(|name| !counts.contains_key(name.as_str())).cloned();
        match worst.or(unseen) {
            Some(name) => good.remove(&name),
            None => return good,
        };
    }
}
