//! Two sequences of hashed lines put next to each other, at a bounded cost.
//!
//! Equal ends first, then lines that are unique on both sides (patience), then, between those, the pairing of the most
//! similar ones where a gap is small enough to look at every pair.

use std::collections::HashMap;

use crate::diff::lines::Run;
use crate::formulas::{Cancel, Cancelled};

/// Pairs that one gap may look at.
const MAX_PAIRS: usize = 40_000;
/// How alike two lines have to be to count as one that was edited.
const ALIKE: f32 = 0.3;

/// Where the lines of a gap start on both sides.
#[derive(Debug, Clone, Copy)]
struct Gap {
    old: (usize, usize),
    new: (usize, usize),
}

/// The lines of two sides, by hash; 0 is a blank one.
pub(crate) struct Sequences<'a> {
    pub(crate) old: &'a [u64],
    pub(crate) new: &'a [u64],
    /// How alike an old and a new line are, 0 to 1.
    pub(crate) alike: &'a dyn Fn(usize, usize) -> f32,
    /// Looks at pairs that are left.
    pub(crate) budget: std::cell::Cell<usize>,
}

impl Sequences<'_> {
    /// The lines that stayed, ascending on both sides, by position in the sequences.
    pub(crate) fn align(&self, cancel: Cancel<'_>) -> Result<Vec<Run>, Cancelled> {
        let mut pairs = Vec::new();
        let mut open = vec![Gap { old: (0, self.old.len()), new: (0, self.new.len()) }];
        while let Some(mut gap) = open.pop() {
            if cancel() {
                return Err(Cancelled);
            }
            self.trim(&mut gap, &mut pairs);
            if gap.old.0 == gap.old.1 || gap.new.0 == gap.new.1 {
                continue;
            }
            let anchors = self.anchors(gap);
            if anchors.is_empty() {
                self.pair_alike(gap, &mut pairs);
                continue;
            }
            let mut start = (gap.old.0, gap.new.0);
            for (old, new) in anchors {
                pairs.push((old, new));
                open.push(Gap { old: (start.0, old), new: (start.1, new) });
                start = (old + 1, new + 1);
            }
            open.push(Gap { old: (start.0, gap.old.1), new: (start.1, gap.new.1) });
        }
        pairs.sort_unstable();
        let mut runs: Vec<Run> = Vec::new();
        for (old, new) in pairs.into_iter().map(|(old, new)| (old as u32, new as u32)) {
            match runs.last_mut() {
                Some(run) if run.old + run.len == old && run.new + run.len == new => run.len += 1,
                _ => runs.push(Run { old, new, len: 1 }),
            }
        }
        Ok(runs)
    }

    /// Takes equal lines off both ends of a gap.
    fn trim(&self, gap: &mut Gap, pairs: &mut Vec<(usize, usize)>) {
        while gap.old.0 < gap.old.1 && gap.new.0 < gap.new.1 && self.old[gap.old.0] == self.new[gap.new.0] {
            pairs.push((gap.old.0, gap.new.0));
            gap.old.0 += 1;
            gap.new.0 += 1;
        }
        while gap.old.0 < gap.old.1
            && gap.new.0 < gap.new.1
            && self.old[gap.old.1 - 1] == self.new[gap.new.1 - 1]
        {
            gap.old.1 -= 1;
            gap.new.1 -= 1;
            pairs.push((gap.old.1, gap.new.1));
        }
    }

    /// Lines that both sides have once, as far as they are in one order.
    fn anchors(&self, gap: Gap) -> Vec<(usize, usize)> {
        let old = unique(self.old, gap.old);
        let new = unique(self.new, gap.new);
        let common = |(hash, at): (&u64, &usize)| new.get(hash).map(|to| (*at, *to));
        let mut found: Vec<(usize, usize)> = old.iter().filter_map(common).collect();
        found.sort_unstable();
        longest_ascending(&found)
    }

    /// Pairs the lines of a gap without anchors by how alike they are; what is left in gaps of one size, one by one.
    fn pair_alike(&self, gap: Gap, pairs: &mut Vec<(usize, usize)>) {
        let (rows, cols) = (gap.old.1 - gap.old.0, gap.new.1 - gap.new.0);
        let cost = rows * cols;
        if cost > MAX_PAIRS || cost > self.budget.get() {
            let common = rows.min(cols);
            pairs.extend((0..common).map(|step| (gap.old.0 + step, gap.new.0 + step)));
            return;
        }
        self.budget.set(self.budget.get() - cost);
        let mut likeness = vec![0.0f32; cost];
        for row in 0..rows {
            for col in 0..cols {
                let (old, new) = (gap.old.0 + row, gap.new.0 + col);
                let alike = match (self.old[old], self.new[new]) {
                    (0, 0) => 0.5,
                    (0, _) | (_, 0) => 0.0,
                    (a, b) if a == b => 1.0,
                    _ => (self.alike)(old, new),
                };
                likeness[row * cols + col] = if alike >= ALIKE { alike } else { 0.0 };
            }
        }
        // best[row][col]: the most likeness from there on.
        let width = cols + 1;
        let mut best = vec![0.0f32; (rows + 1) * width];
        for row in (0..rows).rev() {
            for col in (0..cols).rev() {
                let paired = likeness[row * cols + col] + best[(row + 1) * width + col + 1];
                best[row * width + col] =
                    paired.max(best[(row + 1) * width + col]).max(best[row * width + col + 1]);
            }
        }
        let (mut row, mut col) = (0, 0);
        let mut start = (0, 0);
        let mut fill = |from: (usize, usize), to: (usize, usize)| {
            if to.0 - from.0 == to.1 - from.1 {
                pairs.extend(
                    (0..to.0 - from.0).map(|step| (gap.old.0 + from.0 + step, gap.new.0 + from.1 + step)),
                );
            }
        };
        while row < rows && col < cols {
            let own = likeness[row * cols + col];
            if own > 0.0 && own + best[(row + 1) * width + col + 1] >= best[row * width + col] {
                fill(start, (row, col));
                fill((row, col), (row + 1, col + 1));
                (row, col) = (row + 1, col + 1);
                start = (row, col);
            } else if best[(row + 1) * width + col] >= best[row * width + col + 1] {
                row += 1;
            } else {
                col += 1;
            }
        }
        fill(start, (rows, cols));
    }
}

/// The lines that left (`old`) and came (`new`) which are the same: blocks that moved.
pub(crate) fn moved(old: &[(u32, u64)], new: &[(u32, u64)]) -> Vec<Run> {
    let hashes = |lines: &[(u32, u64)]| lines.iter().map(|(_, hash)| *hash).collect::<Vec<u64>>();
    let (old_hashes, new_hashes) = (hashes(old), hashes(new));
    let mut from = unique(&old_hashes, (0, old.len())).into_iter().collect::<Vec<_>>();
    let to = unique(&new_hashes, (0, new.len()));
    from.sort_unstable_by_key(|(_, at)| *at);
    let mut runs: Vec<Run> = Vec::new();
    for (hash, at) in from {
        let Some(target) = to.get(&hash) else { continue };
        let (old, new) = (old[at].0, new[*target].0);
        match runs.last_mut() {
            Some(run) if run.old + run.len == old && run.new + run.len == new => run.len += 1,
            _ => runs.push(Run { old, new, len: 1 }),
        }
    }
    runs
}

/// The positions of the lines that occur once, blank ones aside.
fn unique(hashes: &[u64], (from, to): (usize, usize)) -> HashMap<u64, usize> {
    let mut places: HashMap<u64, Option<usize>> = HashMap::new();
    for (at, hash) in hashes[from..to].iter().enumerate().filter(|(_, hash)| **hash != 0) {
        places.entry(*hash).and_modify(|place| *place = None).or_insert(Some(from + at));
    }
    places.into_iter().filter_map(|(hash, place)| Some((hash, place?))).collect()
}

/// The longest subsequence of pairs, ascending by the first, that ascends by the second as well (patience sorting).
pub(crate) fn longest_ascending(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut piles: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, (_, value)) in pairs.iter().enumerate() {
        let pile = piles.partition_point(|top| pairs[*top].1 < *value);
        before.push(pile.checked_sub(1).map(|left| piles[left]));
        if pile == piles.len() {
            piles.push(index);
        } else {
            piles[pile] = index;
        }
    }
    let mut chain = Vec::with_capacity(piles.len());
    let mut next = piles.last().copied();
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

    /// Lines are characters, `.` a blank one; upper and lower case of a letter are alike.
    fn check(old: &str, new: &str, expected: &str) {
        let hash = |text: &str| -> Vec<u64> {
            text.chars().map(|c| if c == '.' { 0 } else { u64::from(u32::from(c)) }).collect()
        };
        let (a, b) = (hash(old), hash(new));
        let alike = |x: usize, y: usize| {
            f32::from(u8::from(old.as_bytes()[x].eq_ignore_ascii_case(&new.as_bytes()[y])))
        };
        let sequences =
            Sequences { old: &a, new: &b, alike: &alike, budget: std::cell::Cell::new(1_000_000) };
        let runs = sequences.align(&|| false).unwrap();
        let told: Vec<String> =
            runs.iter().map(|run| format!("{}>{}x{}", run.old, run.new, run.len)).collect();
        assert_eq!(told.join(" "), expected, "{old} {new}");
    }

    #[test]
    fn lines_find_each_other() {
        check("abc", "abc", "0>0x3");
        check("abc", "axbc", "0>0x1 1>2x2");
        check("abcd", "ad", "0>0x1 3>1x1");
        check("abc", "aBc", "0>0x3");
        check("abc", "azc", "0>0x3");
        check("aqqc", "aqqqc", "0>0x3 3>4x1");
        check("abc", "axBc", "0>0x1 1>2x2");
        check("a..b", "a...b", "0>0x3 3>4x1");
        check("abcdefg", "defgabc", "3>0x4");
        check("", "ab", "");
    }
}
