//! Which cells changed since the results of formulas were computed: from them, and through what reads them, follows which
//! results are old (FRESH).

use formula::{Sheets, Target};
use grid::CellRange;

use crate::edit::Draft;
use crate::edit::error::Problem;
use crate::model::SheetId;

/// Areas of a sheet that are kept apart; beyond, they become one around them.
const MAX_AREAS: usize = 256;

/// Cells that changed since results were computed. Formulas in them, and all that read them, have old results.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pending {
    /// Whether any formula may have an old result.
    pub everything: bool,
    /// The cells that changed, sheet by sheet.
    pub areas: Vec<(SheetId, CellRange)>,
}

/// The cells of one sheet that changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ChangedAreas(Vec<CellRange>);

impl ChangedAreas {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = CellRange> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn add(&mut self, range: CellRange) {
        if self.0.iter().any(|known| known.contains_range(range)) {
            return;
        }
        self.0.retain(|known| !range.contains_range(*known));
        self.0.push(range);
        // What grows cell by cell, row by row, stays one area.
        while let [.., before, last] = self.0[..]
            && is_one(before, last)
        {
            self.0.truncate(self.0.len() - 2);
            self.0.push(before.union(last));
        }
        if self.0.len() > MAX_AREAS {
            self.0 = self.0.drain(..).reduce(CellRange::union).into_iter().collect();
        }
    }
}

impl Draft {
    /// A sheet came, or changed its place: what reads all sheets between two of them may read others now.
    pub(crate) fn sheets_changed(&mut self) -> Result<(), Problem> {
        let is_span = |mention: formula::Mention<'_>| match &mention.target {
            Target::Cells(reference) => matches!(reference.prefix.sheets, Sheets::Span(..)),
            Target::Name(_) | Target::Structured(_) => false,
        };
        let reads_span = |text: &str| formula::references(text).any(is_span);
        let mut found = self.book.names.iter().any(|name| reads_span(&name.refers_to));
        for id in self.book.sheet_ids() {
            // What is not loaded has not changed, but may read others.
            let sheet = self.book.sheet(id, &())?;
            found = found || sheet.formulas().iter().any(|(_, formula)| reads_span(&formula.text));
        }
        self.everything_pending |= found;
        Ok(())
    }
}

/// Whether two ranges make up one.
fn is_one(a: CellRange, b: CellRange) -> bool {
    let overlap = a.intersect(b).map_or(0, CellRange::area);
    a.union(b).area() == a.area() + b.area() - overlap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(added: &[&str], kept: &[&str]) {
        let mut areas = ChangedAreas::default();
        added.iter().for_each(|range| areas.add(range.parse().expect("a range")));
        assert_eq!(areas.iter().map(|range| range.to_string()).collect::<Vec<_>>(), kept);
    }

    #[test]
    fn areas_join_when_they_make_up_one() {
        check(&["A1", "A2", "A3"], &["A1:A3"]);
        check(&["A1", "B1", "A2", "B2"], &["A1:B2"]);
        check(&["A1", "B2"], &["A1", "B2"]);
        check(&["A1:C3", "B2"], &["A1:C3"]);
        check(&["B2", "D9", "A1:C3"], &["D9", "A1:C3"]);
    }

    #[test]
    fn many_areas_become_one() {
        let mut areas = ChangedAreas::default();
        for row in 0..2000 {
            areas.add(CellRange::from_bounds(row * 2, row % 2 * 3, row * 2, row % 2 * 3).expect("a range"));
        }
        assert!(areas.iter().count() <= MAX_AREAS);
        assert!(areas.iter().next().is_some_and(|first| first.height() > 3000));
    }
}
