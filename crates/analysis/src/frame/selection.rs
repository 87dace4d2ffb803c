//! Which rows of a table match so far.

use std::ops::Range;

/// A set of rows within a range of rows.
pub(crate) enum Selection {
    /// All of them.
    All(Range<u32>),
    /// One bit a row.
    Some { rows: Range<u32>, words: Vec<u64> },
}

impl Selection {
    /// An explicit set, all rows in or all out.
    pub(crate) fn filled(rows: Range<u32>, is_in: bool) -> Selection {
        let len = rows.len();
        let mut words = vec![if is_in { u64::MAX } else { 0 }; len.div_ceil(64)];
        if is_in
            && !len.is_multiple_of(64)
            && let Some(last) = words.last_mut()
        {
            *last = (1 << (len % 64)) - 1;
        }
        Selection::Some { rows, words }
    }

    pub(crate) fn bounds(&self) -> Range<u32> {
        match self {
            Selection::All(rows) | Selection::Some { rows, .. } => rows.clone(),
        }
    }

    pub(crate) fn contains(&self, row: u32) -> bool {
        match self {
            Selection::All(rows) => rows.contains(&row),
            Selection::Some { rows, words } => {
                rows.contains(&row) && {
                    let bit = (row - rows.start) as usize;
                    words[bit / 64] >> (bit % 64) & 1 == 1
                }
            }
        }
    }

    /// Puts a row of the bounds in or out; a selection of all is left as it is.
    pub(crate) fn set(&mut self, row: u32, is_in: bool) {
        if let Selection::Some { rows, words } = self {
            let bit = (row - rows.start) as usize;
            let mask = 1 << (bit % 64);
            if is_in {
                words[bit / 64] |= mask;
            } else {
                words[bit / 64] &= !mask;
            }
        }
    }

    /// The rows that are in both; the bounds are the same.
    pub(crate) fn and(self, other: Selection) -> Selection {
        match (self, other) {
            (Selection::All(_), other) | (other, Selection::All(_)) => other,
            (Selection::Some { rows, mut words }, Selection::Some { words: others, .. }) => {
                for (word, other) in words.iter_mut().zip(others) {
                    *word &= other;
                }
                Selection::Some { rows, words }
            }
        }
    }

    pub(crate) fn count(&self) -> u64 {
        match self {
            Selection::All(rows) => rows.len() as u64,
            Selection::Some { words, .. } => words.iter().map(|word| u64::from(word.count_ones())).sum(),
        }
    }

    /// The rows at ascending positions among those that are in.
    pub(crate) fn at(&self, positions: &[u64]) -> Vec<u32> {
        match self {
            Selection::All(rows) => positions.iter().map(|position| rows.start + *position as u32).collect(),
            Selection::Some { rows, words } => {
                let mut found = Vec::with_capacity(positions.len());
                let mut wanted = positions.iter().copied().peekable();
                let mut before = 0;
                for (index, word) in words.iter().enumerate() {
                    let after = before + u64::from(word.count_ones());
                    let mut rest = *word;
                    let mut at = before;
                    while let Some(position) = wanted.next_if(|position| *position < after) {
                        while at < position {
                            rest &= rest - 1;
                            at += 1;
                        }
                        found.push(rows.start + index as u32 * 64 + rest.trailing_zeros());
                    }
                    if wanted.peek().is_none() {
                        break;
                    }
                    before = after;
                }
                found
            }
        }
    }

    /// Every row that is in, ascending.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u32> + '_ {
        self.bounds().filter(|row| self.contains(*row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_the_rows_that_are_in() {
        let mut odd = Selection::filled(10..210, false);
        (11..210).step_by(2).for_each(|row| odd.set(row, true));
        assert_eq!(odd.count(), 100);
        assert_eq!(odd.at(&[0, 1, 31, 32, 99]), [11, 13, 73, 75, 209]);
        assert_eq!(odd.at(&[99]), [209]);
        let low = {
            let mut low = Selection::filled(10..210, true);
            (20..210).for_each(|row| low.set(row, false));
            low
        };
        assert_eq!(odd.and(low).rows().collect::<Vec<_>>(), [11, 13, 15, 17, 19]);
        assert_eq!(Selection::filled(0..70, true).count(), 70);
        assert_eq!(Selection::All(5..9).at(&[0, 3]), [5, 8]);
    }
}
