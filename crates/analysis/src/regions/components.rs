//! Occupied cells that touch, as rectangles.

use grid::CellRange;

use crate::regions::occupancy::Run;

/// Rounds of uniting rectangles that overlap; each round leaves fewer.
const MAX_ROUNDS: usize = 16;

/// A rectangle around cells that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patch {
    pub(crate) range: CellRange,
    /// Occupied cells inside.
    pub(crate) cells: u64,
}

impl Patch {
    fn join(&mut self, other: Patch) {
        self.range = self.range.union(other.range);
        self.cells += other.cells;
    }
}

/// Collects connected components, corners included, while rows come from top to bottom. Costs memory for the
/// components and for one row.
#[derive(Default)]
pub(crate) struct Components {
    parents: Vec<u32>,
    patches: Vec<Patch>,
    row: u32,
    /// The runs of the row before, with their components.
    before: Vec<(Run, u32)>,
}

impl Components {
    pub(crate) fn add_row(&mut self, row: u32, runs: &[Run]) {
        let mut before = std::mem::take(&mut self.before);
        if self.row + 1 != row {
            before.clear();
        }
        let mut current = Vec::with_capacity(runs.len());
        let mut from = 0;
        for run in runs {
            let Some(range) = CellRange::from_bounds(row, run.first, row, run.last) else { continue };
            while before.get(from).is_some_and(|(above, _)| above.last + 1 < run.first) {
                from += 1;
            }
            let patch = Patch { range, cells: u64::from(range.width()) };
            let mut found: Option<u32> = None;
            for (_, component) in before[from..].iter().take_while(|(above, _)| above.first <= run.last + 1) {
                let root = self.root(*component);
                found = Some(found.map_or(root, |kept| self.unite(kept, root)));
            }
            let component = match found {
                Some(component) => {
                    self.patches[component as usize].join(patch);
                    component
                }
                None => {
                    self.patches.push(patch);
                    self.parents.push(self.parents.len() as u32);
                    self.parents.len() as u32 - 1
                }
            };
            current.push((*run, component));
        }
        self.before = current;
        self.row = row;
    }

    fn root(&mut self, mut component: u32) -> u32 {
        while self.parents[component as usize] != component {
            let above = self.parents[component as usize];
            self.parents[component as usize] = self.parents[above as usize];
            component = above;
        }
        component
    }

    fn unite(&mut self, a: u32, b: u32) -> u32 {
        if a != b {
            let other = self.patches[b as usize];
            self.patches[a as usize].join(other);
            self.parents[b as usize] = a;
        }
        a
    }

    /// The components, in no order.
    pub(crate) fn finish(self) -> Vec<Patch> {
        let Components { parents, patches, .. } = self;
        patches
            .into_iter()
            .zip(parents.iter().enumerate())
            .filter(|(_, (index, parent))| *index as u32 == **parent)
            .map(|(patch, _)| patch)
            .collect()
    }
}

/// Unites rectangles over the same columns that follow each other after a blank row: for sheets with so many that they
/// cannot be looked at one by one.
pub(crate) fn unite_stacked(mut patches: Vec<Patch>) -> Vec<Patch> {
    let cols = |patch: &Patch| (patch.range.start().col(), patch.range.end().col());
    patches.sort_unstable_by_key(|patch| (cols(patch), patch.range.start().row()));
    patches.dedup_by(|next, before| {
        let follows = cols(next) == cols(before) && next.range.start().row() <= before.range.end().row() + 2;
        if follows {
            before.join(*next);
        }
        follows
    });
    patches
}

/// Unites rectangles that overlap, until none do; top to bottom, left to right.
pub(crate) fn unite_overlapping(mut patches: Vec<Patch>) -> Vec<Patch> {
    for _ in 0..MAX_ROUNDS {
        let count = patches.len();
        patches.sort_unstable_by_key(|patch| patch.range);
        let mut done: Vec<Patch> = Vec::with_capacity(count);
        let mut active: Vec<Patch> = Vec::new();
        for mut patch in patches {
            let mut at = 0;
            while at < active.len() {
                if active[at].range.end().row() < patch.range.start().row() {
                    done.push(active.swap_remove(at));
                } else if active[at].range.intersect(patch.range).is_some() {
                    patch.join(active.swap_remove(at));
                    at = 0;
                } else {
                    at += 1;
                }
            }
            active.push(patch);
        }
        done.append(&mut active);
        patches = done;
        if patches.len() == count {
            break;
        }
    }
    patches.sort_unstable_by_key(|patch| patch.range);
    patches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[&str], expected: &str) {
        let mut components = Components::default();
        for (row, line) in rows.iter().enumerate() {
            let row = row as u32;
            let cells = line.bytes().zip(0u32..).filter(|(byte, _)| *byte != b'.');
            let mut runs: Vec<Run> = Vec::new();
            for (_, col) in cells {
                match runs.last_mut().filter(|run| run.last + 1 == col) {
                    Some(run) => run.last = col,
                    None => runs.push(Run { row, first: col, last: col }),
                }
            }
            if !runs.is_empty() {
                components.add_row(row, &runs);
            }
        }
        let found: Vec<String> = unite_overlapping(components.finish())
            .iter()
            .map(|patch| format!("{}={}", patch.range, patch.cells))
            .collect();
        assert_eq!(found.join(" "), expected);
    }

    #[test]
    fn corners_touch() {
        check(&["x..", ".x.", "..x"], "A1:C3=3");
        check(&["x.x", "...", "x.x"], "A1=1 C1=1 A3=1 C3=1");
        check(&["x.x", ".x."], "A1:C2=3");
    }

    #[test]
    fn stacked_rectangles_are_one() {
        let patch = |range: &str| Patch { range: range.parse().unwrap(), cells: 1 };
        let patches = ["A1:B2", "A4:B6", "A9:B9", "A8:C8", "A11:B12"].map(patch).into();
        let united: Vec<String> =
            unite_stacked(patches).iter().map(|patch| patch.range.to_string()).collect();
        assert_eq!(united, ["A1:B6", "A9:B12", "A8:C8"]);
    }

    #[test]
    fn overlapping_rectangles_are_one() {
        check(&["xxxxx", "x...x", "x.x.x", "x...x"], "A1:E4=12");
        check(&["x..xx", "x...x", "xxx.x"], "A1:C3=5 D1:E3=4");
    }
}
