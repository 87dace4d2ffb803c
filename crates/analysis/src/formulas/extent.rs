//! How far a reference reaches along one axis, seen from the cell that holds its formula.
//!
//! The cells of a block share one R1C1 form, so that one extent stands for the references of all of them: where they
//! reach together, and, the other way round, which of them reach a given place, follow by arithmetic.

use formula::Axis;

/// One end of a reference along one axis, in zero-based rows or columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Bound {
    /// The same for every cell.
    Fixed(i32),
    /// A distance from the cell that holds the formula.
    Relative(i32),
}

/// Both ends of a reference along one axis, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Extent {
    pub(crate) first: Bound,
    pub(crate) second: Bound,
}

impl Bound {
    /// A written row or column of a formula that is entered at `origin`.
    pub(crate) fn written(axis: Axis, origin: u32) -> Bound {
        if axis.absolute {
            Bound::Fixed(axis.index as i32)
        } else {
            Bound::Relative(axis.index as i32 - origin as i32)
        }
    }

    fn at(self, place: i32) -> i32 {
        match self {
            Bound::Fixed(index) => index,
            Bound::Relative(offset) => place + offset,
        }
    }

    fn fixed_at(self, place: u32) -> Bound {
        Bound::Fixed(self.at(place as i32))
    }

    /// The bound with its distance brought into a grid of `size`, seen from `place`.
    fn wrapped(self, place: u32, size: u32) -> Bound {
        match self {
            Bound::Relative(offset) => {
                let index = (place as i32 + offset).rem_euclid(size as i32);
                Bound::Relative(index - place as i32)
            }
            Bound::Fixed(_) => self,
        }
    }

    /// The bound `count` rows or columns further.
    pub(crate) fn plus(self, count: u32) -> Bound {
        match self {
            Bound::Fixed(index) => Bound::Fixed(index + count as i32),
            Bound::Relative(offset) => Bound::Relative(offset + count as i32),
        }
    }
}

impl Extent {
    /// The extent between two bounds.
    pub(crate) const fn new(first: Bound, second: Bound) -> Extent {
        Extent { first, second }
    }

    /// The same rows or columns for every cell.
    pub(crate) const fn fixed(first: u32, last: u32) -> Extent {
        Extent { first: Bound::Fixed(first as i32), second: Bound::Fixed(last as i32) }
    }

    /// The extent with ends that leave the grid on one side brought back on the other, as a spreadsheet does.
    pub(crate) fn wrapped(self, place: u32, size: u32) -> Extent {
        Extent { first: self.first.wrapped(place, size), second: self.second.wrapped(place, size) }
    }

    /// The extent that all cells of an array formula have, whose text is entered at `place`.
    pub(crate) fn fixed_at(self, place: u32) -> Extent {
        Extent { first: self.first.fixed_at(place), second: self.second.fixed_at(place) }
    }

    /// What the cells at `first..=last` reach together, lower end first.
    pub(crate) fn sweep(self, first: u32, last: u32) -> (i32, i32) {
        let ends = [first, last].map(|place| (self.first.at(place as i32), self.second.at(place as i32)));
        let low = ends.iter().map(|(a, b)| *a.min(b)).min().unwrap_or(0);
        let high = ends.iter().map(|(a, b)| *a.max(b)).max().unwrap_or(0);
        (low, high)
    }

    /// Those of the places `first..=last` whose cells reach some of `low..=high`: always neighbours.
    pub(crate) fn reaching(self, low: u32, high: u32, first: u32, last: u32) -> Option<(u32, u32)> {
        let (low, high) = (low as i32, high as i32);
        let (from, to) = match (self.first, self.second) {
            (Bound::Fixed(a), Bound::Fixed(b)) => {
                (a.min(b) <= high && a.max(b) >= low).then_some((i32::MIN, i32::MAX))?
            }
            (Bound::Relative(a), Bound::Relative(b)) => (low - a.max(b), high - a.min(b)),
            (Bound::Fixed(fixed), Bound::Relative(offset))
            | (Bound::Relative(offset), Bound::Fixed(fixed)) => {
                if fixed > high {
                    (i32::MIN, high - offset)
                } else if fixed < low {
                    (low - offset, i32::MAX)
                } else {
                    (i32::MIN, i32::MAX)
                }
            }
        };
        let from = from.max(first as i32);
        let to = to.min(last as i32);
        (from <= to).then_some((from as u32, to as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The arithmetic against the definition, over every small case.
    #[test]
    fn reaching_is_the_inverse_of_reach() {
        let bounds = || (-3..4).map(Bound::Relative).chain((0..8).map(Bound::Fixed));
        for extent in bounds().flat_map(|first| bounds().map(move |second| Extent::new(first, second))) {
            for low in 0..8u32 {
                for high in low..8 {
                    let expected: Vec<u32> = (2..7)
                        .filter(|place| {
                            let (start, end) = extent.sweep(*place, *place);
                            start <= high as i32 && end >= low as i32
                        })
                        .collect();
                    let found = extent.reaching(low, high, 2, 6);
                    let found: Vec<u32> = found.map_or(vec![], |(from, to)| (from..=to).collect());
                    assert_eq!(found, expected, "{extent:?} {low}..={high}");
                }
            }
        }
    }

    #[test]
    fn sweeps_are_hulls() {
        let running = Extent::new(Bound::Fixed(1), Bound::Relative(-1));
        assert_eq!(running.sweep(2, 9), (1, 8));
        assert_eq!(running.fixed_at(5).sweep(2, 9), (1, 4));
    }
}
